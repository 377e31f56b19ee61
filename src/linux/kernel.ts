/** The {@link Kernel} port on Linux, over rtnetlink. */
import type { Family, Ip } from '../net/ip.js';
import { isIp6, isLinkLocal6 } from '../net/ip.js';
import type { Mac } from '../net/mac.js';
import { bitsOf, hostPrefix } from '../net/prefix.js';
import type { BridgeVlan, ClientLink, Kernel, KernelChange, KernelEvent, KernelState, Logger, ResolvedPath } from '../ports.js';
import type { PacketAddon } from './addons.js';
import { encodeChange, needsLookup, RULE_PROTOCOL, toHostRoute, toNeighbourEntry, toNexthopObject, wasGone } from './kernel-messages.js';
import { hasIp6 } from './ip6.js';
import { kernelNews } from './kernel-filter.js';
import { eventIn, KernelWatch } from './kernel-watch.js';
import type { InterfaceAddress } from './netlink/address.js';
import type { NetlinkError } from './netlink/error.js';
import { unless } from './netlink/error.js';
import type { Link } from './netlink/link.js';
import { NetlinkMonitor } from './netlink/monitor.js';
import type { Route, RouteHop } from './netlink/route.js';
import { Rtnetlink, RtnetlinkGroup } from './netlink/rtnetlink.js';
import type { Rule } from './netlink/rule.js';
import { addRule, deleteRule } from './netlink/rule.js';
import { NETLINK_ROUTE } from './netlink/socket.js';
import { Purge } from './purge.js';
import type { LinuxStrays } from './strays.js';
import { setSysctl } from './sysctl.js';

/** The daemon's own table. */
const DEFAULT_TABLE = 44;

/**
 * The rules' priority: behind the local table's rule (0), so that a node's own addresses stay its own, and ahead of
 * everything that would send a client's traffic by a default route before its host route is seen: mwan3 (from 1001
 * up), netifd (10,000), pbr (about 30,000), wg-quick (32,764), and main (32,766). It is safe so far in front because
 * the table holds nothing but clients: for any other address the lookup goes on.
 */
const DEFAULT_RULE_PRIORITY = 440;

const FAMILIES = [4, 6] as const;

/**
 * While this is 1, the default, the kernel tells of every single route whenever the nexthop object changes that it goes
 * by: 5 ms for 1,000 clients instead of 0.3 ms, and from 10,000 on more than fits into anybody's receive buffer.
 */
const NEXTHOP_COMPATIBILITY = 'net.ipv4.nexthop_compat_mode';

/** Shorter ones are default routes by other names: 2000::/3, or the two halves of all by which a VPN takes everything. */
const SHORTEST_PREFIX = 8;

/** A kernel without IPv6 has no IPv6 rules either. */
const NO_FAMILY = 'EAFNOSUPPORT';

/** Events that may wait: a routing protocol that starts tells of thousands of routes at once. */
const EVENT_BUFFER = 4 << 20;

export interface LinuxKernelOptions {
  readonly addon: PacketAddon;
  readonly log: Logger;
  /** Default {@link DEFAULT_TABLE}. */
  readonly table?: number;
  /** Default {@link DEFAULT_RULE_PRIORITY}. */
  readonly rulePriority?: number;
  /** Hears what the kernel tells as well. */
  readonly strays?: Pick<LinuxStrays, 'hear' | 'overrun'>;
}

export class LinuxKernel implements Kernel {
  readonly nexthopObjects: boolean;
  readonly withoutIp6 = !hasIp6();
  #options: LinuxKernelOptions;
  #rtnl: Rtnetlink;
  #table: number;
  #watch: KernelWatch;
  #purge: Purge;
  #monitor: NetlinkMonitor | undefined;
  #nexthopCompatibility: string | undefined;

  private constructor(options: LinuxKernelOptions, rtnl: Rtnetlink, nexthopObjects: boolean) {
    this.#options = options;
    this.#rtnl = rtnl;
    this.nexthopObjects = nexthopObjects;
    this.#table = options.table ?? DEFAULT_TABLE;
    this.#watch = new KernelWatch(this.#table);
    this.#purge = new Purge({ rtnl, log: options.log, links: () => this.#watch.links() });
  }

  /** @throws NetlinkError, Error with `code`: the kernel has no rtnetlink for us */
  static async open(options: LinuxKernelOptions): Promise<LinuxKernel> {
    const rtnl = new Rtnetlink(options.addon);
    return new LinuxKernel(options, rtnl, await rtnl.supportsNexthops());
  }

  async installRules(): Promise<void> {
    if (this.nexthopObjects) await this.#setCompatibility('0');
    for (const family of FAMILIES) {
      const wanted = this.#rule(family);
      await this.#rtnl.apply(addRule(wanted)).catch(unless('EEXIST', NO_FAMILY));
      for (const rule of await this.#ownRules(family)) {
        if (rule.priority !== wanted.priority) await this.#rtnl.apply(deleteRule(rule)).catch(unless('ENOENT'));
      }
    }
  }

  async removeRules(): Promise<void> {
    if (this.#nexthopCompatibility !== undefined) await this.#setCompatibility(this.#nexthopCompatibility);
    for (const family of FAMILIES) {
      for (const rule of await this.#ownRules(family)) {
        await this.#rtnl.apply(deleteRule(rule)).catch(unless('ENOENT'));
      }
    }
  }

  /** Does without where it may not, or the kernel has no such setting (before Linux 5.7). */
  async #setCompatibility(value: string): Promise<void> {
    try {
      const old = await setSysctl(NEXTHOP_COMPATIBILITY, value);
      this.#nexthopCompatibility ??= old;
    } catch (error) {
      this.#options.log.debug(`${NEXTHOP_COMPATIBILITY} stays as it is: ${(error as Error).message}`);
    }
  }

  #rule(family: Family): Rule {
    const priority = this.#options.rulePriority ?? DEFAULT_RULE_PRIORITY;
    return { family, priority, table: this.#table, protocol: RULE_PROTOCOL };
  }

  /** Those of an earlier run with another priority too. */
  async #ownRules(family: Family): Promise<Rule[]> {
    const rules = await this.#rtnl.rules(family).catch(unless(NO_FAMILY));
    return (rules ?? []).filter(({ table, protocol }) => table === this.#table && protocol === RULE_PROTOCOL);
  }

  async state(): Promise<KernelState> {
    const table = this.#table;
    const [four, six, nexthops, neighbours] = await Promise.all([
      this.#rtnl.routes({ family: 4, table }),
      this.#rtnl.routes({ family: 6, table }),
      this.nexthopObjects ? this.#rtnl.nexthops() : [],
      this.#rtnl.neighbours(),
    ]);
    const state = {
      routes: [...four, ...six].map(toHostRoute).filter(isDefined),
      nexthops: nexthops.map(toNexthopObject).filter(isDefined),
      neighbours: neighbours.map(toNeighbourEntry).filter(isDefined),
    };
    this.#watch.adopt(state);
    return state;
  }

  async apply(changes: readonly KernelChange[]): Promise<(Error | undefined)[]> {
    for (const change of changes) this.#watch.changing(change);
    const results = await this.#rtnl.applyAll(changes.map((change) => encodeChange(change, this.#table)));
    await this.#applyAgain(changes, results);
    return results.map((error, i) => (error !== undefined && wasGone(changes[i]!, error) ? undefined : error));
  }

  /** Where the kernel does not believe a gateway: all that failed once more, since routes failed with their nexthop object. */
  async #applyAgain(changes: readonly KernelChange[], results: (NetlinkError | undefined)[]): Promise<void> {
    if (!results.some((error, i) => error !== undefined && needsLookup(changes[i]!, error))) return;
    const failed = results.flatMap((error, i) => (error === undefined ? [] : [i]));
    const onlink = (i: number) => !needsLookup(changes[i]!, results[i]!);
    const again = await this.#rtnl.applyAll(failed.map((i) => encodeChange(changes[i]!, this.#table, onlink(i))));
    failed.forEach((i, n) => (results[i] = again[n]));
  }

  /**
   * The kernel's own lookup, by all rules, ours too. Our table has only clients in it, so that an answer from there
   * says that a client has taken a node's address: no way.
   */
  async resolve(address: Ip): Promise<ResolvedPath | undefined> {
    const route = await this.#rtnl.routeTo({ destination: address });
    if (route?.type !== 'unicast' || this.#isOwnTable(route.table) || route.oif === undefined) return undefined;
    const matched = await this.#rtnl.routeTo({ destination: address, fibMatch: true });
    const byDefault = matched !== undefined && matched.destination.length < SHORTEST_PREFIX;
    const hop = this.#withCarrier(route, matched);
    return hop && { ifindex: hop.oif!, gateway: hop.gateway, ...(byDefault && { byDefault }) };
  }

  /** The way or, of several of equal cost, another: the kernel also names one without a carrier, but lets no nexthop object be there. */
  #withCarrier(route: RouteHop, matched: Route | undefined): RouteHop | undefined {
    return [route, ...(matched?.hops ?? [])].find(({ oif }) => oif !== undefined && this.#watch.mayCarry(oif));
  }

  /** The next one is that of packets for unknown clients. */
  #isOwnTable(table: number): boolean {
    return table === this.#table || table === this.#table + 1;
  }

  purge(mac: Mac, network: string): void {
    this.#purge.all(mac, network);
  }

  forgetPort(mac: Mac, network: string): void {
    this.#purge.port(mac, network);
  }

  async clientLinks(networks: readonly string[]): Promise<ClientLink[]> {
    const [links, addresses] = await Promise.all([this.#rtnl.links(), this.#rtnl.addresses()]);
    const found = links.filter(({ name, mac }) => mac !== undefined && networks.includes(name)).map(async (link) => {
      const { name, index, mac, mtu, up } = link;
      const own = addresses.filter(({ ifindex, duplicate }) => ifindex === index && duplicate !== true).map(({ ip }) => hostPrefix(ip));
      const unknownTo = await this.#unknownTo(link, links);
      return { network: name, ifindex: index, mac: mac!, mtu, up, addresses: own, ...(unknownTo && { unknownTo }), ...(this.withoutIp6 && { withoutIp6: true as const }) };
    });
    return Promise.all(found);
  }

  /** A bridge knows the MACs of its own interface and of its ports. What comes to others that are above it, it floods as well. */
  async #unknownTo({ mac, vlan }: Link, links: readonly Link[]): Promise<BridgeVlan | undefined> {
    const bridge = links.find(({ index, filtersVlans }) => index === vlan?.lower && filtersVlans);
    if (bridge === undefined || vlan === undefined) return undefined;
    const entry = mac && (await this.#rtnl.fdbEntry({ bridge: bridge.index, mac, vlan: vlan.id }));
    return entry?.learned === false ? undefined : { bridge: bridge.name, ifindex: bridge.index, vlan: vlan.id };
  }

  async nodeAddresses(networks: readonly string[]): Promise<Ip[]> {
    const [links, addresses] = await Promise.all([this.#rtnl.links(), this.#rtnl.addresses()]);
    const byIndex = new Map(links.map((link) => [link.index, link]));
    const usable = addresses.filter((address) => {
      const link = byIndex.get(address.ifindex);
      return link !== undefined && !networks.includes(link.name) && isUsable(address);
    });
    const rank = ({ ip, length, ifindex }: InterfaceAddress): number => {
      const family = isIp6(ip) ? 6 : 4;
      const steady = byIndex.get(ifindex)?.loopback === true || length === bitsOf(family);
      return (steady ? 0 : 2) + (family === 6 ? 0 : 1);
    };
    const sorted = usable.sort((a, b) => rank(a) - rank(b) || (a.ip < b.ip ? -1 : 1));
    return [...new Set(sorted.map(({ ip }) => ip))];
  }

  async permanentMacs(): Promise<Mac[]> {
    const links = await this.#rtnl.links();
    return links.map(({ permanentMac }) => permanentMac).filter(isDefined);
  }

  start(listener: (event: KernelEvent) => void): void {
    const { link, neighbour, address4, address6, route4, route6, rule4, rule6, settings4, settings6, nexthop } = RtnetlinkGroup;
    const groups = [link, neighbour, address4, address6, route4, route6, rule4, rule6, settings4, settings6];
    const { strays } = this.#options;
    this.#monitor = new NetlinkMonitor(this.#options.addon, {
      protocol: NETLINK_ROUTE,
      groups: this.nexthopObjects ? [...groups, nexthop] : groups,
      filter: kernelNews(this.#rtnl.port),
      receiveBuffer: EVENT_BUFFER,
      onMessages: (messages) => {
        const told = messages.map(eventIn).filter(isDefined);
        strays?.hear(told);
        for (const event of this.#watch.tell(told)) listener(event);
      },
      onOverrun: (code) => {
        this.#options.log.warn(`events of the kernel were lost (${code}): its state is read again`);
        this.#watch.forgetLinks();
        strays?.overrun();
        this.#learnLinks(listener);
      },
    });
    this.#learnLinks();
  }

  stop(): void {
    this.#monitor?.close();
    this.#monitor = undefined;
    this.#rtnl.close();
  }

  /** Learns what interfaces there are; then tells `listener`, if given, that anything may have changed. */
  #learnLinks(listener?: (event: KernelEvent) => void): void {
    Promise.all([this.#rtnl.links(), this.#rtnl.addresses()])
      .then(([links, addresses]) => this.#watch.learn(links, addresses))
      .catch((error: Error) => this.#options.log.debug(`cannot read the interfaces: ${error.message}`))
      .finally(() => {
        if (this.#monitor === undefined) return;
        listener?.({ kind: 'links' });
        listener?.({ kind: 'lost' });
      });
  }
}

/** Global scope, and to stay. */
function isUsable({ ip, tentative, duplicate }: InterfaceAddress): boolean {
  if (tentative || duplicate || isLinkLocal6(ip)) return false;
  return ip !== '::1' && !ip.startsWith('127.') && !ip.startsWith('169.254.');
}

function isDefined<T>(value: T | undefined): value is T {
  return value !== undefined;
}
