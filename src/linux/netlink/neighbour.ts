/** The ARP and neighbour caches: struct ndmsg and its attributes, linux/neighbour.h. */
import { ShortInput } from '../../net/bytes.js';
import type { Family, Ip } from '../../net/ip.js';
import { familyOf, ipFromBytes, ipToBytes } from '../../net/ip.js';
import type { Mac } from '../../net/mac.js';
import { macFromBytes, macToBytes } from '../../net/mac.js';
import { fromAf, toAf } from './family.js';
import type { NetlinkMessage } from './wire.js';
import { MessageWriter, NLM_F_CREATE, NLM_F_REPLACE, parseAttributes, readI32, readU16 } from './wire.js';

export const RTM_NEWNEIGH = 28;
export const RTM_DELNEIGH = 29;
export const RTM_GETNEIGH = 30;

/** Length of struct ndmsg. */
export const NDMSG_LENGTH = 12;

const NDA_DST = 1;
const NDA_LLADDR = 2;
const NDA_IFINDEX = 8;
const NDA_PROTOCOL = 12;

const NTF_PROXY = 0x08;
const NTF_ROUTER = 0x80;

/** NUD_...: where the entry is in the life that RFC 4861 7.3.2 describes. */
const STATES = {
  none: 0x00,
  incomplete: 0x01,
  reachable: 0x02,
  stale: 0x04,
  delay: 0x08,
  probe: 0x10,
  failed: 0x20,
  noarp: 0x40,
  permanent: 0x80,
} as const;

export type NeighbourState = keyof typeof STATES;

const STATE_NAMES = new Map(Object.entries(STATES).map(([name, bit]) => [bit as number, name as NeighbourState]));

export interface Neighbour {
  readonly ip: Ip;
  readonly ifindex: number;
  readonly state: NeighbourState;
  /** Absent while the neighbour is looked for, and from proxy entries. */
  readonly mac?: Mac;
  /** It said that it is a router. */
  readonly router?: boolean;
  /** Not a neighbour: an address to answer for. */
  readonly proxy?: boolean;
  /** Who made it, as for routes. The kernel keeps it since 5.2. */
  readonly protocol?: number;
}

/** Makes an entry, or changes the one there is. */
export function replaceNeighbour(neighbour: Neighbour): Uint8Array {
  return encode(neighbour, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, STATES[neighbour.state]);
}

/** Removes an entry; ENOENT when there is none. `proxy` says of which kind. */
export function deleteNeighbour(neighbour: Pick<Neighbour, 'ip' | 'ifindex' | 'proxy'>): Uint8Array {
  return encode(neighbour, RTM_DELNEIGH, 0, 0);
}

function encode(
  neighbour: Pick<Neighbour, 'ip' | 'ifindex' | 'mac' | 'router' | 'proxy' | 'protocol'>,
  type: number,
  flags: number,
  state: number,
): Uint8Array {
  const { ip, mac, protocol } = neighbour;
  const w = new MessageWriter(type, flags)
    .u8(toAf(familyOf(ip)), 0, 0, 0)
    .u32(neighbour.ifindex)
    .u16(state)
    .u8((neighbour.proxy ? NTF_PROXY : 0) | (neighbour.router ? NTF_ROUTER : 0), 0)
    .attribute(NDA_DST, ipToBytes(ip));
  if (mac !== undefined) w.attribute(NDA_LLADDR, macToBytes(mac));
  if (protocol !== undefined) w.attributeU8(NDA_PROTOCOL, protocol);
  return w.done();
}

export interface NeighbourFilter {
  readonly family?: Family;
  readonly ifindex?: number;
  /** Proxy entries; those and the others cannot be had in one. */
  readonly proxy?: boolean;
  /** Only those that the kernel found itself, and ages. It has no filter for it. */
  readonly learned?: boolean;
}

export function dumpNeighbours(filter: NeighbourFilter = {}): Uint8Array {
  const w = new MessageWriter(RTM_GETNEIGH)
    .u8(toAf(filter.family), 0, 0, 0)
    .u32(0)
    .u16(0)
    .u8(filter.proxy ? NTF_PROXY : 0, 0);
  if (filter.ifindex !== undefined) w.attributeU32(NDA_IFINDEX, filter.ifindex);
  return w.done();
}

/**
 * Whether the entry in a message is what the filter wants, as its fixed part says: older kernels answer with more, and
 * what is not wanted need not be read.
 *
 * @throws {@link ShortInput}
 */
export function matchesNeighbour({ payload }: NetlinkMessage, { family, ifindex, proxy = false, learned = false }: NeighbourFilter): boolean {
  if (payload.length < NDMSG_LENGTH) throw new ShortInput(NDMSG_LENGTH, payload.length);
  return (
    (family === undefined || fromAf(payload[0]!) === family) &&
    (ifindex === undefined || readI32(payload, 4) === ifindex) &&
    ((payload[10]! & NTF_PROXY) !== 0) === proxy &&
    !(learned && (readU16(payload, 8) & (STATES.noarp | STATES.permanent)) !== 0)
  );
}

/**
 * The entry in a RTM_NEWNEIGH or RTM_DELNEIGH message; undefined when it is not of IP, as those of bridges.
 *
 * @throws {@link ShortInput}, {@link BadInput}
 */
export function parseNeighbour({ payload }: NetlinkMessage): Neighbour | undefined {
  if (payload.length < NDMSG_LENGTH) throw new ShortInput(NDMSG_LENGTH, payload.length);
  const attributes = parseAttributes(payload, NDMSG_LENGTH);
  const ip = attributes.get(NDA_DST);
  if (fromAf(payload[0]!) === undefined || ip === undefined) return undefined;
  const mac = attributes.get(NDA_LLADDR);
  const protocol = attributes.get(NDA_PROTOCOL);
  const flags = payload[10]!;
  return {
    ip: ipFromBytes(ip),
    ifindex: readI32(payload, 4),
    state: STATE_NAMES.get(readU16(payload, 8)) ?? 'none',
    // Links without Ethernet addresses have other lengths.
    ...(mac?.length === 6 && { mac: macFromBytes(mac) }),
    ...((flags & NTF_ROUTER) !== 0 && { router: true }),
    ...((flags & NTF_PROXY) !== 0 && { proxy: true }),
    ...(protocol?.[0] !== undefined && { protocol: protocol[0] }),
  };
}
