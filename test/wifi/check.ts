/**
 * `make wifi-test`, inside the virtual machine: a client with a real wpa_supplicant roams between three real hostapd
 * (WPA2-PSK, open, 802.11r) of routers with the daemon, which knows of stations from nl80211 alone. The links between
 * routers have delay and loss. Prints what it saw, in the Test Anything Protocol.
 */
import { join } from 'node:path';
import { gapOf } from '../bench/gaps.js';
import { packetsOf } from '../bench/run.js';
import { ask, Capture, startStreams } from '../bench/programs.js';
import { makeSite } from '../bench/run.js';
import { Roaming } from '../bench/systems.js';
import { Client } from '../lab/client.js';
import type { Cleanup } from '../lab/shell.js';
import { sleep, until } from '../lab/shell.js';
import type { Security } from './air.js';
import { Radios, SECURITIES, WifiAir } from './air.js';
import { programs } from '../bench/bundles.js';
import { note, ok, runChecks } from './checks.js';

const INTERVAL = 50;
const DWELL = 3000;
const WALK = ['r2', 'r3', 'r1'];
const MAC = '02:00:00:00:00:01';

async function main(cleanup: Cleanup): Promise<void> {
  const site = await makeSite(3, programs, cleanup);
  for (const [i, router] of site.routers.entries()) {
    for (const to of [site.routers[i - 1], site.routers[i + 1]]) {
      if (to !== undefined) await site.net.exec(router, 'tc', 'qdisc', 'add', 'dev', `to-${to}`, 'root', 'netem', 'delay', '2ms', '1ms', 'loss', '1%');
    }
  }
  const system = new Roaming({ name: 'roaming', dwell: DWELL, announcing: false, options: { presence: ['nl80211'] } });
  await system.build(site);
  note(`routers are up ${performance.now().toFixed(0)} ms after the start`);
  const client = new Client(site.net, 'client', MAC, join(site.directory, 'client'), cleanup);
  const radios = await Radios.make(site.routers.length);
  let addresses: readonly string[] | undefined;
  for (const security of SECURITIES) {
    const air = new WifiAir(radios, security);
    await air.open(site, addresses === undefined);
    await air.join(client, 'r1', addresses === undefined);
    if (addresses === undefined) await client.startDhcp();
    // Between two networks the interface was down, and the kernel dropped its routes: a network manager renews then.
    else process.kill(client.dhcp!.child.pid!, 'SIGUSR1');
    await Promise.all([client.address(4), client.address(6)]);
    const here = await client.addresses();
    if (addresses !== undefined) ok(String(here) === String(addresses), `${security}: the addresses of before`);
    addresses ??= here;
    await walk(security, air);
    ok(String(await client.addresses()) === String(addresses), `${security}: the same addresses after the walk`);
    await air.close();
  }

  async function walk(security: Security, air: WifiAir): Promise<void> {
    const filter = { streams: true };
    const captures = {
      down: new Capture(site, 'client', 'eth0', filter),
      up: new Capture(site, 'server', `to-${site.routers.at(-1)}`, filter),
    };
    await Promise.all([captures.down.ready(), captures.up.ready()]);
    const streams = await startStreams(site, INTERVAL);
    await sleep(500);
    const roams: { from: string; to: string; start: number; end: number }[] = [];
    for (const to of WALK) {
      const [from, start] = [client.at, Date.now()];
      await air.roam(client, to);
      await sleep(DWELL);
      roams.push({ from, to, start, end: Date.now() });
      const left = await until(`${from} has dropped the station`, 5, async () => !(await air.stations(from)).includes(MAC)).catch(() => false);
      ok(left === true, `${security}: ${from} -> ${to}: the old access point has dropped the station`);
      for (const [name, router] of system.routers) {
        const { clients } = (await ask(router, 'clients')) as { clients?: { node_name: string }[] };
        ok(clients?.[0]?.node_name === to, `${security}: ${from} -> ${to}: known at ${name}`);
      }
    }
    for (const service of streams) await service.stop('SIGKILL');
    for (const direction of ['down', 'up'] as const) {
      const packets = packetsOf(await captures[direction].end(), direction);
      for (const family of [4, 6] as const) {
        const stream = packets.filter((packet) => packet.family === family);
        for (const { from, to, start, end } of roams) {
          const { longest, lost, dead } = gapOf(stream, start, end, INTERVAL);
          const what = `${security}: ${from} -> ${to}: v${family} ${direction} goes on (${longest.toFixed(0)} ms, ${lost} lost)`;
          ok(!dead, what);
        }
      }
    }
  }
}

await runChecks(main);
