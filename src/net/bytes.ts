/**
 * Reading and writing of binary data, big endian (network byte order).
 *
 * A Reader never clamps: a read past the end throws {@link ShortInput}, so that a codec checks nothing twice and a
 * truncated message can never pass for a shorter one.
 */

/** Input ended before the field that was asked for. */
export class ShortInput extends Error {
  override readonly name = 'ShortInput';
  constructor(wanted: number, left: number) {
    super(`${wanted} bytes wanted, ${left} left`);
  }
}

/** Input is long enough and yet not what the format allows. */
export class BadInput extends Error {
  override readonly name: string = 'BadInput';
}

/**
 * Takes fields off the front of `bytes`, which it neither copies nor changes. Here and in the Writer numbers are put
 * together by hand: a DataView is one more object, and moves a small array's memory out of V8's heap.
 */
export class Reader {
  #at = 0;

  constructor(readonly bytes: Uint8Array) {}

  /** Bytes not read yet. */
  get left(): number {
    return this.bytes.length - this.#at;
  }

  /** Bytes read so far. */
  get offset(): number {
    return this.#at;
  }

  #take(count: number): number {
    if (count < 0 || count > this.left) throw new ShortInput(count, this.left);
    const at = this.#at;
    this.#at += count;
    return at;
  }

  u8(): number {
    return this.bytes[this.#take(1)]!;
  }

  u16(): number {
    const at = this.#take(2);
    return (this.bytes[at]! << 8) | this.bytes[at + 1]!;
  }

  u32(): number {
    const at = this.#take(4);
    const { bytes } = this;
    return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
  }

  u64(): bigint {
    if (this.left < 8) throw new ShortInput(8, this.left);
    return (BigInt(this.u32()) << 32n) | BigInt(this.u32());
  }

  /** A view of the next `count` bytes: it shares memory with the input. */
  take(count: number): Uint8Array {
    const at = this.#take(count);
    return this.bytes.subarray(at, at + count);
  }

  /** A view of all that is left. */
  rest(): Uint8Array {
    return this.take(this.left);
  }

  skip(count: number): void {
    this.#take(count);
  }
}

/** Appends fields to a buffer that grows. It begins with what V8 keeps in its own heap: more is much slower to get. */
export class Writer {
  #bytes: Uint8Array;
  #at = 0;

  constructor(capacity = 64) {
    this.#bytes = new Uint8Array(capacity);
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#at;
  }

  #reserve(count: number): number {
    const end = this.#at + count;
    if (end > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(end, this.#bytes.length * 2));
      grown.set(this.#bytes.subarray(0, this.#at));
      this.#bytes = grown;
    }
    const at = this.#at;
    this.#at = end;
    return at;
  }

  u8(value: number): this {
    const at = this.#reserve(1); // may replace the bytes
    this.#bytes[at] = value;
    return this;
  }

  u16(value: number): this {
    const at = this.#reserve(2); // may replace the bytes
    this.#bytes[at] = value >> 8;
    this.#bytes[at + 1] = value;
    return this;
  }

  u32(value: number): this {
    const at = this.#reserve(4); // may replace the bytes
    const bytes = this.#bytes;
    bytes[at] = value >> 24;
    bytes[at + 1] = value >> 16;
    bytes[at + 2] = value >> 8;
    bytes[at + 3] = value;
    return this;
  }

  u64(value: bigint): this {
    return this.u32(Number(BigInt.asUintN(32, value >> 32n))).u32(Number(BigInt.asUintN(32, value)));
  }

  put(bytes: Uint8Array): this {
    const at = this.#reserve(bytes.length);
    this.#bytes.set(bytes, at);
    return this;
  }

  /** `count` zero bytes. */
  zeros(count: number): this {
    const at = this.#reserve(count);
    this.#bytes.fill(0, at, this.#at);
    return this;
  }

  /** Writes a 16-bit value over what already stands at `offset`: lengths and checksums are known last. */
  patch16(offset: number, value: number): this {
    if (offset + 2 > this.#at) throw new RangeError(`patch at ${offset}, only ${this.#at} bytes written`);
    this.#bytes[offset] = value >> 8;
    this.#bytes[offset + 1] = value;
    return this;
  }

  /** What was written, as a view of the writer's own memory. */
  done(): Uint8Array {
    return this.#bytes.subarray(0, this.#at);
  }
}

/** Lower-case hexadecimal, two digits a byte, nothing between. */
export function toHex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += HEX[byte];
  return text;
}

/** Two lower-case hexadecimal digits for each byte. */
export const HEX: readonly string[] = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, '0'));

/** The bytes of hexadecimal text; blanks and colons between digits are passed over. Throws {@link BadInput}. */
export function fromHex(text: string): Uint8Array {
  const digits = text.replace(/[\s:]/g, '');
  if (digits.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(digits)) throw new BadInput(`not hexadecimal: ${text}`);
  const bytes = new Uint8Array(digits.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = parseInt(digits.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}

/** Bytes as a string of one character a byte (latin 1): a compact key for a Map. */
export function toBinary(bytes: Uint8Array): string {
  // In one go it is one piece of memory, where pieces that are joined would each keep theirs.
  if (bytes.length <= 256) return String.fromCharCode.apply(undefined, bytes as unknown as number[]);
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

/** The bytes of a string made by {@link toBinary}. */
export function fromBinary(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
