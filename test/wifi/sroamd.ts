/**
 * `make wifi-sroamd`, inside the virtual machine: one network of a real sroamd and of the daemon with `auth 'none'`. The
 * environment variable SROAMD names sroamd's binary.
 *
 *     lamp   ~ client walks ~
 *      |     |      |      |
 *      +----r1-----r2-----r3-----r4---- server
 *          ours  sroamd  ours   ours
 *
 * All that r1 and r3 learn of each other has come through sroamd: they have sessions with it alone.
 */
import { join } from 'node:path';
import { programs } from '../bench/bundles.js';
import { addServer, meshInterfaces } from '../bench/line.js';
import { ask } from '../bench/programs.js';
import { makeSite } from '../bench/run.js';
import { SROAMD_BABELD, startSroamd } from '../bench/sroamd-babel.js';
import type { Site } from '../bench/systems.js';
import { Client, PingStream } from '../lab/client.js';
import { Router } from '../lab/router.js';
import type { Cleanup, Service } from '../lab/shell.js';
import { sleep, until } from '../lab/shell.js';
import { loopback4, SERVER4 } from '../lab/topology.js';
import type { ClientView } from '../../src/status/views.js';
import { Radios, WifiAir } from './air.js';
import { ok, runChecks } from './checks.js';

const BINARY = process.env['SROAMD']!;
const SROAMD = 'r2';
const WALK = ['r3', 'r1', 'r2', 'r1', 'r2', 'r3'];
const CLIENT_MAC = '02:00:00:00:00:01';
const LAMP_MAC = '02:00:00:00:00:02';
const PORT = 4444;
const PING = 20;
/** How long a roam may take until the client and the server hear each other, in seconds. */
const PATIENCE = 60;

/** Who has a session with whom: `peer` of each. */
const PEERS: { readonly [router: string]: string } = { r1: SROAMD, r3: SROAMD, r4: 'r3' };

function makeRouter(site: Site, name: string, i: number): Router {
  const isOurs = name !== SROAMD;
  const peer = PEERS[name];
  const options = {
    name,
    number: i + 1,
    clients: isOurs && name !== 'r4',
    mesh: meshInterfaces(site.routers, i),
    announce: name === 'r4' ? ['to-server'] : [],
    babeld: isOurs ? ['import-table 254', 'import-table 44', ...SROAMD_BABELD] : SROAMD_BABELD,
    options: {
      auth: 'none',
      peer: peer === undefined ? [] : [`${loopback4(site.routers.indexOf(peer) + 1)}:${PORT}`],
      // No sessions but those: what comes from beyond has to pass through sroamd.
      max_peers: '0',
    },
  };
  return new Router(site.net, site.programs, options, site.directory, site.cleanup);
}

/** What sroamd prints on SIGUSR1. */
async function dumpOf(sroamd: Service): Promise<string> {
  const before = sroamd.output.length;
  process.kill(sroamd.child.pid!, 'SIGUSR1');
  return until('sroamd prints its data', 10, async () => {
    if (!sroamd.running) throw new Error(`sroamd ended:\n${sroamd.output.slice(-2000)}`);
    const text = sroamd.output.slice(before);
    return /^Interfaces[^]*\n\n(Neighbour -?\d+\.\n)+$/m.test(text) ? text : undefined;
  });
}

/** What the daemon logs on SIGUSR1, without lifetimes. */
async function recordsOf({ name, daemon }: Router): Promise<string[]> {
  const before = daemon!.output.length;
  process.kill(daemon!.child.pid!, 'SIGUSR1');
  await until(`${name} prints its data`, 10, async () => daemon!.output.length > before);
  await sleep(500);
  const text = daemon!.output.slice(before);
  return [...text.matchAll(/((lease4|lease6|association|node|client|host) .*, number \d+), /g)].map((match) => match[1]!).sort();
}

const EXTENSIONS = /^(node|client|host) /;

async function viewOf(router: Router, mac: string): Promise<ClientView | undefined> {
  const { clients } = (await ask(router, 'clients')) as unknown as { clients: ClientView[] };
  return clients.find((client) => client.mac === mac);
}

/** Whether a condition comes to hold within ten seconds. */
function comes(check: () => Promise<boolean | undefined>): Promise<boolean> {
  return until('it', 10, check).catch(() => false);
}

async function main(cleanup: Cleanup): Promise<void> {
  const site = await makeSite(3, programs, cleanup);
  const { net, routers } = site;
  await addServer(site);
  const all = new Map(routers.map((name, i) => [name, makeRouter(site, name, i)]));
  await Promise.all([...all.values()].map((router) => router.boot()));
  const ours = routers.filter((name) => name !== SROAMD).map((name) => all.get(name)!);
  const air = new WifiAir(await Radios.make(routers.length), 'wpa2-psk');
  await air.open(site);
  const sroamd = await startSroamd(site, SROAMD, { binary: BINARY, port: PORT, peers: [] });
  for (const router of ours) router.startDaemon();
  for (const router of ours) {
    const name = PEERS[router.name]!;
    const kind = name === SROAMD ? 'sroamd' : 'roaming';
    const isUp = await until(`${router.name} has a session with ${name}`, 60, async () => {
      const { peers } = (await ask(router, 'peers').catch(() => ({}))) as { peers?: { kind?: string; state: string }[] };
      return peers?.some((peer) => peer.kind === kind && peer.state === 'up');
    });
    ok(isUp, `${router.name}: a session with ${name}, a ${kind}`);
  }

  // A client of ours first: its records have to be in sroamd.
  await net.addHost('lamp', false);
  const lamp = new Client(net, 'lamp', LAMP_MAC, site.directory, cleanup);
  await lamp.plugIn('r1');
  all.get('r1')!.station({ authorize: LAMP_MAC });
  await lamp.startDhcp();
  const lampAddresses = [await lamp.address(4), await lamp.address(6)];
  const network = `${lampAddresses[1]!.split(':').slice(0, 4).join(':')}::`;
  const [, id] = await until('sroamd has the association', 10, async () =>
    new RegExp(`Assoc ${LAMP_MAC} ([0-9a-f:]+) `).exec(await dumpOf(sroamd)) ?? undefined,
  );
  const dump = await dumpOf(sroamd);
  ok(dump.includes(`Lease ${lampAddresses[0]} ${LAMP_MAC} `), `sroamd has the IPv4 lease that r1 gave: ${lampAddresses[0]}`);
  ok(dump.includes(`Lease ${network}/64 ${LAMP_MAC} `), `sroamd has the IPv6 lease that r1 gave: ${network}/64`);
  ok(id!.replaceAll(':', '') === (await viewOf(all.get('r1')!, LAMP_MAC))?.node, `sroamd has the association with r1, ${id}`);
  ok(/Datum 9 \d+ 128 /.test(dump) && /Datum 7 \d+ 130 /.test(dump), 'sroamd keeps the records of nodes and client names, whose types it does not know');
  for (const router of ours) {
    const view = await until(`${router.name} knows the lamp`, 10, () => viewOf(router, LAMP_MAC));
    ok(view.node_name === 'r1' && view.hostname === 'lamp', `${router.name}: the lamp is at r1, and its name has come along`);
  }
  await sameRecords('before the walk');

  // Then one of sroamd's.
  const client = new Client(net, 'client', CLIENT_MAC, join(site.directory, 'client'), cleanup);
  await air.join(client, SROAMD);
  await client.startDhcp();
  const addresses = [await client.address(4), await client.address(6)];
  const ipv6 = `${addresses[1]!.split(':').slice(0, 4).join(':')}::/64`;
  const before = await dumpOf(sroamd);
  ok(before.includes(`Lease ${addresses[0]} ${CLIENT_MAC} `), `sroamd gave the client ${addresses[0]}`);
  const sroamdId = new RegExp(`Assoc ${CLIENT_MAC} ([0-9a-f:]+) `).exec(before)?.[1]?.replaceAll(':', '');
  for (const router of ours) {
    const found = await comes(async () => {
      const view = await viewOf(router, CLIENT_MAC);
      return view?.node === sroamdId && view?.addresses[0] === addresses[0] && view?.addresses[1] === ipv6;
    });
    ok(found, `${router.name}: the client is at ${sroamdId}, with the addresses that sroamd gave it`);
  }
  const ping = new PingStream(net, 'client', SERVER4, PING, cleanup);
  await until('the client reaches the server', PATIENCE, async () => ping.answeredSince(0));

  for (const to of WALK) {
    const [from, start] = [client.at, Date.now()];
    const walk = `${from} -> ${to}`;
    await air.roam(client, to);
    const arrived = Date.now();
    const again = await until('an answer', PATIENCE, async () => ping.answeredSince(arrived)).catch(() => false);
    await sleep(3000);
    const { lost, longest } = ping.gap(start - PING, Date.now());
    ok(again, `${walk}: the client reaches the server (${longest.toFixed(0)} ms, ${lost} lost of a ping every ${PING} ms)`);
    ok(String([await client.address(4), await client.address(6)]) === String(addresses), `${walk}: it has kept its addresses`);
    for (const router of ours) {
      const isThere = async () => {
        const view = await viewOf(router, CLIENT_MAC);
        return to === SROAMD ? view?.node === sroamdId : view?.node_name === to;
      };
      ok(await comes(isThere), `${walk}: known at ${router.name}`);
    }
    const isGone = await comes(async () => !(await air.stations(from)).includes(CLIENT_MAC));
    ok(isGone, `${walk}: the old access point has dropped the station`);
    await sameRecords(walk);
  }

  /** sroamd and all daemons hold one database. */
  async function sameRecords(when: string): Promise<void> {
    const isSame = await comes(async () => {
      const [first, ...others] = await Promise.all(ours.map(recordsOf));
      return others.every((records) => String(records) === String(first));
    });
    const [records] = await Promise.all(ours.map(recordsOf));
    ok(isSame, `${when}: the same ${records!.length} records at all daemons, ${records!.filter((line) => EXTENSIONS.test(line)).length} of types that sroamd does not know`);
    const wanted = records!.filter((line) => !EXTENSIONS.test(line)).map(asSroamdPrints);
    const held = await dumpOf(sroamd);
    const missing = wanted.filter((line) => !held.includes(line));
    ok(missing.length === 0, `${when}: sroamd has the ${wanted.length} leases and associations too${missing.map((line) => `; not: ${line}`).join('')}`);
  }
}

/** `lease4 10.44.0.7 -> MAC, number 3` as sroamd's `Lease 10.44.0.7 MAC 3 `. */
function asSroamdPrints(line: string): string {
  const [, type, key, value, number] = /^(\w+) (\S+) -> (\S+), number (\d+)$/.exec(line)!;
  if (type !== 'association') return `Lease ${key} ${value} ${number} `;
  return `Assoc ${key} ${value === 'gone' ? '(gone)' : value!.replace(/(..)(?!$)/g, '$1:')} ${number} `;
}

await runChecks(main);
