/**
 * Packets for addresses that nobody is known to have: who is looked for, when, and how often. How many are looked for in a
 * second, and remembered, is limited: a host may scan a whole prefix.
 */
import type { Instant, Millis } from '../clients/time.js';
import { after, Pace, SECOND } from '../clients/time.js';
import type { Ip } from '../net/ip.js';

/** An address is looked for once in this time, and packets to it are refused meanwhile. */
export const SEEK_INTERVAL: Millis = 10 * SECOND;

/** Addresses that are looked for in a second, on our own account and on that of others; twice as many at once. */
export const SEEK_RATE = 10;

/** What other nodes are told at once: those of the last second, the newest. */
export const MAX_TOLD = 12;

export class Seeker {
  readonly #own = new Pace(2 * SEEK_RATE, SECOND / SEEK_RATE);
  readonly #others = new Pace(2 * SEEK_RATE, SECOND / SEEK_RATE);
  /** When each address was last looked for, in that order. */
  #sought = new Map<Ip, { readonly at: Instant; readonly refused: boolean }>();
  readonly counters = { sought: 0, limited: 0 };

  /** A packet came for an address that nobody has: whether to look for it, here and everywhere, and refuse it. */
  stray(address: Ip, now: Instant): boolean {
    return this.#seek(address, this.#own, true, now);
  }

  /** Another node looks for it: whether to ask on our own links. */
  asked(address: Ip, now: Instant): boolean {
    return this.#seek(address, this.#others, false, now);
  }

  #seek(address: Ip, pace: Pace, refused: boolean, now: Instant): boolean {
    const last = this.#sought.get(address);
    if (last !== undefined && now < after(last.at, SEEK_INTERVAL)) return false;
    if (!pace.take(now)) {
      this.counters.limited++;
      return false;
    }
    this.counters.sought++;
    this.#sought.delete(address);
    this.#sought.set(address, { at: now, refused: refused || last?.refused === true });
    return true;
  }

  /** What was looked for on our own account in the last second, the newest first. */
  recent(now: Instant): Ip[] {
    const own = [...this.#sought].filter(([, { at, refused }]) => refused && at > after(now, -SECOND));
    return own.map(([address]) => address).reverse().slice(0, MAX_TOLD);
  }

  get nextDeadline(): Instant | undefined {
    for (const { at } of this.#sought.values()) return after(at, SEEK_INTERVAL);
    return undefined;
  }

  /** Addresses that are refused no longer: the next packet has them looked for anew. */
  poll(now: Instant): Ip[] {
    const over: Ip[] = [];
    for (const [address, { at, refused }] of this.#sought) {
      if (now < after(at, SEEK_INTERVAL)) break;
      this.#sought.delete(address);
      if (refused) over.push(address);
    }
    return over;
  }

  /** Addresses remembered. */
  get size(): number {
    return this.#sought.size;
  }
}
