/** A network of nodes in one process, under a clock that the test turns. */
import { Database } from '../../src/clients/database.js';
import { associationKey, lease4Key, macValue, nodeValue } from '../../src/clients/record.js';
import type { Record, RecordKey } from '../../src/clients/record.js';
import type { NodeId } from '../../src/clients/node-id.js';
import { parseNodeId } from '../../src/clients/node-id.js';
import type { Instant, Millis } from '../../src/clients/time.js';
import { after, HOUR } from '../../src/clients/time.js';
import { formatEndpoint } from '../../src/flood/dial.js';
import { Flooder } from '../../src/flood/flooder.js';
import type { FlooderOptions } from '../../src/flood/flooder.js';
import { ip4FromNumber } from '../../src/net/ip.js';
import { macFromBytes } from '../../src/net/mac.js';
import type { Endpoint, Mesh, PeerStream, PeerStreamEvents } from '../../src/ports.js';
import { TestClock, TestLog } from '../support.js';
import { SeededRandom } from '../random.js';

export const START = 1_000_000 as Instant;

/** How many bytes a stream takes before it says that it is full. */
const HIGH_WATER = 65536;

/** Between two attempts to send again what was lost. */
const RETRANSMIT: Millis = 200;

/** How long a dial waits for an answer. */
const CONNECT_TIMEOUT: Millis = 10_000;

/** One direction of a connection. */
class Pipe {
  queued = 0;
  full = false;
  /** The receiver does not read. */
  paused = false;
  waiting: Uint8Array[] = [];
}

class TestStream implements PeerStream {
  #closed = false;
  other!: TestStream;
  readonly pipe = new Pipe();
  events: PeerStreamEvents | undefined;
  bytes = 0;
  /** When something that it wrote was lost: for ever, unlike TCP. */
  lostAt: Instant | undefined;

  constructor(
    readonly network: TestNetwork,
    readonly remote: string,
    readonly link: string,
  ) {}

  get queued(): number {
    return this.pipe.queued;
  }

  get acknowledged(): boolean {
    return this.queued === 0;
  }

  get timeouts(): number {
    return this.lostAt === undefined ? 0 : Math.floor((this.network.clock.now() - this.lostAt) / RETRANSMIT);
  }

  write(bytes: Uint8Array): boolean {
    if (this.#closed) return true;
    const copy = bytes.slice();
    this.bytes += copy.length;
    this.network.bytes += copy.length;
    this.pipe.queued += copy.length;
    this.network.deliver(this, () => {
      this.pipe.waiting.push(copy);
      this.flush();
    });
    if (this.pipe.queued <= HIGH_WATER) return true;
    this.pipe.full = true;
    return false;
  }

  /** Gives what has arrived to the receiver, if it reads. */
  flush(): void {
    const { pipe, other } = this;
    while (!pipe.paused && pipe.waiting.length > 0) {
      const bytes = pipe.waiting.shift()!;
      pipe.queued -= bytes.length;
      if (!other.#closed) other.events?.data(bytes);
    }
    if (pipe.full && pipe.queued === 0 && !this.#closed) {
      pipe.full = false;
      this.events?.drained();
    }
  }

  end(): void {
    this.network.deliver(this, () => this.other.close(undefined));
    this.network.deliver(this, () => this.close(undefined));
  }

  destroy(): void {
    this.network.deliver(this, () => this.other.close('connection reset by the peer'));
    this.close(undefined);
  }

  close(reason: string | undefined): void {
    if (this.#closed) return;
    this.#closed = true;
    this.network.streams.delete(this);
    this.events?.closed(reason);
  }
}

export class TestNetwork {
  readonly clock = new TestClock(START);
  readonly random = new SeededRandom(1);
  readonly streams = new Set<TestStream>();
  readonly #listeners = new Map<string, (stream: PeerStream) => PeerStreamEvents>();
  readonly #cut = new Set<string>();
  readonly #killed = new Set<string>();
  readonly #silent = new Set<string>();
  /** When which host was dialled. */
  readonly dials: { readonly at: Instant; readonly host: string }[] = [];
  /** One way, in milliseconds. */
  delay: Millis = 5;
  /** Written by all nodes so far. */
  bytes = 0;

  /** What is on its way over a link that is cut is lost, and only TCP's timeouts tell. */
  deliver(stream: TestStream, task: () => void): void {
    this.clock.schedule(after(this.clock.now(), this.delay), () => {
      if (!this.#cut.has(stream.link)) task();
      else stream.lostAt ??= this.clock.now();
    });
  }

  cut(a: string, b: string): void {
    this.#cut.add(linkOf(a, b));
  }

  heal(a: string, b: string): void {
    this.#cut.delete(linkOf(a, b));
  }

  /** Whoever is dialled over the link gives no answer, though nobody says that there is no way; or does again. */
  silence(a: string, b: string, silent = true): void {
    if (silent) this.#silent.add(linkOf(a, b));
    else this.#silent.delete(linkOf(a, b));
  }

  /** Resets the connections between two hosts. */
  reset(a: string, b: string): void {
    for (const stream of [...this.streams]) {
      if (stream.link === linkOf(a, b)) stream.close('connection reset by the peer');
    }
  }

  /** The streams that a host writes to another. */
  streamsTo(from: string, to: string): TestStream[] {
    return [...this.streams].filter((stream) => stream.link === linkOf(from, to) && stream.remote.startsWith(`${to}:`));
  }

  /** The host ends without a word: whoever is connected with it is told by its kernel. */
  kill(host: string): void {
    this.#killed.add(host);
    for (const name of this.#listeners.keys()) if (name.startsWith(`${host}:`)) this.#listeners.delete(name);
    for (const stream of [...this.streams]) {
      if (stream.link.split('-').includes(host)) stream.close('connection reset by the peer');
    }
  }

  mesh(host: string): Mesh {
    let port = 0;
    return {
      listen: async (accept, wanted) => {
        port = wanted;
        this.#listeners.set(formatEndpoint({ host, port }), accept);
      },
      dial: (endpoint, opened, failed) => this.#dial(host, endpoint, opened, failed),
      stop: () => void this.#listeners.delete(formatEndpoint({ host, port })),
    };
  }

  #dial(
    host: string,
    endpoint: Endpoint,
    opened: (stream: PeerStream) => PeerStreamEvents,
    failed: (reason: string) => void,
  ): void {
    // A link-local address is here a host's name with the zone behind it.
    const target = { ...endpoint, host: endpoint.host.replace(/%.*/, '') };
    const link = linkOf(host, target.host);
    this.dials.push({ at: this.clock.now(), host: target.host });
    if (this.#silent.has(link)) {
      this.clock.schedule(after(this.clock.now(), CONNECT_TIMEOUT), () => failed('no answer in time'));
      return;
    }
    this.clock.schedule(after(this.clock.now(), 2 * this.delay), () => {
      const accept = this.#listeners.get(formatEndpoint(target));
      if (accept === undefined || this.#cut.has(link) || this.#killed.has(host)) {
        failed('connection refused');
        return;
      }
      const near = new TestStream(this, formatEndpoint(target), link);
      const far = new TestStream(this, `${host}:50000`, link);
      near.other = far;
      far.other = near;
      this.streams.add(near).add(far);
      far.events = accept(far);
      near.events = opened(near);
    });
  }
}

function linkOf(a: string, b: string): string {
  return [a, b].sort().join('-');
}

export const PORT = 4444;

/** A flooder with a real database. */
export class TestNode {
  readonly db: Database;
  readonly log = new TestLog();
  readonly flooder: Flooder;
  readonly id: NodeId;
  duplicates: NodeId[] = [];
  duplicateLines = new Set<string>();
  /** Nodes that came and went, by what the events call news. */
  readonly news: string[] = [];

  constructor(
    readonly network: TestNetwork,
    readonly name: string,
    id: number,
    options: Partial<FlooderOptions> & { db?: Database } = {},
  ) {
    this.id = nodeId(id);
    this.db = options.db ?? new Database();
    this.flooder = new Flooder({
      self: this.id,
      hostname: name,
      replica: this.db,
      mesh: network.mesh(name),
      clock: network.clock,
      random: network.random,
      log: this.log,
      events: {
        up: ({ node }, isNews) => void (isNews && this.news.push(`${node} up`)),
        down: ({ node }, _, isNews) => void (isNews && this.news.push(`${node} down`)),
        duplicateId: (node, _, line) => {
          this.duplicates.push(node);
          this.duplicateLines.add(line);
        },
      },
      ...options,
    });
  }

  async start(...peers: string[]): Promise<this> {
    await this.flooder.start({ port: PORT, peers: peers.map((host) => ({ host, port: PORT })) });
    return this;
  }

  /** Stores a record and floods it, as the daemon does. */
  put(record: Record): void {
    const outcome = this.db.apply(record, this.network.clock.now());
    if (outcome.kind === 'newer') this.flooder.flood(outcome.record);
    if (outcome.kind === 'extended') this.flooder.flood(outcome.record, outcome.before);
  }

  up(): string[] {
    const peers = this.flooder.peers(this.network.clock.now());
    return peers.filter((peer) => peer.state === 'up').map((peer) => peer.hostname ?? peer.remote);
  }

  status() {
    return this.flooder.peers(this.network.clock.now());
  }

  /** Keys and versions of all that lives, for comparison. */
  content(): string[] {
    const now = this.network.clock.now();
    return Array.from(this.db.records())
      .filter((record) => record.expires > now)
      .map(({ key, seqno, value }) => Buffer.from(`${key}|${seqno}|${value}`, 'latin1').toString('hex'))
      .sort();
  }
}

export function nodeId(n: number): NodeId {
  return parseNodeId(n.toString(16).padStart(16, '0'));
}

export function stationMac(n: number) {
  return macFromBytes(Uint8Array.of(2, 0, (n >>> 24) & 0xff, (n >>> 16) & 0xff, (n >>> 8) & 0xff, n & 0xff));
}

/** The n-th client is at a node. */
export function association(n: number, node: number, seqno = 1, expires: Instant = after(START, HOUR)): Record {
  return { key: associationKey(stationMac(n)), value: nodeValue(nodeId(node)), seqno, expires };
}

/** The n-th client has 10.x.y.z. */
export function lease(n: number, seqno = 1, expires: Instant = after(START, HOUR)): Record {
  return { key: lease4Key(ip4FromNumber(0x0a000000 + n)), value: macValue(stationMac(n)), seqno, expires };
}

export function keyOf(hex: string): RecordKey {
  return Buffer.from(hex, 'hex').toString('latin1') as RecordKey;
}
