/**
 * Many nodes with a database and a flooder each, on an overlay of links with one delay: what flooding costs at scale. A
 * node takes one message after the other, each for a time that is given; what a message causes leaves when that is over.
 */
import { Database } from '../../src/clients/database.js';
import type { NodeId } from '../../src/clients/node-id.js';
import { nodeIdFromBytes } from '../../src/clients/node-id.js';
import type { Record, RecordKey } from '../../src/clients/record.js';
import type { Instant, Millis } from '../../src/clients/time.js';
import { after } from '../../src/clients/time.js';
import type { Clock, Endpoint, Mesh, PeerStream, PeerStreamEvents } from '../../src/ports.js';
import { Flooder } from '../../src/flood/flooder.js';
import { SeededRandom } from '../random.js';
import { Scheduler } from '../sim/scheduler.js';
import { SILENT } from '../support.js';

/** What a node takes for a message: one with news, and one that says what is known. */
export interface Costs {
  readonly news: Millis;
  readonly repeated: Millis;
}

export interface FleetOptions {
  readonly count: number;
  /** Sessions of a node, about. */
  readonly degree: number;
  readonly delay: Millis;
  readonly costs: Costs;
  /** What all nodes know at the start; the records themselves are shared. */
  readonly records: readonly Record[];
}

export interface FleetNode {
  readonly id: NodeId;
  readonly db: Database;
  readonly flooder: Flooder;
  /** Until when it is busy with the messages that it has taken. */
  busy: Instant;
  /** How often something waits to leave. */
  waiting: number;
  accept: ((stream: PeerStream) => PeerStreamEvents) | undefined;
}

const nodeIdOf = (i: number): NodeId => nodeIdFromBytes(Uint8Array.of(0, 0, 0, 0, 0, 0, i >> 8, i));

export class Fleet {
  readonly scheduler = new Scheduler();
  readonly random = new SeededRandom(1);
  readonly nodes: FleetNode[] = [];
  /** Pairs of nodes that have a session. */
  readonly links: (readonly [number, number])[] = [];
  bytes = 0;
  /** Told of each record that is news to a node, and when the node has passed it on. */
  learnt: (key: RecordKey, at: Instant) => void = () => {};
  /** Runs what a node does for a message. */
  measure: (node: FleetNode, work: () => void) => void = (_, work) => work();
  #leaving: (() => void)[] | undefined;
  #hasNews = false;

  /** Every node dials some others at random, so that each has about `degree` sessions. */
  constructor(private readonly options: FleetOptions) {
    const clock: Clock = { now: () => this.scheduler.now, schedule: (at, task) => this.scheduler.schedule(at, task) };
    for (let i = 0; i < options.count; i++) {
      this.nodes.push(this.#node(i, clock));
      void this.nodes[i]!.flooder.start({ port: 1, peers: this.#choosePeers(i, options.degree / 2) });
    }
  }

  #node(i: number, clock: Clock): FleetNode {
    const db = new Database();
    for (const record of this.options.records) db.apply(record, clock.now());
    const apply = (record: Record) => {
      const outcome = db.apply(record, clock.now());
      if (outcome.kind === 'newer' || outcome.kind === 'extended') {
        this.#hasNews = true;
        this.learnt(record.key, after(clock.now(), this.options.costs.news));
      }
      return outcome;
    };
    const replica = { get: (key: RecordKey) => db.get(key), records: () => db.records(), apply };
    const [id, mesh, random] = [nodeIdOf(i), this.#mesh(i), new SeededRandom(1, i)];
    const flooder = new Flooder({ self: id, hostname: `n${i}`, replica, mesh, clock, random, log: SILENT, maxSessions: 1000 });
    return { id, db, flooder, busy: clock.now(), waiting: 0, accept: undefined };
  }

  /** Of the nodes that are there already; the first ones so have more. */
  #choosePeers(i: number, wanted: number): Endpoint[] {
    const chosen = new Set<number>();
    while (chosen.size < Math.min(wanted, i)) chosen.add(this.random.below(i));
    for (const peer of chosen) this.links.push([peer, i]);
    return [...chosen].map((peer) => ({ host: String(peer), port: 1 }));
  }

  #mesh(self: number): Mesh {
    return {
      listen: async (accept) => void (this.nodes[self]!.accept = accept),
      dial: ({ host }, opened) => {
        const [near, far] = [this.nodes[self]!, this.nodes[Number(host)]!];
        const [ours, theirs] = [new Pipe(this, near, far), new Pipe(this, far, near)];
        [ours.other, theirs.other] = [theirs, ours];
        this.scheduler.in(this.options.delay, () => {
          theirs.events = far.accept!(theirs);
          this.scheduler.in(this.options.delay, () => (ours.events = opened(ours)));
        });
      },
      stop: () => {},
    };
  }

  /** Something leaves when its sender is done with what it does. */
  send(from: FleetNode, to: FleetNode, take: () => void): void {
    const leave = () => this.scheduler.in(this.options.delay, () => this.#arrive(to, take));
    if (this.#leaving !== undefined) this.#leaving.push(leave);
    else this.#leave(from, [leave]);
  }

  #arrive(node: FleetNode, take: () => void): void {
    const { now } = this.scheduler;
    if (node.busy > now) {
      this.scheduler.schedule(node.busy, () => this.#arrive(node, take));
      return;
    }
    const leaving: (() => void)[] = [];
    this.#leaving = leaving;
    this.#hasNews = false;
    this.measure(node, take);
    this.#leaving = undefined;
    const { news, repeated } = this.options.costs;
    node.busy = after(now, this.#hasNews ? news : repeated);
    this.#leave(node, leaving);
  }

  /** One after the other: nothing overtakes what still waits. */
  #leave(node: FleetNode, leaving: readonly (() => void)[]): void {
    if (leaving.length === 0) return;
    if (node.waiting === 0 && node.busy <= this.scheduler.now) {
      for (const leave of leaving) leave();
      return;
    }
    node.waiting++;
    this.scheduler.schedule(node.busy, () => {
      node.waiting--;
      for (const leave of leaving) leave();
    });
  }

  /** Whether the last message told its node something. */
  get hadNews(): boolean {
    return this.#hasNews;
  }

  run(duration: Millis): void {
    this.scheduler.runAtOnce(duration);
  }

  /** The greatest distance between any two nodes, in links. */
  diameter(): number {
    const neighbours: number[][] = this.nodes.map(() => []);
    for (const [a, b] of this.links) {
      neighbours[a]!.push(b);
      neighbours[b]!.push(a);
    }
    return Math.max(...neighbours.map((_, start) => eccentricity(neighbours, start)));
  }
}

/** How far the farthest is from `start`. */
function eccentricity(neighbours: readonly number[][], start: number): number {
  const distance = new Int32Array(neighbours.length).fill(-1);
  distance[start] = 0;
  const queue = [start];
  for (const node of queue) {
    for (const next of neighbours[node]!) {
      if (distance[next]! >= 0) continue;
      distance[next] = distance[node]! + 1;
      queue.push(next);
    }
  }
  return distance[queue.at(-1)!]!;
}

/** One end of a connection; what is written arrives at `to`. */
class Pipe implements PeerStream {
  readonly remote = 'peer';
  readonly queued = 0;
  readonly acknowledged = true;
  readonly timeouts = undefined;
  other: Pipe | undefined;
  events: PeerStreamEvents | undefined;

  constructor(
    private readonly fleet: Fleet,
    private readonly from: FleetNode,
    private readonly to: FleetNode,
  ) {}

  write(bytes: Uint8Array): boolean {
    this.fleet.bytes += bytes.length;
    const { other } = this;
    this.fleet.send(this.from, this.to, () => other?.events?.data(bytes));
    return true;
  }

  end(): void {
    const { other } = this;
    this.fleet.send(this.from, this.to, () => other?.events?.closed(undefined));
  }

  destroy(): void {
    this.end();
  }
}
