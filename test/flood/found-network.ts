/** Nodes that find each other: flooder, finder and database, on links that carry hellos, under one clock. */
import { assert } from '../../src/clients/claims.js';
import { Database } from '../../src/clients/database.js';
import type { NodeId } from '../../src/clients/node-id.js';
import { adjacenciesKey, adjacenciesValue, meaningOf } from '../../src/clients/record.js';
import type { Record } from '../../src/clients/record.js';
import { after, HOUR } from '../../src/clients/time.js';
import { Finder } from '../../src/flood/finder.js';
import { Flooder } from '../../src/flood/flooder.js';
import type { FlooderOptions } from '../../src/flood/flooder.js';
import { ip4FromNumber } from '../../src/net/ip.js';
import type { Discovery, DiscoveryEvents, Timer } from '../../src/ports.js';
import { nodeId, PORT, TestNetwork } from './support.js';
import { nodeRecord, TestLog } from '../support.js';

export class FoundNetwork extends TestNetwork {
  readonly all: FoundNode[] = [];
  /** Links by name: who is on them. */
  readonly links = new Map<string, Set<FoundNode>>();
  hellos = 0;

  async node(number: number, options: FoundOptions = {}): Promise<FoundNode> {
    const node = new FoundNode(this, number, options);
    this.all.push(node);
    await node.start(options);
    return node;
  }

  /** Puts nodes on a link, the same or a new one. */
  join(link: string, ...nodes: FoundNode[]): void {
    const members = this.links.get(link) ?? new Set();
    this.links.set(link, members);
    for (const node of nodes) {
      members.add(node);
      node.attached();
    }
  }

  send(from: FoundNode, content: Uint8Array): void {
    for (const [link, members] of this.links) {
      if (!members.has(from)) continue;
      this.hellos++;
      for (const node of members) {
        if (node !== from) this.clock.schedule(after(this.clock.now(), this.delay), () => node.hear(content, `${from.host}%${link}`));
      }
    }
  }

  get alive(): FoundNode[] {
    return this.all.filter((node) => !node.dead);
  }

  /** Nodes that can be reached from the first one by sessions, of those that live. */
  reached(): Set<FoundNode> {
    const first = this.alive[0];
    const seen = new Set(first === undefined ? [] : [first]);
    for (const node of seen) {
      for (const other of this.alive) if (node.flooder.hasSession(other.id)) seen.add(other);
    }
    return seen;
  }

  get isConnected(): boolean {
    return this.reached().size === this.alive.length;
  }
}

export interface FoundOptions {
  readonly peers?: readonly FoundNode[];
  /** Listens at its addresses; otherwise it tells none. Default: true. */
  readonly addressed?: boolean;
  readonly degree?: number;
  readonly flooder?: Partial<FlooderOptions>;
}

export class FoundNode {
  readonly id: NodeId;
  readonly host: string;
  readonly db = new Database();
  readonly log = new TestLog();
  readonly flooder: Flooder;
  readonly finder: Finder;
  dead = false;
  #timer: Timer | undefined;
  #events: DiscoveryEvents | undefined;

  constructor(
    readonly network: FoundNetwork,
    readonly number: number,
    options: FoundOptions,
  ) {
    const { clock, random } = network;
    const { log } = this;
    this.id = nodeId(number);
    this.host = ip4FromNumber(0x0a630000 + number);
    const replica = {
      get: (key: Record['key']) => this.db.get(key),
      records: () => this.db.records(),
      apply: (record: Record) => this.#merge(record),
    };
    this.flooder = new Flooder({
      self: this.id,
      hostname: `n${number}`,
      replica,
      mesh: network.mesh(this.host),
      clock,
      random,
      log,
      events: {
        up: (peer) => this.finder.sessionUp(peer.node),
        down: () => this.finder.sessionsChanged(),
        responsive: () => this.finder.sessionsChanged(),
        unreachable: (endpoint) => this.finder.unreachable(endpoint),
      },
      ...options.flooder,
    });
    const discovery: Discovery = {
      counters: {},
      start: (_, events) => (this.#events = events),
      attach() {},
      send: (content) => network.send(this, content),
      stop: () => (this.#events = undefined),
    };
    this.finder = new Finder({
      self: this.id,
      degree: options.degree ?? 6,
      flooder: this.flooder,
      records: this.db,
      discovery,
      clock,
      random,
      log,
      adjacent: (neighbours) => this.put(assert(this.db, adjacenciesKey(this.id), adjacenciesValue(neighbours), HOUR, clock.now())),
      changed: () => this.#arm(),
    });
  }

  async start({ peers = [], addressed = true }: FoundOptions): Promise<void> {
    await this.flooder.start({ port: PORT, peers: peers.map(({ host }) => ({ host, port: PORT })) });
    this.finder.start(PORT, { only: undefined, except: [] });
    const info = { hostname: `n${this.number}`, addresses: addressed ? [ip4FromNumber(0x0a630000 + this.number)] : [], port: PORT };
    this.put(nodeRecord(this.db, this.id, info, this.network.clock.now()));
  }

  put(record: Record): void {
    const outcome = this.#merge(record);
    if (outcome.kind === 'newer') this.flooder.flood(outcome.record);
    if (outcome.kind === 'extended') this.flooder.flood(outcome.record, outcome.before);
  }

  #merge(record: Record) {
    const outcome = this.db.apply(record, this.network.clock.now());
    const meaning = meaningOf(record.key, record.value);
    if (outcome.kind !== 'newer' && outcome.kind !== 'extended') return outcome;
    if (meaning.type === 'node') this.finder.nodeChanged(meaning.node);
    if (meaning.type === 'adjacencies') {
      const { previous } = outcome;
      this.finder.adjacenciesChanged(meaning.node, previous?.type === 'adjacencies' ? previous.neighbours : [], meaning.neighbours);
    }
    return outcome;
  }

  #arm(): void {
    this.#timer?.cancel();
    const at = this.finder.nextDeadline;
    if (at === undefined || this.dead) return;
    this.#timer = this.network.clock.schedule(at, () => {
      this.finder.poll(this.network.clock.now());
      this.#arm();
    });
  }

  hear(content: Uint8Array, address: string): void {
    this.#events?.heard(content, address);
  }

  attached(): void {
    this.#events?.attached();
  }

  /** Ends without a word: connections are reset. */
  die(): void {
    this.dead = true;
    this.finder.stop();
    this.#timer?.cancel();
    for (const members of this.network.links.values()) members.delete(this);
    this.network.kill(this.host);
  }

  /** Says goodbye, as a daemon does that is stopped. */
  async stop(): Promise<void> {
    this.finder.leave();
    await this.flooder.stop();
    this.die();
  }

  get sessions(): number {
    return this.network.all.filter(({ id }) => this.flooder.hasSession(id)).length;
  }

  get nodesKnown(): number {
    return [...this.db.nodes()].length;
  }
}
