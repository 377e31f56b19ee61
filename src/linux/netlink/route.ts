/** Routes: struct rtmsg and its attributes, linux/rtnetlink.h. */
import { BadInput, ShortInput } from '../../net/bytes.js';
import type { Family, Ip } from '../../net/ip.js';
import { ANY4, ANY6, familyOf, ipFromBytes, ipToBytes } from '../../net/ip.js';
import type { Prefix } from '../../net/prefix.js';
import { bitsOf, makePrefix } from '../../net/prefix.js';
import { fromAf, toAf } from './family.js';
import type { Attributes, NetlinkMessage } from './wire.js';
import { MessageWriter, NLM_F_CREATE, NLM_F_REPLACE, parseAttributes, readI32, readU16, readU32, readU8 } from './wire.js';

export const RTM_NEWROUTE = 24;
export const RTM_DELROUTE = 25;
const RTM_GETROUTE = 26;

/** The tables that the kernel itself uses. */
export const RT_TABLE_MAIN = 254;
export const RT_TABLE_LOCAL = 255;

const RTA_DST = 1;
const RTA_SRC = 2;
const RTA_OIF = 4;
const RTA_GATEWAY = 5;
const RTA_PRIORITY = 6;
const RTA_PREFSRC = 7;
const RTA_MULTIPATH = 9;
const RTA_TABLE = 15;
const RTA_MARK = 16;
const RTA_VIA = 18;
const RTA_NH_ID = 30;

const RTNH_F_ONLINK = 4;
const RTM_F_CLONED = 0x200;
const RTM_F_LOOKUP_TABLE = 0x1000;
const RTM_F_FIB_MATCH = 0x2000;

const RT_SCOPE_UNIVERSE = 0;
const RT_SCOPE_LINK = 253;
const RT_SCOPE_NOWHERE = 255;

/** RTN_..., in the kernel's order. */
const ROUTE_TYPES = [
  'unspec',
  'unicast',
  'local',
  'broadcast',
  'anycast',
  'multicast',
  'blackhole',
  'unreachable',
  'prohibit',
  'throw',
  'nat',
] as const;

export type RouteType = (typeof ROUTE_TYPES)[number];

/** Where a packet goes next. */
export interface RouteHop {
  /** Interface index. */
  readonly oif?: number;
  /** May be IPv6 in an IPv4 route (RFC 8950, RFC 9229). */
  readonly gateway?: Ip;
  /** The gateway is taken to be on that link, whatever the addresses say. */
  readonly onlink?: boolean;
}

export interface Route extends RouteHop {
  readonly destination: Prefix;
  readonly table: number;
  /** Who made it, RTPROT_...: 2 the kernel, 42 Babel, 44 and 45 this daemon. */
  readonly protocol: number;
  /** Default `unicast`. */
  readonly type?: RouteType;
  /** Metric. The kernel takes 1,024 for an IPv6 route without one. */
  readonly priority?: number;
  /** The nexthop object it goes by; the kernel adds that object's `oif` and `gateway` to the routes that it tells. */
  readonly nexthopId?: number;
  /** Preferred source address of what this machine sends by the route. */
  readonly source?: Ip;
  /** Of a multipath route: `oif` and `gateway` are absent then. Not written. */
  readonly hops?: readonly RouteHop[];
}

/** Adds a route, or takes the place of the one to the same destination with the same table and priority. */
export function replaceRoute(route: Route): Uint8Array {
  return encode(route, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, scopeOf(route));
}

/**
 * Removes the route that has this destination, table, protocol and type, and whatever else is given of it. ESRCH when
 * there is none.
 */
export function deleteRoute(route: Route): Uint8Array {
  return encode(route, RTM_DELROUTE, 0, RT_SCOPE_NOWHERE);
}

/** An IPv4 route without a gateway ends on the link. */
function scopeOf(route: Route): number {
  const onLink = (route.type ?? 'unicast') === 'unicast' && !route.gateway && route.nexthopId === undefined;
  return onLink && route.destination.family === 4 ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
}

function encode(route: Route, type: number, flags: number, scope: number): Uint8Array {
  const { destination, table, protocol } = route;
  const w = new MessageWriter(type, flags)
    .u8(toAf(destination.family), destination.length, 0, 0)
    // A number beyond a byte goes into RTA_TABLE.
    .u8(table < 256 ? table : 0, protocol, scope, ROUTE_TYPES.indexOf(route.type ?? 'unicast'))
    .u32(route.onlink ? RTNH_F_ONLINK : 0)
    .attribute(RTA_DST, ipToBytes(destination.address));
  if (route.nexthopId !== undefined) w.attributeU32(RTA_NH_ID, route.nexthopId);
  else if (route.gateway !== undefined) encodeGateway(w, route.gateway, destination.family);
  if (route.source !== undefined) w.attribute(RTA_PREFSRC, ipToBytes(route.source));
  if (table > 255) w.attributeU32(RTA_TABLE, table);
  if (route.priority !== undefined) w.attributeU32(RTA_PRIORITY, route.priority);
  if (route.oif !== undefined && route.nexthopId === undefined) w.attributeU32(RTA_OIF, route.oif);
  return w.done();
}

/** A gateway of another family than the route's goes into RTA_VIA: struct rtvia { u16 family; u8 address[]; }. */
function encodeGateway(w: MessageWriter, gateway: Ip, family: Family): void {
  if (familyOf(gateway) === family) w.attribute(RTA_GATEWAY, ipToBytes(gateway));
  else w.attributeOf(RTA_VIA, () => w.u16(toAf(familyOf(gateway))).put(ipToBytes(gateway)));
}

export interface RouteFilter {
  readonly family: Family;
  readonly table?: number;
  readonly protocol?: number;
}

/** Asks for all routes of a family; kernels since 4.20 leave out what the filter does not want. */
export function dumpRoutes(filter: RouteFilter): Uint8Array {
  const w = new MessageWriter(RTM_GETROUTE)
    .u8(toAf(filter.family), 0, 0, 0)
    .u8(0, filter.protocol ?? 0, 0, 0)
    .u32(0);
  if (filter.table !== undefined) w.attributeU32(RTA_TABLE, filter.table);
  return w.done();
}

/** Whether a route is what the filter wants: older kernels answer with everything. */
export function matchesFilter(route: Route, filter: RouteFilter): boolean {
  return (
    route.destination.family === filter.family &&
    (filter.table === undefined || route.table === filter.table) &&
    (filter.protocol === undefined || route.protocol === filter.protocol)
  );
}

export interface RouteQuery {
  readonly destination: Ip;
  /** As for a packet with this source. */
  readonly source?: Ip;
  readonly oif?: number;
  readonly mark?: number;
  /** Answer with the route as it stands in the table, prefix and all, not with what it comes to for this address. */
  readonly fibMatch?: boolean;
}

/** Asks how the kernel would send a packet to an address. ENETUNREACH or EHOSTUNREACH: not at all. */
export function getRoute(query: RouteQuery): Uint8Array {
  const { destination, source } = query;
  const family = familyOf(destination);
  // Answers for IPv6 name the table unasked, and with strict checks the kernel refuses to be asked for it.
  const flags = (family === 4 ? RTM_F_LOOKUP_TABLE : 0) | (query.fibMatch ? RTM_F_FIB_MATCH : 0);
  const w = new MessageWriter(RTM_GETROUTE)
    .u8(toAf(family), bitsOf(family), source === undefined ? 0 : bitsOf(family), 0)
    .u8(0, 0, 0, 0)
    .u32(flags)
    .attribute(RTA_DST, ipToBytes(destination));
  if (source !== undefined) w.attribute(RTA_SRC, ipToBytes(source));
  if (query.oif !== undefined) w.attributeU32(RTA_OIF, query.oif);
  if (query.mark !== undefined) w.attributeU32(RTA_MARK, query.mark);
  return w.done();
}

/** Whether a message tells not of a route in a table but of what one came to for some destination. */
export function isCacheEntry({ payload }: NetlinkMessage): boolean {
  return (readU32(payload, 8) & RTM_F_CLONED) !== 0;
}

/**
 * The route in a RTM_NEWROUTE or RTM_DELROUTE message; undefined for one that is not IP.
 *
 * @throws {@link ShortInput}, {@link BadInput}
 */
export function parseRoute({ payload }: NetlinkMessage): Route | undefined {
  if (payload.length < 12) throw new ShortInput(12, payload.length);
  const family = fromAf(payload[0]!);
  const flags = readU32(payload, 8);
  if (family === undefined) return undefined;
  const attributes = parseAttributes(payload, 12);
  const destination = attributes.get(RTA_DST);
  const length = payload[1]!;
  if (length > bitsOf(family)) throw new BadInput(`a route's prefix length of ${length}`);
  const address = destination ? ipFromBytes(destination) : family === 4 ? ANY4 : ANY6;
  if (familyOf(address) !== family) throw new BadInput('a route to an address of another family');
  const table = attributes.get(RTA_TABLE);
  const priority = attributes.get(RTA_PRIORITY);
  const nexthopId = attributes.get(RTA_NH_ID);
  const source = attributes.get(RTA_PREFSRC);
  const multipath = attributes.get(RTA_MULTIPATH);
  return {
    destination: makePrefix(address, length),
    table: table ? readU32(table) : payload[4]!,
    protocol: payload[5]!,
    type: ROUTE_TYPES[payload[7]!] ?? 'unspec',
    ...(priority && { priority: readU32(priority) }),
    ...(nexthopId && { nexthopId: readU32(nexthopId) }),
    ...(source && { source: ipFromBytes(source) }),
    ...parseHop(attributes, flags),
    ...(multipath && { hops: parseHops(multipath) }),
  };
}

function parseHop(attributes: Attributes, flags: number): RouteHop {
  const oif = attributes.get(RTA_OIF);
  const via = attributes.get(RTA_VIA);
  const gateway = attributes.get(RTA_GATEWAY) ?? (via && fromAf(readU16(via)) ? via.subarray(2) : undefined);
  return {
    ...(oif && { oif: readU32(oif) }),
    ...(gateway && { gateway: ipFromBytes(gateway) }),
    ...((flags & RTNH_F_ONLINK) !== 0 && { onlink: true }),
  };
}

/** RTA_MULTIPATH: struct rtnexthop { u16 length; u8 flags; u8 hops; int ifindex; }, each with attributes behind it. */
function parseHops(bytes: Uint8Array): RouteHop[] {
  const hops: RouteHop[] = [];
  for (let at = 0; at + 8 <= bytes.length; ) {
    const length = readU16(bytes, at);
    if (length < 8) throw new BadInput(`a multipath hop of ${length} bytes`);
    if (at + length > bytes.length) throw new ShortInput(length, bytes.length - at);
    const hop = parseHop(parseAttributes(bytes.subarray(at, at + length), 8), readU8(bytes, at + 2));
    hops.push({ ...hop, oif: readI32(bytes, at + 4) });
    at += (length + 3) & ~3;
  }
  return hops;
}
