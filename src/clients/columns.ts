/** Columns that grow: typed arrays side by side, a row of which is what would be an object. */

/** The new length of a column that is full: a quarter more, so that little of a large one lies idle. */
export function nextLength(length: number): number {
  return Math.ceil(length * 1.25) + 64;
}

/** `larger`, with what `column` holds at its front. */
export function grown<A extends Uint8Array | Uint16Array | Uint32Array | Int32Array | Float64Array>(column: A, larger: A): A {
  larger.set(column);
  return larger;
}

/** Which row belongs to which key. Rows are whole numbers from 0 on; those that are given up are used again. */
export class Rows<K, R extends number> {
  #rows = new Map<K, R>();
  /** Rows that were in use once. */
  #free: R[] = [];
  #used = 0;

  get size(): number {
    return this.#rows.size;
  }

  get(key: K): R | undefined {
    return this.#rows.get(key);
  }

  /** In the order in which the keys came. May be interrupted while keys come and go. */
  entries(): Iterable<[K, R]> {
    return this.#rows;
  }

  /** The row of a key that has none yet. What its user before has left in the columns is there still. */
  add(key: K): R {
    const row = this.#free.pop() ?? (this.#used++ as R);
    this.#rows.set(key, row);
    return row;
  }

  /** Returns the row that the key had. */
  delete(key: K): R | undefined {
    const row = this.#rows.get(key);
    if (row === undefined) return undefined;
    this.#rows.delete(key);
    this.#free.push(row);
    return row;
  }
}
