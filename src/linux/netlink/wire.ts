/**
 * Netlink messages and attributes as bytes: struct nlmsghdr and struct nlattr of linux/netlink.h.
 *
 * Everything is in host byte order, except where an attribute's own definition says otherwise. A read past the end
 * throws {@link ShortInput}; a length that cannot be throws {@link BadInput}.
 */
import { BadInput, ShortInput } from '../../net/bytes.js';

const LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** Length of struct nlmsghdr. */
export const HEADER_LENGTH = 16;

const ATTRIBUTE_HEADER_LENGTH = 4;
/** The two upper bits of an attribute's type: nested, network byte order. */
const ATTRIBUTE_TYPE_MASK = 0x3fff;
const NLA_F_NESTED = 0x8000;

// Where the header's fields stand.
const TYPE = 4;
const FLAGS = 6;
const SEQUENCE = 8;
const PORT = 12;

export const NLMSG_ERROR = 2;
export const NLMSG_DONE = 3;

const NLM_F_REQUEST = 0x001;
export const NLM_F_ACK = 0x004;
export const NLM_F_DUMP_INTR = 0x010;
export const NLM_F_REPLACE = 0x100;
export const NLM_F_EXCL = 0x200;
export const NLM_F_CREATE = 0x400;
export const NLM_F_APPEND = 0x800;
export const NLM_F_DUMP = 0x300;
/** In an acknowledgement: the request's payload is not repeated; attributes follow. */
export const NLM_F_CAPPED = 0x100;
export const NLM_F_ACK_TLVS = 0x200;

export interface NetlinkMessage {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  /** What follows the header. Shares memory with the datagram. */
  readonly payload: Uint8Array;
}

/** The attributes of a message by type. Of a type that comes twice, the last one counts, as in the kernel. */
export type Attributes = ReadonlyMap<number, Uint8Array>;

function check(bytes: Uint8Array, offset: number, count: number): void {
  if (offset + count > bytes.length) throw new ShortInput(count, Math.max(0, bytes.length - offset));
}

export function readU8(bytes: Uint8Array, offset = 0): number {
  check(bytes, offset, 1);
  return bytes[offset]!;
}

export function readU16(bytes: Uint8Array, offset = 0): number {
  check(bytes, offset, 2);
  const [a, b] = [bytes[offset]!, bytes[offset + 1]!];
  return LITTLE_ENDIAN ? a | (b << 8) : (a << 8) | b;
}

export function readU32(bytes: Uint8Array, offset = 0): number {
  return readI32(bytes, offset) >>> 0;
}

export function readI32(bytes: Uint8Array, offset = 0): number {
  check(bytes, offset, 4);
  const [a, b, c, d] = [bytes[offset]!, bytes[offset + 1]!, bytes[offset + 2]!, bytes[offset + 3]!];
  return LITTLE_ENDIAN ? a | (b << 8) | (c << 16) | (d << 24) : (a << 24) | (b << 16) | (c << 8) | d;
}

/** A string of one byte a character, with or without its terminating zero. */
export function readString(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
}

const align = (length: number) => (length + 3) & ~3;

/** The messages of one datagram. */
export function parseMessages(datagram: Uint8Array): NetlinkMessage[] {
  const messages: NetlinkMessage[] = [];
  for (let at = 0; at < datagram.length; ) {
    const length = readU32(datagram, at);
    if (length < HEADER_LENGTH) throw new BadInput(`a netlink message of ${length} bytes`);
    check(datagram, at, length);
    messages.push({
      type: readU16(datagram, at + TYPE),
      flags: readU16(datagram, at + FLAGS),
      sequence: readU32(datagram, at + SEQUENCE),
      payload: datagram.subarray(at + HEADER_LENGTH, at + length),
    });
    at += align(length);
  }
  return messages;
}

/** Of the first message of a datagram: by which socket what it tells of was asked for or done; 0: the kernel itself. */
export function portOf(datagram: Uint8Array): number {
  return readU32(datagram, PORT);
}

/** The attributes of `bytes` from `offset` on: what follows a message's fixed part, or is nested in an attribute. */
export function parseAttributes(bytes: Uint8Array, offset = 0): Attributes {
  const attributes = new Map<number, Uint8Array>();
  forEachAttribute(bytes, offset, (type, value) => attributes.set(type, value));
  return attributes;
}

/** The values of `bytes`, an attribute that holds an array: their types only count them. */
export function parseArray(bytes: Uint8Array): Uint8Array[] {
  const values: Uint8Array[] = [];
  forEachAttribute(bytes, 0, (_, value) => values.push(value));
  return values;
}

/** Calls `visit` for each attribute of `bytes` from `offset` on: also for those of a type that comes more than once. */
export function forEachAttribute(bytes: Uint8Array, offset: number, visit: (type: number, value: Uint8Array) => void): void {
  check(bytes, offset, 0);
  // Fewer bytes than an attribute's header are padding.
  for (let at = offset; at + ATTRIBUTE_HEADER_LENGTH <= bytes.length; ) {
    const length = readU16(bytes, at);
    if (length < ATTRIBUTE_HEADER_LENGTH) throw new BadInput(`a netlink attribute of ${length} bytes`);
    check(bytes, at, length);
    visit(readU16(bytes, at + 2) & ATTRIBUTE_TYPE_MASK, bytes.subarray(at + ATTRIBUTE_HEADER_LENGTH, at + length));
    at += align(length);
  }
}

/** Writes one message: the fields of its fixed part first, then attributes. */
export class MessageWriter {
  #bytes = new Uint8Array(128);
  #view = new DataView(this.#bytes.buffer);
  #at = HEADER_LENGTH;

  /** NLM_F_REQUEST is added to the flags. The sequence number stays 0, for the socket to fill in. */
  constructor(type: number, flags = 0) {
    this.#view.setUint16(TYPE, type, LITTLE_ENDIAN);
    this.#view.setUint16(FLAGS, flags | NLM_F_REQUEST, LITTLE_ENDIAN);
  }

  #reserve(count: number): number {
    const at = this.#at;
    this.#at += count;
    if (this.#at > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(this.#at, 2 * this.#bytes.length));
      grown.set(this.#bytes.subarray(0, at));
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    return at;
  }

  u8(...values: number[]): this {
    for (const value of values) this.#view.setUint8(this.#reserve(1), value);
    return this;
  }

  u16(value: number): this {
    this.#view.setUint16(this.#reserve(2), value, LITTLE_ENDIAN);
    return this;
  }

  u32(value: number): this {
    this.#view.setUint32(this.#reserve(4), value, LITTLE_ENDIAN);
    return this;
  }

  put(bytes: Uint8Array): this {
    const at = this.#reserve(bytes.length);
    this.#bytes.set(bytes, at);
    return this;
  }

  /** An attribute whose value `write` writes. */
  attributeOf(type: number, write: () => void): this {
    const start = this.#reserve(ATTRIBUTE_HEADER_LENGTH);
    write();
    const length = this.#at - start;
    this.#view.setUint16(start, length, LITTLE_ENDIAN);
    this.#view.setUint16(start + 2, type, LITTLE_ENDIAN);
    this.#reserve(align(length) - length);
    return this;
  }

  attribute(type: number, value: Uint8Array): this {
    return this.attributeOf(type, () => this.put(value));
  }

  attributeU8(type: number, value: number): this {
    return this.attributeOf(type, () => this.u8(value));
  }

  attributeU16(type: number, value: number): this {
    return this.attributeOf(type, () => this.u16(value));
  }

  attributeU32(type: number, value: number): this {
    return this.attributeOf(type, () => this.u32(value));
  }

  attributeString(type: number, value: string): this {
    return this.attributeOf(type, () => this.put(new TextEncoder().encode(`${value}\0`)));
  }

  /** An attribute that holds the attributes which `write` writes. */
  nested(type: number, write: () => void): this {
    return this.attributeOf(type | NLA_F_NESTED, write);
  }

  /** The message, its length a multiple of four. */
  done(): Uint8Array {
    this.#view.setUint32(0, this.#at, LITTLE_ENDIAN);
    return this.#bytes.subarray(0, this.#at);
  }
}

/** Adds flags to a message in place, and numbers it. */
export function stampMessage(message: Uint8Array, sequence: number, flags: number): void {
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  view.setUint16(FLAGS, view.getUint16(FLAGS, LITTLE_ENDIAN) | flags, LITTLE_ENDIAN);
  view.setUint32(SEQUENCE, sequence, LITTLE_ENDIAN);
}
