import type { NodeId } from '../clients/node-id.js';
import type { Instant, Millis } from '../clients/time.js';
import { after, MINUTE, SECOND } from '../clients/time.js';
import type { Endpoint, Random } from '../ports.js';
import type { PeerStatus } from './peer.js';

/** The wait after the first failure and the longest one, before jitter takes up to half of it away. */
const FIRST_WAIT: Millis = SECOND;
const LONGEST_WAIT: Millis = 30 * SECOND;

/** A dial begins no sooner after the one before because there is a path now: routes may flap. */
const PATH_WAIT: Millis = SECOND / 2;

/** A session that was up for this long counts as a success: the next failure is a first one. */
const SUCCESS: Millis = 10 * SECOND;

/** An endpoint that turned out to be this node itself is tried again only after this: addresses move. */
const SELF_WAIT: Millis = 10 * MINUTE;

/** A peer that has no room is tried again only after this, before jitter, as long as there are others. */
const FULL_WAIT: Millis = 10 * MINUTE;

/** `host:port`, an IPv6 address in brackets. */
export function formatEndpoint({ host, port }: Endpoint): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** The ever-repeated attempt to have a session with the node behind one endpoint. */
export class Dial {
  state: 'waiting' | 'dialling' | 'open' | 'elsewhere' = 'waiting';
  /** On whose behalf the endpoint is wanted; empty: it is to be given up. */
  readonly wanted = new Set<string>();
  /** The node that was found there last, until it is to be found out anew. */
  node: NodeId | undefined;
  /** Whom one hopes to find there, if anybody in particular. */
  expected: NodeId | undefined;
  lastError: string | undefined;
  retryAt: Instant;
  /** When the latest attempt began. */
  begunAt: Instant | undefined;
  /** Whether another path might help. */
  #isUnreached = true;
  #failures = 0;

  constructor(
    readonly endpoint: Endpoint,
    public since: Instant,
  ) {
    this.retryAt = since;
  }

  get name(): string {
    return formatEndpoint(this.endpoint);
  }

  expect(node: NodeId): void {
    this.expected = node;
  }

  isDue(now: Instant): boolean {
    return this.state === 'waiting' && now >= this.retryAt;
  }

  begin(now: Instant): void {
    this.state = 'dialling';
    this.begunAt = now;
  }

  /** Whether the attempt of `begunAt` is the latest, and nothing has come of any so far. */
  isPending(begunAt: Instant | undefined): boolean {
    return this.state === 'dialling' && this.begunAt === begunAt;
  }

  /** There is another path than before: what has failed, or has no answer yet, is begun anew. */
  pathFound(now: Instant): void {
    const isOpen = this.state === 'open' || this.state === 'elsewhere';
    if (isOpen || !this.#isUnreached) return;
    this.#failures = 0;
    const at = this.begunAt === undefined ? now : (Math.max(now, after(this.begunAt, PATH_WAIT)) as Instant);
    if (this.state === 'dialling' || at < this.retryAt) this.#waitUntil(at, now);
  }

  /** Exponential backoff with jitter, so that all that lost one node do not come back at one moment. */
  failed(reason: string | undefined, upSince: Instant | undefined, now: Instant, random: Random): void {
    if (upSince !== undefined && now >= after(upSince, SUCCESS)) this.#failures = 0;
    const wait = Math.min(FIRST_WAIT * 2 ** Math.min(this.#failures, 16), LONGEST_WAIT);
    this.#failures++;
    this.#waitUntil(after(now, wait / 2 + random.below(wait / 2)), now);
    this.#isUnreached = true;
    this.lastError = reason;
    this.node = undefined;
  }

  isSelf(now: Instant): void {
    this.#waitUntil(after(now, SELF_WAIT), now);
    this.#isUnreached = false;
    this.lastError = 'this node itself';
  }

  /** The peer has no room for us, and others have. */
  isFull(now: Instant, random: Random): void {
    this.#waitUntil(after(now, FULL_WAIT / 2 + random.below(FULL_WAIT / 2)), now);
    this.#isUnreached = false;
    this.lastError = 'it has too many peers already';
  }

  /** Another connection leads to the same node. */
  isElsewhere(node: NodeId, now: Instant): void {
    this.node = node;
    this.state = 'elsewhere';
    this.since = now;
    this.lastError = undefined;
  }

  /** The other connection has gone. */
  retry(now: Instant, random: Random): void {
    this.#waitUntil(after(now, random.below(FIRST_WAIT)), now);
    this.node = undefined;
  }

  #waitUntil(at: Instant, now: Instant): void {
    this.state = 'waiting';
    this.retryAt = at;
    this.since = now;
  }

  status(now: Instant): PeerStatus {
    return {
      remote: this.name,
      direction: 'out',
      state: this.state === 'open' ? 'dialling' : this.state,
      kind: undefined,
      node: this.node,
      hostname: undefined,
      standby: false,
      unresponsive: false,
      rtt: undefined,
      bytesIn: 0,
      bytesOut: 0,
      recordsIn: 0,
      recordsOut: 0,
      since: (now - this.since) / SECOND,
      error: this.lastError,
    };
  }
}
