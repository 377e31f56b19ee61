/**
 * `make soak`: a client roams a thousand times, some times back within 100 ms, while links fail and daemons are killed;
 * every ten roams it stays, and has to be reached by the server and to reach it, over both families, in bounded time.
 * Environment: ROAMS (1000), SEED (of what happens).
 */
import { join } from 'node:path';
import { Client } from '../lab/client.js';
import { Cleanup, sleep, until } from '../lab/shell.js';
import { SERVER4, SERVER6 } from '../lab/topology.js';
import { Cable } from './air.js';
import { programs } from './bundles.js';
import { distributionOf } from './gaps.js';
import { makeSite } from './run.js';
import { Roaming } from './systems.js';

const roams = Number(process.env['ROAMS'] ?? 1000);
const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);

/** Roams between two looks at whether the client is reached. */
const ROUND = 10;
/** Seconds: longer than babeld takes to find a neighbour again, and no longer. */
const PATIENCE = 40;
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

  async function roam(to: string): Promise<void> {
    await air.roam(client, to);
    system.arrived(client, to);
  }

  /** Nothing that follows waits for it: the client roams on while it happens. */
  async function trouble(): Promise<string> {
    const name = pick(routers);
    const router = system.routers.get(name)!;
    switch (pick(['link', 'kill', 'restart'])) {
      case 'link': {
        const next = pick(routers.slice(1));
        const [near, device] = [routers[routers.indexOf(next) - 1]!, `to-${next}`];
        await net.ip(near, `link set ${device} down`);
        await sleep(200 + random() * 800);
        await net.ip(near, `link set ${device} up`);
        return `link ${near} - ${next} failed`;
      }
      case 'kill':
        await router.daemon!.stop('SIGKILL');
        break;
      default:
        await router.daemon!.stop('SIGTERM');
    }
    router.startDaemon();
    return `daemon of ${name} died`;
  }

  const reaches = (from: string, to: string) => net.exec(from, 'ping', '-c', '1', '-W', '1', to).then(() => true, () => false);
  const recoveries: number[] = [];

  async function check(what: string): Promise<void> {
    const start = performance.now();
    const ways = [['server', address4], ['server', address6], ['client', SERVER4], ['client', SERVER6]] as const;
    for (const [from, to] of ways) await until(`${what}: ${from} reaches ${to}`, PATIENCE, () => reaches(from, to));
    recoveries.push(performance.now() - start);
  }

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
  }
  const { median, p95, max } = distributionOf(recoveries);
  if (String(await client.addresses()) !== String(before)) throw new Error('the client has other addresses than before');
  print(`${roams} roams, no black hole; reached again in all four ways after ${[median, p95, max].map((ms) => ms.toFixed(0)).join(', ')} ms (median, p95, max)`);
}

const cleanup = new Cleanup();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void cleanup.run().then(() => process.exit(130)));
soak(cleanup)
  .catch((error: Error) => {
    process.stderr.write(`FAILED (seed ${seed}): ${error.message}\n`);
    process.exitCode = 1;
  })
  .finally(() => cleanup.run());
