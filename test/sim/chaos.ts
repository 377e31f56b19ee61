/** A run that follows from its seed alone: a small mesh, everything that can happen to it, and then calm. */
import type { Millis } from '../../src/clients/time.js';
import { HOUR, MINUTE, SECOND } from '../../src/clients/time.js';
import { parseIp4 } from '../../src/net/ip.js';
import { RADIOS } from './air.js';
import type { SimNode } from './node.js';
import { SeededRandom } from '../random.js';
import { SHORT_LEASES, World } from './world.js';

/** How long things happen, and how long all may take to become right after. */
const TROUBLE: Millis = 60 * SECOND;
const CALM: Millis = 300 * SECOND;

export interface ChaosResult {
  readonly violations: readonly string[];
  readonly world: World;
}

/** What a run is about beside what all are. */
interface Scene {
  /** So few addresses that routers which cannot hear each other give one to two clients. */
  readonly crowded: boolean;
  /** IPv6 addresses are chosen by clients. */
  readonly shared: boolean;
  /** No peer is configured. */
  readonly discovers: boolean;
  /** After the calm time goes on until what is gone is forgotten. */
  readonly long: boolean;
}

function sceneOf(seed: number): Scene {
  const random = new SeededRandom(seed, 98);
  const [crowded, shared, discovers, long] = [random.chance(0.1), random.chance(0.2), random.chance(0.3), random.chance(0.03)];
  return { crowded, shared, discovers, long };
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
  const { crowded, shared, discovers } = sceneOf(seed);
  const prefixes = [crowded ? '10.44.0.0/28' : '10.44.0.0/16', shared ? 'fd44:0:0:1::/64' : 'fd44::/48'];
  const options = [SHORT_LEASES, ` option max_peers '${sessions}'`, ...(shared ? [" option ipv6_mode 'host'"] : [])].join('\n');
  return new World({
    seed,
    nodes,
    clients,
    links,
    settings: (i) => ({ clockRate: rates[i]!, flash, transit: i === transit, options, prefixes, discovers, ...(discovers ? { peers: [] } : {}) }),
    client: (i) => {
      const dualStack = random.chance(0.8);
      const fixed = dualStack && !crowded && random.chance(0.15) ? parseIp4(`10.44.255.${10 + i}`) : undefined;
      return { dualStack, fixed, autoconfigures: shared };
    },
    trace,
  });
}

export async function runChaos(seed: number, trace?: (line: string) => void): Promise<ChaosResult> {
  const world = makeWorld(seed, trace);
  const trouble = new Trouble(world);
  const scene = sceneOf(seed);
  const shared = new Set<string>();
  world.start();
  await world.run(2 * SECOND);
  const end = world.scheduler.now + TROUBLE;
  for (const client of world.clients) if (world.random.chance(0.8)) trouble.move(client.number);
  while (world.scheduler.now < end) {
    await world.run(trouble.pause());
    trouble.strike();
    for (const line of world.sharedAddresses()) shared.add(line);
  }
  trouble.over();
  world.mend();
  await world.run(20 * SECOND);
  const violations = await world.settle(CALM);
  if (scene.long && violations.length === 0) violations.push(...(await waitLong(world)));
  // Where two clients were given one address apart from each other, one has to give it up.
  if (!scene.crowded) violations.push(...shared, ...world.clients.flatMap(({ lost }) => lost));
  return { violations, world };
}

/** All stays as it is for two hours, and in the end nobody is known who is not there. */
async function waitLong(world: World): Promise<string[]> {
  for (let waited = 0; waited < 2 * HOUR; waited += 10 * MINUTE) {
    await world.run(10 * MINUTE);
    const violations = world.violations();
    if (violations.length > 0) return violations.map((line) => `${line} (after ${waited / MINUTE + 10} minutes of calm)`);
  }
  const present = new Set(world.clients.filter(({ at }) => at !== undefined).map(({ mac }) => mac as string));
  return world.nodes.flatMap((node) =>
    node.clients().filter(({ mac }) => !present.has(mac)).map(({ mac }) => `${node.name} still knows ${mac}, which is gone`),
  );
}

class Trouble {
  readonly #random: SeededRandom;
  readonly #roaming: readonly SimNode[];
  readonly #intensity: number;
  /** A node that has another's id, and its own. */
  #thief: { readonly node: SimNode; readonly id: Uint8Array } | undefined;

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
    else if (dice < 59) this.world.cut(link);
    else if (dice < 62) this.world.eat(link);
    else if (dice < 70) this.world.heal(link);
    else if (dice < 76) this.#kill(node);
    else if (dice < 79) this.#powerOff(node);
    else if (dice < 80) for (const each of this.world.nodes) this.#powerOff(each);
    else if (dice < 84) this.#stop(node);
    else if (dice < 90) this.#flap(client.number);
    else if (dice < 95) this.#phantom(client.number);
    else if (dice < 99) this.#latency(node);
    else this.#steal(node);
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
    const database = node.files.get('database');
    if (database !== undefined && this.#random.chance(0.3)) {
      const half = this.#random.chance(0.5);
      this.world.trace(`${node.name} finds its database ${half ? 'cut short' : 'gone'}`);
      if (half) node.files.set('database', database.subarray(0, this.#random.below(database.length)));
      else node.files.delete('database');
    }
    this.world.scheduler.in(this.#random.between(10, 8 * SECOND), () => node.start());
  }

  /** Somebody has copied one router's flash to another. */
  #steal(node: SimNode): void {
    const victim = this.#random.pick(this.world.nodes);
    const [own, other] = [node.files.get('node-id'), victim.files.get('node-id')];
    if (this.#thief !== undefined || own === undefined || other === undefined || node === victim) return;
    this.world.trace(`${node.name} has the id of ${victim.name}`);
    this.#thief = { node, id: own };
    this.#startAs(node, other);
  }

  #startAs(node: SimNode, id: Uint8Array): void {
    node.kill();
    node.files.set('node-id', id);
    node.files.delete('database');
    node.start();
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
    if (this.#thief !== undefined) this.#startAs(this.#thief.node, this.#thief.id);
    for (const client of this.world.clients) {
      if (client.at === undefined && this.#random.chance(0.5)) this.move(client.number);
    }
  }
}
