/**
 * Chooses the nodes to have sessions with, from what the database tells of nodes and from neighbours' hellos:
 *
 * - Those that the overlay chooses among all nodes that can be reached. A node that does not answer at any of its
 *   addresses is left out for a while, and whoever comes next on the ring takes its place.
 * - Neighbours on our own links. A new one is always met, for a while: a link that has come up may join two networks
 *   that have each other's nodes in their databases and take them for unreachable. Besides, some are kept for good.
 *
 * A session that is not wanted any more is kept until others had time to take its place.
 */
import type { NodeId } from '../clients/node-id.js';
import type { NodeInfo } from '../clients/record.js';
import type { Instant, Millis } from '../clients/time.js';
import { after, earliest, MINUTE, SECOND } from '../clients/time.js';
import type { Endpoint, Random } from '../ports.js';
import { formatEndpoint } from './dial.js';
import { finish, FNV_OFFSET, fnv } from './hash.js';
import type { NeighbourHello } from './hello.js';
import { Member } from './member.js';
import { Overlay } from './overlay.js';

/** Neighbours that sessions are kept with, and new ones that are met at a time. */
const KEPT_NEIGHBOURS = 4;
const MET_NEIGHBOURS = 2;

/** How long a new neighbour is met: longer than anybody rests from dialling, so that all have tried again. */
const MEETING: Millis = 5 * MINUTE;

/** Neighbours that are remembered. */
const MAX_NEIGHBOURS = 256;

/** Of two nodes that want each other, how long the one with the lesser id waits for the other to dial. */
const DEFERENCE: Millis = 4 * SECOND;

/** How long a session that is not wanted any more is kept. */
const REPRIEVE: Millis = 30 * SECOND;

/** How long further changes are waited for, to be dealt with together; and the least time between two updates. */
const GATHERING: Millis = 100;
const PAUSE: Millis = SECOND;

/** What failed is tried again because of new neighbours at most that often. */
const WAKING: Millis = 10 * SECOND;

/** Where to dial, and whom one hopes to meet there. */
export interface NodeEndpoint extends Endpoint {
  readonly node: NodeId;
}

export interface MembershipOptions {
  readonly self: NodeId;
  /** Sessions to have for the overlay's sake; 0: none. */
  readonly degree: number;
  readonly random: Random;
  /** All nodes that live records tell of, and one of them. */
  nodes(): Iterable<[NodeId, NodeInfo]>;
  node(id: NodeId): NodeInfo | undefined;
  /** Whether there is a session with a node. */
  hasSession(node: NodeId): boolean;
  /** The endpoints to have sessions with, all of them. */
  want(endpoints: readonly NodeEndpoint[]): void;
}

export class Membership {
  readonly #options: MembershipOptions;
  readonly #overlay: Overlay;
  readonly #members = new Map<NodeId, Member>();
  /** By its name, whose endpoint it is: those wanted at present. */
  #wanted = new Map<string, NodeEndpoint>();
  #changedAt: Instant | undefined;
  #updatedAt: Instant | undefined;
  /** The nodes that learn of everything from link to link. */
  #reached: ReadonlySet<NodeId> = new Set();
  #wokenAt: Instant | undefined;
  #deadline: Instant | undefined;

  constructor(options: MembershipOptions) {
    this.#options = options;
    this.#overlay = new Overlay(options.self, options.degree);
  }

  /** The record of a node has come, changed or expired. */
  nodeChanged(node: NodeId, now: Instant): void {
    if (this.#overlay.concerns(node) || this.#members.has(node)) this.#change(now);
  }

  sessionUp(node: NodeId, now: Instant): void {
    const member = this.#members.get(node);
    member?.succeeded();
    if (member !== undefined) this.#change(now);
  }

  /** No session came of an endpoint that was wanted. */
  unreachable(endpoint: Endpoint, now: Instant): void {
    const node = this.#wanted.get(formatEndpoint(endpoint))?.node;
    const member = node === undefined ? undefined : this.#members.get(node);
    if (member === undefined || this.#options.hasSession(member.node)) return;
    member.failed(this.#options.node(member.node), now, this.#options.random);
    this.#change(now);
  }

  /** There is a path, or another one than before: a node that did not answer need not rest any longer. */
  pathFound(node: NodeId, now: Instant): void {
    const member = this.#members.get(node);
    if (member?.isResting !== true) return;
    member.wake(now);
    this.#change(now);
  }

  /** A hello has come from the address of `endpoint`; returns whether its sender is a neighbour since now. */
  heard(hello: NeighbourHello, endpoint: Endpoint, now: Instant): boolean {
    if (hello.node === this.#options.self) return false;
    const known = this.#members.get(hello.node);
    if (known?.neighbourSince === undefined && this.#neighbours().length >= MAX_NEIGHBOURS) return false;
    const isNew = this.#member(hello.node).hear(hello, endpoint, now);
    if (isNew) {
      this.#wake(now);
      this.#change(now);
    }
    return isNew;
  }

  /** Nodes on our own links. */
  get neighbours(): NodeId[] {
    return this.#neighbours().map(({ node }) => node);
  }

  /** Other nodes than before learn of everything from link to link. */
  reach(nodes: ReadonlySet<NodeId>, now: Instant): void {
    const same = nodes.size === this.#reached.size && [...nodes].every((node) => this.#reached.has(node));
    this.#reached = nodes;
    if (!same) this.#change(now);
  }

  get nextDeadline(): Instant | undefined {
    return earliest(this.#changedAt, this.#deadline);
  }

  /** Returns whether a neighbour has been lost. */
  poll(now: Instant): boolean {
    const next = this.nextDeadline;
    if (next === undefined || now < next) return false;
    this.#changedAt = undefined;
    this.#updatedAt = now;
    const before = this.#neighbours().length;
    for (const member of this.#members.values()) member.poll(now);
    const lost = this.#neighbours().length < before;
    this.#update(now);
    return lost;
  }

  #change(now: Instant): void {
    const paused = this.#updatedAt === undefined ? now : after(this.#updatedAt, PAUSE);
    this.#changedAt ??= Math.max(after(now, GATHERING), paused) as Instant;
  }

  #member(node: NodeId): Member {
    const member = this.#members.get(node) ?? new Member(node);
    this.#members.set(node, member);
    return member;
  }

  #neighbours(): Member[] {
    return [...this.#members.values()].filter((member) => member.neighbourSince !== undefined);
  }

  #wake(now: Instant): void {
    if (this.#wokenAt !== undefined && now < after(this.#wokenAt, WAKING)) return;
    this.#wokenAt = now;
    for (const member of this.#members.values()) member.wake(after(now, this.#options.random.below(2 * SECOND)));
  }

  #update(now: Instant): void {
    this.#deadline = undefined;
    const chosen = this.#overlay.choose(this.#reachable(), this.#reached);
    for (const member of this.#chosenNeighbours(now)) chosen.add(member.node);
    for (const node of chosen) this.#member(node);
    const wanted = new Map<string, NodeEndpoint>();
    for (const [node, member] of this.#members) {
      this.#decide(member, chosen.has(node), now);
      const endpoint = this.#endpointOf(member, now);
      if (endpoint !== undefined) wanted.set(formatEndpoint(endpoint), { ...endpoint, node });
      this.#deadline = earliest(this.#deadline, member.nextDeadline);
      if (member.isIdle(this.#options.node(node))) this.#members.delete(node);
    }
    const same = wanted.size === this.#wanted.size && [...wanted].every(([name, { node }]) => this.#wanted.get(name)?.node === node);
    this.#wanted = wanted;
    if (!same) this.#options.want([...wanted.values()]);
  }

  /** Nodes that can be dialled, or that a session exists with. */
  *#reachable(): Generator<NodeId> {
    const { nodes, hasSession } = this.#options;
    const known = new Set<NodeId>();
    for (const [node, info] of nodes()) {
      const member = this.#members.get(node);
      if (info.port === 0 || (info.addresses.length === 0 && member?.neighbourSince === undefined)) continue;
      known.add(node);
      if (member?.isResting !== true || hasSession(node)) yield node;
    }
    for (const { node, isResting } of this.#neighbours()) {
      if (!known.has(node) && (!isResting || hasSession(node))) yield node;
    }
  }

  /** Those that are met because they are new, strangers first; and a few that both ends choose alike. */
  #chosenNeighbours(now: Instant): Member[] {
    const { self, node: infoOf } = this.#options;
    const all = this.#neighbours().filter((member) => !member.isResting);
    const fresh = all.filter(({ neighbourSince }) => now < after(neighbourSince!, MEETING));
    for (const { neighbourSince } of fresh) this.#deadline = earliest(this.#deadline, after(neighbourSince!, MEETING));
    const stranger = ({ node }: Member) => Number(infoOf(node) === undefined);
    fresh.sort((a, b) => stranger(b) - stranger(a) || b.neighbourSince! - a.neighbourSince!);
    const kept = all.sort((a, b) => pairHash(self, a.node) - pairHash(self, b.node)).slice(0, KEPT_NEIGHBOURS);
    return [...kept, ...fresh.filter((member) => !kept.includes(member)).slice(0, MET_NEIGHBOURS)];
  }

  #decide(member: Member, chosen: boolean, now: Instant): void {
    if (chosen) {
      member.wantedSince ??= now;
      member.unwantedSince = undefined;
    } else if (member.wantedSince !== undefined) {
      member.unwantedSince ??= now;
      const kept = this.#options.hasSession(member.node) && now < after(member.unwantedSince, REPRIEVE);
      if (!kept) member.wantedSince = member.unwantedSince = undefined;
      else this.#deadline = earliest(this.#deadline, after(member.unwantedSince, REPRIEVE));
    }
  }

  #endpointOf(member: Member, now: Instant): Endpoint | undefined {
    const { self, node } = this.#options;
    if (member.wantedSince === undefined) return undefined;
    const patience = after(member.wantedSince, DEFERENCE);
    if (self < member.node && now < patience) {
      this.#deadline = earliest(this.#deadline, patience);
      return undefined;
    }
    return member.endpoint(node(member.node));
  }
}

/** The same from either end. */
function pairHash(a: NodeId, b: NodeId): number {
  const [low, high] = a < b ? [a, b] : [b, a];
  return finish(fnv(high, fnv(low, FNV_OFFSET)));
}
