/**
 * What clients see of this router: DHCPv4, router advertisements, ARP and Neighbour Discovery. Frames in, frames out;
 * what is granted and learnt goes to the database as records.
 */
import { chooseNetwork6, isHostAddress } from './clients/allocation.js';
import * as claims from './clients/claims.js';
import type { Database } from './clients/database.js';
import type { Record } from './clients/record.js';
import { hostKey } from './clients/record.js';
import type { Instant, Millis } from './clients/time.js';
import { after, earliest, MINUTE, SECOND } from './clients/time.js';
import type { Config } from './config/config.js';
import { RateLimit } from './dhcp4/limits.js';
import { Dhcp4Server } from './dhcp4/server.js';
import type { Dhcp4Effect } from './dhcp4/exchange.js';
import { Acquaintances } from './gateway/acquaintances.js';
import { announce, announceDeparture, whoHas } from './gateway/announce.js';
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
import { ArpOperation } from './net/arp.js';
import { BadInput, ShortInput } from './net/bytes.js';
import type { Family, Ip, Ip4, Ip6 } from './net/ip.js';
import { ANY4, isIp6, isLinkLocal6 } from './net/ip.js';
import { parseEthernet } from './net/ethernet.js';
import type { LinkFrame } from './net/link-frame.js';
import { parseLinkFrame } from './net/link-frame.js';
import type { Mac } from './net/mac.js';
import { isStationMac } from './net/mac.js';
import type { Prefix6 } from './net/prefix.js';
import { anyContains, prefixOf } from './net/prefix.js';
import type { Random } from './ports.js';
import type { Station } from './presence/presence.js';
import type { RaClient } from './ra/server.js';
import { RaServer } from './ra/server.js';
import { dhcp4Config, dhcp4Limits, raConfig } from './service-config.js';

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
  /** A client has taken an address of another DHCP server. Of so many servers at the most. */
  readonly rivalled: (server: Ip4, mac: Mac, network: string) => void;
  /** A client could not be given an IPv4 address, or an IPv6 network, since none is left. */
  readonly exhausted: (family: Family) => void;
}

/** So long a client for which there was no /64 waits before one is looked for again. */
const NETWORK_RETRY: Millis = MINUTE;

/** Who sends requests in many servers' names does not fill the log. */
const MAX_RIVALS = 8;

export class ClientServices {
  #options: ClientServicesOptions;
  #config: Config;
  #gateway: Gateway;
  #dhcp4: Dhcp4Server | undefined;
  #ra: RaServer;
  #announcer = new Announcer();
  #prober = new Prober();
  readonly #acquaintances = new Acquaintances();
  readonly #early = new EarlyFrames();
  /** Addresses of one client that give way to others: one a minute, four at once. Each is told to all routers. */
  readonly #replacements = new RateLimit(1 / 60, 4);
  /** With `option ipv6_mode 'host'` only. */
  #hostMode: HostMode | undefined;
  /** Link-local addresses of clients here: needed on the link alone, so not in the database. */
  #linkLocals = new Map<Mac, Ip6>();
  #usurpers = new Set<Mac>();
  /** Clients here that have no /64 since none was left, and when one is looked for again. */
  readonly #withoutNetwork = new Set<Mac>();
  #networkRetry: Instant | undefined;
  readonly #rivals = new Set<Ip4>();
  #own: readonly Ip4[];
  /** IPv4 addresses in our prefixes that routers have: no client gets one of them. */
  #routers: ReadonlySet<Ip> = new Set();
  readonly counters = { malformed: 0, strangers: 0, refused: 0 };

  constructor(options: ClientServicesOptions) {
    this.#options = options;
    this.#config = options.config;
    this.#gateway = options.gateway;
    this.#own = options.own;
    this.#routers = this.#findRouters();
    this.#dhcp4 = this.#makeDhcp4(options.config);
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

  #makeDhcp4(config: Config): Dhcp4Server | undefined {
    const dhcp4 = dhcp4Config(config, this.#routers as ReadonlySet<Ip4>);
    return dhcp4 === undefined ? undefined : new Dhcp4Server(dhcp4, this.#options.db, dhcp4Limits(config));
  }

  /**
   * Called for any change of an interface too: sleeping clients are woken only where they are to be told something else.
   * `stations`: all that are here.
   */
  configure(config: Config, gateway: Gateway, own: readonly Ip4[], stations: () => Iterable<Station>, now: Instant): void {
    const before = advertised(this.#config, this.#gateway);
    const isElsewhere = gateway.mac !== this.#gateway.mac;
    this.#config = config;
    this.#gateway = gateway;
    this.#own = own;
    this.#routers = this.#findRouters();
    this.#configureDhcp4();
    this.#hostMode?.configure(config.maxAddresses, this.#leaseLifetime);
    if (advertised(config, gateway) !== before) this.#ra.reconfigure(raConfig(config), gateway, now);
    // Clients would go on sending to the MAC from before until they doubt it.
    for (const { mac, network } of isElsewhere ? stations() : []) this.#announcer.arrived(mac, network, now);
  }

  #configureDhcp4(): void {
    const dhcp4 = dhcp4Config(this.#config, this.#routers as ReadonlySet<Ip4>);
    if (dhcp4 === undefined || this.#dhcp4 === undefined) this.#dhcp4 = this.#makeDhcp4(this.#config);
    else this.#dhcp4.configure(dhcp4, dhcp4Limits(this.#config));
  }

  #findRouters(): Set<Ip4> {
    const all = [...this.#options.db.nodes()].flatMap(([, { addresses }]) => addresses);
    return new Set([...this.#own, ...all].filter((address): address is Ip4 => !isIp6(address) && this.#isOurs(address)));
  }

  /** A router has told its addresses, or is no longer known: `addresses` are those of before and of now. */
  nodeChanged(addresses: readonly Ip[]): void {
    if (!addresses.some((address) => !isIp6(address) && this.#isOurs(address))) return;
    this.#routers = this.#findRouters();
    this.#configureDhcp4();
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

  /** A client has come, and is claimed: what it said a moment before is heard now. */
  came(mac: Mac, network: string, now: Instant): void {
    for (const frame of this.#early.take(mac, network, now)) this.receive(network, frame, now);
  }

  /** Leases a client that is here a /64 where it has none of the prefixes that are configured now. */
  lease6(mac: Mac, now: Instant): void {
    const { db, apply } = this.#options;
    const prefix = this.#config.prefixes6[0];
    if (prefix === undefined || this.#hostMode !== undefined || db.leases6Of(mac).some(({ address }) => this.#isOurs(address))) return;
    const taken = ({ address }: Prefix6) => (db.holder(address) ?? mac) !== mac;
    const chosen = chooseNetwork6(mac, prefix, taken);
    this.#withoutNetwork.delete(mac);
    if (chosen !== undefined) return apply(claims.lease6(db, chosen.address, mac, this.#leaseLifetime, now));
    this.#withoutNetwork.add(mac);
    this.#networkRetry ??= after(now, NETWORK_RETRY);
    this.#options.exhausted(6);
  }

  /** Others have gone meanwhile. Where the first still gets none there is none for the rest either. */
  #retryNetworks(now: Instant): void {
    if (this.#networkRetry === undefined || this.#networkRetry > now) return;
    this.#networkRetry = undefined;
    for (const mac of [...this.#withoutNetwork]) {
      const station = this.#options.station(mac);
      this.#withoutNetwork.delete(mac);
      if (station !== undefined) this.lease6(mac, now);
      if (this.#withoutNetwork.has(mac)) return;
      if (station !== undefined) this.#announcer.arrived(mac, station.network, now);
    }
  }

  /**
   * The client is at another node now: those here that have dealt with it are told that its addresses are to be had of the
   * gateway, or they would go on sending to its own MAC. Not the client, which may be here still and would give up an
   * address that it hears of elsewhere. `stations`: all that are here.
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
    this.#linkLocals.delete(mac);
    this.#usurpers.delete(mac);
    this.#withoutNetwork.delete(mac);
  }

  /** Has a client that has gone silent show whether it is there: its answer is seen as any frame of it. */
  ask(mac: Mac, network: string): void {
    for (const frame of probe({ mac, addresses: this.#addressesOf(mac) }, this.#gateway)) this.#options.send(network, frame);
  }

  /** The kernel's neighbour cache has found who has an address, or has lost him. */
  neighbour(mac: Mac, network: string, address: Ip, state: 'resolved' | 'failed', now: Instant): void {
    if (this.#options.station(mac)?.network !== network) return;
    if (state === 'resolved') this.#learnClaim(mac, address, now);
    else if (isIp6(address)) this.#hostMode?.failed(address, now);
  }

  /** A record says that an address is `by`'s, which was `from`'s. */
  hostChanged(address: Ip, from: Mac | undefined, by: Mac): void {
    if (isIp6(address)) this.#hostMode?.taken(address, from, by, this.#gateway);
  }

  /** Addresses of a client that matter on its link alone. */
  linkLocalOf(mac: Mac): Ip6 | undefined {
    return this.#linkLocals.get(mac);
  }

  get nextDeadline(): Instant | undefined {
    const { nextDeadline: hosts } = this.#hostMode ?? {};
    return earliest(this.#announcer.nextDeadline, this.#prober.nextDeadline, this.#ra.nextDeadline, hosts, this.#networkRetry);
  }

  poll(now: Instant): void {
    this.#prober.poll(now);
    this.#hostMode?.poll(this.#gateway, now);
    this.#retryNetworks(now);
    this.#announceDue(now);
    for (const { network, frame } of this.#ra.poll(now)) this.#options.send(network, frame);
  }

  /** Asks a client that is on that network whether it is there. */
  probe(mac: Mac, network: string, now: Instant): Promise<ProbeResult> {
    const answer = new Promise<ProbeResult>((resolve) => this.#prober.asked(mac, now, resolve));
    for (const frame of probe({ mac, addresses: this.#addressesOf(mac) }, this.#gateway)) this.#options.send(network, frame);
    return answer;
  }

  /** Of IPv6 one does: the link-local address, or another while that is not known, as after a roam. */
  #addressesOf(mac: Mac): Ip[] {
    const { db } = this.#options;
    const learnt = (db.client(mac)?.addresses ?? []).findLast(({ length }) => length === 128);
    const address6 = this.#linkLocals.get(mac) ?? learnt?.address;
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
      else if (link === undefined) this.#receiveDhcp4(network, frame, now);
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

  /** Asks on all links of clients who has an address; an answer is learnt from. */
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
    this.#learnClaim(sighting.mac, address, now);
  }

  /** The client asks whether it may have an address. */
  #considers(mac: Mac, address: Ip, now: Instant): void {
    if (isIp6(address) && this.#isOurs(address)) this.#hostMode?.seen(mac, address, true, now);
  }

  #learnClaim(mac: Mac, address: Ip, now: Instant): void {
    if (isLinkLocal6(address)) this.#linkLocals.set(mac, address as Ip6);
    else if (this.#isOurs(address)) this.#learnAddress(mac, address, now);
  }

  #reportUsurper(mac: Mac, address: Ip): void {
    if (this.#usurpers.has(mac)) return;
    this.#usurpers.add(mac);
    this.#options.usurped(mac, address);
  }

  #reportRival(server: Ip4, mac: Mac, network: string): void {
    if (this.#rivals.size < MAX_RIVALS) this.#rivals.add(server);
    if (this.#rivals.has(server)) this.#options.rivalled(server, mac, network);
  }

  /** An address in our prefixes that the client uses: taken in, unless it belongs to another or the client has too many. */
  #learnAddress(mac: Mac, address: Ip, now: Instant): void {
    const { db, apply } = this.#options;
    const holder = db.holder(address);
    if (!isIp6(address)) {
      const usable = isHostAddress(this.#config.prefixes4, address) && !this.#routers.has(address);
      // One that it had until not long ago, or one that a client gave up because somebody else uses it: here is who that is.
      const mayTake = holder === mac || db.declined.has(address);
      const isFree = holder === undefined || (mayTake && db.owner(address) === undefined);
      if (!isFree || !usable) return;
      if (db.leases4Of(mac).length < this.#config.maxAddresses) apply(claims.lease4(db, address, mac, this.#leaseLifetime, now));
      else this.counters.refused++;
      return;
    }
    if (this.#hostMode !== undefined) return this.#hostMode.seen(mac, address, false, now);
    // Without a /64 of its own that covers it, the address would be another client's or nobody's: not believed.
    if (holder !== mac || db.live(hostKey(address)) !== undefined) return;
    if (this.#makeRoom(mac, now)) apply(claims.host(db, address, mac, this.#leaseLifetime, now));
    else this.counters.refused++;
  }

  /**
   * Room for one more address in the client's own /64: phones take new ones each time that they associate and each day, and
   * do not say which they have given up. The one that was learnt first gives way.
   */
  #makeRoom(mac: Mac, now: Instant): boolean {
    const { db, apply } = this.#options;
    const [oldest, ...others] = (db.client(mac)?.addresses ?? []).filter((prefix) => prefix.length === 128);
    if (oldest === undefined || 1 + others.length < this.#config.maxAddresses) return true;
    if (!this.#replacements.take(mac, now)) return false;
    const record = claims.hostGone(db, oldest.address, mac, now);
    if (record !== undefined) apply(record);
    return true;
  }

  #receiveDhcp4(network: string, frame: Uint8Array, now: Instant): void {
    if (this.#dhcp4 === undefined) return;
    const { frame: reply, effects, dropped } = this.#dhcp4.handleFrame(network, frame, this.#gateway.mac, now);
    if (dropped === 'no address left') this.#options.exhausted(4);
    for (const effect of effects) this.#carryOut(effect, network, now);
    if (reply !== undefined) this.#options.send(network, reply);
  }

  #carryOut(effect: Dhcp4Effect, network: string, now: Instant): void {
    const { db, apply } = this.#options;
    switch (effect.kind) {
      case 'lease':
        return apply(claims.lease4(db, effect.address, effect.mac, effect.lifetimeSeconds * SECOND, now));
      case 'release':
        return this.#endLease(effect.address, effect.mac, now);
      case 'decline':
        this.#endLease(effect.address, effect.mac, now);
        if (effect.restsSeconds > 0) apply(claims.declined(db, effect.address, effect.mac, effect.restsSeconds * SECOND, now));
        return this.#askWhoHas(effect.address, network);
      case 'rival':
        return this.#reportRival(effect.server, effect.mac, network);
      case 'hostname': {
        if (db.client(effect.mac)?.info.hostname === effect.name) return;
        const ssid = this.#options.station(effect.mac)?.ssid ?? '';
        const record = claims.clientInfo(db, effect.mac, { hostname: effect.name, ssid }, now);
        return record === undefined ? undefined : apply(record);
      }
    }
  }

  #endLease(address: Ip4, mac: Mac, now: Instant): void {
    const record = claims.release4(this.#options.db, address, mac, now);
    if (record !== undefined) this.#options.apply(record);
  }

  /** Whoever uses an address that a client found in use answers, and is learnt from. */
  #askWhoHas(address: Ip4, network: string): void {
    const [gateway] = this.#gateway.addresses4;
    if (gateway !== undefined) this.#options.send(network, whoHas(address, gateway, this.#gateway.mac));
  }

  #raClient(mac: Mac): RaClient | undefined {
    const station = this.#options.station(mac);
    if (station === undefined) return undefined;
    // Of several the lowest of ours is the one to use: every node says the same, whichever the client meets. The others
    // are of a prefix that was configured once: deprecated for as long as they last.
    const leases = this.#options.db.leases6Of(mac);
    const preferred = this.#hostMode === undefined ? leases.find(({ address }) => this.#isOurs(address)) : undefined;
    const prefixes = leases.map((lease) => ({
      prefix: prefixOf(lease.address, 64),
      expires: lease.expires,
      deprecated: lease !== preferred,
    }));
    return { network: station.network, linkLocal: this.#linkLocals.get(mac), prefixes };
  }

  #isOurs(address: Ip): boolean {
    return anyContains(this.#config.prefix, address);
  }

  get #leaseLifetime(): number {
    return this.#config.leaseTime * SECOND;
  }

  /** All counts, by names that ubus shows. */
  get statistics(): { [name: string]: number } {
    const { received, sent, dropped } = this.#dhcp4?.counters ?? {};
    const sum = (counts: ReadonlyMap<string, number> | undefined) => [...(counts?.values() ?? [])].reduce((a, b) => a + b, 0);
    return {
      dhcp4_received: sum(received),
      dhcp4_sent: sum(sent),
      dhcp4_dropped: sum(dropped),
      ra_sent: this.#ra.counters.sent,
      ra_solicited: this.#ra.counters.solicited,
      addresses_refused: this.counters.refused + (this.#hostMode?.refused ?? 0),
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
