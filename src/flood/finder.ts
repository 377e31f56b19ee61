/**
 * Finds the nodes to talk to: node records, hellos of neighbours, and the flooder's luck with them, brought together.
 *
 * Between neighbours everything is flooded at once. Each node tells which neighbours it has sessions with that acknowledge
 * what they are sent, its adjacencies. A session with a node that they lead to stands by: what would go over it crosses
 * the same links another time. It carries changes from the moment on at which they do not lead there any more.
 */
import type { NodeId } from '../clients/node-id.js';
import type { NodeInfo } from '../clients/record.js';
import type { Instant, Millis } from '../clients/time.js';
import { after, earliest } from '../clients/time.js';
import { Reader } from '../net/bytes.js';
import type { Clock, Discovery, Endpoint, InterfaceChoice, Logger, Random } from '../ports.js';
import { reachedByAdjacencies } from './adjacency.js';
import { Complaints } from './complaints.js';
import { Departures } from './departures.js';
import type { Flooder } from './flooder.js';
import { isBadInput } from './frame.js';
import type { NeighbourHello } from './hello.js';
import { decodeHello, encodeHello } from './hello.js';
import { HelloSchedule } from './hello-schedule.js';
import { Membership } from './membership.js';

/** The origin of what is wanted here, as {@link Flooder.want} knows it. */
const FOUND = 'found';

/** How long new adjacencies of others are gathered, to be dealt with together. Lost ones cannot wait. */
const GATHERING: Millis = 100;

export interface FinderOptions {
  readonly self: NodeId;
  /** Sessions to have with nodes that are known from their records; 0: none. */
  readonly degree: number;
  readonly flooder: Flooder;
  /** The nodes that live records tell of, and their adjacencies. */
  readonly records: {
    nodes(): Iterable<[NodeId, NodeInfo]>;
    node(id: NodeId): NodeInfo | undefined;
    adjacencies(id: NodeId): readonly NodeId[];
  };
  /** Undefined: no hellos. */
  readonly discovery: Discovery | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** The neighbours that this node floods to at present, in order; others than before or the same. */
  readonly adjacent: (neighbours: readonly NodeId[]) => void;
  /** {@link Finder.nextDeadline} may have changed. */
  readonly changed: () => void;
}

export class Finder {
  readonly #options: FinderOptions;
  readonly #membership: Membership;
  readonly #schedule: HelloSchedule;
  readonly #departures = new Departures();
  readonly #instance: bigint;
  readonly #complaints: Complaints<'malformed'>;
  #count = 0;
  #port = 0;
  /** When to work out anew which nodes the adjacencies lead to. */
  #reachDue: Instant | undefined;

  constructor(options: FinderOptions) {
    const { self, degree, flooder, records, random, log } = options;
    this.#options = options;
    this.#instance = new Reader(random.bytes(8)).u64();
    this.#schedule = new HelloSchedule(random);
    this.#complaints = new Complaints(log);
    this.#membership = new Membership({
      self,
      degree,
      random,
      nodes: () => records.nodes(),
      node: (id) => records.node(id),
      hasSession: (node) => flooder.hasSession(node),
      want: (endpoints) => flooder.want(FOUND, endpoints),
    });
  }

  /** Begins to look for others, who find this node's sessions at `port`. */
  start(port: number, choice: InterfaceChoice): void {
    const { discovery, clock, records } = this.#options;
    this.#port = port;
    discovery?.attach(choice);
    discovery?.start(port, {
      heard: (content, address) => this.#heard(content, address),
      attached: () => {
        this.#schedule.hurry(clock.now());
        this.#options.changed();
      },
    });
    for (const [node] of records.nodes()) this.#membership.nodeChanged(node, clock.now());
  }

  /** Interfaces have come or gone, or others are to be looked on. */
  attach(choice: InterfaceChoice): void {
    if (this.#port !== 0) this.#options.discovery?.attach(choice);
  }

  #heard(content: Uint8Array, host: string): void {
    const now = this.#options.clock.now();
    const hello = this.#decode(content, host, now);
    if (hello === undefined) return;
    // It does not know us either.
    if (this.#membership.heard(hello, { host, port: hello.port }, now)) {
      this.#schedule.hurry(now);
      this.#reachAnew(now);
    }
    this.#options.changed();
  }

  #decode(content: Uint8Array, host: string, now: Instant): NeighbourHello | undefined {
    try {
      return decodeHello(content);
    } catch (error) {
      if (!isBadInput(error)) throw error;
      this.#complaints.add('malformed', `hello of ${host}: ${error.message}`, now);
      return undefined;
    }
  }

  /** The record of a node has come, changed or expired. */
  nodeChanged(node: NodeId): void {
    if (this.#port === 0) return;
    this.#membership.nodeChanged(node, this.#options.clock.now());
    this.#options.changed();
  }

  /** A node tells of other adjacencies than before. */
  adjacenciesChanged(node: NodeId, before: readonly NodeId[], now: readonly NodeId[]): void {
    if (this.#port === 0) return;
    const { self, clock, records } = this.#options;
    if (now.length > 0) this.#departures.returned(node);
    else if (node !== self) this.#departures.left(node, before.filter((other) => records.adjacencies(other).includes(node)), clock.now());
    const lost = before.some((node) => !now.includes(node));
    this.#reachAnew(after(this.#options.clock.now(), lost ? 0 : GATHERING));
    this.#options.changed();
  }

  /** To be told by the flooder. */
  sessionUp(node: NodeId | undefined): void {
    const now = this.#options.clock.now();
    if (node !== undefined) this.#membership.sessionUp(node, now);
    this.#reachAnew(now);
    this.#options.changed();
  }

  /** To be told by the flooder: a session has ended, or a node has become responsive or unresponsive. */
  sessionsChanged(): void {
    this.#reachAnew(this.#options.clock.now());
    this.#options.changed();
  }

  #reachAnew(at: Instant): void {
    this.#reachDue = earliest(this.#reachDue, at);
  }

  /**
   * Tells the adjacencies, and lets sessions stand by that they make superfluous. Sessions with neighbours never do, so that
   * one that is unresponsive has everything as soon as it acknowledges again.
   */
  #reach(now: Instant): void {
    const { self, flooder, records, adjacent } = this.#options;
    const neighbours = this.#membership.neighbours.filter((node) => flooder.hasSession(node));
    const adjacencies = neighbours.filter((node) => flooder.isResponsive(node)).sort();
    // Nothing need be said of none, unless an earlier run has told some.
    if (adjacencies.length + records.adjacencies(self).length > 0) adjacent(adjacencies);
    const reached = reachedByAdjacencies(self, adjacencies, (node) => records.adjacencies(node));
    const told = (node: NodeId) => this.#departures.adjacencies(node, node === self ? adjacencies : records.adjacencies(node));
    // Whoever withdraws is likely to be back at once: nobody dials around it meanwhile. The sessions that stand by do not wait.
    this.#membership.reach(reachedByAdjacencies(self, told(self), told), now);
    flooder.standBy(new Set([...reached].filter((node) => !neighbours.includes(node))));
  }

  /** To be told by the flooder. */
  unreachable(endpoint: Endpoint): void {
    this.#membership.unreachable(endpoint, this.#options.clock.now());
    this.#options.changed();
  }

  /** There is a path to a node, or another one than before. */
  pathFound(node: NodeId): void {
    if (this.#port === 0) return;
    this.#membership.pathFound(node, this.#options.clock.now());
    this.#options.changed();
  }

  get nextDeadline(): Instant | undefined {
    return earliest(this.#membership.nextDeadline, this.#schedule.nextDeadline, this.#departures.nextDeadline, this.#reachDue);
  }

  poll(now: Instant): void {
    // It may lose neighbours.
    if (this.#membership.poll(now)) this.#reachAnew(now);
    if (this.#departures.poll(now)) this.#reachAnew(now);
    if (this.#reachDue !== undefined && now >= this.#reachDue) {
      this.#reachDue = undefined;
      this.#reach(now);
    }
    if (!this.#schedule.poll(now)) return;
    const hello = { node: this.#options.self, instance: this.#instance, count: ++this.#count, port: this.#port };
    this.#options.discovery?.send(encodeHello(hello));
  }

  /** Nodes on our own links, and what has gone to and fro. */
  get counters(): { readonly [name: string]: number } {
    const malformed = this.#complaints.counts().malformed ?? 0;
    return { neighbours: this.#membership.neighbours.length, ...this.#options.discovery?.counters, hello_malformed: malformed };
  }

  /** Tells all that it is this node that goes, before its sessions end. */
  leave(): void {
    const { self, records, adjacent } = this.#options;
    if (records.adjacencies(self).length > 0) adjacent([]);
  }

  stop(): void {
    this.#options.discovery?.stop();
  }
}
