import type { Instant, Millis } from '../clients/time.js';
import { after, SECOND } from '../clients/time.js';

const FIRST: Millis = 50;
const LAST: Millis = 30 * SECOND;

/** When to try again what failed: after 50 ms, then twice as long each time, at most 30 s. */
export class Backoff<K> {
  #attempts = new Map<K, number>();
  #due = new Map<K, Instant>();
  /** No key is due before; may be too early, never too late. */
  #earliest: Instant | undefined;

  failed(key: K, now: Instant): void {
    const attempts = this.#attempts.get(key) ?? 0;
    this.#attempts.set(key, attempts + 1);
    const at = after(now, Math.min(LAST, FIRST * 2 ** attempts));
    this.#due.set(key, at);
    if (this.#earliest === undefined || at < this.#earliest) this.#earliest = at;
  }

  /** The key is right now, or no longer wanted. */
  forget(key: K): void {
    if (this.#attempts.delete(key)) this.#due.delete(key);
    if (this.#due.size === 0) this.#earliest = undefined;
  }

  clear(): void {
    this.#attempts.clear();
    this.#due.clear();
    this.#earliest = undefined;
  }

  /** Takes out the keys that are due; how often they failed is remembered. */
  take(now: Instant): K[] {
    if (this.#earliest === undefined || now < this.#earliest) return [];
    const due: K[] = [];
    this.#earliest = undefined;
    for (const [key, at] of this.#due) {
      if (at <= now) due.push(key);
      else if (this.#earliest === undefined || at < this.#earliest) this.#earliest = at;
    }
    for (const key of due) this.#due.delete(key);
    return due;
  }

  /** Whether the last try of the key failed. */
  has(key: K): boolean {
    return this.#attempts.has(key);
  }

  /** Keys whose last try failed. */
  get size(): number {
    return this.#attempts.size;
  }

  get deadline(): Instant | undefined {
    return this.#earliest;
  }
}
