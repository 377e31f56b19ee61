import type { ArpPacket } from './arp.js';
import { parseArp } from './arp.js';
import type { EthernetHeader } from './ethernet.js';
import { EtherType, parseEthernet } from './ethernet.js';
import type { NdPacket } from './nd.js';
import { parseNd } from './nd.js';

/** A frame by which hosts of a link find each other and their router. */
export type LinkFrame =
  | { readonly protocol: 'arp'; readonly ethernet: EthernetHeader; readonly packet: ArpPacket }
  | { readonly protocol: 'nd'; readonly ethernet: EthernetHeader; readonly packet: NdPacket };

/** Undefined where it is neither ARP nor Neighbour Discovery; throws BadInput or ShortInput where it is a bad one. */
export function parseLinkFrame(frame: Uint8Array): LinkFrame | undefined {
  const { header: ethernet, payload } = parseEthernet(frame);
  if (ethernet.etherType === EtherType.arp) return { protocol: 'arp', ethernet, packet: parseArp(payload) };
  if (ethernet.etherType !== EtherType.ipv6) return undefined;
  const packet = parseNd(payload);
  return packet === undefined ? undefined : { protocol: 'nd', ethernet, packet };
}

/** A whole frame for a client interface, as ports.ts's Packets sends it. */
export interface OutgoingFrame {
  readonly network: string;
  readonly frame: Uint8Array;
}
