/** A run that follows from its seed alone: a small mesh, everything that can happen to it, and then calm. */
import type { Millis } from '../../src/clients/time.js';
import { SECOND } from '../../src/clients/time.js';
import { RADIOS } from './air.js';
import type { SimNode } from './node.js';
import { SeededRandom } from './random.js';
import { SHORT_LEASES, World } from './world.js';

/** How long things happen, and how long all may take to become right after. */
const TROUBLE: Millis = 60 * SECOND;
const CALM: Millis = 300 * SECOND;

export interface ChaosResult {
  readonly violations: readonly string[];
  readonly world: World;
}

export function makeWorld(seed: number, trace?: (line: string) => void): World {
  const random = new SeededRandom(seed, 99);
  const nodes = 3 + random.below(4);
  const clients = 1 + random.below(4);
  const links: [number, number, Millis][] = [];
  for (let i = 1; i < nodes; i++) links.push([random.below(i), i, random.between(1, 20)]);
  for (let i = random.below(3); i > 0; i--) {
    const [a, b] = [random.below(nodes), random.below(nodes)];
    if (a !== b && !links.some(([x, y]) => x + y === a + b && (x === a || x === b))) links.push([a, b, random.between(1, 20)]);
  }
  const steady = random.chance(0.5);
  const flash = random.chance(0.5);
  const transit = random.chance(0.3) ? random.below(nodes) : -1;
  const sessions = 2 + random.below(4);
  const rates = Array.from({ length: nodes }, () => (steady ? 1 : random.between(0.95, 1.05)));
  return new World({
    seed,
    nodes,
    clients,
    links,
    settings: (i) => ({ clockRate: rates[i]!, flash, transit: i === transit, options: `${SHORT_LEASES}\n option max_peers '${sessions}'` }),
    dualStack: () => random.chance(0.8),
    trace,
  });
}

export async function runChaos(seed: number, trace?: (line: string) => void): Promise<ChaosResult> {
  const world = makeWorld(seed, trace);
  const trouble = new Trouble(world);
  world.start();
  await world.run(2 * SECOND);
  const end = world.scheduler.now + TROUBLE;
  for (const client of world.clients) if (world.random.chance(0.8)) trouble.move(client.number);
  while (world.scheduler.now < end) {
    await world.run(trouble.pause());
    trouble.strike();
  }
  trouble.over();
  world.mend();
  await world.run(20 * SECOND);
  return { violations: await world.settle(CALM), world };
}

class Trouble {
  readonly #random: SeededRandom;
  readonly #roaming: readonly SimNode[];
  readonly #intensity: number;

  constructor(readonly world: World) {
    this.#random = world.random;
    this.#roaming = world.nodes.filter(({ settings }) => !settings.transit);
    this.#intensity = this.#random.between(0.3, 3);
  }

  pause(): Millis {
    // Now and then much happens within milliseconds.
    return this.#random.chance(0.3) ? this.#random.between(0, 100) : this.#random.between(0, (6 * SECOND) / this.#intensity);
  }

  strike(): void {
    const random = this.#random;
    const [client, node, link] = [random.pick(this.world.clients), random.pick(this.world.nodes), random.pick(this.world.network.links)];
    const dice = random.below(100);
    if (dice < 40) this.move(client.number);
    else if (dice < 48) this.world.leave(client.number, random.chance(0.7));
    else if (dice < 52) client.asleep = true;
    else if (dice < 62) this.world.cut(link);
    else if (dice < 70) this.world.heal(link);
    else if (dice < 76) this.#kill(node);
    else if (dice < 79) this.#powerOff(node);
    else if (dice < 80) for (const each of this.world.nodes) this.#powerOff(each);
    else if (dice < 84) this.#stop(node);
    else if (dice < 90) this.#flap(client.number);
    else if (dice < 95) this.#phantom(client.number);
    else this.#latency(node);
  }

  move(client: number): void {
    const random = this.#random;
    const up = this.#roaming.filter(({ ap }) => ap.powered);
    if (up.length > 0) this.world.join(client, random.pick(up).index, { via: random.pick(RADIOS), goodbye: random.chance(0.4) });
  }

  #flap(client: number): void {
    for (let i = 0; i < 8; i++) this.world.scheduler.in(i * this.#random.between(10, 400), () => this.move(client));
  }

  /** An access point believes that it has a client which is not there. */
  #phantom(client: number): void {
    const { ap, name } = this.#random.pick(this.#roaming);
    if (!ap.powered) return;
    this.world.trace(`${name} believes that it has client ${client}`);
    ap.add(this.world.clients[client]!.mac, this.#random.pick(RADIOS));
  }

  #latency({ ap, name }: SimNode): void {
    ap.lateness = this.#random.pick([0, 20, 300, 3000]);
    ap.duplicates = this.#random.pick([0, 0.3]);
    this.world.trace(`${name} tells of stations up to ${ap.lateness} ms late, and ${100 * ap.duplicates} % twice`);
  }

  #kill(node: SimNode): void {
    this.world.trace(`${node.name} is killed`);
    node.kill();
    this.world.scheduler.in(this.#random.between(10, 8 * SECOND), () => node.start());
  }

  #stop(node: SimNode): void {
    this.world.trace(`${node.name} is stopped`);
    void node.stop();
    this.world.scheduler.in(this.#random.between(1, 8) * SECOND, () => node.start());
  }

  #powerOff(node: SimNode): void {
    this.world.trace(`${node.name} loses power`);
    node.powerOff();
    this.world.scheduler.in(this.#random.between(1, 20) * SECOND, () => node.powerOn());
  }

  /** Who is nowhere because an access point went down looks for another one; some are switched off. */
  over(): void {
    for (const client of this.world.clients) {
      if (client.at === undefined && this.#random.chance(0.5)) this.move(client.number);
    }
  }
}
