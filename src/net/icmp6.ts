import { BadInput, Reader, Writer } from './bytes.js';
import { checksum, pseudoHeader } from './checksum.js';
import type { Ip6 } from './ip.js';

/** ICMPv6's number as an IPv6 next header (RFC 4443). */
export const NEXT_HEADER_ICMP6 = 58;

const CHECKSUM_AT = 2;

/** An ICMPv6 message (RFC 4443 2.1) without its checksum. */
export interface Icmp6Message {
  readonly type: number;
  readonly code: number;
  /** All that follows the checksum. */
  readonly body: Uint8Array;
}

/**
 * Reads the payload of an IPv6 packet whose header has these addresses. `body` shares memory with it. Throws ShortInput,
 * and {@link BadInput} where the checksum is wrong.
 */
export function parseIcmp6(source: Ip6, destination: Ip6, bytes: Uint8Array): Icmp6Message {
  const r = new Reader(bytes);
  const type = r.u8();
  const code = r.u8();
  r.skip(2);
  if (checksumOf(source, destination, bytes) !== 0) throw new BadInput('ICMPv6 checksum is wrong');
  return { type, code, body: r.rest() };
}

/** The payload of an IPv6 packet between these addresses, checksum included. */
export function writeIcmp6(source: Ip6, destination: Ip6, message: Icmp6Message): Uint8Array {
  const w = new Writer(4 + message.body.length).u8(message.type).u8(message.code).u16(0).put(message.body);
  return w.patch16(CHECKSUM_AT, checksumOf(source, destination, w.done())).done();
}

/** 0 over a message that carries its right checksum. */
function checksumOf(source: Ip6, destination: Ip6, bytes: Uint8Array): number {
  return checksum(pseudoHeader(source, destination, NEXT_HEADER_ICMP6, bytes.length), bytes);
}
