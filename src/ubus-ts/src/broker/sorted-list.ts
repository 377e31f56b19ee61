/** Values in the bytewise order of their keys; values with equal keys in the order they were added. */
export class SortedList<T extends { readonly key: string }> {
  readonly #values: T[] = [];

  get size(): number {
    return this.#values.length;
  }

  /** Adds a value behind those with the same key. */
  add(value: T): void {
    this.#values.splice(this.#bound(value.key, true), 0, value);
  }

  /** Takes out this very value, if it is there. */
  delete(value: T): void {
    for (let i = this.#bound(value.key, false); this.#values[i]?.key === value.key; i++) {
      if (this.#values[i] === value) {
        this.#values.splice(i, 1);
        return;
      }
    }
  }

  /** The first value with exactly this key. */
  get(key: string): T | undefined {
    const value = this.#values[this.#bound(key, false)];
    return value?.key === key ? value : undefined;
  }

  /** The values whose key is `key` or comes after it. */
  *from(key: string): Generator<T> {
    for (let i = this.#bound(key, false); i < this.#values.length; i++) yield this.#values[i]!;
  }

  /** The values whose key begins with `prefix`. */
  *startingWith(prefix: string): Generator<T> {
    for (const value of this.from(prefix)) {
      if (!value.key.startsWith(prefix)) return;
      yield value;
    }
  }

  [Symbol.iterator](): Iterator<T> {
    return this.#values[Symbol.iterator]();
  }

  /** The index of the first value whose key is not before `key`, or with `after`, comes after it. */
  #bound(key: string, after: boolean): number {
    let low = 0;
    let high = this.#values.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = this.#values[middle]!.key;
      if (other < key || (after && other === key)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
