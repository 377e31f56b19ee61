/** What rtnetlink tells, brought down to what the daemon has to react to. */
import { ANY4, ANY6, isIp6 } from '../net/ip.js';
import type { Prefix } from '../net/prefix.js';
import { prefixOf } from '../net/prefix.js';
import type { HostRoute, KernelChange, KernelEvent, KernelState } from '../ports.js';
import { NEXTHOP_PROTOCOL, OWN_PROTOCOLS } from './kernel-messages.js';
import type { InterfaceAddress } from './netlink/address.js';
import type { Link } from './netlink/link.js';
import { RT_TABLE_LOCAL } from './netlink/route.js';
import type { RtnetlinkEvent } from './netlink/rtnetlink.js';
import { parseEvent } from './netlink/rtnetlink.js';
import type { NetlinkMessage } from './netlink/wire.js';

/** Stands for "any route may have changed". */
const EVERYTHING = [prefixOf(ANY4, 0), prefixOf(ANY6, 0)];

interface News {
  links: boolean;
  lost: boolean;
}

/**
 * Knows what the daemon has put in the kernel, so that it can tell when another takes it out: the kernel itself does
 * when an interface goes down or loses its carrier.
 */
export class KernelWatch {
  #table: number;
  #routes = new Set<string>();
  #nexthops = new Set<number>();
  #neighbours = new Set<string>();
  #links = new Map<number, Link>();
  #addresses = new Map<string, string>();
  /** Interfaces that something of ours is, was or should be on. */
  #used = new Set<number>();

  constructor(table: number) {
    this.#table = table;
  }

  /** What interfaces and addresses there are, as far as no event has said so. */
  learn(links: readonly Link[], addresses: readonly InterfaceAddress[]): void {
    for (const link of links) if (!this.#links.has(link.index)) this.#links.set(link.index, link);
    for (const address of addresses) {
      const key = addressKey(address);
      if (!this.#addresses.has(key)) this.#addresses.set(key, JSON.stringify(address));
    }
  }

  /** Events were lost: what they would have said of interfaces is to be learnt anew. */
  forgetLinks(): void {
    this.#links.clear();
    this.#addresses.clear();
  }

  /** Interfaces, as far as they are known. */
  links(): readonly Link[] {
    return [...this.#links.values()];
  }

  /** False where the interface is known to have no carrier. */
  mayCarry(ifindex: number): boolean {
    return this.#links.get(ifindex)?.running !== false;
  }

  adopt(state: KernelState): void {
    this.#routes = new Set(state.routes.map((route) => route.destination.key));
    this.#nexthops = new Set(state.nexthops.map((nexthop) => nexthop.id));
    this.#neighbours = new Set(state.neighbours.map(({ ifindex, address }) => `${ifindex} ${address}`));
    for (const { path } of state.nexthops) this.#used.add(path.ifindex);
    for (const { via } of state.routes) this.#use(via);
  }

  /** To be called before the change is sent. */
  changing(change: KernelChange): void {
    if ('route' in change) {
      const key = change.route.destination.key;
      if (change.op === 'set') this.#routes.add(key);
      else this.#routes.delete(key);
      this.#use(change.route.via);
    } else if ('nexthop' in change) {
      this.#used.add(change.nexthop.path.ifindex);
      if (change.op === 'set') this.#nexthops.add(change.nexthop.id);
      else this.#nexthops.delete(change.nexthop.id);
    } else {
      const key = `${change.neighbour.ifindex} ${change.neighbour.address}`;
      if (change.op === 'set') this.#neighbours.add(key);
      else this.#neighbours.delete(key);
    }
  }

  #use(via: HostRoute['via']): void {
    if (via === 'unreachable' || 'nexthop' in via) return;
    this.#used.add('path' in via ? via.path.ifindex : via.ifindex);
  }

  /** What is told in one wake-up comes to this: each kind of news once, routes once for each destination. */
  tell(told: readonly RtnetlinkEvent[]): readonly KernelEvent[] {
    const routes = new Map<string, Prefix>();
    const news: News = { links: false, lost: false };
    for (const event of told) this.#take(event, routes, news);
    const events: KernelEvent[] = [...routes.values()].map((destination) => ({ kind: 'routes', destination }));
    if (news.links) events.push({ kind: 'links' });
    if (news.lost) events.push({ kind: 'lost' });
    return events;
  }

  #take(event: RtnetlinkEvent, routes: Map<string, Prefix>, news: News): void {
    const touch = (prefix: Prefix) => routes.set(prefix.key, prefix);
    switch (event.kind) {
      case 'route': {
        const { destination, table } = event.route;
        if (table === this.#table) {
          const isTaken = event.removed || !OWN_PROTOCOLS.has(event.route.protocol);
          if (isTaken && this.#routes.delete(destination.key)) news.lost = true;
        } else if (table !== RT_TABLE_LOCAL) touch(destination);
        break;
      }
      case 'nexthop':
        // Routes may follow another's object to a new path without a word about themselves.
        if (event.nexthop.protocol !== NEXTHOP_PROTOCOL) EVERYTHING.forEach(touch);
        else if (event.removed && this.#nexthops.delete(event.nexthop.id)) news.lost = true;
        break;
      case 'nexthop-group':
        EVERYTHING.forEach(touch);
        break;
      case 'link':
        this.#takeLink(event.link, event.removed, news);
        break;
      case 'address':
        if (!this.#addressChanged(event.address, event.removed)) break;
        news.links = true;
        // With the last IPv4 address of an interface the kernel takes the IPv4 routes by it, without a word about them.
        if (event.removed && !isIp6(event.address.ip) && this.#used.has(event.address.ifindex)) news.lost = true;
        break;
      case 'rule':
        if (event.rule.table !== this.#table) EVERYTHING.forEach(touch);
        else if (event.removed) news.lost = true;
        break;
      case 'neighbour':
        if (event.removed && this.#neighbours.delete(`${event.neighbour.ifindex} ${event.neighbour.ip}`)) news.lost = true;
        break;
      case 'settings':
        news.links = true;
        break;
      default:
        break;
    }
  }

  /** With an interface that goes down the kernel drops what is on it; once it is back, what failed can be done. */
  #takeLink(link: Link, removed: boolean, news: News): void {
    const before = this.#links.get(link.index);
    if (removed) this.#links.delete(link.index);
    else this.#links.set(link.index, link);
    if (!removed && before !== undefined && JSON.stringify(before) === JSON.stringify(link)) return;
    news.links = true;
    const flipped = removed || before === undefined || before.up !== link.up || before.running !== link.running;
    if (flipped && this.#used.has(link.index)) news.lost = true;
  }

  /** The kernel repeats addresses whose lifetime a router advertisement renews. */
  #addressChanged(address: InterfaceAddress, removed: boolean): boolean {
    const key = addressKey(address);
    if (removed) return this.#addresses.delete(key);
    const text = JSON.stringify(address);
    if (this.#addresses.get(key) === text) return false;
    this.#addresses.set(key, text);
    return true;
  }
}

/** Undefined for what is not looked at, and for what cannot be read: the kernel has its reasons. */
export function eventIn(message: NetlinkMessage): RtnetlinkEvent | undefined {
  try {
    return parseEvent(message);
  } catch {
    return undefined;
  }
}

function addressKey({ ifindex, ip, length }: InterfaceAddress): string {
  return `${ifindex} ${ip}/${length}`;
}
