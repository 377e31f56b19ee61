/**
 * What clients see of this router: DHCPv4, router advertisements, ARP and Neighbour Discovery. Frames in, frames out;
 * what is granted and learnt goes to the database as records.
 */
import { isHostAddress } from './clients/allocation.js';
import type { Database } from './clients/database.js';
import type { Record } from './clients/record.js';
import type { Instant } from './clients/time.js';
import { earliest, SECOND } from './clients/time.js';
import type { Config } from './config/config.js';
import { Dhcp4Service } from './dhcp4-service.js';
import { Acquaintances } from './gateway/acquaintances.js';
import { announce, announceDeparture } from './gateway/announce.js';
import { Announcer } from './gateway/announcer.js';
import { answer } from './gateway/answer.js';
import { EarlyFrames } from './gateway/early-frames.js';
import type { Gateway } from './gateway/gateway.js';
import { isGatewayAddress } from './gateway/gateway.js';
import { HostMode } from './gateway/host-mode.js';
import { observe } from './gateway/observe.js';
import type { ProbeResult } from './gateway/prober.js';
import { probe, Prober } from './gateway/prober.js';
import { seekFrame } from './gateway/seek.js';
import { LearntAddresses } from './learnt-addresses.js';
import { NetworkLeases } from './network-leases.js';
import { ArpOperation } from './net/arp.js';
import { BadInput, ShortInput } from './net/bytes.js';
import type { Family, Ip, Ip4, Ip6 } from './net/ip.js';
import { ANY4, isIp6 } from './net/ip.js';
import { parseEthernet } from './net/ethernet.js';
import type { LinkFrame } from './net/link-frame.js';
import { parseLinkFrame } from './net/link-frame.js';
import type { Mac } from './net/mac.js';
import { isStationMac } from './net/mac.js';
import { anyContains, prefixOf } from './net/prefix.js';
import type { Random } from './ports.js';
import type { Station } from './presence/presence.js';
import type { RaClient } from './ra/server.js';
import { RaServer } from './ra/server.js';
import { raConfig } from './service-config.js';

export interface ClientServicesOptions {
  readonly config: Config;
  readonly db: Database;
  readonly random: Random;
  readonly gateway: Gateway;
  /** IPv4 addresses of this router on client interfaces. */
  readonly own: readonly Ip4[];
  /** The station of that MAC, if it is here. */
  readonly station: (mac: Mac) => Station | undefined;
  /** A frame of that MAC came in: it may be a sign that the client is here, or still is. */
  readonly heard: (mac: Mac, network: string, now: Instant) => void;
  /** A client wants an address in our prefixes that nobody is known to have. */
  readonly stray: (address: Ip, now: Instant) => void;
  /** Enters a record into the database, and floods it. */
  readonly apply: (record: Record) => void;
  readonly send: (network: string, frame: Uint8Array) => void;
  /** Told once per client: it says that it has an address of the gateway. */
  readonly usurped: (mac: Mac, address: Ip) => void;
  /** A client has taken an address of another DHCP server. Told of a few servers at the most. */
  readonly rivalled: (server: Ip4, mac: Mac, network: string) => void;
  /** A client could not be given an IPv4 address, or an IPv6 network, since none is left. */
  readonly exhausted: (family: Family) => void;
}

export class ClientServices {
  #options: ClientServicesOptions;
  #config: Config;
  #gateway: Gateway;
  readonly #dhcp4: Dhcp4Service;
  readonly #networks: NetworkLeases;
  readonly #learnt: LearntAddresses;
  #ra: RaServer;
  #announcer = new Announcer();
  #prober = new Prober();
  readonly #acquaintances = new Acquaintances();
  readonly #early = new EarlyFrames();
  /** With `option ipv6_mode 'host'` only. */
  #hostMode: HostMode | undefined;
  #usurpers = new Set<Mac>();
  #own: readonly Ip4[];
  /** IPv4 addresses in our prefixes that routers have: no client gets one of them. */
  #routers: ReadonlySet<Ip4>;
  readonly counters = { malformed: 0, strangers: 0 };

  constructor(options: ClientServicesOptions) {
    this.#options = options;
    this.#config = options.config;
    this.#gateway = options.gateway;
    this.#own = options.own;
    this.#routers = this.#findRouters();
    this.#dhcp4 = new Dhcp4Service(options);
    this.#dhcp4.configure(options.config, this.#routers);
    this.#networks = new NetworkLeases(options);
    this.#learnt = new LearntAddresses(options, options.config, this.#routers);
    this.#hostMode = this.#makeHostMode(options.config);
    this.#ra = new RaServer(raConfig(options.config), options.gateway, (mac) => this.#raClient(mac), options.random);
  }

  #makeHostMode({ ipv6Mode, prefixes6, maxAddresses: limit }: Config): HostMode | undefined {
    if (ipv6Mode !== 'host' || prefixes6.length === 0) return undefined;
    const { db, apply, send, station } = this.#options;
    const sendTo = (mac: Mac, frame: Uint8Array) => {
      const network = station(mac)?.network;
      if (network !== undefined) send(network, frame);
    };
    // The first address is that of any router (RFC 4291 2.6.1).
    const isReserved = (address: Ip6) =>
      this.#config.prefixes6.some((prefix) => prefix.address === address) || [...db.nodes()].some(([, node]) => node.addresses.includes(address));
    return new HostMode({ db, apply, send: sendTo, isReserved, limit, lifetime: this.#leaseLifetime });
  }

  configure(config: Config, gateway: Gateway, own: readonly Ip4[], stations: () => Iterable<Station>, now: Instant): void {
    const before = advertised(this.#config, this.#gateway);
    const isElsewhere = gateway.mac !== this.#gateway.mac;
    this.#config = config;
    this.#gateway = gateway;
    this.#own = own;
    this.#networks.configure(config);
    this.#findRoutersAnew();
    this.#hostMode?.configure(config.maxAddresses, this.#leaseLifetime);
    if (advertised(config, gateway) !== before) this.#ra.reconfigure(raConfig(config), gateway, now);
    // Clients would go on sending to the MAC from before until they doubt it.
    for (const { mac, network } of isElsewhere ? stations() : []) this.#announcer.arrived(mac, network, now);
  }

  #findRouters(): Set<Ip4> {
    const all = [...this.#options.db.nodes()].flatMap(([, { addresses }]) => addresses);
    return new Set([...this.#own, ...all].filter((address): address is Ip4 => !isIp6(address) && this.#isOurs(address)));
  }

  /** A router has told its addresses, or is no longer known: `addresses` are those of before and of now. */
  nodeChanged(addresses: readonly Ip[]): void {
    if (!addresses.some((address) => !isIp6(address) && this.#isOurs(address))) return;
    this.#findRoutersAnew();
  }

  #findRoutersAnew(): void {
    this.#routers = this.#findRouters();
    this.#dhcp4.configure(this.#config, this.#routers);
    this.#learnt.configure(this.#config, this.#routers);
  }

  /** A client is here and its routes are in the kernel: it is told about its gateway, now and again soon. */
  arrived(mac: Mac, network: string, now: Instant): void {
    this.#announcer.arrived(mac, network, now);
    this.#announceDue(now);
  }

  /** A client has come: it is leased a /64. To be done before its routes are made. */
  provide(mac: Mac, now: Instant): void {
    const { db } = this.#options;
    if (this.#hostMode === undefined) this.lease6(mac, now);
    else this.#hostMode.arrived(mac, db.client(mac)?.addresses ?? [], now);
  }

  /** A client has come, and is claimed: what it sent a moment before is handled now. */
  came(mac: Mac, network: string, now: Instant): void {
    for (const frame of this.#early.take(mac, network, now)) this.receive(network, frame, now);
  }

  /** Leases a client that is here a /64, unless it has one; with `option ipv6_mode 'host'` nothing. */
  lease6(mac: Mac, now: Instant): void {
    this.#networks.lease(mac, now);
  }

  /**
   * The client is at another node now: those here that have dealt with it are told that the gateway has its IPv4 addresses,
   * or they would go on sending to its own MAC. Not the client itself: it may be here still, and would give up an address
   * that it hears another claim. `stations`: all that are here.
   */
  movedAway(mac: Mac, network: string, stations: () => Iterable<Station>): void {
    const known = this.#acquaintances.of(mac);
    const others = known === 'everybody' ? [...stations()] : [...known].flatMap((one) => this.#options.station(one) ?? []);
    const told = others.filter((one) => one.network === network && one.mac !== mac).map((one) => one.mac);
    for (const { address } of this.#options.db.leases4Of(mac)) {
      for (const frame of announceDeparture(address, told, this.#gateway)) this.#options.send(network, frame);
    }
  }

  left(mac: Mac): void {
    this.#announcer.cancel(mac);
    this.#hostMode?.left(mac);
    this.#ra.left(mac);
    this.#learnt.left(mac);
    this.#usurpers.delete(mac);
    this.#networks.left(mac);
  }

  /** Asks a client that has gone silent whether it is there: its answer counts as any other frame of it. */
  ask(mac: Mac, network: string): void {
    for (const frame of probe({ mac, addresses: this.#addressesOf(mac) }, this.#gateway)) this.#options.send(network, frame);
  }

  /** The kernel's neighbour cache has found who has an address, or cannot reach it any more. */
  neighbour(mac: Mac, network: string, address: Ip, state: 'resolved' | 'failed', now: Instant): void {
    if (this.#options.station(mac)?.network !== network) return;
    if (state === 'resolved') this.#learnAddress(mac, address, now);
    else if (isIp6(address)) this.#hostMode?.failed(address, now);
  }

  /** A record says that an address is `by`'s, which was `from`'s. */
  hostChanged(address: Ip, from: Mac | undefined, by: Mac): void {
    if (isIp6(address)) this.#hostMode?.taken(address, from, by, this.#gateway);
  }

  get nextDeadline(): Instant | undefined {
    const { nextDeadline: hosts } = this.#hostMode ?? {};
    return earliest(this.#announcer.nextDeadline, this.#prober.nextDeadline, this.#ra.nextDeadline, hosts, this.#networks.nextDeadline);
  }

  poll(now: Instant): void {
    this.#prober.poll(now);
    this.#hostMode?.poll(this.#gateway, now);
    for (const { mac, network } of this.#networks.poll(now)) this.#announcer.arrived(mac, network, now);
    this.#announceDue(now);
    for (const { network, frame } of this.#ra.poll(now)) this.#options.send(network, frame);
  }

  /** Asks a client that is on that network whether it is there. */
  probe(mac: Mac, network: string, now: Instant): Promise<ProbeResult> {
    const answer = new Promise<ProbeResult>((resolve) => this.#prober.asked(mac, now, resolve));
    for (const frame of probe({ mac, addresses: this.#addressesOf(mac) }, this.#gateway)) this.#options.send(network, frame);
    return answer;
  }

  /** One IPv6 address is enough: the link-local one, or another while that is not known, as after a roam. */
  #addressesOf(mac: Mac): Ip[] {
    const { db } = this.#options;
    const learnt = (db.client(mac)?.addresses ?? []).findLast(({ length }) => length === 128);
    const address6 = this.#learnt.linkLocalOf(mac) ?? learnt?.address;
    const leased = db.leases4Of(mac).map(({ address }) => address);
    return address6 === undefined ? leased : [...leased, address6];
  }

  #announceDue(now: Instant): void {
    for (const { mac, network } of this.#announcer.poll(now)) this.#announce(mac, network, now);
  }

  #announce(mac: Mac, network: string, now: Instant): void {
    const { send } = this.#options;
    for (const frame of announce({ mac, addresses: this.#addressesOf(mac) }, this.#gateway)) send(network, frame);
    const advertisement = this.#ra.advertise(mac, now);
    if (advertisement !== undefined) send(network, advertisement.frame);
  }

  /** A frame from a client network. Only stations that an access point vouches for are served. */
  receive(network: string, frame: Uint8Array, now: Instant): void {
    try {
      const link = parseLinkFrame(frame);
      const source = link?.ethernet.source ?? parseEthernet(frame).header.source;
      if (!this.#isHere(source, network, now)) this.#early.keep(source, network, frame, now);
      else if (link === undefined) this.#dhcp4.receive(network, frame, this.#gateway, now);
      else this.#receiveLink(network, link, now);
    } catch (error) {
      if (!(error instanceof BadInput || error instanceof ShortInput)) throw error;
      this.counters.malformed++;
    }
  }

  #isHere(mac: Mac, network: string, now: Instant): boolean {
    if (isStationMac(mac) && mac !== this.#gateway.mac) this.#options.heard(mac, network, now);
    const here = this.#options.station(mac)?.network === network;
    if (!here) this.counters.strangers++;
    return here;
  }

  #receiveLink(network: string, link: LinkFrame, now: Instant): void {
    const mac = link.ethernet.source;
    const { db, send } = this.#options;
    const book = {
      owner: (address: Ip) => (this.#hostMode !== undefined && isIp6(address) ? this.#hostMode.owner(address) : db.owner(address)),
      isLocal: (other: Mac, on: string) => this.#options.station(other)?.network === on,
      inOurPrefixes: (address: Ip) => this.#isOurs(address),
    };
    const owner = asksFor(link) && db.owner(link.packet.targetIp);
    if (owner && book.isLocal(owner, network)) this.#acquaintances.met(mac, owner);
    const reply = answer(network, link, book, this.#gateway);
    if (reply !== undefined) send(network, reply);
    else if (this.#asksForNobody(link)) this.#options.stray(link.packet.targetIp, now);
    this.#learn(link, now);
    const advertisement = this.#ra.receive(network, link, now);
    if (advertisement !== undefined) send(network, advertisement.frame);
  }

  /** Whether it is a request for an address that a client may have and none is known to have. */
  #asksForNobody(link: LinkFrame): link is LinkFrame & { protocol: 'arp' } {
    if (!asksFor(link)) return false;
    const { targetIp } = link.packet;
    if (this.#routers.has(targetIp)) return false;
    return isHostAddress(this.#config.prefixes4, targetIp) && !isGatewayAddress(this.#gateway, targetIp) && this.#options.db.owner(targetIp) === undefined;
  }

  /** Asks on all links of clients who has an address; whoever answers is learnt. */
  seek(address: Ip): void {
    const frame = seekFrame(address, this.#gateway);
    if (frame !== undefined) for (const network of this.#config.interface) this.#options.send(network, frame);
  }

  #learn(link: LinkFrame, now: Instant): void {
    const sighting = observe(link, this.#gateway);
    if (sighting?.usurps !== undefined) this.#reportUsurper(sighting.mac, sighting.usurps);
    const address = sighting?.claims;
    if (sighting?.kind === 'dad' && sighting.tentative !== undefined) this.#considers(sighting.mac, sighting.tentative, now);
    if (sighting === undefined || address === undefined) return;
    this.#prober.heard(sighting.mac, address, now);
    this.#learnAddress(sighting.mac, address, now);
  }

  /** The client uses an address. */
  #learnAddress(mac: Mac, address: Ip, now: Instant): void {
    if (this.#hostMode === undefined || !this.#isShared(address)) this.#learnt.learn(mac, address, now);
    else this.#hostMode.seen(mac, address, false, now);
  }

  /** The client asks whether it may have an address. */
  #considers(mac: Mac, address: Ip, now: Instant): void {
    if (this.#isShared(address)) this.#hostMode?.seen(mac, address, true, now);
  }

  /** Whether it is an address of the prefixes that clients have in common with `option ipv6_mode 'host'`. */
  #isShared(address: Ip): address is Ip6 {
    return isIp6(address) && this.#isOurs(address);
  }

  #reportUsurper(mac: Mac, address: Ip): void {
    if (this.#usurpers.has(mac)) return;
    this.#usurpers.add(mac);
    this.#options.usurped(mac, address);
  }

  #raClient(mac: Mac): RaClient | undefined {
    const station = this.#options.station(mac);
    if (station === undefined) return undefined;
    // Of several, the lowest of ours is the one to use: every node says the same, whichever the client meets. The others are
    // of a prefix that used to be configured: deprecated for as long as they last.
    const leases = this.#options.db.leases6Of(mac);
    const preferred = this.#hostMode === undefined ? leases.find(({ address }) => this.#isOurs(address)) : undefined;
    const prefixes = leases.map((lease) => ({
      prefix: prefixOf(lease.address, 64),
      expires: lease.expires,
      deprecated: lease !== preferred,
    }));
    return { network: station.network, linkLocal: this.#learnt.linkLocalOf(mac), prefixes };
  }

  #isOurs(address: Ip): boolean {
    return anyContains(this.#config.prefix, address);
  }

  get #leaseLifetime(): number {
    return this.#config.leaseTime * SECOND;
  }

  /** All counts, by names that ubus shows. */
  get statistics(): { [name: string]: number } {
    return {
      ...this.#dhcp4.statistics,
      ra_sent: this.#ra.counters.sent,
      ra_solicited: this.#ra.counters.solicited,
      addresses_refused: this.#learnt.refused + (this.#hostMode?.refused ?? 0),
      addresses_set_aside: this.#options.db.declined.size,
      frames_malformed: this.counters.malformed,
      frames_from_strangers: this.counters.strangers,
    };
  }
}

/** All that router advertisements depend on, beside the leases of a client. */
function advertised(config: Config, gateway: Gateway): string {
  return JSON.stringify([raConfig(config), config.prefixes6, gateway]);
}

/** Whether it is an ARP request for the address of another, no probe and no announcement. */
function asksFor(link: LinkFrame): link is LinkFrame & { protocol: 'arp' } {
  if (link.protocol !== 'arp' || link.packet.operation !== ArpOperation.request) return false;
  return link.packet.senderIp !== ANY4 && link.packet.senderIp !== link.packet.targetIp;
}
