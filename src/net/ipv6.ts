import { BadInput, Reader, Writer } from './bytes.js';
import type { Ip6 } from './ip.js';
import { ip6FromBytes, ip6ToBytes } from './ip.js';

const IPV6_HEADER_BYTES = 40;

/** The IPv6 header (RFC 8200 section 3). */
export interface Ipv6Header {
  readonly source: Ip6;
  readonly destination: Ip6;
  /** Of the first extension header or of the upper layer: 58 is ICMPv6. */
  readonly nextHeader: number;
  readonly hopLimit: number;
  readonly trafficClass: number;
  readonly flowLabel: number;
}

/**
 * Reads what follows the Ethernet header. `payload` shares memory with the input and has the length that the header
 * gives, without the frame's padding. Throws ShortInput, also where the packet is cut short, and {@link BadInput} for
 * another version.
 */
export function parseIpv6(packet: Uint8Array): { header: Ipv6Header; payload: Uint8Array } {
  const r = new Reader(packet);
  const first = r.u32();
  if (first >>> 28 !== 6) throw new BadInput(`IP version ${first >>> 28}, not 6`);
  const length = r.u16();
  const nextHeader = r.u8();
  const hopLimit = r.u8();
  const source = ip6FromBytes(r.take(16));
  const destination = ip6FromBytes(r.take(16));
  const header = {
    source,
    destination,
    nextHeader,
    hopLimit,
    trafficClass: (first >>> 20) & 0xff,
    flowLabel: first & 0xfffff,
  };
  return { header, payload: r.take(length) };
}

export function writeIpv6(header: Ipv6Header, payload: Uint8Array): Uint8Array {
  return new Writer(IPV6_HEADER_BYTES + payload.length)
    .u32(((6 << 28) | (header.trafficClass << 20) | header.flowLabel) >>> 0)
    .u16(payload.length)
    .u8(header.nextHeader)
    .u8(header.hopLimit)
    .put(ip6ToBytes(header.source))
    .put(ip6ToBytes(header.destination))
    .put(payload)
    .done();
}
