/*
 * Numbers as C reads them and libuci stores them in an int: what does not fit into 32 bits is cut,
 * so `@type[4294967296]` is the first section.
 */

const LONG_MAX = 2n ** 63n - 1n;
const LONG_MIN = -(2n ** 63n);
const ULONG_MAX = 2n ** 64n - 1n;
const PREFIX = /^[\t-\r ]*([+-]?)(\d+)/;

function clamp(value: bigint, low: bigint, high: bigint): bigint {
  return value < low ? low : value > high ? high : value;
}

function toInt(value: bigint): number {
  return Number(BigInt.asIntN(32, value));
}

/** `(int) strtol(text, &end, 10)` where nothing may follow; undefined when something does. */
export function wholeInt(text: string): number | undefined {
  if (text === '') return 0;
  const match = PREFIX.exec(text);
  if (match === null || match[0].length !== text.length) return undefined;
  return leadingInt(text);
}

/** `sscanf(text, "%d")`: undefined when there is no number at the front. */
export function leadingInt(text: string): number | undefined {
  const match = PREFIX.exec(text);
  if (match === null) return undefined;
  const magnitude = BigInt(match[2] ?? '0');
  return toInt(clamp(match[1] === '-' ? -magnitude : magnitude, LONG_MIN, LONG_MAX));
}

/** `(int) strtoul(text, NULL, 10)`: 0 when there is no number at the front. */
export function leadingPosition(text: string): number {
  const match = PREFIX.exec(text);
  if (match === null) return 0;
  const magnitude = BigInt(match[2] ?? '0');
  if (magnitude > ULONG_MAX) return toInt(ULONG_MAX);
  return toInt(match[1] === '-' ? -magnitude : magnitude);
}
