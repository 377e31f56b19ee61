/** Messages of Neighbour Discovery (RFC 4861 section 4), with the checks that section 6.1 and 7.1 ask of a receiver. */
import { BadInput, Reader, Writer } from './bytes.js';
import { EtherType, writeEthernet } from './ethernet.js';
import { NEXT_HEADER_ICMP6, parseIcmp6, writeIcmp6 } from './icmp6.js';
import type { Ip6 } from './ip.js';
import { ANY6, ip6FromBytes, ip6ToBytes, isLinkLocal6, isMulticast } from './ip.js';
import { parseIpv6, writeIpv6 } from './ipv6.js';
import type { Mac } from './mac.js';
import type { NdOption, RouterPreference } from './nd-options.js';
import { preferenceBits, preferenceFromBits, readNdOptions, writeNdOptions } from './nd-options.js';

const NdType = {
  routerSolicitation: 133,
  routerAdvertisement: 134,
  neighbourSolicitation: 135,
  neighbourAdvertisement: 136,
} as const;

/** No router on the way has forwarded it: hop limit 255, and nobody further away can forge that. */
const ND_HOP_LIMIT = 255;

export type NdMessage = RouterSolicitation | RouterAdvertisement | NeighbourSolicitation | NeighbourAdvertisement;

/** RFC 4861 4.1. */
export interface RouterSolicitation {
  readonly type: 'rs';
  readonly options: readonly NdOption[];
}

/** RFC 4861 4.2, preference from RFC 4191 2.2. */
export interface RouterAdvertisement {
  readonly type: 'ra';
  /** 0: unspecified. */
  readonly hopLimit: number;
  readonly managed: boolean;
  readonly other: boolean;
  readonly preference: RouterPreference;
  /** Seconds; 0: no default router. */
  readonly routerLifetime: number;
  /** Milliseconds; 0: unspecified. */
  readonly reachableTime: number;
  /** Milliseconds; 0: unspecified. */
  readonly retransTimer: number;
  readonly options: readonly NdOption[];
}

/** RFC 4861 4.3. From the unspecified address it is a duplicate address detection probe (RFC 4862 5.4.2). */
export interface NeighbourSolicitation {
  readonly type: 'ns';
  readonly target: Ip6;
  readonly options: readonly NdOption[];
}

/** RFC 4861 4.4. */
export interface NeighbourAdvertisement {
  readonly type: 'na';
  readonly target: Ip6;
  readonly router: boolean;
  readonly solicited: boolean;
  readonly override: boolean;
  readonly options: readonly NdOption[];
}

export interface NdPacket {
  readonly source: Ip6;
  readonly destination: Ip6;
  readonly message: NdMessage;
}

/**
 * Reads what follows the Ethernet header. Undefined where it is not Neighbour Discovery, or hides behind extension
 * headers (fragments are forbidden, RFC 6980 section 5, and no host sends others). Throws {@link BadInput} or ShortInput
 * for what RFC 4861 has a receiver discard.
 */
export function parseNd(bytes: Uint8Array): NdPacket | undefined {
  const { header, payload } = parseIpv6(bytes);
  const { source, destination, hopLimit, nextHeader } = header;
  if (nextHeader !== NEXT_HEADER_ICMP6 || !isNdType(payload[0])) return undefined;
  if (hopLimit !== ND_HOP_LIMIT) throw new BadInput(`neighbour discovery with hop limit ${hopLimit}`);
  const { type, code, body } = parseIcmp6(source, destination, payload);
  if (code !== 0) throw new BadInput(`neighbour discovery with code ${code}`);
  if (isMulticast(source)) throw new BadInput(`neighbour discovery from ${source}`);
  const packet = { source, destination, message: readMessage(type, new Reader(body)) };
  checkPacket(packet);
  return packet;
}

function isNdType(type: number | undefined): boolean {
  return type !== undefined && type >= NdType.routerSolicitation && type <= NdType.neighbourAdvertisement;
}

function readMessage(type: number, r: Reader): NdMessage {
  if (type === NdType.routerAdvertisement) return readRouterAdvertisement(r);
  const flags = r.u32() >>> 29;
  if (type === NdType.routerSolicitation) return { type: 'rs', options: readNdOptions(r.rest()) };
  const target = ip6FromBytes(r.take(16));
  const options = readNdOptions(r.rest());
  if (type === NdType.neighbourSolicitation) return { type: 'ns', target, options };
  const router = (flags & 4) !== 0;
  const solicited = (flags & 2) !== 0;
  const override = (flags & 1) !== 0;
  return { type: 'na', target, router, solicited, override, options };
}

function readRouterAdvertisement(r: Reader): RouterAdvertisement {
  const hopLimit = r.u8();
  const flags = r.u8();
  return {
    type: 'ra',
    hopLimit,
    managed: (flags & 0x80) !== 0,
    other: (flags & 0x40) !== 0,
    // The reserved value counts as medium (RFC 4191 2.2).
    preference: preferenceFromBits(flags >> 3) ?? 'medium',
    routerLifetime: r.u16(),
    reachableTime: r.u32(),
    retransTimer: r.u32(),
    options: readNdOptions(r.rest()),
  };
}

/** What section 6.1 and 7.1 of RFC 4861 say of addresses and options together. */
function checkPacket({ source, destination, message }: NdPacket): void {
  const fail = (what: string) => new BadInput(`${message.type} ${what}`);
  if (message.type === 'ra' && !isLinkLocal6(source)) throw fail(`from ${source}, which is not link-local`);
  if (source === ANY6) {
    if (message.type === 'na') throw fail('from the unspecified address');
    if (sourceLinkLayerOf(message) !== undefined) throw fail('from nowhere with a source link-layer address');
    if (message.type === 'ns' && !isSolicitedNode(destination)) throw fail(`from nowhere to ${destination}`);
  }
  if ('target' in message && isMulticast(message.target)) throw fail(`for the multicast address ${message.target}`);
  if (message.type === 'na' && message.solicited && isMulticast(destination)) throw fail('solicited, and multicast');
}

/** ff02::1:ff00:0/104, RFC 4291 2.7.1. */
function isSolicitedNode(ip: Ip6): boolean {
  return /^ff02::1:ff[0-9a-f]{2}:[0-9a-f]{1,4}$/.test(ip);
}

export function sourceLinkLayerOf(message: NdMessage): Mac | undefined {
  for (const option of message.options) if (option.type === 'sourceLinkLayer') return option.mac;
  return undefined;
}

export function targetLinkLayerOf(message: NdMessage): Mac | undefined {
  for (const option of message.options) if (option.type === 'targetLinkLayer') return option.mac;
  return undefined;
}

/** The IPv6 packet. Throws {@link BadInput} where an option cannot be written. */
export function writeNd({ source, destination, message }: NdPacket): Uint8Array {
  const w = new Writer();
  const type = writeMessage(w, message);
  w.put(writeNdOptions(message.options));
  const payload = writeIcmp6(source, destination, { type, code: 0, body: w.done() });
  const nextHeader = NEXT_HEADER_ICMP6;
  return writeIpv6({ source, destination, nextHeader, hopLimit: ND_HOP_LIMIT, trafficClass: 0, flowLabel: 0 }, payload);
}

function writeMessage(w: Writer, message: NdMessage): number {
  switch (message.type) {
    case 'rs':
      w.zeros(4);
      return NdType.routerSolicitation;
    case 'ra':
      w.u8(message.hopLimit);
      w.u8((message.managed ? 0x80 : 0) | (message.other ? 0x40 : 0) | (preferenceBits(message.preference) << 3));
      w.u16(message.routerLifetime).u32(message.reachableTime).u32(message.retransTimer);
      return NdType.routerAdvertisement;
    case 'ns':
      w.zeros(4).put(ip6ToBytes(message.target));
      return NdType.neighbourSolicitation;
    case 'na': {
      const flags = (message.router ? 0x80 : 0) | (message.solicited ? 0x40 : 0) | (message.override ? 0x20 : 0);
      w.u8(flags).zeros(3).put(ip6ToBytes(message.target));
      return NdType.neighbourAdvertisement;
    }
  }
}

/** The whole frame. The MAC need not be the one that belongs to a multicast address: that is how one host is told. */
export function ndFrame(destination: Mac, source: Mac, packet: NdPacket): Uint8Array {
  return writeEthernet({ destination, source, etherType: EtherType.ipv6 }, writeNd(packet));
}
