import type { Instant } from '../clients/time.js';
import { Backoff } from './backoff.js';

/** What is known of one kind of kernel object (routes, nexthop objects, neighbour entries), by key. */
export class Layer<K, V> {
  /** What the kernel holds, as far as it was told or has told. */
  readonly actual = new Map<K, V>();
  /** Keys to compare with what is wanted. */
  readonly dirty = new Set<K>();
  readonly retries = new Backoff<K>();
  /** Keys that an earlier run left and this one has not wanted yet: not removed before {@link Layer.prune}. */
  #inherited = new Set<K>();

  /** Nothing to compare and nothing to try again. */
  get idle(): boolean {
    return this.dirty.size === 0 && this.retries.size === 0;
  }

  /** Whether the key may be removed: it was wanted in this run once, or the database is loaded. */
  removable(key: K): boolean {
    return !this.#inherited.has(key);
  }

  /** Replaces what is known by what the kernel says; everything that is in either is dirty. */
  adopt(found: Iterable<readonly [K, V]>, pruned: boolean): void {
    const known = new Set<K>();
    for (const key of this.actual.keys()) {
      if (this.removable(key)) known.add(key);
      this.dirty.add(key);
    }
    this.actual.clear();
    this.#inherited.clear();
    this.retries.clear();
    for (const [key, value] of found) {
      this.actual.set(key, value);
      this.dirty.add(key);
      if (!pruned && !known.has(key)) this.#inherited.add(key);
    }
  }

  /** From now on nothing is kept that is not wanted. */
  prune(): void {
    this.#inherited.clear();
    for (const key of this.actual.keys()) this.dirty.add(key);
  }

  /** The key is as wanted, without a change or after one. */
  settled(key: K): void {
    this.#inherited.delete(key);
    this.retries.forget(key);
  }

  /** Moves what is due for another try to the dirty keys. */
  wake(now: Instant): void {
    for (const key of this.retries.take(now)) this.dirty.add(key);
  }
}
