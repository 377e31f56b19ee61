/**
 * `make soak`: a client roams a thousand times, some times back within 100 ms, while links fail and daemons are killed;
 * every ten roams it stays, and has to be reached by the server and to reach it, over both families, in bounded time.
 * A gap above a second is accounted for: what it came from, and all that happened around it.
 * Environment: ROAMS (1000), SEED (of what happens), LONG (1000) and UNEXPLAINED (300): milliseconds from which on a gap is
 * accounted for, and from which on all is told that happened in it.
 */
import { join } from 'node:path';
import { Client } from '../lab/client.js';
import { Cleanup, sleep, until } from '../lab/shell.js';
import { Cable } from './air.js';
import { programs } from './bundles.js';
import { distributionOf } from './gaps.js';
import { makeSite } from './run.js';
import type { Cause, Ways } from './soak-watch.js';
import { causeOf, flooding, stay, Timeline, tracesOf, waysOf } from './soak-watch.js';
import { Roaming } from './systems.js';

const roams = Number(process.env['ROAMS'] ?? 1000);
const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);

/** Roams between two looks at whether the client is reached. */
const ROUND = 10;
/** Seconds: longer than babeld takes to find a neighbour again, and no longer. */
const PATIENCE = 40;
/** Milliseconds: of a longer gap is said what it came from. */
const LONG = Number(process.env['LONG'] ?? 1000);
/** Milliseconds that no cause explains: beyond them all is printed that happened, and what befell the network before. */
const UNEXPLAINED = Number(process.env['UNEXPLAINED'] ?? 300);
const BEFORE = 6000;
const MAC = '02:00:00:00:00:01';

/** mulberry32. */
function generator(state: number): () => number {
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let z = Math.imul(state ^ (state >>> 15), 1 | state);
    z = (z + Math.imul(z ^ (z >>> 7), 61 | z)) ^ z;
    return ((z ^ (z >>> 14)) >>> 0) / 2 ** 32;
  };
}

const random = generator(seed);
const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
const print = (text: string) => process.stdout.write(`${text}\n`);

async function soak(cleanup: Cleanup): Promise<void> {
  const site = await makeSite(3, programs, cleanup);
  const { net, routers } = site;
  const system = new Roaming({ name: 'roaming', dwell: 0, announcing: false, babeld: ['default hello-interval 1 update-interval 4'] });
  await system.build(site);
  const air = new Cable();
  await air.open(site);
  const client = new Client(net, 'client', MAC, join(site.directory, 'client'), cleanup);
  await air.join(client, 'r1');
  await system.welcome(client, 'r1');
  const [address4, address6] = [await client.address(4), await client.address(6)];
  const before = await client.addresses();
  const points = routers.slice(0, -1);
  const timeline = new Timeline(site);
  for (const router of system.routers.values()) {
    timeline.watchKernel(router.name, { address4, address6 });
    timeline.watchDaemon(router, MAC);
  }
  const ways = waysOf(site, 'client', [address4, address6]);
  const staying = new Map<string, Ways>();
  for (const [i, point] of points.entries()) staying.set(point, await stay(site, system, point, i));

  async function roam(to: string): Promise<void> {
    timeline.note(to, 'client', 'the client is on its way here');
    await air.roam(client, to);
    system.arrived(client, to);
    timeline.note(to, 'client', 'the client is here');
  }

  /** Nothing that follows waits for it: the client roams on while it happens. */
  async function trouble(): Promise<string> {
    const name = pick(routers);
    const router = system.routers.get(name)!;
    switch (pick(['link', 'kill', 'restart'])) {
      case 'link': {
        const next = pick(routers.slice(1));
        const [near, device] = [routers[routers.indexOf(next) - 1]!, `to-${next}`];
        timeline.note(near, 'network', `${device} fails`);
        await net.ip(near, `link set ${device} down`);
        await sleep(200 + random() * 800);
        await net.ip(near, `link set ${device} up`);
        timeline.note(near, 'network', `${device} is back`);
        return `link ${near} - ${next} failed`;
      }
      case 'kill':
        timeline.note(name, 'network', 'the daemon is killed');
        await router.daemon!.stop('SIGKILL');
        break;
      default:
        timeline.note(name, 'network', 'the daemon is stopped');
        await router.daemon!.stop('SIGTERM');
    }
    router.startDaemon();
    timeline.watchDaemon(router, MAC);
    return `daemon of ${name} died`;
  }

  const recoveries: number[] = [];
  const causes: Cause[] = [];

  async function check(what: string): Promise<void> {
    const start = Date.now();
    const open = await until(`${what}: all four ways`, PATIENCE, async () => ways.openSince(start)).catch(async (error: Error) => {
      print(`closed: ${ways.closedSince(start).join(', ')}`);
      await account(start, Date.now());
      throw error;
    });
    recoveries.push(open - start);
    if (open - start > LONG) {
      // What came back for those who stay is known a little later.
      await sleep(500);
      const noPath = staying.get(client.at)!.silentUntil(start, open);
      const cause = causeOf(start, open, { noPath, noDaemon: timeline.daemonStarted(client.at) });
      causes.push(cause);
      print(`${(open - start).toFixed(0)} ms ${what}: ${cause.what}; ${cause.beyond.toFixed(0)} ms beyond`);
      if (cause.beyond > UNEXPLAINED) await account(start, open);
    }
  }

  async function account(from: number, to: number): Promise<void> {
    for (const line of timeline.account(from, to + 100, BEFORE)) print(`  ${line}`);
    for (const line of await tracesOf(system.routers.values(), MAC)) print(`  ${line}`);
  }

  // What is judged is roaming, and not the start.
  await flooding([...system.routers.values()]);
  await check('at the start');
  print(`seed ${seed}`);
  for (let done = 0; done < roams; ) {
    const happening = random() < 0.5 ? trouble() : Promise.resolve('no trouble');
    for (let i = 0; i < ROUND; i++, done++) {
      const back = client.at;
      await roam(pick(points.filter((point) => point !== back)));
      // Now and then back before anybody can have heard of it.
      if (random() < 0.3) {
        await sleep(random() * 90);
        await roam(back);
        done++;
      }
      await sleep(random() * 300);
    }
    await check(`after ${done} roams, ${await happening}, client at ${client.at}`);
    await tracesOf(system.routers.values(), MAC);
  }
  if (String(await client.addresses()) !== String(before)) throw new Error('the client has other addresses than before');
  const figures = (values: readonly number[]) => Object.values(distributionOf(values)).map((ms) => ms.toFixed(0)).join(', ');
  print(`${roams} roams, no black hole; reached again in all four ways after ${figures(recoveries)} ms (median, p95, max)`);
  for (const what of new Set(causes.map((cause) => cause.what))) {
    const beyond = causes.filter((cause) => cause.what === what).map((cause) => cause.beyond);
    print(`longer than ${LONG} ms: ${beyond.length}, ${what}; beyond that ${figures(beyond)} ms`);
  }
}

const cleanup = new Cleanup();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void cleanup.run().then(() => process.exit(130)));
soak(cleanup)
  .catch((error: Error) => {
    process.stderr.write(`FAILED (seed ${seed}): ${error.message}\n`);
    process.exitCode = 1;
  })
  .finally(() => cleanup.run());
