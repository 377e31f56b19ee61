/**
 * `make bench-database`: roams and refreshes at three loads, as a discrete-event simulation of real databases and
 * flooders, a pair for each node, without the rest of the daemon. What is simulated: time, the links (one delay, no loss,
 * no bandwidth) and the nodes' processors. Each message takes its node the time that it takes a flooder whose database
 * holds all clients, as measured before on this machine, times {@link SLOWNESS}, and it waits while the node is busy
 * with others. TLS and the kernel are left out, of time and of bytes.
 *
 * No machine holds all clients' records once for each of 8,000 nodes. Where they do not fit the databases hold the
 * clients that something is said about; what a message costs does not depend on the others.
 */
import { execFileSync } from 'node:child_process';
import { performance } from 'node:perf_hooks';
import * as claims from '../../src/clients/claims.js';
import type { RecordKey } from '../../src/clients/record.js';
import type { Instant, Millis } from '../../src/clients/time.js';
import { HOUR, SECOND } from '../../src/clients/time.js';
import { distributionOf } from './gaps.js';
import type { Costs } from './fleet.js';
import { Fleet } from './fleet.js';
import { clientMac, recordsOfClients } from './records.js';
import { SHIPPED_FLAGS } from './shipped.js';

interface Load {
  readonly nodes: number;
  readonly clients: number;
  /** In a second. */
  readonly roams: number;
  /** How many seconds of them are simulated. */
  readonly seconds: number;
}

const LOADS: readonly Load[] = [
  { nodes: 200, clients: 4000, roams: 70, seconds: 5 },
  { nodes: 1200, clients: 10_000, roams: 200, seconds: 0.5 },
  { nodes: 8000, clients: 40_000, roams: 500, seconds: 0.1 },
];

const DELAY: Millis = 5;
const DEGREE = 6;

/** How much slower than this machine a node is. */
const SLOWNESS = 10;

/** Records in all databases together, at most. */
const ROOM = 3_200_000;

/** Keepalives come every ten seconds: two of each session, after a time that ends between two. */
const SETTLING: Millis = 15 * SECOND;
const IDLE: Millis = 20 * SECOND;

/** Clients whose refreshing is simulated, and how often it comes: at half of a lifetime. */
const REFRESHED = 2;
const REFRESHES_AN_HOUR = 2;

/** The argument of a process that measures what a message takes. */
const COSTS = 'costs';

const settled = () => new Promise((resolve) => setImmediate(resolve));

/** The medians of what a flooder with six sessions takes for a message in this process. */
async function measureCosts(clients: number): Promise<Costs> {
  const fleet = new Fleet({ count: DEGREE + 1, degree: 2 * DEGREE, delay: DELAY, costs: { news: 0, repeated: 0 }, records: [...recordsOfClients(clients)] });
  await settled();
  fleet.run(SETTLING);
  const [news, repeated]: [number[], number[]] = [[], []];
  fleet.measure = (node, work) => {
    const began = performance.now();
    work();
    if (node === fleet.nodes[0]) (fleet.hadNews ? news : repeated).push(performance.now() - began);
  };
  for (let i = 0; i < 2000; i++) {
    roam(fleet, 1 + (i % DEGREE), i);
    fleet.run(10 * DELAY);
  }
  return { news: distributionOf(news).median, repeated: distributionOf(repeated).median };
}

/** The same in a process that runs as the daemon does, but for the memory that seven databases take. */
function costsOfDaemon(): Costs {
  const flags = SHIPPED_FLAGS.filter((flag) => !flag.startsWith('--max-old-space-size'));
  return JSON.parse(execFileSync(process.execPath, [...flags, process.argv[1]!, COSTS], { encoding: 'utf8' })) as Costs;
}

/** A client claims to be at a node. Returns the key of what is flooded. */
function roam(fleet: Fleet, to: number, client: number): RecordKey {
  const node = fleet.nodes[to]!;
  const { now } = fleet.scheduler;
  const record = claims.reclaim(node.db, clientMac(client), node.id, now);
  node.db.apply(record, now);
  node.flooder.flood(record);
  return record.key;
}

/** The records of a client that stays are given a longer life. */
function refresh(fleet: Fleet, at: number, client: number): void {
  const node = fleet.nodes[at]!;
  const { now } = fleet.scheduler;
  const extended = claims.keysOf(node.db, clientMac(client), () => true).map((key) => ({ ...node.db.get(key)!, expires: (now + HOUR) as Instant }));
  for (const record of extended) {
    node.db.apply(record, now);
    node.flooder.flood(record);
  }
}

/** The times until all nodes knew of each roam; `lost`: roams that some never heard of. */
function roams(fleet: Fleet, { nodes, roams: rate, seconds }: Load): { times: number[]; lost: number; bytes: number } {
  const open = new Map<RecordKey, { readonly began: Instant; missing: number }>();
  const times: number[] = [];
  fleet.learnt = (key, at) => {
    const one = open.get(key);
    if (one === undefined || --one.missing > 0) return;
    open.delete(key);
    times.push(at - one.began);
  };
  const before = fleet.bytes;
  for (let i = 0; i < rate * seconds; i++) {
    fleet.scheduler.in((i * SECOND) / rate, () => {
      const began = fleet.scheduler.now;
      open.set(roam(fleet, fleet.random.below(nodes), i), { began, missing: nodes - 1 });
    });
  }
  fleet.run(seconds * SECOND + SECOND);
  fleet.learnt = () => {};
  return { times, lost: open.size, bytes: fleet.bytes - before };
}

async function measure(load: Load, costs: Costs): Promise<string[]> {
  const { nodes, clients } = load;
  const count = load.roams * load.seconds;
  const held = nodes * clients * 4 <= ROOM ? clients : count;
  const fleet = new Fleet({ count: nodes, degree: DEGREE, delay: DELAY, costs, records: [...recordsOfClients(held)] });
  await settled();
  fleet.run(SETTLING);
  const links = fleet.links.length;

  const quiet = fleet.bytes;
  fleet.run(IDLE);
  const keepalives = ((fleet.bytes - quiet) * SECOND) / IDLE / links;
  const perMilli = (keepalives * links) / SECOND;

  const before = fleet.bytes;
  for (let i = 0; i < REFRESHED; i++) fleet.scheduler.in(i * 20, () => refresh(fleet, fleet.random.below(nodes), i));
  fleet.run(2 * SECOND);
  const refreshing = (fleet.bytes - before - perMilli * 2 * SECOND) / REFRESHED / links;

  const { times, lost, bytes } = roams(fleet, load);
  const perRoam = (bytes - perMilli * (load.seconds + 1) * SECOND) / count;
  const { median, max } = distributionOf(times);
  const diameter = fleet.diameter();
  const idle = keepalives + (refreshing * clients * REFRESHES_AN_HOUR * SECOND) / HOUR;
  return [
    `${nodes}`, `${clients}`, `${load.roams}`, `${held * 4}`, `${diameter}`,
    (median / DELAY).toFixed(2), (max / DELAY).toFixed(2), (max - diameter * DELAY).toFixed(1), `${lost}`,
    (perRoam / links).toFixed(0), (perRoam / 1024).toFixed(0), keepalives.toFixed(1), ((idle * 8) / 1000).toFixed(2),
  ];
}

const HEADS = ['nodes', 'clients', 'roams/s', 'held', 'diameter', 'median', 'last', 'beyond', 'lost', 'B/link', 'KiB', 'idle', 'all'];
const WIDTHS = [6, 8, 8, 7, 9, 8, 8, 8, 6, 8, 7, 7, 7];

const row = (cells: readonly string[]) => console.log(cells.map((cell, i) => cell.padStart(WIDTHS[i]!)).join(''));

const micros = (ms: Millis) => `${(ms * 1000).toFixed(0)} us`;

async function run(): Promise<void> {
  const costs = costsOfDaemon();
  console.log(`A roam until every node knows of it; about ${DEGREE} sessions a node, ${DELAY} ms a link`);
  console.log(`A message takes this machine ${micros(costs.news)} where it is news, ${micros(costs.repeated)} where not; nodes are ${SLOWNESS} times slower\n`);
  row(HEADS);
  for (const load of LOADS) {
    if (load.nodes > Number(process.env['BENCH_NODES'] ?? Infinity)) break;
    row(await measure(load, { news: costs.news * SLOWNESS, repeated: costs.repeated * SLOWNESS }));
  }
  console.log(`
held: records in each database. diameter: of the overlay, in links. median, last: of all roams, in link delays.
beyond: milliseconds of the last beyond diameter x delay. lost: roams that some node never heard of.
B/link, KiB: bytes of a roam on a link, and in all. idle: bytes a second on a link, of keepalives.
all: kbit/s on a link when nothing happens: keepalives, and clients' four records refreshed every half hour.`);
}

if (process.argv[2] === COSTS) console.log(JSON.stringify(await measureCosts(LOADS.at(-1)!.clients)));
else await run();
