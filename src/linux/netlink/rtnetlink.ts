/** The kernel's network configuration, NETLINK_ROUTE: typed requests and events. */
import type { Family } from '../../net/ip.js';
import type { PacketAddon } from '../addons.js';
import type { InterfaceAddress } from './address.js';
import { dumpAddresses, parseAddress, RTM_DELADDR, RTM_NEWADDR } from './address.js';
import type { BridgePort } from './bridge-port.js';
import { dumpBridgePorts, parseBridgePort } from './bridge-port.js';
import { NetlinkError, unless } from './error.js';
import type { FdbEntry, FdbQuery } from './fdb.js';
import { dumpFdb, getFdbEntry, parseFdbEntry } from './fdb.js';
import type { Link } from './link.js';
import { dumpLinks, parseLink, RTM_DELLINK, RTM_NEWLINK } from './link.js';
import type { Neighbour, NeighbourFilter } from './neighbour.js';
import { dumpNeighbours, matchesNeighbour, parseNeighbour, RTM_DELNEIGH, RTM_NEWNEIGH } from './neighbour.js';
import type { Nexthop } from './nexthop.js';
import { dumpNexthops, isNexthopGroup, parseNexthop, RTM_DELNEXTHOP, RTM_NEWNEXTHOP } from './nexthop.js';
import type { Route, RouteFilter, RouteQuery } from './route.js';
import {
  dumpRoutes,
  getRoute,
  isCacheEntry,
  matchesFilter,
  parseRoute,
  RTM_DELROUTE,
  RTM_NEWROUTE,
} from './route.js';
import type { Rule } from './rule.js';
import { dumpRules, parseRule, RTM_DELRULE, RTM_NEWRULE } from './rule.js';
import type { NetlinkSocketOptions } from './socket.js';
import { NETLINK_ROUTE, NetlinkSocket } from './socket.js';
import type { NetlinkMessage } from './wire.js';

/** Multicast groups, RTNLGRP_... of linux/rtnetlink.h. Entries of bridges come with `neighbour`, their ports with `link`. */
export const RtnetlinkGroup = {
  link: 1,
  neighbour: 3,
  address4: 5,
  route4: 7,
  rule4: 8,
  address6: 9,
  route6: 11,
  rule6: 19,
  settings4: 24,
  settings6: 25,
  nexthop: 32,
} as const;

export const RTM_NEWNETCONF = 80;

/** Something was made or changed, or else removed. */
export type RtnetlinkEvent = { readonly removed: boolean } & (
  | { readonly kind: 'link'; readonly link: Link }
  | { readonly kind: 'port'; readonly port: BridgePort }
  | { readonly kind: 'address'; readonly address: InterfaceAddress }
  | { readonly kind: 'route'; readonly route: Route }
  | { readonly kind: 'nexthop'; readonly nexthop: Nexthop }
  | { readonly kind: 'nexthop-group' }
  | { readonly kind: 'rule'; readonly rule: Rule }
  | { readonly kind: 'neighbour'; readonly neighbour: Neighbour }
  | { readonly kind: 'fdb'; readonly entry: FdbEntry }
  /** An interface's settings, or those of all (/proc/sys/net/ipv4/conf): forwarding among them, send_redirects not. */
  | { readonly kind: 'settings' }
);

/**
 * What a message of a multicast group tells; undefined for what this project does not look at.
 *
 * @throws {@link ShortInput}, {@link BadInput}
 */
export function parseEvent(message: NetlinkMessage): RtnetlinkEvent | undefined {
  switch (message.type) {
    case RTM_NEWLINK:
    case RTM_DELLINK: {
      const removed = message.type === RTM_DELLINK;
      const link = parseLink(message);
      if (link) return { kind: 'link', removed, link };
      const port = parseBridgePort(message);
      return port && { kind: 'port', removed, port };
    }
    case RTM_NEWADDR:
    case RTM_DELADDR: {
      const address = parseAddress(message);
      return address && { kind: 'address', removed: message.type === RTM_DELADDR, address };
    }
    case RTM_NEWROUTE:
    case RTM_DELROUTE: {
      const route = isCacheEntry(message) ? undefined : parseRoute(message);
      return route && { kind: 'route', removed: message.type === RTM_DELROUTE, route };
    }
    case RTM_NEWNEXTHOP:
    case RTM_DELNEXTHOP: {
      const removed = message.type === RTM_DELNEXTHOP;
      const nexthop = parseNexthop(message);
      if (nexthop) return { kind: 'nexthop', removed, nexthop };
      return isNexthopGroup(message) ? { kind: 'nexthop-group', removed } : undefined;
    }
    case RTM_NEWRULE:
    case RTM_DELRULE: {
      const rule = parseRule(message);
      return rule && { kind: 'rule', removed: message.type === RTM_DELRULE, rule };
    }
    case RTM_NEWNEIGH:
    case RTM_DELNEIGH: {
      const removed = message.type === RTM_DELNEIGH;
      const neighbour = parseNeighbour(message);
      if (neighbour) return { kind: 'neighbour', removed, neighbour };
      const entry = parseFdbEntry(message);
      return entry && { kind: 'fdb', removed, entry };
    }
    case RTM_NEWNETCONF:
      return { kind: 'settings', removed: false };
    default:
      return undefined;
  }
}

/** Requests. Changes are made with the messages of route.ts, nexthop.ts and so on. All throw {@link NetlinkError}. */
export class Rtnetlink {
  readonly #socket: NetlinkSocket;

  constructor(addon: PacketAddon, options?: NetlinkSocketOptions) {
    this.#socket = new NetlinkSocket(addon, NETLINK_ROUTE, options);
  }

  /** See {@link NetlinkSocket.port}. */
  get port(): number | undefined {
    return this.#socket.port;
  }

  /** Makes one change. */
  async apply(message: Uint8Array): Promise<void> {
    await this.#socket.request(message);
  }

  /** Makes many changes, in order; see {@link NetlinkSocket.batch}. */
  applyAll(messages: readonly Uint8Array[]): Promise<(NetlinkError | undefined)[]> {
    return this.#socket.batch(messages);
  }

  async routes(filter: RouteFilter): Promise<Route[]> {
    try {
      return await this.#socket.dump(dumpRoutes(filter), (message) => {
        const route = isCacheEntry(message) ? undefined : parseRoute(message);
        return route && matchesFilter(route, filter) ? route : undefined;
      });
    } catch (error) {
      // A table comes into being with its first route.
      if (error instanceof NetlinkError && error.code === 'ENOENT' && filter.table !== undefined) return [];
      throw error;
    }
  }

  /** How the kernel would send to an address; undefined: not at all. */
  async routeTo(query: RouteQuery): Promise<Route | undefined> {
    const [reply] = (await this.#socket.request(getRoute(query)).catch(unless(...UNREACHABLE))) ?? [];
    const route = reply && parseRoute(reply);
    return route?.type === 'unicast' || route?.type === 'local' ? route : undefined;
  }

  nexthops(): Promise<Nexthop[]> {
    return this.#socket.dump(dumpNexthops(), parseNexthop);
  }

  /** Whether the kernel has nexthop objects. */
  async supportsNexthops(): Promise<boolean> {
    return (await this.nexthops().catch(unless('EOPNOTSUPP'))) !== undefined;
  }

  neighbours(filter: NeighbourFilter = {}): Promise<Neighbour[]> {
    return this.#socket.dump(dumpNeighbours(filter), (message) => (matchesNeighbour(message, filter) ? parseNeighbour(message) : undefined));
  }

  /** Forwarding entries of one bridge, or of all. */
  fdb(bridge?: number): Promise<FdbEntry[]> {
    return this.#socket.dump(dumpFdb(bridge), (message) => {
      const entry = parseFdbEntry(message);
      return entry && (bridge === undefined || entry.bridge === bridge) ? entry : undefined;
    });
  }

  /** What a bridge knows of a MAC, in one VLAN where it tells them apart; undefined: nothing. Linux 5.0. */
  async fdbEntry(query: FdbQuery): Promise<FdbEntry | undefined> {
    const [reply] = (await this.#socket.request(getFdbEntry(query)).catch(unless('ENOENT'))) ?? [];
    return reply && parseFdbEntry(reply);
  }

  rules(family: Family): Promise<Rule[]> {
    return this.#socket.dump(dumpRules(family), parseRule);
  }

  links(): Promise<Link[]> {
    return this.#socket.dump(dumpLinks(), parseLink);
  }

  /** Ports of all bridges, and the bridges themselves. */
  bridgePorts(): Promise<BridgePort[]> {
    return this.#socket.dump(dumpBridgePorts(), parseBridgePort);
  }

  addresses(family?: Family): Promise<InterfaceAddress[]> {
    return this.#socket.dump(dumpAddresses(family), parseAddress);
  }

  close(): void {
    this.#socket.close();
  }
}

/** The last is what a kernel without IPv6 says of it. */
const UNREACHABLE = ['ENETUNREACH', 'EHOSTUNREACH', 'EACCES', 'EINVAL', 'EOPNOTSUPP'];
