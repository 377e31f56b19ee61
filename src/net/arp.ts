import type { EthernetHeader } from './ethernet.js';
import { EtherType, writeEthernet } from './ethernet.js';
import { BadInput, Reader, Writer } from './bytes.js';
import type { Ip4 } from './ip.js';
import { ANY4, ip4FromBytes, ip4ToBytes } from './ip.js';
import type { Mac } from './mac.js';
import { macFromBytes, macToBytes } from './mac.js';

/** Operations of RFC 826; others (RARP, InARP) exist and are none of ours. */
export const ArpOperation = {
  request: 1,
  reply: 2,
} as const;

/** What a request says of the hardware address that it asks for: nothing. */
export const UNKNOWN_MAC = '00:00:00:00:00:00' as Mac;

const HARDWARE_ETHERNET = 1;

/** An ARP packet for IPv4 over Ethernet (RFC 826). */
export interface ArpPacket {
  /** One of {@link ArpOperation}, or another that a reader passes over. */
  readonly operation: number;
  readonly senderMac: Mac;
  readonly senderIp: Ip4;
  readonly targetMac: Mac;
  readonly targetIp: Ip4;
}

/**
 * Reads what follows the Ethernet header; padding behind it is passed over. Throws ShortInput, and {@link BadInput} for
 * hardware that is not Ethernet or a protocol that is not IPv4.
 */
export function parseArp(payload: Uint8Array): ArpPacket {
  const r = new Reader(payload);
  const hardware = r.u16();
  const protocol = r.u16();
  const hardwareLength = r.u8();
  const protocolLength = r.u8();
  if (hardware !== HARDWARE_ETHERNET || hardwareLength !== 6 || protocol !== EtherType.ipv4 || protocolLength !== 4) {
    throw new BadInput(`ARP for hardware ${hardware}/${hardwareLength}, protocol ${protocol}/${protocolLength}`);
  }
  return {
    operation: r.u16(),
    senderMac: macFromBytes(r.take(6)),
    senderIp: ip4FromBytes(r.take(4)),
    targetMac: macFromBytes(r.take(6)),
    targetIp: ip4FromBytes(r.take(4)),
  };
}

export function writeArp(packet: ArpPacket): Uint8Array {
  return new Writer(28)
    .u16(HARDWARE_ETHERNET)
    .u16(EtherType.ipv4)
    .u8(6)
    .u8(4)
    .u16(packet.operation)
    .put(macToBytes(packet.senderMac))
    .put(ip4ToBytes(packet.senderIp))
    .put(macToBytes(packet.targetMac))
    .put(ip4ToBytes(packet.targetIp))
    .done();
}

/** The whole frame, from the packet's own sender to `destination`. */
export function arpFrame(destination: Mac, packet: ArpPacket): Uint8Array {
  const header: EthernetHeader = { destination, source: packet.senderMac, etherType: EtherType.arp };
  return writeEthernet(header, writeArp(packet));
}

/** RFC 5227 1.1: asks whether anybody has `targetIp`, which the sender would like to use. */
export function isArpProbe(packet: ArpPacket): boolean {
  return packet.operation === ArpOperation.request && packet.senderIp === ANY4;
}

/** RFC 5227 1.1 (an announcement, and its form as a reply): says who has an address and asks nothing. */
export function isArpAnnouncement(packet: ArpPacket): boolean {
  return packet.senderIp !== ANY4 && packet.senderIp === packet.targetIp;
}
