import type { NodeId } from '../../src/clients/node-id.js';
import { parseIp } from '../../src/net/ip.js';
import { parseMac } from '../../src/net/mac.js';
import { parsePrefix } from '../../src/net/prefix.js';
import type { KernelChange, Path } from '../../src/ports.js';
import type { ClientView } from '../../src/routes/desired.js';
import { NEXTHOP_BASE, NEXTHOP_COUNT } from '../../src/routes/nexthop-ids.js';

export const SELF = '00000000000000aa' as NodeId;
export const A = '0000000000000001' as NodeId;
export const B = '0000000000000002' as NodeId;

export function isInRange(id: number): boolean {
  return id >= NEXTHOP_BASE && id < NEXTHOP_BASE + NEXTHOP_COUNT;
}

export function path(ifindex: number, gateway: string): Path {
  return { ifindex, gateway: parseIp(gateway) };
}

/** A client with some prefixes, at a node: on interface 9 where that is this one. */
export function client(number: number, node: NodeId | undefined, ...prefixes: string[]): ClientView {
  return {
    mac: parseMac(`02:00:00:00:${(number >> 8).toString(16).padStart(2, '0')}:${(number & 255).toString(16).padStart(2, '0')}`),
    node,
    addresses: prefixes.map(parsePrefix),
    link: node === SELF ? { network: 'br-client', ifindex: 9 } : undefined,
  };
}

/** A change in a few words: `set 10.44.0.1/32 44 dev 9`. */
export function brief(change: KernelChange): string {
  if ('nexthop' in change) {
    const { id, family, path } = change.nexthop;
    return `${change.op} nexthop ${id - NEXTHOP_BASE} v${family} ${path.gateway} dev ${path.ifindex}`;
  }
  if ('neighbour' in change) return `${change.op} neighbour ${change.neighbour.address}`;
  const { destination, protocol, via } = change.route;
  const to =
    via === 'unreachable'
      ? via
      : 'nexthop' in via
        ? `nexthop ${via.nexthop - NEXTHOP_BASE}`
        : 'path' in via
          ? `via ${via.path.gateway} dev ${via.path.ifindex}`
          : `dev ${via.ifindex}`;
  return `${change.op} ${destination.address}/${destination.length} ${protocol} ${to}`;
}
