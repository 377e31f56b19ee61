/** While a claim spreads some routers know of it and some do not: which packets can go round meanwhile, and for how long. */
import t from 'tap';
import type { Test } from 'tap';
import type { Millis } from '../../src/clients/time.js';
import { SECOND } from '../../src/clients/time.js';
import { destinationOf } from './follow.js';
import { KERNEL_DELAY } from './kernel.js';
import { LoopWatch } from './loop-watch.js';
import type { SeenLoop } from './loop-watch.js';
import type { NodeSettings } from './node.js';
import { SeededRandom } from '../random.js';
import { World } from './world.js';

const MESHES = 12;
const ROAMS = 25;

/** A kernel is busy with one batch of changes, and then takes the next. */
const KERNEL: Millis = 2 * KERNEL_DELAY[1];

/** A segment takes up to twice its way's delay: see network.ts. */
const JITTER = 2;

function makeMesh(seed: number, settings: (index: number) => Partial<NodeSettings>): World {
  const random = new SeededRandom(seed, 7);
  const nodes = 4 + random.below(8);
  const links: [number, number, Millis][] = [];
  for (let i = 1; i < nodes; i++) links.push([random.below(i), i, random.between(1, 10)]);
  for (let i = 0; i < nodes / 2; i++) {
    const [a, b] = [random.below(nodes), random.below(nodes)];
    const isNew = !links.some(([x, y]) => (x === a && y === b) || (x === b && y === a));
    if (a !== b && isNew) links.push([a, b, random.between(1, 10)]);
  }
  return new World({ seed, nodes, clients: 1, links, settings });
}

/** Has the client roam through meshes; `check` is told of each loop that there was. */
async function roamAround(t: Test, settings: (index: number) => Partial<NodeSettings>, check: (loop: SeenLoop, world: World) => void): Promise<void> {
  for (let seed = 1; seed <= MESHES; seed++) {
    const world = makeMesh(seed, settings);
    world.start();
    await world.run(10 * SECOND);
    world.join(0, 0);
    await world.run(3 * SECOND);
    const [address] = world.clients[0]!.addresses;
    const watch = new LoopWatch(world, destinationOf(address!));
    for (let i = 1; i <= ROAMS; i++) {
      world.join(0, (world.clients[0]!.at!.index + 1 + world.random.below(world.nodes.length - 1)) % world.nodes.length);
      await world.run(SECOND);
      t.equal(watch.open, 0, `mesh ${seed}, roam ${i}: no loop stays`);
    }
    for (const loop of watch.seen) check(loop, world);
  }
}

const namesOf = ({ nodes, lasted }: SeenLoop) => `${nodes.map(({ name }) => name).join(' ')} for ${lasted.toFixed(1)} ms`;

t.test('routers that find their neighbours: a loop is over when the claim has passed the link that it goes over', async (t) => {
  await roamAround(t, () => ({ discovers: true, peers: [] }), (loop, { network }) => {
    const delays = loop.nodes.map(({ index }, i) => network.way(index, loop.nodes[(i + 1) % loop.nodes.length]!.index)!.delay);
    t.ok(loop.lasted <= JITTER * Math.max(...delays) + KERNEL, namesOf(loop));
  });
});

t.test('sessions that lead across, to one router in the middle of the flood: over when the claim has reached all', async (t) => {
  let count = 0;
  const settings = (index: number) => ({ peers: index === 0 ? [] : [0], options: " option max_peers '0'" });
  await roamAround(t, settings, (loop, { network, nodes }) => {
    const farthest = Math.max(...nodes.map(({ index }) => network.way(0, index)!.delay));
    t.ok(loop.lasted <= JITTER * 2 * farthest + KERNEL, namesOf(loop));
    count++;
  });
  t.ok(count > 0, 'or nothing was watched');
});
