/** DHCP messages (RFC 2131 section 2): fixed fields, options, and both through option overload and long options. */
import { BadInput, Reader, ShortInput, Writer } from '../net/bytes.js';
import type { Ip4 } from '../net/ip.js';
import { ip4FromBytes, ip4ToBytes } from '../net/ip.js';
import type { Mac } from '../net/mac.js';
import { macFromBytes, macToBytes } from '../net/mac.js';
import type { Options } from './options.js';
import { MalformedDhcp4, OptionCode, optionU8, readOptionArea, u8Value } from './options.js';

export const DHCP_SERVER_PORT = 67;
export const DHCP_CLIENT_PORT = 68;

export const Op = { bootRequest: 1, bootReply: 2 } as const;

/** Values of option 53. */
export const MessageType = {
  discover: 1,
  offer: 2,
  request: 3,
  decline: 4,
  ack: 5,
  nak: 6,
  release: 7,
  inform: 8,
} as const;

export type MessageName = keyof typeof MessageType;

const HARDWARE_ETHERNET = 1;
const BROADCAST_FLAG = 0x8000;
const MAGIC_COOKIE = 0x63825363;
const SNAME_BYTES = 64;
const FILE_BYTES = 128;
/** Fixed fields and magic cookie. */
const FIXED_BYTES = 240;
/** RFC 1542 2.1: the least that old clients and relays take. */
const MIN_MESSAGE_BYTES = 300;
/** IPv4 and UDP headers, which count in option 57 (RFC 2132 9.10 by way of RFC 2131 section 2). */
const HEADERS_BYTES = 28;
/** The IP datagram that every client has to take (RFC 2131 section 2). */
export const MIN_DATAGRAM_BYTES = 576;

/** What option 52 says is used for options as well. */
const Overload = { file: 1, sname: 2 } as const;

export interface Dhcp4Message {
  /** {@link Op}. */
  readonly op: number;
  readonly hops: number;
  readonly xid: number;
  /** Seconds since the client began. */
  readonly secs: number;
  /** The client cannot take a unicast IP datagram before it has an address. */
  readonly broadcast: boolean;
  readonly ciaddr: Ip4;
  readonly yiaddr: Ip4;
  readonly siaddr: Ip4;
  readonly giaddr: Ip4;
  /** Hardware address; only Ethernet's is taken (hardware type 1, 6 bytes). */
  readonly chaddr: Mac;
  /** Server name and boot file, without the zeros behind them; empty where overload used the field for options. */
  readonly sname: Uint8Array;
  readonly file: Uint8Array;
  /** Without pad, end and overload, which belong to the encoding. */
  readonly options: Options;
}

/** Reads a UDP payload; values share memory with it. Throws {@link MalformedDhcp4} for whatever is wrong. */
export function parseDhcp4(bytes: Uint8Array): Dhcp4Message {
  try {
    return parse(new Reader(bytes));
  } catch (error) {
    if (error instanceof ShortInput) throw new MalformedDhcp4(error.message, { cause: error });
    throw error;
  }
}

function parse(r: Reader): Dhcp4Message {
  const op = r.u8();
  if (op !== Op.bootRequest && op !== Op.bootReply) throw new MalformedDhcp4(`op ${op}`);
  const htype = r.u8();
  const hlen = r.u8();
  if (htype !== HARDWARE_ETHERNET || hlen !== 6) throw new MalformedDhcp4(`hardware type ${htype}, ${hlen} bytes`);
  const hops = r.u8();
  const xid = r.u32();
  const secs = r.u16();
  const broadcast = (r.u16() & BROADCAST_FLAG) !== 0;
  const [ciaddr, yiaddr, siaddr, giaddr] = [readIp4(r), readIp4(r), readIp4(r), readIp4(r)];
  const chaddr = macFromBytes(r.take(16));
  const sname = r.take(SNAME_BYTES);
  const file = r.take(FILE_BYTES);
  if (r.u32() !== MAGIC_COOKIE) throw new MalformedDhcp4('no magic cookie');
  const options = new Map<number, Uint8Array>();
  readOptionArea(r.rest(), options);
  const overload = optionU8(options, OptionCode.overload) ?? 0;
  if (overload > (Overload.file | Overload.sname)) throw new MalformedDhcp4(`option overload ${overload}`);
  options.delete(OptionCode.overload);
  // RFC 3396 section 5: the order in which the pieces of one option are joined.
  if (overload & Overload.file) readOptionArea(file, options);
  if (overload & Overload.sname) readOptionArea(sname, options);
  options.delete(OptionCode.overload);
  return {
    op,
    hops,
    xid,
    secs,
    broadcast,
    ciaddr,
    yiaddr,
    siaddr,
    giaddr,
    chaddr,
    sname: overload & Overload.sname ? new Uint8Array(0) : withoutTrailingZeros(sname),
    file: overload & Overload.file ? new Uint8Array(0) : withoutTrailingZeros(file),
    options,
  };
}

function readIp4(r: Reader): Ip4 {
  return ip4FromBytes(r.take(4));
}

function withoutTrailingZeros(bytes: Uint8Array): Uint8Array {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end--;
  return bytes.subarray(0, end);
}

/**
 * The UDP payload, at least 300 bytes long. Options keep their order; where they outgrow an IP datagram of `limit` bytes
 * they go on in the file and server name fields (RFC 2132 9.3), as far as these are empty, and what fits nowhere is left
 * out: the least needed have to come last. Relay agent information is always there, last of all (RFC 3046 2.1).
 */
export function writeDhcp4(message: Dhcp4Message, limit = MIN_DATAGRAM_BYTES): Uint8Array {
  const { sname, file } = message;
  if (sname.length > SNAME_BYTES || file.length > FILE_BYTES) throw new BadInput('server name or boot file too long');
  const fields = placeOptions(message, limit - HEADERS_BYTES - FIXED_BYTES);
  const w = new Writer(MIN_DATAGRAM_BYTES)
    .u8(message.op)
    .u8(HARDWARE_ETHERNET)
    .u8(6)
    .u8(message.hops)
    .u32(message.xid)
    .u16(message.secs)
    .u16(message.broadcast ? BROADCAST_FLAG : 0)
    .put(ip4ToBytes(message.ciaddr))
    .put(ip4ToBytes(message.yiaddr))
    .put(ip4ToBytes(message.siaddr))
    .put(ip4ToBytes(message.giaddr))
    .put(macToBytes(message.chaddr))
    .zeros(10)
    .put(fields.sname)
    .zeros(SNAME_BYTES - fields.sname.length)
    .put(fields.file)
    .zeros(FILE_BYTES - fields.file.length)
    .u32(MAGIC_COOKIE)
    .put(fields.options);
  return w.zeros(Math.max(0, MIN_MESSAGE_BYTES - w.length)).done();
}

interface Fields {
  readonly options: Uint8Array;
  readonly file: Uint8Array;
  readonly sname: Uint8Array;
}

const OVERLOAD_BYTES = 3;

function placeOptions({ options, file, sname }: Dhcp4Message, room: number): Fields {
  const relay = options.get(OptionCode.relayAgentInformation);
  const others = [...options].filter(([code]) => code !== OptionCode.relayAgentInformation);
  const reserved = relay === undefined ? 0 : encodedLength(relay);
  const needed = others.reduce((sum, [, value]) => sum + encodedLength(value), reserved) + 1;
  const main = new OptionArea(room - reserved - (needed > room ? OVERLOAD_BYTES : 0));
  const fileArea = new OptionArea(file.length === 0 && needed > room ? FILE_BYTES : 0);
  const snameArea = new OptionArea(sname.length === 0 && needed > room ? SNAME_BYTES : 0);
  for (const [code, value] of others) placeOption([main, fileArea, snameArea], code, value);
  const overload = (fileArea.isUsed ? Overload.file : 0) | (snameArea.isUsed ? Overload.sname : 0);
  return {
    options: main.finish(overload, relay),
    file: fileArea.isUsed ? fileArea.finish() : file,
    sname: snameArea.isUsed ? snameArea.finish() : sname,
  };
}

/** In the first area that takes it whole, else in pieces over several, else nowhere. */
function placeOption(areas: readonly OptionArea[], code: number, value: Uint8Array): void {
  const whole = areas.find((area) => area.left >= encodedLength(value));
  if (whole !== undefined) return whole.add(code, value);
  if (areas.reduce((sum, area) => sum + area.capacityFor(value.length), 0) < value.length) return;
  let rest = value;
  for (const area of areas) {
    const piece = area.capacityFor(rest.length);
    if (piece > 0) area.add(code, rest.subarray(0, piece));
    rest = rest.subarray(piece);
  }
}

/** Bytes that a value takes with its headers, one for each 255 bytes. */
function encodedLength(value: Uint8Array): number {
  return value.length + 2 * Math.max(1, Math.ceil(value.length / 255));
}

/** A field that options are written to, with one byte kept for the end option. */
class OptionArea {
  #w = new Writer();

  constructor(readonly size: number) {}

  get left(): number {
    return this.size - 1 - this.#w.length;
  }

  get isUsed(): boolean {
    return this.#w.length > 0;
  }

  /** How many bytes of a value of `wanted` bytes fit here, headers counted. */
  capacityFor(wanted: number): number {
    let [left, capacity] = [this.left, 0];
    while (left > 2 && capacity < wanted) {
      const piece = Math.min(255, left - 2, wanted - capacity);
      capacity += piece;
      left -= piece + 2;
    }
    return capacity;
  }

  add(code: number, value: Uint8Array): void {
    let at = 0;
    do {
      const piece = value.subarray(at, at + 255);
      this.#w.u8(code).u8(piece.length).put(piece);
      at += 255;
    } while (at < value.length);
  }

  finish(overload = 0, relay?: Uint8Array): Uint8Array {
    if (overload !== 0) this.add(OptionCode.overload, u8Value(overload));
    if (relay !== undefined) this.add(OptionCode.relayAgentInformation, relay);
    return this.#w.u8(OptionCode.end).done();
  }
}
