/** `make demo`: a client walks between three routers; what it noticed is printed. `--stay` leaves the network up with a prompt. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Client } from './client.js';
import type { Roam, StreamName } from './journey.js';
import { Journey, PING_INTERVAL, STREAMS } from './journey.js';
import type { RouterName } from './lab.js';
import { Lab } from './lab.js';
import { Prompt } from './prompt.js';
import { Interrupted, interruption, sleep } from './shell.js';
import { SERVER4 } from './topology.js';

const here = dirname(fileURLToPath(import.meta.url));
const programs = { roaming: join(here, '../dist/roaming.js'), accessPoint: join(here, 'access-point.mjs') };
const tcpPeer = join(here, 'tcp-peer.mjs');
const WALK: readonly RouterName[] = ['r2', 'r3', 'r1', 'r3', 'r2', 'r1'];

const print = (text = '') => process.stdout.write(`${text}\n`);

/** Something went otherwise than it should: said in one line. */
class Failure extends Error {}

async function bringUp(lab: Lab): Promise<Client> {
  print('Setting up: routers r1 - r2 - r3 - r4 in a line, babeld between them, a server behind r4, a client at r1.');
  await lab.start();
  const client = await lab.addClient('client', '02:00:00:00:00:01', 'r1');
  await client.startDhcp();
  print(`The client got ${await client.address(4)} by DHCP and ${await client.address(6)} by SLAAC.`);
  return client;
}

/**
 * The first signal ends what is under way, and the network goes away as it does at the end. Further ones change nothing;
 * neither does a terminal that is gone.
 */
function stopOnSignals(): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => interruption.raise());
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
}

async function dhcpRequests(lab: Lab): Promise<number> {
  const counters = await Promise.all(Object.values(lab.routers).map((router) => router.counters()));
  return counters.reduce((sum, counts) => sum + (counts['dhcp4_received'] ?? 0), 0);
}

async function walk(lab: Lab, client: Client): Promise<void> {
  const before = { addresses: await client.addresses(), dhcp: await dhcpRequests(lab) };
  const journey = await Journey.start(lab, client, tcpPeer);
  print(`\nIt walks, while pings run every ${PING_INTERVAL} ms and a TCP connection stays open:\n`);
  printHead();
  const roams: Roam[] = [];
  for (const to of WALK) {
    const roam = await journey.roam(to);
    printRoam(roam);
    roams.push(roam);
  }
  const echoed = journey.echoed;
  await sleep(500);
  check(roams.every((roam) => roam.dead.length === 0), 'after a roam some traffic did not come back');
  check(journey.echoed > echoed && !journey.tcpEnded, 'the TCP connection did not live through the walk');
  check(String(await client.addresses()) === String(before.addresses), 'the client has other addresses than before');
  check((await dhcpRequests(lab)) === before.dhcp, 'the client had to ask by DHCP again');
  print(`\nThe same addresses, no DHCP since, and the TCP connection opened before the first roam still carries data.`);
  await journey.stop();
  print('\n$ roaming clients      # as r4 sees it, which has no client of its own\n');
  print((await lab.routers.r4.cli('clients')).trimEnd());
}

function check(condition: boolean, failure: string): void {
  if (!condition) throw new Failure(failure);
}

/** For each stream the pings without an answer, and the longest run of them. */
const HEADS: { readonly [name in StreamName]: string } = {
  'v4 down': 'IPv4 down',
  'v4 up': 'IPv4 up',
  'v6 down': 'IPv6 down',
  'v6 up': 'IPv6 up',
};

function printHead(): void {
  printRow('', '', STREAMS.map((name) => HEADS[name]));
  printRow('roam', 'unplugged', STREAMS.map(() => 'lost      gap'));
}

function printRoam({ from, to, away, gaps, dead }: Roam): void {
  const cells = STREAMS.map((name) => {
    const { lost, longest } = gaps[name];
    return dead.includes(name) ? 'none returns' : `${String(lost).padStart(4)} ${`${longest.toFixed(0)} ms`.padStart(8)}`;
  });
  printRow(`${from} -> ${to}`, `${away.toFixed(0)} ms`, cells);
}

function printRow(roam: string, away: string, cells: readonly string[]): void {
  print(`  ${roam.padEnd(8)}  ${away.padStart(9)} ${cells.map((cell) => `   ${cell.padEnd(13)}`).join('')}`.trimEnd());
}

async function stay(lab: Lab, client: Client): Promise<void> {
  const { bin } = await Prompt.create(lab, programs.roaming, client);
  print(`
The network stays up. At the prompt the name of a host runs a command there: r1, r2, r3, r4, client, server.
  client ping ${SERVER4}              the server behind r4
  walk r2                            the client roams
  join phone r3                      another client; walk phone r1
  r1 roaming watch                   and all other commands of roaming, such as r1 roaming check
  r1 logread -f                      what its daemon says
  r4 ip route show table 44          clients' routes
  r1 service roaming stop            or start, restart, reload
  less ${lab.routers.r1.configFile}
Leave with exit or Ctrl-D.`);
  const shell = process.env['SHELL'] ?? '/bin/sh';
  const child = spawn(shell, { stdio: 'inherit', env: { ...process.env, PATH: `${bin}:${process.env['PATH'] ?? ''}` } });
  interruption.signal.addEventListener('abort', () => child.kill('SIGHUP'));
  await once(child, 'exit');
  interruption.check();
}

async function main(): Promise<void> {
  const staying = process.argv.includes('--stay');
  stopOnSignals();
  const lab = await Lab.create({ name: staying ? 'lab' : 'demo', programs });
  try {
    const client = await bringUp(lab);
    await (staying ? stay(lab, client) : walk(lab, client));
  } catch (error) {
    if (error instanceof Interrupted) print('\nInterrupted: cleaning up.');
    throw error;
  } finally {
    await lab.stop();
  }
}

main().catch((error: unknown) => {
  process.exitCode = error instanceof Interrupted ? 130 : 1;
  if (error instanceof Interrupted) return;
  process.stderr.write(`${error instanceof Failure ? 'FAILED: ' : ''}${(error as Error).message}\n`);
});
