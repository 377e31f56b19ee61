/** UDP over IPv4 in an Ethernet frame, whole: what goes to a client that has no address yet cannot come from a UDP socket. */
import { BadInput, Reader, Writer } from './bytes.js';
import { checksum, pseudoHeader } from './checksum.js';
import { EtherType, parseEthernet, writeEthernet } from './ethernet.js';
import type { Ip4 } from './ip.js';
import { ip4FromBytes, ip4ToBytes } from './ip.js';
import type { Mac } from './mac.js';

const PROTOCOL_UDP = 17;
const IPV4_HEADER_BYTES = 20;
const UDP_HEADER_BYTES = 8;
const TTL = 64;
/** DSCP CS6, network control (RFC 4594 3.2), in the upper six bits of the traffic class octet. */
const TOS_NETWORK_CONTROL = 48 << 2;
const DONT_FRAGMENT = 0x4000;
const MORE_FRAGMENTS_OR_OFFSET = 0x3fff;

/** A UDP datagram over IPv4 with the Ethernet addresses that it travels between. */
export interface UdpFrame4 {
  readonly sourceMac: Mac;
  readonly destinationMac: Mac;
  readonly source: Ip4;
  readonly destination: Ip4;
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly payload: Uint8Array;
}

/** The frame: DSCP CS6, TTL 64, not to be fragmented, both checksums in place. Throws {@link BadInput} past 65,535 bytes. */
export function writeUdpFrame4(datagram: UdpFrame4): Uint8Array {
  const udp = writeUdp(datagram);
  const total = IPV4_HEADER_BYTES + udp.length;
  if (total > 0xffff) throw new BadInput(`an IPv4 packet has at most 65535 bytes, not ${total}`);
  const packet = new Writer(total)
    .u8(0x45)
    .u8(TOS_NETWORK_CONTROL)
    .u16(total)
    .u16(0)
    .u16(DONT_FRAGMENT)
    .u8(TTL)
    .u8(PROTOCOL_UDP)
    .u16(0)
    .put(ip4ToBytes(datagram.source))
    .put(ip4ToBytes(datagram.destination));
  packet.patch16(10, checksum(packet.done())).put(udp);
  const { destinationMac: destination, sourceMac: source } = datagram;
  return writeEthernet({ destination, source, etherType: EtherType.ipv4 }, packet.done());
}

function writeUdp({ source, destination, sourcePort, destinationPort, payload }: UdpFrame4): Uint8Array {
  const length = UDP_HEADER_BYTES + payload.length;
  const w = new Writer(length).u16(sourcePort).u16(destinationPort).u16(length).u16(0).put(payload);
  const sum = checksum(pseudoHeader(source, destination, PROTOCOL_UDP, length), w.done());
  // Zero would say "no checksum" (RFC 768): its other form is sent instead.
  return w.patch16(6, sum === 0 ? 0xffff : sum).done();
}

/**
 * Reads the frame of one whole UDP datagram over IPv4; `payload` shares memory with it. Throws {@link BadInput} for
 * another protocol, a fragment, a bad checksum or lengths that contradict each other, and ShortInput where it is cut.
 */
export function parseUdpFrame4(frame: Uint8Array): UdpFrame4 {
  const { header, payload: packet } = parseEthernet(frame);
  if (header.etherType !== EtherType.ipv4) throw new BadInput('not an IPv4 frame');
  const { source, destination, payload: udp } = parseIpv4Udp(packet);
  const r = new Reader(udp);
  const sourcePort = r.u16();
  const destinationPort = r.u16();
  const length = r.u16();
  const sum = r.u16();
  if (length < UDP_HEADER_BYTES || length > udp.length) throw new BadInput(`UDP length ${length} of ${udp.length}`);
  if (!isUdpChecksumGood(sum, source, destination, udp.subarray(0, length))) throw new BadInput('bad UDP checksum');
  const payload = udp.subarray(UDP_HEADER_BYTES, length);
  return {
    sourceMac: header.source,
    destinationMac: header.destination,
    source,
    destination,
    sourcePort,
    destinationPort,
    payload,
  };
}

function parseIpv4Udp(packet: Uint8Array): { source: Ip4; destination: Ip4; payload: Uint8Array } {
  const r = new Reader(packet);
  const versionAndLength = r.u8();
  const headerBytes = (versionAndLength & 0xf) * 4;
  if (versionAndLength >> 4 !== 4 || headerBytes < IPV4_HEADER_BYTES) throw new BadInput('not an IPv4 header');
  r.skip(1);
  const total = r.u16();
  r.skip(2);
  const fragment = r.u16() & MORE_FRAGMENTS_OR_OFFSET;
  r.skip(1);
  const protocol = r.u8();
  r.skip(2);
  const source = ip4FromBytes(r.take(4));
  const destination = ip4FromBytes(r.take(4));
  // Frames are padded to 60 bytes: the packet may end before the frame, never behind it.
  if (total < headerBytes || total > packet.length) throw new BadInput(`IPv4 length ${total} of ${packet.length}`);
  if (checksum(packet.subarray(0, headerBytes)) !== 0) throw new BadInput('bad IPv4 header checksum');
  if (fragment !== 0) throw new BadInput('a fragment');
  if (protocol !== PROTOCOL_UDP) throw new BadInput(`IP protocol ${protocol}, not UDP`);
  return { source, destination, payload: packet.subarray(headerBytes, total) };
}

/**
 * Besides a right checksum, none at all (RFC 768) and the sum of the pseudo header alone are good: the latter is what a
 * packet socket sees of a sender on this same machine, whose kernel leaves the rest to hardware that never comes.
 */
function isUdpChecksumGood(sum: number, source: Ip4, destination: Ip4, udp: Uint8Array): boolean {
  if (sum === 0) return true;
  const pseudo = pseudoHeader(source, destination, PROTOCOL_UDP, udp.length);
  return checksum(pseudo, udp) === 0 || sum === (~checksum(pseudo) & 0xffff);
}
