import type { NodeId } from '../clients/node-id.js';
import type { NodeInfo } from '../clients/record.js';
import type { Instant, Millis } from '../clients/time.js';
import { after, earliest, MINUTE, SECOND } from '../clients/time.js';
import type { Endpoint, Random } from '../ports.js';
import { formatEndpoint } from './dial.js';
import type { NeighbourHello } from './hello.js';
import { HELLO_INTERVAL } from './hello-schedule.js';

/** A neighbour of which no hello has come for this long is none any more. */
const HEARD_FOR: Millis = 3.5 * HELLO_INTERVAL;

/** Addresses by which one neighbour is heard at a time: links that two nodes share, or copies of a hello. */
const MAX_HEARD = 4;

/** The rest after all endpoints of a node have failed: doubles from the first to the longest, less up to half of it. */
const FIRST_REST: Millis = 15 * SECOND;
const LONGEST_REST: Millis = 2 * MINUTE;

/** What there is to say about another node beside its record: how it was heard, and how dialling it went. */
export class Member {
  readonly #heard = new Map<string, { readonly endpoint: Endpoint; at: Instant }>();
  #instance: bigint | undefined;
  #count = 0;
  /** When it became a neighbour. */
  neighbourSince: Instant | undefined;
  /** Since when a session with it is wanted, and since when it is not wanted any more but still kept. */
  wantedSince: Instant | undefined;
  unwantedSince: Instant | undefined;
  /** Which of its endpoints is to be tried. */
  #next = 0;
  #failures = 0;
  #restUntil: Instant | undefined;

  constructor(readonly node: NodeId) {}

  /** Takes a hello; returns whether the node is a neighbour since now. A copy of an earlier hello says nothing. */
  hear(hello: NeighbourHello, endpoint: Endpoint, now: Instant): boolean {
    const name = formatEndpoint(endpoint);
    const copy = this.#instance === hello.instance && hello.count < this.#count;
    if (copy) return false;
    this.#instance = hello.instance;
    this.#count = hello.count;
    // Heard anew it goes to the end: the one that was silent for longest goes first.
    this.#heard.delete(name);
    this.#heard.set(name, { endpoint, at: now });
    for (const oldest of this.#heard.keys()) if (this.#heard.size > MAX_HEARD) this.#heard.delete(oldest);
    if (this.neighbourSince !== undefined) return false;
    this.neighbourSince = now;
    return true;
  }

  /** Forgets what was not heard again. */
  poll(now: Instant): void {
    for (const [name, { at }] of this.#heard) if (now >= after(at, HEARD_FOR)) this.#heard.delete(name);
    if (this.#heard.size === 0) {
      this.neighbourSince = undefined;
      // Whoever counted too far ahead in its name does not keep it from being heard again.
      this.#instance = undefined;
    }
    if (this.#restUntil !== undefined && now >= this.#restUntil) this.#restUntil = undefined;
  }

  get nextDeadline(): Instant | undefined {
    let at = this.#restUntil;
    for (const entry of this.#heard.values()) at = earliest(at, after(entry.at, HEARD_FOR));
    return at;
  }

  /** Where to dial now; undefined where no address is known. Neighbours are nearest by the link that they share. */
  endpoint(info: NodeInfo | undefined): Endpoint | undefined {
    const endpoints = this.#endpoints(info);
    return endpoints[this.#next % Math.max(1, endpoints.length)];
  }

  #endpoints(info: NodeInfo | undefined): Endpoint[] {
    const told = info === undefined || info.port === 0 ? [] : info.addresses.map((host) => ({ host, port: info.port }));
    return [...Array.from(this.#heard.values(), ({ endpoint }) => endpoint), ...told];
  }

  /** The endpoint that was to be dialled cannot be: the next one, and after the last one a rest. */
  failed(info: NodeInfo | undefined, now: Instant, random: Random): void {
    this.#next++;
    if (this.#next < this.#endpoints(info).length) return;
    this.#next = 0;
    const rest = Math.min(FIRST_REST * 2 ** Math.min(this.#failures, 8), LONGEST_REST);
    this.#failures++;
    this.#restUntil = after(now, rest / 2 + random.below(rest / 2));
  }

  succeeded(): void {
    this.#failures = 0;
    this.#restUntil = undefined;
  }

  /** Whether none of its endpoints answered a short while ago. */
  get isResting(): boolean {
    return this.#restUntil !== undefined;
  }

  /** The network has changed: what did not answer before may answer now. */
  wake(at: Instant): void {
    if (this.#restUntil !== undefined && at < this.#restUntil) this.#restUntil = at;
  }

  /** Whether there is nothing to remember: failures count only as long as a record tells where else to dial. */
  isIdle(info: NodeInfo | undefined): boolean {
    const isWanted = this.wantedSince !== undefined || this.unwantedSince !== undefined;
    return this.#heard.size === 0 && !isWanted && (this.#failures === 0 || info === undefined);
  }
}
