/**
 * `make bench-wifi`, inside the virtual machine: the handover benchmark with Wi-Fi. Environment: ROAMS (for each system,
 * 50), INTERVAL (10 ms, for the machine is slow), SYSTEMS (initials, see systems.ts; b.a.t.m.a.n. is m), FORGETS (see
 * handover.ts), SROAMD and L3ROAMD (their binaries), BABELD (another than the one that is installed).
 */
import { programs } from '../bench/bundles.js';
import type { Measured } from '../bench/report.js';
import { report } from '../bench/report.js';
import { measure } from '../bench/run.js';
import { chosenSystems, givenSystems } from '../bench/systems.js';
import { Radios, WifiAir } from './air.js';

const HOPS = 3;

const conditions = {
  roams: Number(process.env['ROAMS'] ?? 50),
  interval: Number(process.env['INTERVAL'] ?? 10),
  forgets: process.env['FORGETS'] === '1',
  // Longer than the second after which Linux asks again for a gateway that it has forgotten.
  dwell: 1600,
};

async function main(): Promise<void> {
  const results: Measured[] = [];
  for (const system of chosenSystems(process.env['SYSTEMS'] ?? `lramb${givenSystems(['s', 'e'])}`, { presence: ['nl80211'] })) {
    // A namespace that ends gives its radios back to the first.
    const radios = results.length === 0 ? await Radios.make(HOPS + 1) : await Radios.again(HOPS + 1);
    const air = new WifiAir(radios, 'wpa2-psk');
    results.push(await measure({ hops: HOPS, programs }, system, air, conditions));
    process.stdout.write(report(results, air.name, conditions));
  }
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`${(error as Error).stack}\n`);
    process.exit(1);
  },
);
