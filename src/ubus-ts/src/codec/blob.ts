/*
 * Blob attributes: a big endian word (bit 31 extended, bits 30-24 id, bits 23-0 length including the word),
 * the payload, and zeros up to a multiple of 4. Containers hold attributes one after the other.
 */
import { encodeText } from './text.js';

/** Length of an attribute's leading word. */
export const attributeHeader = 4;
/** The longest attribute that the 24 bits of the length allow, header included. */
export const maxAttributeLength = 0xffffff;

/** `length` rounded up to the 4 bytes that everything in a blob is padded to. */
export function padded(length: number): number {
  return (length + 3) & ~3;
}

/**
 * Walks the attributes that lie in `bytes` from `start` to `end` as libubox does: it stops before an attribute that does not
 * fit with its padding, or that has length 0. Never reads outside of the range.
 */
export class AttributeReader {
  /** Bits 30-24 of the current attribute. */
  id = 0;
  /** Bit 31: a blobmsg name follows. */
  extended = false;
  /** Where the current attribute's word is. */
  start = 0;
  /** Where its payload begins and ends (without the padding). Equal for an attribute whose length is below 4. */
  payloadStart = 0;
  payloadEnd = 0;
  /** The length in the word is below 4; only a broken sender writes that. */
  short = false;

  readonly #view: DataView;
  readonly #end: number;
  #at: number;

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#at = start;
    this.#end = Math.min(end, bytes.length);
  }

  /** Steps to the next attribute. False at the end, or where the rest cannot be an attribute. */
  next(): boolean {
    const left = this.#end - this.#at;
    if (left < attributeHeader) return false;
    const word = this.#view.getUint32(this.#at);
    const length = word & 0xffffff;
    const step = padded(length);
    if (step < attributeHeader || step > left) return false;
    this.id = (word >>> 24) & 0x7f;
    this.extended = word >>> 31 === 1;
    this.start = this.#at;
    this.short = length < attributeHeader;
    this.payloadStart = this.#at + attributeHeader;
    this.payloadEnd = this.short ? this.payloadStart : this.#at + length;
    this.#at += step;
    return true;
  }

  /** Where the next attribute would begin; once `next` returned false, anything but the end of the range is an error. */
  get position(): number {
    return this.#at;
  }

  /** Whether bytes are left that `next` has not consumed. */
  get hasRest(): boolean {
    return this.#at < this.#end;
  }
}

/** Builds attributes in a buffer that grows. */
export class BlobWriter {
  #bytes: Uint8Array;
  #view: DataView;
  #length = 0;

  constructor(capacity = 256) {
    this.#bytes = new Uint8Array(capacity);
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** Number of bytes written. */
  get length(): number {
    return this.#length;
  }

  /** Begins an attribute; the result is what `close` wants. */
  open(id: number, extended = false): number {
    const start = this.#length;
    this.#reserve(attributeHeader);
    this.#view.setUint32(start, ((extended ? 0x80 : 0) | id) << 24);
    this.#length += attributeHeader;
    return start;
  }

  /** Ends the attribute that was opened at `start`: fills in its length and pads. Throws RangeError if it is too long. */
  close(start: number): void {
    const length = this.#length - start;
    if (length > maxAttributeLength) throw new RangeError(`attribute of ${length} bytes, the format ends at ${maxAttributeLength}`);
    this.#view.setUint32(start, (this.#view.getUint32(start) & 0xff000000) | length);
    this.pad();
  }

  /** Zeros up to the next multiple of 4. */
  pad(): void {
    const end = padded(this.#length);
    this.#reserve(end - this.#length);
    this.#bytes.fill(0, this.#length, end);
    this.#length = end;
  }

  uint8(value: number): void {
    this.#reserve(1);
    this.#view.setUint8(this.#length, value);
    this.#length += 1;
  }

  /** Writes the number now, or at `at` if something was written there before. */
  uint16(value: number, at = this.#length): void {
    if (at === this.#length) {
      this.#reserve(2);
      this.#length += 2;
    }
    this.#view.setUint16(at, value);
  }

  uint32(value: number): void {
    this.#reserve(4);
    this.#view.setUint32(this.#length, value);
    this.#length += 4;
  }

  uint64(value: bigint): void {
    this.#reserve(8);
    this.#view.setBigUint64(this.#length, BigInt.asUintN(64, value));
    this.#length += 8;
  }

  float64(value: number): void {
    this.#reserve(8);
    this.#view.setFloat64(this.#length, value);
    this.#length += 8;
  }

  bytes(value: Uint8Array): void {
    this.#reserve(value.length);
    this.#bytes.set(value, this.#length);
    this.#length += value.length;
  }

  /** A string as `encodeText` spells it; returns how many bytes that took. */
  text(value: string): number {
    const start = this.#length;
    this.#reserve(value.length);
    for (let i = 0; i < value.length; i++) {
      const unit = value.charCodeAt(i);
      if (unit >= 0x80) return this.#otherText(start, value);
      this.#bytes[start + i] = unit;
    }
    this.#length = start + value.length;
    return value.length;
  }

  /** The bytes so far, not copied: finish with the writer before using them. */
  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  #otherText(start: number, value: string): number {
    this.#length = start;
    const bytes = encodeText(value);
    this.bytes(bytes);
    return bytes.length;
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}
