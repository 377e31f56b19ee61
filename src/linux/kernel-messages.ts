/** Between the {@link Kernel} port's words and rtnetlink's. */
import { familyOf, isIp6, isLinkLocal6 } from '../net/ip.js';
import type { HostRoute, KernelChange, NeighbourEntry, NexthopObject, Path } from '../ports.js';
import type { NetlinkError } from './netlink/error.js';
import type { Neighbour } from './netlink/neighbour.js';
import { deleteNeighbour, replaceNeighbour } from './netlink/neighbour.js';
import type { Nexthop } from './netlink/nexthop.js';
import { deleteNexthop, replaceNexthop } from './netlink/nexthop.js';
import type { Route } from './netlink/route.js';
import { deleteRoute, replaceRoute } from './netlink/route.js';

/**
 * Route protocols, which mark what is the daemon's: 44 for clients of this node, 45 for those of others and for the
 * nexthop objects. Neighbour entries and rules bear 44.
 */
export const OWN_PROTOCOLS: ReadonlySet<number> = new Set([44, 45]);
export const NEXTHOP_PROTOCOL = 45;
export const NEIGHBOUR_PROTOCOL = 44;
export const RULE_PROTOCOL = 44;

/**
 * The message that makes a change to a table's routes, to nexthop objects or to neighbour entries. `onlink`: see
 * {@link needsLookup}.
 */
export function encodeChange(change: KernelChange, table: number, onlink = true): Uint8Array {
  if ('route' in change) return encodeRoute(change.op, change.route, table, onlink);
  if ('nexthop' in change) {
    return change.op === 'set' ? replaceNexthop(toNexthop(change.nexthop, onlink)) : deleteNexthop(change.nexthop.id);
  }
  const { ifindex, address: ip, mac } = change.neighbour;
  if (change.op === 'delete') return deleteNeighbour({ ip, ifindex });
  // Permanent: the kernel neither ages it out, nor counts it against gc_thresh3, nor lets an ARP from the air change it.
  // A reachable entry would decay and be probed, which a client in power save does not answer in time. The protocol
  // number tells these from entries that a person made.
  return replaceNeighbour({ ip, ifindex, mac, state: 'permanent', protocol: NEIGHBOUR_PROTOCOL });
}

function encodeRoute(op: 'set' | 'delete', route: HostRoute, table: number, onlink: boolean): Uint8Array {
  const { destination, protocol, via } = route;
  const base: Route = { destination, table, protocol, ...(via === 'unreachable' && { type: 'unreachable' }) };
  if (op === 'delete') return deleteRoute(base);
  if (via === 'unreachable') return replaceRoute(base);
  if ('nexthop' in via) return replaceRoute({ ...base, nexthopId: via.nexthop });
  return replaceRoute('path' in via ? { ...base, ...toHop(via.path, onlink) } : { ...base, oif: via.ifindex });
}

/**
 * `onlink`, because the kernel has found this gateway itself: a routing protocol's may have no address on the link
 * from which the kernel would believe it (babeld's over unnumbered links).
 */
function toHop({ ifindex, gateway }: Path, onlink: boolean): Pick<Route, 'oif' | 'gateway' | 'onlink'> {
  return { oif: ifindex, ...(gateway !== undefined && { gateway, ...(onlink && { onlink }) }) };
}

function toNexthop({ id, family, path }: NexthopObject, onlink: boolean): Nexthop {
  return { id, family, protocol: NEXTHOP_PROTOCOL, ...toHop(path, onlink) };
}

/**
 * Whether a change was refused that the kernel may take without `onlink`. It refuses an IPv6 gateway of global scope with
 * it where the longest match for that in the main table leads out of another interface: where a routing protocol carries
 * a neighbour's address by another link, or a rule sends what goes there by another table. Without it the kernel asks its
 * rules, for a route of that very interface.
 */
export function needsLookup(change: KernelChange, error: NetlinkError): boolean {
  if (change.op !== 'set' || error.code !== 'EINVAL') return false;
  const gateway = pathOf(change)?.gateway;
  return gateway !== undefined && isIp6(gateway) && !isLinkLocal6(gateway);
}

function pathOf(change: KernelChange): Path | undefined {
  if ('nexthop' in change) return change.nexthop.path;
  return 'route' in change && change.route.via !== 'unreachable' && 'path' in change.route.via ? change.route.via.path : undefined;
}

/** Whether a removal failed because there was nothing to remove. */
export function wasGone(change: KernelChange, error: NetlinkError): boolean {
  return change.op === 'delete' && (error.code === 'ESRCH' || error.code === 'ENOENT' || error.code === 'ENODEV');
}

/** A route of the daemon's table as the daemon sees it; undefined where it is not its own. */
export function toHostRoute(route: Route): HostRoute | undefined {
  const { destination, protocol, type, nexthopId, oif, gateway } = route;
  if (!OWN_PROTOCOLS.has(protocol)) return undefined;
  if (type === 'unreachable') return { destination, protocol, via: 'unreachable' };
  if (nexthopId !== undefined) return { destination, protocol, via: { nexthop: nexthopId } };
  const ifindex = oif ?? 0;
  if (gateway !== undefined) return { destination, protocol, via: { path: { ifindex, gateway } } };
  return { destination, protocol, via: { ifindex } };
}

/** A nexthop object as the daemon sees it; undefined where it is not its own. */
export function toNexthopObject(nexthop: Nexthop): NexthopObject | undefined {
  const { id, protocol, oif, gateway, family } = nexthop;
  if (protocol !== NEXTHOP_PROTOCOL || oif === undefined) return undefined;
  return { id, family: gateway === undefined ? family : familyOf(gateway), path: { ifindex: oif, gateway } };
}

/** A neighbour entry as the daemon sees it; undefined where it is not its own. */
export function toNeighbourEntry(neighbour: Neighbour): NeighbourEntry | undefined {
  const { ip: address, ifindex, mac, protocol, state } = neighbour;
  if (protocol !== NEIGHBOUR_PROTOCOL || state !== 'permanent' || mac === undefined) return undefined;
  return { ifindex, address, mac };
}
