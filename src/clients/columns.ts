/** Columns that grow: typed arrays side by side, a row of which is what would be an object. */

/** How long a column that is full becomes: little of a large one is there for nothing. */
export function nextLength(length: number): number {
  return Math.ceil(length * 1.25) + 64;
}

/** `larger`, with what `column` holds at its front. */
export function grown<A extends Uint8Array | Uint16Array | Uint32Array | Int32Array | Float64Array>(column: A, larger: A): A {
  larger.set(column);
  return larger;
}
