/** Hashes that all nodes have to agree on: 32 bits, spread evenly. Not for secrets. */

const FNV_PRIME = 0x01000193;

/** Where {@link fnv} begins. */
export const FNV_OFFSET = 0x811c9dc5 | 0;

/** FNV-1a over the bytes of a binary string, from `state` on. */
export function fnv(text: string, state: number): number {
  let h = state;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), FNV_PRIME);
  return h;
}

/** One more byte. */
export function fnvByte(byte: number, state: number): number {
  return Math.imul(state ^ byte, FNV_PRIME);
}

/** The finalizer of MurmurHash3: FNV's high bits alone are too even to choose a place by. */
export function finish(state: number): number {
  let h = state;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
