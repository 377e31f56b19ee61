/**
 * The Strays port: packets for addresses of clients that no host route leads to.
 *
 * Behind the rule to the host routes stand two more for each prefix: one that asks the main table, but lets only routes
 * that are longer than the prefix count (those of a routing protocol; not the client interface's own, by which the
 * kernel would ask for every address by ARP), and one to a table of ours that has the whole prefix by an interface from
 * which nothing comes back, a bridge without ports. A packet socket sees what goes there. All packets have one next hop:
 * however many addresses are scanned, there is one neighbour entry.
 */
import type { Instant } from '../clients/time.js';
import { Repairs, SECOND } from '../clients/time.js';
import { ipFromBytes, parseIp } from '../net/ip.js';
import type { Family, Ip } from '../net/ip.js';
import { anyContains, hostPrefix } from '../net/prefix.js';
import type { Prefix } from '../net/prefix.js';
import type { Logger, Strays, Timer } from '../ports.js';
import type { PacketAddon } from './addons.js';
import { systemClock } from './clock.js';
import { RULE_PROTOCOL } from './kernel-messages.js';
import { unless } from './netlink/error.js';
import { addSink, deleteLink } from './netlink/link.js';
import type { Route } from './netlink/route.js';
import { deleteRoute, replaceRoute, RT_TABLE_MAIN } from './netlink/route.js';
import type { RtnetlinkEvent } from './netlink/rtnetlink.js';
import { Rtnetlink } from './netlink/rtnetlink.js';
import type { Rule } from './netlink/rule.js';
import { addRule, deleteRule } from './netlink/rule.js';
import { PacketSocket } from './packet-socket.js';

/** The interface's name. */
export const SINK = 'roaming-stray';

/** Never asked for: the interface resolves no neighbours. RFC 7600 reserves the first, for hops that are none. */
const NEXT_HOP: { readonly [family in Family]: Ip } = { 4: parseIp('192.0.0.8'), 6: parseIp('fe80::1') };

const FAMILIES = [4, 6] as const;

const ETHERNET = 14;

/** How often what another program takes away is put back at once; after that, once in each interval. */
const REPAIRS = 5;
const REPAIR_INTERVAL = 2 * SECOND;

const CONTRADICTED = `what catches packets for unknown clients is taken away again and again: it is put back every ${REPAIR_INTERVAL / SECOND} seconds`;

export interface LinuxStraysOptions {
  readonly addon: PacketAddon;
  readonly log: Logger;
  /** The table of host routes: the one after it is that of the strays. */
  readonly table: number;
  /** Priority of the rule to the host routes: the two after it are those of the strays. */
  readonly rulePriority: number;
}

type Wanted = Parameters<Strays['start']>[0] & { readonly listener: (address: Ip) => void };

export class LinuxStrays implements Strays {
  readonly #options: LinuxStraysOptions;
  readonly #rtnl: Rtnetlink;
  #socket: PacketSocket | undefined;
  #wanted: Wanted | undefined;
  /** Addresses that are answered as unreachable. */
  #refused = new Set<Ip>();
  /** Why a family does not work. */
  #failures = new Map<Family, string>();
  /** A repair that waits for its time, or its turn. */
  #repairing: Timer | undefined;
  readonly #repairs: Repairs;
  #repairFrom = -Infinity as Instant;
  /** Changes follow each other. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: LinuxStraysOptions) {
    this.#options = options;
    this.#repairs = new Repairs(REPAIRS, REPAIR_INTERVAL, () => options.log.warn(CONTRADICTED));
    this.#rtnl = new Rtnetlink(options.addon);
  }

  start(prefixes: Parameters<Strays['start']>[0], listener: (address: Ip) => void): Promise<void> {
    return this.#inTurn(async () => {
      this.#wanted = { ...prefixes, listener };
      await this.#install(this.#wanted);
    });
  }

  async #install(wanted: Wanted): Promise<void> {
    const { caught, listener } = wanted;
    await this.#takeBack();
    // Multicast goes out of every interface, this one too: the kernel's own reports of groups, and whatever looks for others.
    const hear = (address: Ip) => anyContains(caught, address) && listener(address);
    await this.#put(wanted, caught.length > 0 ? await this.#makeSink(hear) : 0);
  }

  /** Routes and rules, also those that are there already. `ifindex`: the sink's. One family may fail without the other. */
  async #put(wanted: Wanted, ifindex: number): Promise<void> {
    const families = FAMILIES.filter((family) => [...wanted.caught, ...wanted.unreachable].some((prefix) => prefix.family === family));
    const errors = new Map<Family, Error>();
    for (const family of families) {
      await this.#putFamily(family, wanted, ifindex).catch((error: Error) => errors.set(family, error));
    }
    const [error] = errors.values();
    if (error !== undefined && errors.size === families.length) throw error;
    for (const family of families) this.#failed(family, errors.get(family)?.message);
  }

  async #putFamily(family: Family, { caught, unreachable }: Wanted, ifindex: number): Promise<void> {
    const routes: Route[] = [
      ...caught.map((prefix) => ({ ...this.#route(prefix), oif: ifindex, gateway: NEXT_HOP[prefix.family], onlink: true })),
      ...unreachable.map((prefix) => this.#unreachable(prefix)),
      ...[...this.#refused].map((address) => this.#unreachable(hostPrefix(address))),
    ];
    for (const route of routes) if (route.destination.family === family) await this.#rtnl.apply(replaceRoute(route));
    for (const prefix of [...caught, ...unreachable]) if (prefix.family === family) await this.#addRules(prefix);
  }

  /** Said once for as long as it is so: a kernel may do without IPv6. */
  #failed(family: Family, why: string | undefined): void {
    if (why !== undefined && this.#failures.get(family) !== why) this.#options.log.warn(`packets for unknown clients are not caught by IPv${family}: ${why}`);
    if (why === undefined) this.#failures.delete(family);
    else this.#failures.set(family, why);
  }

  /** What rtnetlink tells: others may take away what is ours, a person, or a program that clears what it does not know. */
  hear(events: readonly RtnetlinkEvent[]): void {
    if (this.#wanted !== undefined && events.some((event) => this.#takesOurs(event))) this.#repairSoon();
  }

  /** Messages were lost. */
  overrun(): void {
    if (this.#wanted !== undefined) this.#repairSoon();
  }

  /** An interface that is switched off takes its routes along. */
  #takesOurs(event: RtnetlinkEvent): boolean {
    if (event.kind === 'link') return event.link.name === SINK && (event.removed || !event.link.up);
    if (event.kind === 'route') return event.removed && event.route.table === this.#table && this.#isWanted(event.route.destination);
    return event.kind === 'rule' && event.removed && this.#isOurs(event.rule);
  }

  #isWanted(destination: Prefix): boolean {
    const key = destination.key;
    const { caught = [], unreachable = [] } = this.#wanted ?? {};
    return (key === destination.address && this.#refused.has(destination.address)) || [...caught, ...unreachable].some((prefix) => prefix.key === key);
  }

  /** After what is under way, of which the kernel tells as well; once for all that it has told. */
  #repairSoon(): void {
    if (this.#repairing !== undefined) return;
    this.#repairing = systemClock.schedule(Math.max(systemClock.now(), this.#repairFrom) as Instant, () => {
      this.#repairFrom = this.#repairs.done(systemClock.now());
      void this.#inTurn(() => {
        this.#repairing = undefined;
        return this.#repair();
      }).catch((error: Error) => this.#options.log.warn(`packets for unknown clients are not caught: ${error.message}`));
    });
  }

  async #repair(): Promise<void> {
    const wanted = this.#wanted;
    if (wanted === undefined) return;
    const sink = (await this.#rtnl.links()).find(({ name, up }) => name === SINK && up);
    if (wanted.caught.length > 0 && sink === undefined) {
      this.#options.log.warn(`${SINK} was removed or switched off: it is made anew`);
      return this.#install(wanted);
    }
    await this.#put(wanted, sink?.index ?? 0);
  }

  refuse(address: Ip, refused: boolean): void {
    const route = this.#unreachable(hostPrefix(address));
    if (refused) this.#refused.add(address);
    else this.#refused.delete(address);
    void this.#inTurn(() => this.#rtnl.apply(refused ? replaceRoute(route) : deleteRoute(route))).catch((error: Error) =>
      this.#options.log.debug(`${address}: cannot say whether it is unreachable: ${error.message}`),
    );
  }

  stop(): Promise<void> {
    return this.#inTurn(async () => {
      this.#wanted = undefined;
      this.#repairing?.cancel();
      await this.#takeBack().catch((error: Error) => this.#options.log.warn(`cannot remove ${SINK}: ${error.message}`));
      this.#rtnl.close();
    });
  }

  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(task);
    this.#turn = done.catch(() => undefined);
    return done;
  }

  get #table(): number {
    return this.#options.table + 1;
  }

  #route(destination: Prefix): Route {
    return { destination, table: this.#table, protocol: RULE_PROTOCOL };
  }

  #unreachable(destination: Prefix): Route {
    return { ...this.#route(destination), type: 'unreachable' };
  }

  async #makeSink(hear: (address: Ip) => void): Promise<number> {
    await this.#rtnl.apply(addSink(SINK)).catch(unless('EEXIST'));
    const sink = (await this.#rtnl.links()).find(({ name }) => name === SINK);
    if (sink === undefined) throw new Error(`there is no interface ${SINK}`);
    this.#socket = new PacketSocket(this.#options.addon, {
      ifindex: sink.index,
      snapLength: 64,
      outgoing: true,
      onFrames: (frames) => {
        for (const { bytes } of frames) {
          const destination = destinationOf(bytes);
          if (destination !== undefined) hear(destination);
        }
      },
      onError: (code) => this.#options.log.debug(`${SINK}: ${code}`),
    });
    return sink.index;
  }

  async #addRules(prefix: Prefix): Promise<void> {
    const { family, length } = prefix;
    const { rulePriority } = this.#options;
    const common = { family, destination: prefix, protocol: RULE_PROTOCOL };
    const rules: Rule[] = [
      { ...common, priority: rulePriority + 1, table: RT_TABLE_MAIN, suppressPrefixLength: length },
      { ...common, priority: rulePriority + 2, table: this.#table },
    ];
    for (const rule of rules) {
      await this.#rtnl.apply(addRule(rule)).catch(unless('EEXIST'));
    }
  }

  /** What an earlier run left, too: rules of ours to the table, with their twins; the routes go with the interface. */
  async #takeBack(): Promise<void> {
    this.#socket?.close();
    this.#socket = undefined;
    for (const family of FAMILIES) {
      const rules = (await this.#rtnl.rules(family).catch(unless('EAFNOSUPPORT'))) ?? [];
      for (const rule of rules.filter((one) => this.#isOurs(one))) await this.#rtnl.apply(deleteRule(rule)).catch(unless('ENOENT'));
      const routes = (await this.#rtnl.routes({ family, table: this.#table }).catch(unless('EAFNOSUPPORT'))) ?? [];
      for (const route of routes.filter(({ protocol }) => protocol === RULE_PROTOCOL)) {
        await this.#rtnl.apply(deleteRoute(route)).catch(unless('ESRCH'));
      }
    }
    const sink = (await this.#rtnl.links()).find(({ name }) => name === SINK);
    if (sink !== undefined) await this.#rtnl.apply(deleteLink(sink.index)).catch(unless('ENODEV'));
  }

  #isOurs({ protocol, table, suppressPrefixLength, destination }: Rule): boolean {
    if (protocol !== RULE_PROTOCOL || destination === undefined) return false;
    return table === this.#table || (table === RT_TABLE_MAIN && suppressPrefixLength !== undefined);
  }
}

/** Of an Ethernet frame that carries IP; undefined for others and for what is cut short. */
export function destinationOf(frame: Uint8Array): Ip | undefined {
  const version = (frame[ETHERNET] ?? 0) >> 4;
  const [at, length] = version === 4 ? [ETHERNET + 16, 4] : version === 6 ? [ETHERNET + 24, 16] : [0, 0];
  return length > 0 && frame.length >= at + length ? ipFromBytes(frame.subarray(at, at + length)) : undefined;
}
