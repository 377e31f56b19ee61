/** Nexthop objects, which many routes share: struct nhmsg and its attributes, linux/nexthop.h. Kernels since 5.3. */
import type { Family, Ip } from '../../net/ip.js';
import { ipFromBytes, ipToBytes } from '../../net/ip.js';
import { ShortInput } from '../../net/bytes.js';
import { AF_UNSPEC, fromAf, toAf } from './family.js';
import type { NetlinkMessage } from './wire.js';
import { MessageWriter, NLM_F_CREATE, NLM_F_REPLACE, parseAttributes, readU32 } from './wire.js';

export const RTM_NEWNEXTHOP = 104;
export const RTM_DELNEXTHOP = 105;
const RTM_GETNEXTHOP = 106;

const NHA_ID = 1;
const NHA_GROUP = 2;
const NHA_BLACKHOLE = 4;
const NHA_OIF = 5;
const NHA_GATEWAY = 6;

const RTNH_F_ONLINK = 4;

export interface Nexthop {
  /** Not 0. One number space for all of the network namespace. */
  readonly id: number;
  /** Of the gateway, or of the routes when there is none. An IPv4 route may go by an IPv6 gateway, not the reverse. */
  readonly family: Family;
  /** As for routes. */
  readonly protocol: number;
  /** Interface index; absent only from a blackhole. */
  readonly oif?: number;
  readonly gateway?: Ip;
  /** The gateway is taken to be on that link, whatever the addresses say. */
  readonly onlink?: boolean;
  /** What goes here is dropped. */
  readonly blackhole?: boolean;
}

/** Adds a nexthop, or changes the one with this id: all routes that go by it follow at once. */
export function replaceNexthop(nexthop: Nexthop): Uint8Array {
  const { id, family, protocol, oif, gateway } = nexthop;
  const w = new MessageWriter(RTM_NEWNEXTHOP, NLM_F_CREATE | NLM_F_REPLACE)
    .u8(toAf(family), 0, protocol, 0)
    .u32(nexthop.onlink ? RTNH_F_ONLINK : 0)
    .attributeU32(NHA_ID, id);
  if (nexthop.blackhole) return w.attribute(NHA_BLACKHOLE, new Uint8Array(0)).done();
  if (gateway !== undefined) w.attribute(NHA_GATEWAY, ipToBytes(gateway));
  if (oif !== undefined) w.attributeU32(NHA_OIF, oif);
  return w.done();
}

/** Removes a nexthop, and with it every route that goes by it. ENOENT when there is none. */
export function deleteNexthop(id: number): Uint8Array {
  return new MessageWriter(RTM_DELNEXTHOP).u8(AF_UNSPEC, 0, 0, 0).u32(0).attributeU32(NHA_ID, id).done();
}

/** Asks for all nexthops. EOPNOTSUPP when the kernel has no such thing. */
export function dumpNexthops(): Uint8Array {
  return new MessageWriter(RTM_GETNEXTHOP).u8(AF_UNSPEC, 0, 0, 0).u32(0).done();
}

/**
 * The nexthop in a RTM_NEWNEXTHOP or RTM_DELNEXTHOP message; undefined for a group, and for a family that is not IP.
 *
 * @throws {@link ShortInput}
 */
export function parseNexthop({ payload }: NetlinkMessage): Nexthop | undefined {
  if (payload.length < 8) throw new ShortInput(8, payload.length);
  const attributes = parseAttributes(payload, 8);
  const family = fromAf(payload[0]!);
  const id = attributes.get(NHA_ID);
  if (family === undefined || id === undefined || attributes.has(NHA_GROUP)) return undefined;
  const oif = attributes.get(NHA_OIF);
  const gateway = attributes.get(NHA_GATEWAY);
  return {
    id: readU32(id),
    family,
    protocol: payload[2]!,
    ...(oif && { oif: readU32(oif) }),
    ...(gateway && { gateway: ipFromBytes(gateway) }),
    ...((readU32(payload, 4) & RTNH_F_ONLINK) !== 0 && { onlink: true }),
    ...(attributes.has(NHA_BLACKHOLE) && { blackhole: true }),
  };
}

/** Whether such a message tells of a group, of several objects by which routes go in turn. */
export function isNexthopGroup({ payload }: NetlinkMessage): boolean {
  return parseAttributes(payload, 8).has(NHA_GROUP);
}
