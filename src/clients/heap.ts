import type { Instant } from './time.js';

interface Entry<T> {
  at: Instant;
  item: T;
}

/** A binary heap of items by deadline, the earliest on top. An item may stand in it more than once. */
export class DeadlineHeap<T> {
  #entries: Entry<T>[] = [];

  get size(): number {
    return this.#entries.length;
  }

  /** The earliest deadline. */
  get next(): Instant | undefined {
    return this.#entries[0]?.at;
  }

  push(at: Instant, item: T): void {
    const entries = this.#entries;
    let i = entries.push({ at, item }) - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (entries[parent]!.at <= at) break;
      [entries[i], entries[parent]] = [entries[parent]!, entries[i]!];
      i = parent;
    }
  }

  /** Takes the earliest item off if its deadline has come. */
  popDue(now: Instant): T | undefined {
    const top = this.#entries[0];
    if (top === undefined || top.at > now) return undefined;
    const last = this.#entries.pop()!;
    if (this.#entries.length > 0) {
      this.#entries[0] = last;
      this.#sink();
    }
    return top.item;
  }

  #sink(): void {
    const entries = this.#entries;
    let i = 0;
    for (;;) {
      let least = i;
      for (const child of [2 * i + 1, 2 * i + 2]) {
        if (child < entries.length && entries[child]!.at < entries[least]!.at) least = child;
      }
      if (least === i) return;
      [entries[i], entries[least]] = [entries[least]!, entries[i]!];
      i = least;
    }
  }
}
