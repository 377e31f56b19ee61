/**
 * `make bench-handover`: how long a client's streams stop when it roams, and what that costs, system against system in
 * one run. Environment: ROAMS (for each system, 50), RETURNS (roams and straight back, 20), HOPS (3,6), INTERVAL (2 ms),
 * SYSTEMS (initials, see systems.ts), FORGETS (1: the client forgets its gateway when it roams, and depends on being
 * told), L3ROAMD (its binary; sroamd does not run without radios).
 */
import { Cable } from './air.js';
import { programs } from './bundles.js';
import type { Measured } from './report.js';
import { report } from './report.js';
import { measure } from './run.js';
import { chosenSystems, givenSystems } from './systems.js';

const roams = Number(process.env['ROAMS'] ?? 50);
const returns = Number(process.env['RETURNS'] ?? 20);
const interval = Number(process.env['INTERVAL'] ?? 2);
const hopCounts = (process.env['HOPS'] ?? '3,6').split(',').map(Number);

async function main(): Promise<void> {
  const conditions = { roams, interval, returns, forgets: process.env['FORGETS'] === '1' };
  const letters = process.env['SYSTEMS'] ?? `lrab${givenSystems(['e'])}`;
  for (const hops of hopCounts) {
    const results: Measured[] = [];
    for (const system of chosenSystems(letters)) {
      results.push(await measure({ hops, programs }, system, new Cable(), conditions));
    }
    process.stdout.write(report(results, new Cable().name, conditions));
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`${(error as Error).stack}\n`);
  process.exitCode = 1;
});
