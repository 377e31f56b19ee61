/**
 * What the kernel ought to hold for one client, from the database's view of it: a pure function.
 *
 * - The client is here: a route out of its client interface for each of its prefixes, and a neighbour entry for each
 *   of its addresses, so that no packet waits for ARP or ND. A /64 of its own has a route and no entry: which of its
 *   addresses the client uses is known only for those that were learnt.
 * - The client is at another node: a route to that node for each prefix.
 * - The client is nowhere, or here on an unknown interface: nothing; the main table decides.
 */
import type { Mac } from '../net/mac.js';
import type { Family } from '../net/ip.js';
import { isLinkLocal6 } from '../net/ip.js';
import type { Prefix } from '../net/prefix.js';
import { bitsOf, covers } from '../net/prefix.js';
import type { NodeId } from '../clients/node-id.js';
import type { NeighbourEntry, NexthopObject, Path } from '../ports.js';
import type { RouteTarget } from './route-targets.js';

/** Route protocol number (rtm_protocol) of clients at this node: what a routing protocol may redistribute. */
export const LOCAL_PROTOCOL = 44;

/** Route protocol number of clients at other nodes, and of the nexthop objects that lead there. */
export const REMOTE_PROTOCOL = 45;

/** The client interface that a client of this node is on. */
export interface LocalLink {
  readonly network: string;
  readonly ifindex: number;
}

/** All that routing needs to know of a client. It is kept as it is given, and must not change. */
export interface ClientView {
  readonly mac: Mac;
  /** Where the client is; undefined: nowhere. */
  readonly node: NodeId | undefined;
  /** IPv4 /32, a /64 of its own, learnt IPv6 /128 (link-local ones too). */
  readonly addresses: readonly Prefix[];
  /** Set for a client of this node whose interface is known. */
  readonly link?: LocalLink | undefined;
}

/** The next hops towards a node, one for each family of its own addresses. */
export interface NodePaths {
  readonly 4: Path | undefined;
  readonly 6: Path | undefined;
}

/** A route whose next hop is still a node, not what leads there. */
export interface ClientRoute {
  /** The client that it leads to. */
  readonly mac: Mac;
  readonly destination: Prefix;
  readonly via: { readonly ifindex: number } | { readonly node: NodeId };
}

export interface ClientState {
  readonly routes: readonly ClientRoute[];
  readonly neighbours: readonly NeighbourEntry[];
}

const NO_NEIGHBOURS: readonly NeighbourEntry[] = [];

export const NOTHING: ClientState = { routes: [], neighbours: NO_NEIGHBOURS };

/** What `client` needs at node `self`. */
export function stateOf(client: ClientView, self: NodeId): ClientState {
  const { mac, node, link } = client;
  if (node === undefined) return NOTHING;
  if (node !== self) return { routes: routesOf(client, { node }), neighbours: NO_NEIGHBOURS };
  if (link === undefined) return NOTHING;
  const { ifindex } = link;
  return {
    routes: routesOf(client, { ifindex }),
    neighbours: client.addresses
      .filter((prefix) => prefix.length === bitsOf(prefix.family))
      .map((prefix) => ({ ifindex, address: prefix.address, mac })),
  };
}

function routesOf(client: ClientView, via: ClientRoute['via']): ClientRoute[] {
  return routedOf(client).map((destination) => ({ mac: client.mac, destination, via }));
}

/** A learnt address inside the client's own /64 needs no route beside the /64's; a link-local one must have none. */
function routedOf(client: ClientView): Prefix[] {
  const routed: Prefix[] = [];
  for (const prefix of client.addresses) {
    if (!isLinkLocal6(prefix.address) && !isCovered(prefix, client.addresses)) routed.push(prefix);
  }
  return routed;
}

function isCovered(prefix: Prefix, by: readonly Prefix[]): boolean {
  for (const wide of by) {
    if (wide.family === prefix.family && wide.length < prefix.length && covers(wide, prefix)) return true;
  }
  return false;
}

/** The path for routes of `family`. IPv4 may go by an IPv6 next hop (RFC 9229's v4-via-v6), never the other way. */
export function pathFor(paths: NodePaths | undefined, family: Family): Path | undefined {
  return family === 4 ? (paths?.[4] ?? paths?.[6]) : paths?.[6];
}

export function neighbourKey(entry: { readonly ifindex: number; readonly address: string }): string {
  return `${entry.ifindex} ${entry.address}`;
}

export function samePath(a: Path | undefined, b: Path | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && a.ifindex === b.ifindex && a.gateway === b.gateway);
}

/** Whether they lead the same way, wherever to. */
export function sameTarget(a: RouteTarget, b: RouteTarget): boolean {
  if (a.protocol !== b.protocol) return false;
  const [x, y] = [a.via, b.via];
  if (x === 'unreachable' || y === 'unreachable') return x === y;
  if ('nexthop' in x) return 'nexthop' in y && x.nexthop === y.nexthop;
  if ('path' in x) return 'path' in y && samePath(x.path, y.path);
  return 'ifindex' in y && x.ifindex === y.ifindex;
}

export function sameNexthop(a: NexthopObject, b: NexthopObject): boolean {
  return a.id === b.id && a.family === b.family && samePath(a.path, b.path);
}

export function sameNeighbour(a: NeighbourEntry, b: NeighbourEntry): boolean {
  return a.mac === b.mac && a.address === b.address && a.ifindex === b.ifindex;
}
