import type { NodeId } from '../clients/node-id.js';
import type { Instant } from '../clients/time.js';
import { earliest } from '../clients/time.js';
import type { Ip } from '../net/ip.js';
import type { Endpoint, Random } from '../ports.js';
import { Dial, formatEndpoint } from './dial.js';
import type { PeerStatus } from './peer.js';

/** The origin of the endpoints that the user has configured. */
export const CONFIGURED = 'configured';

/** Where to dial. */
export interface WantedEndpoint extends Endpoint {
  /** The node expected there; while there is another session with it the endpoint is not dialled. */
  readonly node?: NodeId;
}

/** How a connection that was dialled has ended. */
export interface Ending {
  /** Who was there, if it has told. */
  readonly node: NodeId | undefined;
  /** Whether that was this node itself. */
  readonly isSelf: boolean;
  /** Whether it had no room for another peer. */
  readonly isFull: boolean;
  /** Since when it was a session. */
  readonly upSince: Instant | undefined;
  readonly reason: string | undefined;
}

export interface DialsOptions {
  readonly random: Random;
  /** Whether there is a session with a node, or with anybody. */
  readonly hasSession: (node?: NodeId) => boolean;
  /** An endpoint led to no session. */
  readonly failed: (dial: Dial, reason: string) => void;
}

/** The endpoints that sessions are to be had with, and when to dial which. */
export class Dials {
  readonly #options: DialsOptions;
  readonly #dials = new Map<string, Dial>();

  constructor(options: DialsOptions) {
    this.#options = options;
  }

  /**
   * The endpoints that are wanted on behalf of `origin`: replaces what the same origin wanted before. Returns the dials
   * that nobody wants any more.
   */
  want(origin: string, endpoints: readonly WantedEndpoint[], now: Instant): Dial[] {
    const removed = this.#withdraw(origin, new Set(endpoints.map(formatEndpoint)));
    for (const endpoint of endpoints) {
      const name = formatEndpoint(endpoint);
      const dial = this.#dials.get(name) ?? new Dial(endpoint, now);
      dial.wanted.add(origin);
      if (endpoint.node !== undefined) dial.expect(endpoint.node);
      this.#dials.set(name, dial);
    }
    return removed;
  }

  /** `origin` wants no others than `kept`. */
  #withdraw(origin: string, kept: ReadonlySet<string>): Dial[] {
    const removed: Dial[] = [];
    for (const [name, dial] of this.#dials) {
      if (kept.has(name) || !dial.wanted.delete(origin) || dial.wanted.size > 0) continue;
      this.#dials.delete(name);
      removed.push(dial);
    }
    return removed;
  }

  clear(): void {
    this.#dials.clear();
  }

  /** Whether somebody still wants what was dialled. */
  has(dial: Dial): boolean {
    return this.#dials.get(dial.name) === dial;
  }

  /** Whether a session with a node is wanted. */
  isWanted(node: NodeId | undefined): boolean {
    return node !== undefined && [...this.#dials.values()].some((dial) => dial.node === node || dial.expected === node);
  }

  /** When {@link begin} has something to do. */
  get nextDeadline(): Instant | undefined {
    let at: Instant | undefined;
    for (const dial of this.#dials.values()) if (dial.state === 'waiting') at = earliest(at, dial.retryAt);
    return at;
  }

  /** The dials that are to be made now; they count as begun. */
  begin(now: Instant): Dial[] {
    return [...this.#dials.values()].filter((dial) => dial.isDue(now) && this.#begin(dial, now));
  }

  #begin(dial: Dial, now: Instant): boolean {
    // A configured endpoint is dialled whoever was there before: routers may have changed places.
    const hoped = dial.wanted.has(CONFIGURED) ? undefined : dial.expected;
    if (hoped !== undefined && this.#options.hasSession(hoped)) {
      dial.isElsewhere(hoped, now);
      return false;
    }
    dial.begin(now);
    return true;
  }

  /** There is a path, or another one than before, to a node or to an address. */
  pathFound(to: NodeId | Ip, now: Instant): void {
    for (const dial of this.#dials.values()) if (dial.expected === to || dial.endpoint.host === to) dial.pathFound(now);
  }

  /** No connection came of a dial, or one that was no session. */
  failed(dial: Dial, reason: string, now: Instant): void {
    dial.failed(reason, undefined, now, this.#options.random);
    this.#options.failed(dial, reason);
  }

  /** The connection of a dial has ended, and it has no other. */
  ended(dial: Dial, { node, isSelf, isFull, upSince, reason }: Ending, now: Instant): void {
    const { random, hasSession } = this.#options;
    if (!this.has(dial)) return;
    if (isSelf) dial.isSelf(now);
    else if (node !== undefined && hasSession(node)) dial.isElsewhere(node, now);
    else if (isFull && hasSession()) dial.isFull(now, random);
    else if (upSince === undefined) this.failed(dial, reason ?? 'connection closed', now);
    else dial.failed(reason, upSince, now, random);
  }

  /** A connection with a node has ended: where it was the last, what was not dialled for its sake is. */
  lost(node: NodeId, now: Instant): void {
    const { random, hasSession } = this.#options;
    for (const dial of this.#dials.values()) {
      if (dial.state === 'elsewhere' && dial.node === node && !hasSession(node)) dial.retry(now, random);
    }
  }

  /** Of the endpoints with which there is no session. */
  status(now: Instant): PeerStatus[] {
    // An endpoint that was found, of a node that has dialled us, says nothing new.
    const isShown = ({ state, wanted }: Dial) => state !== 'open' && (state !== 'elsewhere' || wanted.has(CONFIGURED));
    return [...this.#dials.values()].filter(isShown).map((dial) => dial.status(now));
  }
}
