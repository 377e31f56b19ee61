import { Reader, Writer } from './bytes.js';
import type { Mac } from './mac.js';
import { macFromBytes, macToBytes } from './mac.js';

/** Types of what an Ethernet frame carries (IEEE 802 Numbers). */
export const EtherType = {
  ipv4: 0x0800,
  arp: 0x0806,
  ipv6: 0x86dd,
} as const;

export const ETHERNET_HEADER_BYTES = 14;

export interface EthernetHeader {
  readonly destination: Mac;
  readonly source: Mac;
  /** Below 0x0600 it is a length (IEEE 802.3), not a type. */
  readonly etherType: number;
}

/** An Ethernet II frame without VLAN tag and checksum sequence; `payload` shares memory with it. Throws ShortInput. */
export function parseEthernet(frame: Uint8Array): { header: EthernetHeader; payload: Uint8Array } {
  const r = new Reader(frame);
  const destination = macFromBytes(r.take(6));
  const source = macFromBytes(r.take(6));
  const etherType = r.u16();
  return { header: { destination, source, etherType }, payload: r.rest() };
}

/** The frame, not padded to the 60 bytes of a wire: the interface does that. */
export function writeEthernet(header: EthernetHeader, payload: Uint8Array): Uint8Array {
  return new Writer(ETHERNET_HEADER_BYTES + payload.length)
    .put(macToBytes(header.destination))
    .put(macToBytes(header.source))
    .u16(header.etherType)
    .put(payload)
    .done();
}
