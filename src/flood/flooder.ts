/**
 * All sessions of this node: accepts and dials, passes each news on to everyone but its source, keeps one session with
 * each node, and says goodbye.
 */
import type { NodeId } from '../clients/node-id.js';
import type { Record } from '../clients/record.js';
import type { Instant, Millis } from '../clients/time.js';
import { after, earliest, MINUTE, SECOND } from '../clients/time.js';
import { Reader } from '../net/bytes.js';
import type { Ip } from '../net/ip.js';
import type { Clock, Endpoint, Logger, Mesh, PeerStream, PeerStreamEvents, Random, Timer } from '../ports.js';
import { AdjacencyLog } from './adjacency-log.js';
import { Complaints } from './complaints.js';
import type { Dial } from './dial.js';
import type { WantedEndpoint } from './dials.js';
import { CONFIGURED, Dials } from './dials.js';
import { DigestTree } from './digest.js';
import type { Connection } from './duplicates.js';
import { Instances, isPreferred } from './duplicates.js';
import type { ByeReason, Hello } from './frame.js';
import type { PeerStatus } from './peer.js';
import { Peer } from './peer.js';
import type { Applied, Replica } from './replica.js';
import type { DropCause, SessionTiming } from './session.js';
import { DEFAULT_TIMING, Session } from './session.js';

export interface FlooderOptions {
  /** The id of this node. */
  readonly self: NodeId;
  readonly hostname: string;
  /** What arrives is merged in here; its effects are the owner's business. May call {@link Flooder.flood}. */
  readonly replica: Replica;
  readonly mesh: Mesh;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** More sessions than that are not accepted; those with nodes that this one wants sessions with come on top. */
  readonly maxSessions?: number;
  readonly timing?: SessionTiming;
  readonly events?: FlooderEvents;
}

export interface FlooderEvents {
  /** All that came from outside is in the replica, and will be written to peers now. */
  writing?(): void;
  /** Records flow to and from a peer. `isNews`: of its node, not only of this session with it; see {@link AdjacencyLog}. */
  up?(peer: PeerStatus, isNews: boolean): void;
  /** They no longer do. */
  down?(peer: PeerStatus, reason: string | undefined, isNews: boolean): void;
  /** {@link Flooder.isResponsive} has changed for a node. */
  responsive?(): void;
  /** Dialling an endpoint led to no session, or to one with another node than expected. */
  unreachable?(endpoint: Endpoint): void;
  /** Another node has the id of this one, or two others have the same: `line` says so. */
  duplicateId?(node: NodeId, remote: string, line: string): void;
}

export interface FloodStart {
  /** Where to listen; 0: nowhere. */
  readonly port: number;
  readonly peers: readonly Endpoint[];
  /** Whether to talk to an address that connects. Default: to all. */
  readonly admit?: (address: string) => boolean;
}

/** Since the start. All but the first three count what was refused, by cause. */
export type FloodCounters = { readonly [name: `flood_${string}`]: number };

const DEFAULT_MAX_SESSIONS = 64;

/** How long a peer that connected has to learn what is known here before it may be sent away. */
const WELCOME: Millis = 30 * SECOND;

/**
 * A record that had longer than that to live is told to live longer with the next keepalives, from hop to hop: many in
 * one segment, since each by itself would cost several times as much. Sixty hops are as long as that.
 */
const PATIENCE: Millis = 10 * MINUTE;

/** Sessions that may be saying goodbye beyond the limit, to make room. */
const MAKING_ROOM = 4;

type Complaint = DropCause | 'session limit' | 'duplicate id' | 'failed handshake';

export class Flooder {
  readonly #options: FlooderOptions;
  readonly #events: FlooderEvents;
  readonly #timing: SessionTiming;
  readonly #instance: bigint;
  readonly #instances = new Instances();
  readonly #tree: DigestTree;
  readonly #peers = new Set<Peer>();
  #standby: ReadonlySet<NodeId> = new Set();
  readonly #dials: Dials;
  readonly #complaints: Complaints<Complaint>;
  readonly #adjacencyLog: AdjacencyLog;
  #port = 0;
  #connections = 0;
  #news = 0;
  #past = { received: 0, sent: 0 };
  #timer: { readonly at: Instant; readonly timer: Timer } | undefined;
  /** Calls from outside that have not returned: what they cause is written when the outermost does. */
  #depth = 0;
  #stopped: (() => void) | undefined;

  constructor(options: FlooderOptions) {
    this.#options = options;
    this.#events = options.events ?? {};
    this.#timing = options.timing ?? DEFAULT_TIMING;
    this.#instance = new Reader(options.random.bytes(8)).u64();
    this.#complaints = new Complaints(options.log);
    this.#adjacencyLog = new AdjacencyLog(options.log);
    this.#tree = new DigestTree(options.replica, options.clock.now());
    this.#dials = new Dials({
      random: options.random,
      hasSession: (node) => this.#sessionWith(node) !== undefined,
      failed: (dial, reason) => {
        this.#adjacencyLog.failed(dial, reason);
        this.#events.unreachable?.(dial.endpoint);
      },
    });
  }

  /** Begins to accept and to dial. Rejects where the port cannot be had. */
  async start({ port, peers, admit }: FloodStart): Promise<void> {
    this.#port = port;
    if (port !== 0) await this.#options.mesh.listen((stream) => this.#open(stream, undefined), port, admit);
    this.setPeers(peers);
  }

  /**
   * Sends a record that was stored here to all peers. To be called for every change of the database but those that
   * arrive through this object. `before`: where it says nothing new but lives longer, until when it did before.
   */
  flood(record: Record, before?: Instant): void {
    this.#run((now) => this.#spread(record, before, undefined, now));
  }

  #spread(record: Record, before: Instant | undefined, except: Peer | undefined, now: Instant): void {
    this.#tree.touch(record.key, now);
    const canWait = before !== undefined && before >= after(now, PATIENCE);
    for (const peer of this.#peers) if (peer !== except) peer.session.flood(record.key, canWait);
  }

  /** The endpoints that the user has configured, instead of those before. */
  setPeers(endpoints: readonly Endpoint[]): void {
    this.want(CONFIGURED, endpoints);
  }

  /**
   * The endpoints that sessions are to be had with, on behalf of `origin` (the configuration, a discovery): replaces
   * what the same origin wanted before. What nobody wants any more is told goodbye; accepted sessions are not touched.
   */
  want(origin: string, endpoints: readonly WantedEndpoint[]): void {
    this.#run((now) => {
      for (const dial of this.#dials.want(origin, endpoints, now)) {
        for (const peer of this.#peers) if (peer.dial === dial) peer.session.bye('removed', now);
      }
    });
  }

  /** The nodes that learn of changes by other ways: sessions with them only compare the databases now and then. */
  standBy(nodes: ReadonlySet<NodeId>): void {
    this.#run((now) => {
      this.#standby = nodes;
      for (const { session } of this.#peers) session.standBy(this.#isStandby(session), now);
    });
  }

  #isStandby({ node }: Session): boolean {
    return node !== undefined && this.#standby.has(node);
  }

  /**
   * The path to a node has changed, or there is none any more. What was in flight on the old path may be lost, and TCP may
   * not try again for seconds: so the session moves to a new connection. The end that dialled sees to it, whose later
   * connection both ends prefer.
   */
  pathChanged(node: NodeId, exists: boolean): void {
    this.#run((now) => {
      if (exists) this.#dials.pathFound(node, now);
      for (const peer of this.#peers) {
        if (!peer.isUp(node)) continue;
        if (exists && peer.isDoubtful) this.#renew(peer);
        peer.cutOff = !exists;
      }
    });
  }

  /** There is a path, or another one than before, to an address that a peer is configured by. */
  pathFound(address: Ip): void {
    this.#run((now) => this.#dials.pathFound(address, now));
  }

  #renew(peer: Peer): void {
    const { dial } = peer;
    if (dial === undefined || peer.renewing) return;
    peer.renewing = true;
    const opened = (stream: PeerStream) => {
      peer.renewing = false;
      return this.#open(stream, dial);
    };
    this.#options.mesh.dial(dial.endpoint, opened, () => (peer.renewing = false));
  }

  /** Whether there is a session with a node. */
  hasSession(node: NodeId): boolean {
    return this.#sessionWith(node) !== undefined;
  }

  /** Whether there is a session with a node that acknowledges what it is sent, as far as is known. */
  isResponsive(node: NodeId): boolean {
    return this.#sessionWith(node)?.unresponsive === false;
  }

  /** Sessions, then the endpoints with which there is none. */
  peers(now: Instant): PeerStatus[] {
    return [...Array.from(this.#peers, (peer) => peer.status(now)), ...this.#dials.status(now)];
  }

  get counters(): FloodCounters {
    let { received, sent } = this.#past;
    for (const { session } of this.#peers) {
      received += session.updatesIn;
      sent += session.updatesOut;
    }
    const refused = Object.entries(this.#complaints.counts()).map(([cause, count]) => [
      `flood_${cause.replaceAll(' ', '_')}`,
      count,
    ]);
    return { flood_received: received, flood_news: this.#news, flood_sent: sent, ...Object.fromEntries(refused) };
  }

  /** Says goodbye to all; resolves when they have answered or the time for it is over. */
  stop(): Promise<void> {
    return new Promise((resolve) => {
      this.#stopped = () => {
        this.#timer?.timer.cancel();
        resolve();
      };
      this.#run((now) => {
        this.#dials.clear();
        for (const peer of this.#peers) peer.session.bye('stopping', now);
      });
    });
  }

  /** Runs what came from outside, and then writes what it has caused, once. */
  #run(task: (now: Instant) => void): void {
    const now = this.#options.clock.now();
    this.#depth++;
    try {
      task(now);
    } finally {
      this.#depth--;
    }
    if (this.#depth > 0) return;
    for (const dial of this.#dials.begin(now)) this.#dial(dial);
    this.#events.writing?.();
    for (const peer of this.#peers) peer.pump(now);
    this.#schedule(now);
    if (this.#peers.size === 0) this.#stopped?.();
  }

  #schedule(now: Instant): void {
    let at = earliest(this.#tree.nextDeadline, this.#dials.nextDeadline);
    for (const peer of this.#peers) at = earliest(at, peer.nextDeadline(now));
    if (this.#timer?.at === at) return;
    this.#timer?.timer.cancel();
    this.#timer = at && { at, timer: this.#options.clock.schedule(at, () => this.#wake()) };
  }

  #wake(): void {
    this.#timer = undefined;
    this.#run((now) => {
      this.#tree.poll(now);
      for (const peer of [...this.#peers]) if (peer.poll(now)) this.#responsiveness(peer);
    });
  }

  #responsiveness(peer: Peer): void {
    this.#adjacencyLog.responsive(peer);
    this.#events.responsive?.();
  }

  #dial(dial: Dial): void {
    const { begunAt } = dial;
    this.#options.mesh.dial(
      dial.endpoint,
      (stream) => this.#open(stream, dial),
      (reason) => {
        if (dial.isPending(begunAt)) this.#run((now) => this.#dials.failed(dial, reason, now));
      },
    );
  }

  /** A session with a node, or with anybody. */
  #sessionWith(node?: NodeId): Peer | undefined {
    for (const peer of this.#peers) if (peer.isUp(node)) return peer;
    return undefined;
  }

  #open(stream: PeerStream, dial: Dial | undefined): PeerStreamEvents {
    const now = this.#options.clock.now();
    const unwanted = dial !== undefined && !this.#dials.has(dial);
    if (unwanted || this.#stopped !== undefined || (dial === undefined && this.#isFull(stream, now))) {
      stream.destroy();
      return { data() {}, drained() {}, closed() {} };
    }
    if (dial !== undefined) dial.state = 'open';
    const peer = this.#createPeer(stream, dial, now);
    this.#peers.add(peer);
    // What the peer is to be sent is written once its events have been given.
    this.#options.clock.schedule(now, () => this.#run(() => {}));
    return {
      data: (bytes) =>
        this.#run((at) => {
          peer.bytesIn += bytes.length;
          peer.session.receive(bytes, at);
        }),
      drained: () => this.#run(() => peer.drained()),
      closed: (reason) => this.#run(() => peer.session.abort(reason ?? 'connection closed')),
    };
  }

  /** Whether there is no room for a peer that connects. */
  #isFull(stream: PeerStream, now: Instant): boolean {
    const limit = this.#options.maxSessions ?? DEFAULT_MAX_SESSIONS;
    const guests = [...this.#peers].filter((peer) => peer.dial === undefined && !this.#dials.isWanted(peer.session.node));
    if (guests.length < limit) return false;
    const served = guests.find((peer) => this.#isServed(peer, now));
    if (served !== undefined) {
      // It has learnt from us whom else to talk to; the next newcomer has to be able to as well.
      served.session.bye('full', now);
      if (guests.length < limit + MAKING_ROOM) return false;
    }
    this.#complaints.add('session limit', `peer ${stream.remote} refused: limit of ${limit} sessions reached`, now);
    return true;
  }

  #isServed({ session, upSince }: Peer, now: Instant): boolean {
    return session.state === 'up' && session.extended && upSince !== undefined && now >= after(upSince, WELCOME);
  }

  #createPeer(stream: PeerStream, dial: Dial | undefined, now: Instant): Peer {
    const { self: node, hostname, replica } = this.#options;
    const connection = dial === undefined ? 0 : ++this.#connections;
    const hello = { node, instance: this.#instance, connection, port: this.#port, hostname };
    const options = { hello, replica, tree: this.#tree, timing: this.#timing };
    const session: Session = new Session(
      options,
      {
        hello: (theirs) => this.#meet(peer, theirs),
        up: () => this.#up(peer),
        record: (record) => this.#receive(peer, record),
        dropped: (cause, detail) =>
          this.#complaints.add(cause, `peer ${stream.remote}: ${detail}, dropped`, this.#options.clock.now()),
        closed: (reason) => this.#closed(peer, reason),
      },
      now,
    );
    const peer: Peer = new Peer(session, stream, dial, connection, now);
    return peer;
  }

  #receive(peer: Peer, record: Record): Applied {
    const now = this.#options.clock.now();
    const applied = this.#options.replica.apply(record, now);
    if (applied.kind === 'newer' || applied.kind === 'extended') {
      this.#news++;
      this.#spread(applied.record, applied.kind === 'extended' ? applied.before : undefined, peer, now);
    }
    return applied;
  }

  /** Whether to talk to a node that has just told its id. */
  #meet(peer: Peer, hello: Hello): ByeReason | undefined {
    const now = this.#options.clock.now();
    const { dial } = peer;
    if (dial?.expected !== undefined && dial.expected !== hello.node) this.#events.unreachable?.(dial.endpoint);
    if (hello.node === this.#options.self) {
      if (hello.instance === this.#instance) return 'self';
      this.#sameId(hello.node, peer, now);
      return 'same id';
    }
    if (peer.dial !== undefined) peer.dial.node = hello.node;
    const established = this.#sessionWith(hello.node);
    if (established === undefined) return undefined;
    const theirs = established.session.peer!;
    if (theirs.instance !== hello.instance) {
      if (this.#instances.replaces(hello, theirs)) {
        // Dialling anew where the old one was reached will show whether it is really gone.
        if (established.dial !== undefined) established.dial.node = undefined;
        established.session.abort('the peer has restarted');
        return undefined;
      }
      this.#sameId(hello.node, peer, now);
      return 'same id';
    }
    const candidate = connectionOf(peer, hello);
    if (!isPreferred(candidate, connectionOf(established, theirs), this.#options.self)) return 'duplicate';
    established.session.bye('duplicate', now);
    return undefined;
  }

  #sameId(node: NodeId, peer: Peer, now: Instant): void {
    const whose = node === this.#options.self ? 'this node' : 'another peer';
    // A problem of the host: each of its connections comes from another port.
    const host = peer.stream.remote.replace(/:\d+$/, '');
    const line = `peer ${host} has the same node id as ${whose}, ${node}: each node needs one of its own (option node_id)`;
    this.#complaints.add('duplicate id', line, now);
    this.#events.duplicateId?.(node, peer.stream.remote, line);
  }

  #up(peer: Peer): void {
    peer.upSince = this.#options.clock.now();
    peer.session.standBy(this.#isStandby(peer.session), peer.upSince);
    if (peer.dial !== undefined) peer.dial.lastError = undefined;
    const isNews = this.#adjacencyLog.up(peer, peer.upSince);
    this.#events.up?.(peer.status(peer.upSince), isNews);
  }

  #closed(peer: Peer, reason: string | undefined): void {
    const now = this.#options.clock.now();
    this.#peers.delete(peer);
    this.#past.received += peer.session.updatesIn;
    this.#past.sent += peer.session.updatesOut;
    peer.finish(now);
    if (peer.upSince !== undefined) {
      const { node } = peer.session;
      const isNews = this.#adjacencyLog.down(peer, reason, node !== undefined && this.#sessionWith(node) !== undefined, now);
      this.#events.down?.(peer.status(now), reason, isNews);
    } else if (peer.dial === undefined && peer.session.node === undefined) {
      this.#complaints.add('failed handshake', `peer ${peer.stream.remote}: ${reason}`, now);
    }
    this.#redial(peer, reason, now);
  }

  #redial({ dial, session, upSince }: Peer, reason: string | undefined, now: Instant): void {
    const { node } = session;
    // Another connection of the same dial may have taken the place of this one.
    if (dial !== undefined && ![...this.#peers].some((peer) => peer.dial === dial)) {
      const isSelf = node === this.#options.self && session.peer?.instance === this.#instance;
      this.#dials.ended(dial, { node, isSelf, isFull: session.farewell === 'full', upSince, reason }, now);
    }
    if (node !== undefined) this.#dials.lost(node, now);
  }
}

function connectionOf(peer: Peer, hello: Hello): Connection {
  return { dialled: peer.dial !== undefined, connection: peer.connection, hello };
}
