import type { Instant } from './time.js';

/** What has been superseded is thrown out once there may be more of it than of all else, and than this. */
const SUPERSEDED = 1024;

/**
 * A binary heap of items by deadline, the earliest on top. An item may stand in it more than once. Two arrays side by
 * side instead of one of pairs: with a hundred thousand records that is megabytes.
 */
export class DeadlineHeap<T> {
  #times: Instant[] = [];
  #items: T[] = [];
  #limit = SUPERSEDED;

  /**
   * `counts`: whether an item is still waited for with that deadline. One that was given another leaves the old one behind,
   * and where it gets one after the other the heap would grow for ever.
   */
  constructor(private readonly counts: (item: T, at: Instant) => boolean) {}

  get size(): number {
    return this.#items.length;
  }

  /** The earliest deadline. */
  get next(): Instant | undefined {
    return this.#times[0];
  }

  push(at: Instant, item: T): void {
    this.#add(at, item);
    if (this.size > this.#limit) this.#tidy();
  }

  #tidy(): void {
    const [times, items] = [this.#times, this.#items];
    [this.#times, this.#items] = [[], []];
    for (const [i, item] of items.entries()) if (this.counts(item, times[i]!)) this.#add(times[i]!, item);
    this.#limit = 2 * this.size + SUPERSEDED;
  }

  #add(at: Instant, item: T): void {
    const [times, items] = [this.#times, this.#items];
    let i = times.push(at) - 1;
    items.push(item);
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (times[parent]! <= at) break;
      times[i] = times[parent]!;
      items[i] = items[parent]!;
      i = parent;
    }
    times[i] = at;
    items[i] = item;
  }

  /** Takes the earliest item off that counts, if its deadline has come. */
  popDue(now: Instant): T | undefined {
    for (let first = this.#times[0]; first !== undefined && first <= now; first = this.#times[0]) {
      const item = this.#pop();
      if (this.counts(item, first)) return item;
    }
    return undefined;
  }

  #pop(): T {
    const top = this.#items[0]!;
    const at = this.#times.pop()!;
    const item = this.#items.pop()!;
    if (this.#items.length > 0) this.#sink(at, item);
    return top;
  }

  #sink(at: Instant, item: T): void {
    const [times, items] = [this.#times, this.#items];
    let i = 0;
    for (let child = 1; child < times.length; child = 2 * i + 1) {
      if (child + 1 < times.length && times[child + 1]! < times[child]!) child++;
      if (times[child]! >= at) break;
      times[i] = times[child]!;
      items[i] = items[child]!;
      i = child;
    }
    times[i] = at;
    items[i] = item;
  }
}
