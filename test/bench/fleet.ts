/** Many nodes with a database and a flooder each, on an overlay of links with one delay: what flooding costs at scale. */
import { Database } from '../../src/clients/database.js';
import type { NodeId } from '../../src/clients/node-id.js';
import { nodeIdFromBytes } from '../../src/clients/node-id.js';
import type { Record, RecordKey } from '../../src/clients/record.js';
import type { Millis } from '../../src/clients/time.js';
import type { Clock, Endpoint, Logger, Mesh, PeerStream, PeerStreamEvents } from '../../src/ports.js';
import { Flooder } from '../../src/flood/flooder.js';
import { SeededRandom } from '../sim/random.js';
import { Scheduler } from '../sim/scheduler.js';

const SILENT: Logger = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} };

export interface FleetNode {
  readonly id: NodeId;
  readonly db: Database;
  readonly flooder: Flooder;
}

interface Listener {
  accept: ((stream: PeerStream) => PeerStreamEvents) | undefined;
}

export class Fleet {
  readonly scheduler = new Scheduler();
  readonly nodes: FleetNode[] = [];
  /** Pairs of nodes that have a session. */
  readonly links: (readonly [number, number])[] = [];
  bytes = 0;
  /** Told of each record that is news to a node. */
  learnt: (key: RecordKey) => void = () => {};

  /** Every node dials some others at random, so that each has about `degree` sessions. */
  constructor(
    count: number,
    degree: number,
    readonly delay: Millis,
    readonly random = new SeededRandom(1),
  ) {
    const clock: Clock = { now: () => this.scheduler.now, schedule: (at, task) => this.scheduler.schedule(at, task) };
    const listeners: Listener[] = Array.from({ length: count }, () => ({ accept: undefined }));
    for (let i = 0; i < count; i++) {
      const db = new Database();
      const self = nodeIdFromBytes(Uint8Array.of(0, 0, 0, 0, 0, 0, i >> 8, i));
      const apply = (record: Record) => {
        const outcome = db.apply(record, this.scheduler.now);
        if (outcome.kind === 'newer') this.learnt(record.key);
        return outcome;
      };
      const replica = { get: (key: RecordKey) => db.get(key), records: () => db.records(), apply };
      const mesh = this.#mesh(listeners, i);
      const flooder = new Flooder({ self, hostname: `n${i}`, replica, mesh, clock, random: new SeededRandom(1, i), log: SILENT, maxSessions: 1000 });
      this.nodes.push({ id: self, db, flooder });
      const peers = this.#choosePeers(i, degree / 2);
      void flooder.start({ port: 1, peers });
    }
  }

  /** Of the nodes that are there already; the first ones so have more. */
  #choosePeers(i: number, wanted: number): Endpoint[] {
    const chosen = new Set<number>();
    while (chosen.size < Math.min(wanted, i)) chosen.add(this.random.below(i));
    for (const peer of chosen) this.links.push([peer, i]);
    return [...chosen].map((peer) => ({ host: String(peer), port: 1 }));
  }

  #mesh(listeners: readonly Listener[], self: number): Mesh {
    return {
      listen: async (accept) => void (listeners[self]!.accept = accept),
      dial: ({ host }, opened) => {
        const [ours, theirs] = [new Pipe(this), new Pipe(this)];
        [ours.other, theirs.other] = [theirs, ours];
        this.scheduler.in(this.delay, () => {
          theirs.events = listeners[Number(host)]!.accept!(theirs);
          this.scheduler.in(this.delay, () => (ours.events = opened(ours)));
        });
      },
      stop: () => {},
    };
  }

  run(duration: Millis): void {
    this.scheduler.runAtOnce(duration);
  }

  /** The greatest distance between any two nodes, in links, from a sample of starts. */
  diameter(samples = 20): number {
    const neighbours: number[][] = this.nodes.map(() => []);
    for (const [a, b] of this.links) {
      neighbours[a]!.push(b);
      neighbours[b]!.push(a);
    }
    let longest = 0;
    for (let s = 0; s < samples; s++) {
      const distance = new Map([[this.random.below(this.nodes.length), 0]]);
      for (const [node, hops] of distance) {
        longest = Math.max(longest, hops);
        for (const next of neighbours[node]!) if (!distance.has(next)) distance.set(next, hops + 1);
      }
    }
    return longest;
  }
}

class Pipe implements PeerStream {
  readonly remote = 'peer';
  readonly queued = 0;
  other: Pipe | undefined;
  events: PeerStreamEvents | undefined;

  constructor(private readonly fleet: Fleet) {}

  write(bytes: Uint8Array): boolean {
    this.fleet.bytes += bytes.length;
    const { other } = this;
    this.fleet.scheduler.in(this.fleet.delay, () => other?.events?.data(bytes));
    return true;
  }

  end(): void {
    const { other } = this;
    this.fleet.scheduler.in(this.fleet.delay, () => other?.events?.closed(undefined));
  }

  destroy(): void {
    this.end();
  }
}
