/**
 * The network between the nodes: links with delays that can be cut, a routing protocol that follows at once or late,
 * and TCP streams: in order, retransmitted while a path is cut, reset where the other end is not there any more.
 */
import type { Millis } from '../../src/clients/time.js';
import type { Endpoint, Mesh, PeerStream, PeerStreamEvents } from '../../src/ports.js';
import type { SimDiscovery } from './discovery.js';
import type { SeededRandom } from '../random.js';
import type { Scheduler } from './scheduler.js';

/** How long TCP goes on retransmitting, and a dial waits for an answer. */
const GIVE_UP: Millis = 60_000;
const CONNECT_TIMEOUT: Millis = 5000;
const RETRANSMIT: Millis = 250;

/** Bytes under way in one stream before its writer is told to wait. */
const WINDOW = 64 * 1024;

export interface Link {
  readonly a: number;
  readonly b: number;
  readonly delay: Millis;
  up: boolean;
  /** What goes over it is lost, though routing takes it for good. */
  eats: boolean;
  /** Whether hellos go over it. */
  readonly multicast: boolean;
  /** Bytes that sessions sent over it. */
  bytes: number;
}

/** A host that may listen: its network stack lives as long as it has power, a listener as long as a process. */
export interface Host {
  readonly index: number;
  powered: boolean;
  mesh: SimMesh | undefined;
  discovery: SimDiscovery | undefined;
}

interface Way {
  readonly delay: Millis;
  /** The links passed, from the start on. */
  readonly links: readonly Link[];
}

export class Network {
  readonly hosts: Host[] = [];
  readonly links: Link[] = [];
  #ways = new Map<number, ReadonlyMap<number, Way>>();
  /** Told when links were cut or healed, or hosts lost or got power. */
  changed: () => void = () => {};

  constructor(
    readonly scheduler: Scheduler,
    readonly random: SeededRandom,
  ) {}

  addHost(): Host {
    const host: Host = { index: this.hosts.length, powered: true, mesh: undefined, discovery: undefined };
    this.hosts.push(host);
    return host;
  }

  connect(a: number, b: number, delay: Millis, multicast = true): Link {
    const link = { a, b, delay, up: true, eats: false, multicast, bytes: 0 };
    this.links.push(link);
    return link;
  }

  setLink(link: Link, up: boolean): void {
    if (link.up === up) return;
    link.up = up;
    this.#topologyChanged();
  }

  setPower(host: Host, powered: boolean): void {
    host.powered = powered;
    this.#topologyChanged();
  }

  #topologyChanged(): void {
    this.#ways.clear();
    this.changed();
  }

  /** The shortest way; undefined where there is none. */
  way(from: number, to: number): Way | undefined {
    let ways = this.#ways.get(from);
    if (ways === undefined) this.#ways.set(from, (ways = this.#waysFrom(from)));
    return ways.get(to);
  }

  /** Whether packets are lost on a link that seems good. */
  isEaten(from: number, to: number): boolean {
    return this.way(from, to)?.links.some(({ eats }) => eats) ?? false;
  }

  /** The neighbour that packets go to first. */
  nextHop(from: number, to: number): number | undefined {
    const first = this.way(from, to)?.links[0];
    return first === undefined ? undefined : first.a === from ? first.b : first.a;
  }

  #waysFrom(from: number): Map<number, Way> {
    const ways = new Map<number, Way>();
    if (this.hosts[from]?.powered !== true) return ways;
    ways.set(from, { delay: 0, links: [] });
    const open = new Set([from]);
    while (open.size > 0) {
      const here = [...open].reduce((a, b) => (ways.get(b)!.delay < ways.get(a)!.delay ? b : a));
      open.delete(here);
      const { delay, links } = ways.get(here)!;
      for (const link of this.links) {
        if (!link.up || (link.a !== here && link.b !== here)) continue;
        const there = link.a === here ? link.b : link.a;
        if (this.hosts[there]?.powered !== true) continue;
        const known = ways.get(there);
        if (known !== undefined && known.delay <= delay + link.delay) continue;
        ways.set(there, { delay: delay + link.delay, links: [...links, link] });
        open.add(there);
      }
    }
    return ways;
  }
}

/** Addresses of the hosts, one each. */
export function addressOf(index: number): string {
  return `fd00::${(index + 1).toString(16)}`;
}

function indexOf(host: string): number {
  return parseInt(host.slice('fd00::'.length), 16) - 1;
}

/** The streams of one process. */
export class SimMesh implements Mesh {
  #accept: ((stream: PeerStream) => PeerStreamEvents) | undefined;
  readonly #ends = new Set<End>();
  #dead = false;

  constructor(
    readonly network: Network,
    readonly host: Host,
  ) {
    host.mesh = this;
  }

  async listen(accept: (stream: PeerStream) => PeerStreamEvents): Promise<void> {
    this.#accept = accept;
  }

  dial({ host }: Endpoint, opened: (stream: PeerStream) => PeerStreamEvents, failed: (reason: string) => void): void {
    const { scheduler } = this.network;
    const guard = (task: () => void) => () => {
      if (!this.#dead) task();
    };
    const there = this.network.hosts[indexOf(host)];
    const delay = there && this.network.way(this.host.index, there.index)?.delay;
    if (there === undefined || delay === undefined || this.network.isEaten(this.host.index, there.index)) {
      scheduler.in(CONNECT_TIMEOUT, guard(() => failed('no answer in time')));
      return;
    }
    scheduler.in(delay, () => {
      const mesh = there.mesh;
      if (mesh === undefined || mesh.#accept === undefined) {
        scheduler.in(delay, guard(() => failed('connection refused')));
        return;
      }
      const [ours, theirs] = [new End(this, `[${host}]:4444`), new End(mesh, `[${addressOf(this.host.index)}]:40000`)];
      ours.connect(theirs);
      mesh.#ends.add(theirs);
      theirs.events = mesh.#accept(theirs);
      theirs.attached();
      scheduler.in(delay, () => {
        if (this.#dead) return theirs.reset('connection reset by the peer');
        this.#ends.add(ours);
        ours.events = opened(ours);
        ours.attached();
      });
    });
  }

  forget(end: End): void {
    this.#ends.delete(end);
  }

  stop(): void {
    this.#accept = undefined;
    for (const end of [...this.#ends]) end.destroy();
  }

  /** The process was killed: its kernel resets what is open. Without power nobody is told anything. */
  die(silently: boolean): void {
    this.#dead = true;
    this.#accept = undefined;
    if (this.host.mesh === this) this.host.mesh = undefined;
    for (const end of [...this.#ends]) end.die(silently);
  }
}

type Segment = { readonly at: number; readonly bytes: Uint8Array } | { readonly at: number; readonly reset: string | undefined };

/** One end of a stream; what it sends waits at the other end's {@link End.incoming}. */
class End implements PeerStream {
  events: PeerStreamEvents | undefined;
  queued = 0;
  #other: End | undefined;
  /** Segments on their way to this end, in order. */
  #incoming: Segment[] = [];
  #pumping = false;
  #stalledSince: number | undefined;
  #closed = false;
  /** The process is gone; nothing is delivered to it, and what arrives is answered by a reset. */
  #dead = false;
  #blocked = false;
  #lastAt = 0;

  constructor(
    readonly mesh: SimMesh,
    readonly remote: string,
  ) {}

  connect(other: End): void {
    this.#other = other;
    other.#other = this;
  }

  attached(): void {
    this.#pump();
  }

  get acknowledged(): boolean {
    return this.queued === 0;
  }

  get timeouts(): number {
    const since = this.#other!.#stalledSince;
    return since === undefined ? 0 : Math.floor((this.#scheduler.now - since) / RETRANSMIT);
  }

  get #scheduler(): Scheduler {
    return this.mesh.network.scheduler;
  }

  write(bytes: Uint8Array): boolean {
    if (this.#closed || this.#dead) return true;
    this.queued += bytes.length;
    this.#send({ at: 0, bytes: bytes.slice() });
    this.#blocked = this.queued >= WINDOW;
    return !this.#blocked;
  }

  #send(segment: Segment): void {
    const { network, host } = this.mesh;
    const other = this.#other!;
    const delay = network.way(host.index, other.mesh.host.index)?.delay ?? 0;
    const at = Math.max(other.#lastAt, this.#scheduler.now + delay * (1 + network.random.unit()));
    other.#lastAt = at;
    other.#incoming.push({ ...segment, at });
    other.#pump();
  }

  /** Delivers what has arrived; while the path is cut it waits and tries again, as TCP does. */
  #pump(): void {
    const head = this.#incoming[0];
    if (this.#pumping || head === undefined || (this.events === undefined && !this.#dead)) return;
    this.#pumping = true;
    this.#scheduler.schedule(head.at, () => {
      this.#pumping = false;
      this.#deliver(head);
      this.#pump();
    });
  }

  #deliver(head: Segment): void {
    const { network, host } = this.mesh;
    const other = this.#other!;
    const way = network.way(other.mesh.host.index, host.index);
    if (way === undefined || network.isEaten(other.mesh.host.index, host.index)) {
      const { now } = this.#scheduler;
      this.#stalledSince ??= now;
      if (now - this.#stalledSince < GIVE_UP) this.#incoming[0] = { ...head, at: now + RETRANSMIT };
      else {
        this.#incoming.length = 0;
        other.reset('no answer');
      }
      return;
    }
    this.#stalledSince = undefined;
    this.#incoming.shift();
    const gone = this.#dead || this.#closed;
    if ('reset' in head) {
      if (!gone) this.reset(head.reset);
      this.#scheduler.in(way.delay, () => other.reset(undefined));
      return;
    }
    for (const link of way.links) link.bytes += head.bytes.length;
    other.#taken(head.bytes.length);
    if (gone) this.#scheduler.in(way.delay, () => other.reset('connection reset by the peer'));
    else this.events!.data(head.bytes);
  }

  #taken(count: number): void {
    this.queued -= count;
    if (!this.#blocked || this.queued >= WINDOW / 2 || this.#closed || this.#dead) return;
    this.#blocked = false;
    this.events?.drained();
  }

  /** Ends it here and now, as the kernel tells its owner. */
  reset(reason: string | undefined): void {
    if (this.#closed || this.#dead) return;
    this.#closed = true;
    this.#incoming.length = 0;
    this.mesh.forget(this);
    this.events?.closed(reason);
  }

  end(): void {
    if (this.#closed || this.#dead) return;
    this.#send({ at: 0, reset: undefined });
    this.#scheduler.in(GIVE_UP, () => this.reset(undefined));
  }

  destroy(): void {
    if (this.#closed || this.#dead) return;
    this.#send({ at: 0, reset: 'connection reset by the peer' });
    this.#scheduler.in(0, () => this.reset(undefined));
  }

  die(silently: boolean): void {
    if (this.#closed) return;
    if (!silently) this.#send({ at: 0, reset: 'connection reset by the peer' });
    this.#dead = true;
    this.mesh.forget(this);
  }
}
