/**
 * `make wifi-test`, inside the virtual machine: a client with a real wpa_supplicant roams between three real hostapd
 * (WPA2-PSK, open, 802.11r) of routers with the daemon, which knows of stations from nl80211 alone. The links between
 * routers have delay and loss. Then it joins one with VLANs (vlans.ts). Prints what it saw, in the Test Anything Protocol.
 */
import { join } from 'node:path';
import type { StreamPacket } from '../bench/capture.js';
import { gapOf } from '../bench/gaps.js';
import { ask, Capture, startStreams } from '../bench/programs.js';
import { makeSite, packetsOf } from '../bench/run.js';
import { Roaming } from '../bench/systems.js';
import { Client } from '../lab/client.js';
import type { Cleanup } from '../lab/shell.js';
import { sleep, until } from '../lab/shell.js';
import type { Security } from './air.js';
import { Radios, SECURITIES, WifiAir } from './air.js';
import { programs } from '../bench/bundles.js';
import { note, ok, runChecks } from './checks.js';
import { checkVlans } from './vlans.js';

const INTERVAL = 50;
/** How long a client stays, in milliseconds, before it is asked whether its streams go on. */
const DWELL = 1500;
/** They do once so many packets have come that were sent after that. */
const ENOUGH = 5;
/** Seconds. */
const PATIENCE = 15;
const WALK = ['r2', 'r3', 'r1'];
const MAC = '02:00:00:00:00:01';

async function main(cleanup: Cleanup): Promise<void> {
  const site = await makeSite(3, programs, cleanup);
  for (const [i, router] of site.routers.entries()) {
    for (const to of [site.routers[i - 1], site.routers[i + 1]]) {
      if (to !== undefined) await site.net.exec(router, 'tc', 'qdisc', 'add', 'dev', `to-${to}`, 'root', 'netem', 'delay', '2ms', '1ms', 'loss', '1%');
    }
  }
  const system = new Roaming({ name: 'roaming', dwell: DWELL, announcing: false, options: { presence: ['nl80211'], setup: '1' } });
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
  await checkVlans(site, system, client, addresses!);

  async function walk(security: Security, air: WifiAir): Promise<void> {
    const captures = {
      down: new Capture(site, 'client', 'eth0', { streams: true }),
      up: new Capture(site, 'server', `to-${site.routers.at(-1)}`, { streams: true }),
    };
    await Promise.all([captures.down.ready(), captures.up.ready()]);
    const streams = await startStreams(site, INTERVAL);
    await sleep(500);
    for (const to of WALK) {
      const [from, start] = [client.at, Date.now()];
      const roam = `${security}: ${from} -> ${to}`;
      await air.roam(client, to);
      await sleep(DWELL);
      await goOn(roam, captures, { start, connected: air.connectedAt });
      const left = await until(`${from} has dropped the station`, 5, async () => !(await air.stations(from)).includes(MAC)).catch(() => false);
      ok(left === true, `${roam}: the old access point has dropped the station`);
      for (const [name, router] of system.routers) {
        const { clients } = (await ask(router, 'clients')) as { clients?: { node_name: string }[] };
        ok(clients?.[0]?.node_name === to, `${roam}: known at ${name}`);
      }
    }
    for (const service of streams) await service.stop('SIGKILL');
    await Promise.all([captures.down.end(), captures.up.end()]);
  }

  /** All streams go on for good: what is sent now arrives. How long they stopped is said, and fails nothing. */
  async function goOn(roam: string, captures: { readonly [direction in 'up' | 'down']: Capture }, times: RoamTimes): Promise<void> {
    const now = Date.now();
    const stream = async (direction: 'up' | 'down', family: 4 | 6) =>
      packetsOf(await captures[direction].read(), direction).filter((packet) => packet.family === family);
    for (const direction of ['down', 'up'] as const) {
      for (const family of [4, 6] as const) {
        const arrives = async () => (await stream(direction, family)).filter(({ sent }) => sent >= now).length >= ENOUGH;
        const goesOn = await until('packets of the stream', PATIENCE, arrives).catch(() => false);
        ok(goesOn === true, `${roam}: v${family} ${direction} goes on (${describeGap(await stream(direction, family), times)})`);
        if (goesOn !== true) for (const { name, daemon } of system.routers.values()) note(`${name}:\n${daemon?.output.slice(-2000).replace(/^/gm, '# ')}`);
      }
    }
  }
}

interface RoamTimes {
  /** Milliseconds since 1970. */
  readonly start: number;
  /** When the client had a connection to the new access point. */
  readonly connected: number;
}

function describeGap(packets: readonly StreamPacket[], { start, connected }: RoamTimes): string {
  const { longest, lost } = gapOf(packets, start, Date.now(), INTERVAL);
  const first = packets.find(({ arrived }) => arrived >= connected);
  const after = first === undefined ? 'none' : `the first ${(first.arrived - connected).toFixed(0)} ms`;
  return `silent for ${longest.toFixed(0)} ms, ${after} after the handshake, ${lost} lost`;
}

await runChecks(main);
