/**
 * Hosts that no access point of ours tells of: MACs that a client bridge has learnt on other ports (wired hosts, and
 * stations of foreign access points behind a cable), and addresses that the kernel's neighbour cache has resolved.
 */
import type { Mac } from '../net/mac.js';
import { isStationMac } from '../net/mac.js';
import type { Logger, StationEvent } from '../ports.js';
import type { CurrentVlans } from './bridge-vlans.js';
import { BridgeVlans } from './bridge-vlans.js';
import { NEIGHBOUR_PROTOCOL } from './kernel-messages.js';
import type { FdbEntry } from './netlink/fdb.js';
import type { Link } from './netlink/link.js';
import type { Neighbour, NeighbourState } from './netlink/neighbour.js';
import type { Rtnetlink, RtnetlinkEvent } from './netlink/rtnetlink.js';
import type { Later } from './rereading.js';
import { later, Rereading } from './rereading.js';

export interface BridgeStationsOptions {
  readonly rtnl: Pick<Rtnetlink, 'fdb' | 'neighbours'>;
  readonly vlans: Pick<CurrentVlans, 'read' | 'changed'>;
  readonly log: Logger;
  /** Client interfaces. */
  readonly networks: () => readonly string[];
  /** Whether a port is an access point of ours: those tell of their stations themselves. */
  readonly isAccessPoint: (device: string) => boolean;
  /** Calls back after `ms` milliseconds. */
  readonly after?: Later;
}

/** Hosts behind one port that are told of: anybody there can invent more. Others are looked for after so many milliseconds. */
export const MAX_HOSTS = 2000;
const OTHERS_DELAY = 60_000;

/** The host is there, as far as the kernel knows; nothing is said of states in which it does not know. */
const RESOLVED: ReadonlySet<NeighbourState> = new Set(['reachable', 'stale', 'delay', 'probe']);

interface Learnt {
  readonly mac: Mac;
  readonly network: string;
  readonly via: string;
}

export class BridgeStations {
  readonly #options: BridgeStationsOptions;
  readonly #after: Later;
  readonly #all: Rereading<RtnetlinkEvent>;
  #listener: ((event: StationEvent) => void) | undefined;
  #links = new Map<number, Link>();
  #vlans = new BridgeVlans();
  /** What was told as learnt, by network and MAC. */
  #learnt = new Map<string, Learnt>();
  /** How many of those are behind a port. */
  #hosts = new Map<string, number>();
  #lookingLater = false;
  /** Who has an address, by interface index and address: the kernel forgets the MAC of one that has failed. */
  #resolved = new Map<string, { readonly network: string; readonly mac: Mac }>();

  constructor(options: BridgeStationsOptions) {
    this.#options = options;
    this.#after = options.after ?? later;
    this.#all = new Rereading({
      read: () => this.#read(),
      failed: (error) => options.log.warn(`cannot read what the bridges have learnt: ${error.message}`),
      handle: (event) => this.#handle(event),
      after: options.after,
    });
  }

  start(listener: (event: StationEvent) => void): void {
    this.#listener = listener;
    this.#all.start();
  }

  stop(): void {
    this.#listener = undefined;
    this.#all.stop();
  }

  /** Interfaces or access points came or went, or events were lost: all is read anew and compared with what was told. */
  refresh(): void {
    this.#all.refresh();
  }

  async #read(): Promise<void> {
    const { rtnl, vlans } = this.#options;
    const [current, fdb, neighbours] = await Promise.all([vlans.read(), rtnl.fdb(), rtnl.neighbours()]);
    this.#vlans = current;
    this.#links = new Map(current.links);
    this.#compare(fdb);
    for (const neighbour of neighbours) this.#neighbour(neighbour, false);
  }

  #compare(entries: readonly FdbEntry[]): void {
    const present = new Set<string>();
    for (const entry of entries) {
      const learnt = this.#wiredOf(entry);
      if (learnt === undefined) continue;
      present.add(keyOf(learnt));
      this.#tell(learnt);
    }
    for (const [key, learnt] of [...this.#learnt]) if (!present.has(key)) this.#forget(learnt);
  }

  /** What the kernel tells, in its order. */
  take(event: RtnetlinkEvent): void {
    this.#all.take(event);
  }

  #handle(event: RtnetlinkEvent): void {
    if (event.kind === 'link') {
      if (event.removed) this.#linkGone(event.link.index);
      else this.#links.set(event.link.index, event.link);
    } else if (event.kind === 'fdb') this.#entry(event.entry, event.removed);
    else if (event.kind === 'neighbour') this.#neighbour(event.neighbour, event.removed);
  }

  #linkGone(index: number): void {
    this.#links.delete(index);
    for (const key of this.#resolved.keys()) if (key.startsWith(`${index} `)) this.#resolved.delete(key);
  }

  #entry(entry: FdbEntry, removed: boolean): void {
    const port = this.#links.get(entry.port);
    if (port === undefined) return removed ? undefined : this.#unknownPort();
    const network = this.#networkOf(port, entry);
    const known = network === undefined ? undefined : this.#learnt.get(keyOf({ network, mac: entry.mac }));
    const learnt = removed ? undefined : this.#wiredOf(entry);
    if (learnt !== undefined) this.#tell(learnt);
    // Gone, or learnt on an access point's port by now: of no account where another port has it.
    else if (known !== undefined && (!removed || known.via === port.name)) this.#forget(known);
  }

  #unknownPort(): void {
    this.#options.vlans.changed();
    this.refresh();
  }

  /** Undefined for what is no wired host: the bridge's own addresses, and stations of our access points. */
  #wiredOf(entry: FdbEntry): Learnt | undefined {
    const port = this.#links.get(entry.port);
    const network = port && this.#networkOf(port, entry);
    if (network === undefined || !entry.learned || !isStationMac(entry.mac)) return undefined;
    if (this.#options.isAccessPoint(port!.name) || this.#isOwn(entry.mac)) return undefined;
    return { mac: entry.mac, network, via: port!.name };
  }

  #networkOf(port: Link, { vlan }: FdbEntry): string | undefined {
    const network = this.#vlans.interfaceOf(port.master, vlan);
    return network !== undefined && this.#options.networks().includes(network) ? network : undefined;
  }

  /** A router's own MAC comes back over a loop, or from another router that shows the same. */
  #isOwn(mac: Mac): boolean {
    for (const link of this.#links.values()) if (link.mac === mac) return true;
    return false;
  }

  #tell(learnt: Learnt): void {
    const key = keyOf(learnt);
    const before = this.#learnt.get(key);
    if (before?.via === learnt.via) return;
    if (this.#hostsOf(learnt) >= MAX_HOSTS) {
      if (before !== undefined) this.#forget(before);
      return this.#lookLater();
    }
    this.#count(learnt, 1);
    if (before !== undefined) this.#count(before, -1);
    this.#learnt.set(key, learnt);
    this.#listener?.({ kind: 'authorized', ...learnt, ssid: '', source: 'fdb' });
    if (before !== undefined) this.#left(before);
  }

  #forget(learnt: Learnt): void {
    this.#learnt.delete(keyOf(learnt));
    this.#count(learnt, -1);
    this.#left(learnt);
  }

  #hostsOf({ via }: Learnt): number {
    return this.#hosts.get(via) ?? 0;
  }

  #count(learnt: Learnt, change: 1 | -1): void {
    this.#hosts.set(learnt.via, this.#hostsOf(learnt) + change);
  }

  /** Some may have gone by then, and the kernel tells of a host once. */
  #lookLater(): void {
    if (this.#lookingLater) return;
    this.#lookingLater = true;
    this.#after(OTHERS_DELAY, () => {
      this.#lookingLater = false;
      this.refresh();
    });
  }

  /** Unless the port has it in another VLAN by now: the bridge keeps an entry for each, the old one for minutes. */
  #left({ mac, via }: Learnt): void {
    const isThere = this.#options.networks().some((network) => this.#learnt.get(keyOf({ network, mac }))?.via === via);
    if (!isThere) this.#listener?.({ kind: 'left', mac, via, source: 'fdb' });
  }

  /** Entries that the daemon itself made say nothing about the host. */
  #neighbour({ ip: address, ifindex, mac, state, protocol, proxy, router }: Neighbour, removed: boolean): void {
    const network = this.#links.get(ifindex)?.name;
    if (network === undefined || !this.#options.networks().includes(network) || proxy === true) return;
    const key = `${ifindex} ${address}`;
    if (!removed && RESOLVED.has(state) && mac !== undefined && isStationMac(mac) && !this.#isOwn(mac) && router !== true) {
      this.#resolved.set(key, { network, mac });
      this.#listener?.({ kind: 'neighbour', mac, network, address, state: 'resolved' });
      return;
    }
    const known = this.#resolved.get(key);
    const isOurs = protocol === NEIGHBOUR_PROTOCOL;
    if (known === undefined || !(isOurs || removed || state === 'failed')) return;
    this.#resolved.delete(key);
    if (!isOurs && state === 'failed') this.#listener?.({ kind: 'neighbour', ...known, address, state: 'failed' });
  }
}

function keyOf({ network, mac }: { readonly network: string; readonly mac: Mac }): string {
  return `${network} ${mac}`;
}
