/**
 * The clients at this router: who is here, as access points, links and the clients themselves tell, and what follows from
 * it: claims, records kept alive, gateways announced, contradictions settled by asking the client.
 */
import { ClientAdmission } from './client-admission.js';
import type { ClientServices } from './client-services.js';
import * as claims from './clients/claims.js';
import type { Database } from './clients/database.js';
import { Keeper } from './clients/keeper.js';
import type { NodeId } from './clients/node-id.js';
import type { Record } from './clients/record.js';
import type { Instant } from './clients/time.js';
import { earliest, SECOND } from './clients/time.js';
import type { Config } from './config/config.js';
import type { Mac } from './net/mac.js';
import { anyContains } from './net/prefix.js';
import type { Clock, Kernel, Logger, StationEvent, Stations } from './ports.js';
import { Conflicts } from './presence/conflicts.js';
import { Presence } from './presence/presence.js';
import type { PresenceChange, Sight, Station } from './presence/presence.js';
import { isAccessPoint } from './presence/source.js';
import type { PresenceSource } from './presence/source.js';
import type { Reporter } from './status/reporter.js';
import { nodeName } from './status/views.js';

export interface LocalClientsOptions {
  readonly self: NodeId;
  readonly config: Config;
  readonly db: Database;
  readonly clock: Clock;
  readonly log: Logger;
  readonly kernel: Pick<Kernel, 'purge' | 'forgetPort'>;
  readonly stations: Pick<Stations, 'disassociate' | 'hasAccessPoint'>;
  readonly reporter: () => Reporter;
  /** What clients see of this router; undefined before it has a client interface. */
  readonly services: () => ClientServices | undefined;
  /** Enters a record into the database, and floods it. */
  readonly apply: (record: Record) => void;
  /** Compares the client's routes with what is known of it now. */
  readonly updateRoutes: (mac: Mac) => void;
  /** Whether the kernel has all routes of the client. */
  readonly isInstalled: (mac: Mac) => boolean;
  /** {@link LocalClients.nextDeadline} may have changed. */
  readonly rearm: () => void;
}

export class LocalClients {
  #options: LocalClientsOptions;
  #config: Config;
  readonly #presence: Presence;
  readonly #conflicts: Conflicts;
  readonly #keeper: Keeper;
  readonly #admission: ClientAdmission;
  /** Clients that have just come, to be told about their gateway as soon as their routes are in the kernel. */
  #arriving = new Set<Mac>();
  /** Whether clients that were here before the start, and still are, have had time to show themselves. */
  #settled = false;
  #started = false;
  #stopped = false;

  constructor(options: LocalClientsOptions) {
    const { self, config, db, log } = options;
    this.#options = options;
    this.#config = config;
    this.#presence = new Presence(config.holdTime * SECOND);
    this.#admission = new ClientAdmission({
      config,
      log,
      isKnown: (mac) => this.#presence.get(mac) !== undefined || db.client(mac)?.node === self,
      clientsOf: (via) => this.#clientsOf(via),
    });
    this.#keeper = new Keeper(db, config.leaseTime * SECOND, (address) => anyContains(this.#config.prefix, address));
    this.#conflicts = new Conflicts({
      self,
      presence: this.#presence,
      placeOf: (mac) => db.client(mac)?.node,
      ask: (station, now) => this.#ask(station, now),
      claim: (station, against, now) => this.#claimBack(station, against, now),
      yielded: (station, radios) => this.#yielded(station, radios),
      flaps: (mac, against) => {
        const line = `${mac} flaps between here and ${this.#nameOf(against)}: do two devices have this address, or do two routers hear one?`;
        log.warn(line);
        options.reporter().conflict({ kind: 'flap', mac, node: against }, line);
      },
    });
  }

  /** From now on traffic may be a sign of presence too: peers have told what they know. */
  start(): void {
    this.#started = true;
  }

  /** Takes a new configuration: stations that are no clients by it count as gone, those that have become clients arrive. */
  configure(config: Config, now: Instant): void {
    this.#config = config;
    this.#presence.hold = config.holdTime * SECOND;
    this.#keeper.setLeaseLifetime(config.leaseTime * SECOND, now);
    this.#admission.configure(config);
    for (const station of [...this.#presence.stations()].filter((one) => !this.#admission.isClient(one))) {
      this.#presence.elsewhere(station.mac);
      this.#admission.refused(station);
      this.#left(station, now);
    }
    for (const sight of this.#admission.reconsidered()) this.event({ kind: 'authorized', ...sight }, now);
  }

  get(mac: Mac): Station | undefined {
    return this.#presence.get(mac);
  }

  stations(): Iterable<Station> {
    return this.#presence.stations();
  }

  get size(): number {
    return this.#presence.size;
  }

  get nextDeadline(): Instant | undefined {
    return earliest(this.#presence.nextDeadline, this.#admission.nextDeadline, this.#conflicts.nextDeadline, this.#keeper.nextDeadline);
  }

  poll(now: Instant): void {
    for (const change of this.#presence.poll(now)) this.#presenceChanged(change, now);
    for (const sight of this.#admission.poll(now)) this.#came(sight, now);
    this.#conflicts.poll(now);
    for (const record of this.#keeper.poll(now)) this.#options.apply(record);
  }

  /** What an access point, a bridge or the neighbour cache tells. */
  event(event: StationEvent, now: Instant): void {
    if (event.kind === 'left') return this.#lost(event, now);
    if (event.kind === 'neighbour') return this.#neighbour(event, now);
    if (!this.#admission.isClient(event)) return this.#noClient(event, now);
    if (this.#admission.admit(event, now)) this.#came(event, now);
  }

  #came(sight: Sight, now: Instant): void {
    const { mac } = sight;
    const change = this.#presence.saw(sight, now);
    // Another node has claimed the station, and now it is back at a radio here that never noticed it had left.
    const isBack = this.#options.db.client(mac)?.node !== this.#options.self;
    this.#conflicts.joined(mac);
    this.#presenceChanged(change ?? (isBack ? { kind: 'joined', station: this.#presence.get(mac)! } : undefined), now);
  }

  #lost(event: StationEvent & { kind: 'left' }, now: Instant): void {
    const { mac, via, source } = event;
    this.#admission.left(event);
    const change = this.#presence.left(mac, via, now, source);
    if (this.#presence.isAssociated(mac)) return this.#presenceChanged(change, now);
    // Where another source still vouches for it, it has not begun to roam.
    this.#options.reporter().left(mac, now);
    this.#presenceChanged(change, now);
    this.#conflicts.left(mac, now);
  }

  /** It may have been a client before: its access point has put it on another VLAN, or it chose another Wi-Fi network. */
  #noClient(sight: Sight, now: Instant): void {
    const { mac, network, via, source } = sight;
    this.#admission.refused(sight);
    const station = this.#presence.get(mac);
    if (station === undefined || station.network === network || !isAccessPoint(source)) return;
    const change = this.#presence.left(mac, via, now, source);
    if (this.#presence.isAssociated(mac)) return this.#presenceChanged(change, now);
    // It is not roaming, so nothing is held for it.
    this.#options.reporter().left(mac, now);
    this.#presence.elsewhere(mac);
    this.#conflicts.left(mac, now);
    this.#left(station, now);
  }

  #neighbour({ mac, network, address, state }: StationEvent & { kind: 'neighbour' }, now: Instant): void {
    if (!this.#admission.isClientInterface(network)) return;
    if (state === 'resolved') this.sighted(mac, network, 'neighbour', now);
    this.#options.services()?.neighbour(mac, network, address, state, now);
  }

  /** The host speaks, though no access point told of it: where none of ours could have, that is a sign of presence. */
  sighted(mac: Mac, network: string, source: PresenceSource, now: Instant): void {
    const sight = { mac, network, via: network, ssid: '', source };
    if (!this.#started || !this.#admission.isClient(sight) || this.#options.stations.hasAccessPoint(network)) return;
    if (this.#admission.admit(sight, now)) this.#presenceChanged(this.#presence.saw(sight, now), now);
  }

  #clientsOf(via: string): number {
    let count = 0;
    for (const station of this.#presence.stations()) if (station.via === via) count++;
    return count;
  }

  /** Hosts that had to wait, or were refused, where very many came. */
  get limited(): number {
    return this.#admission.limited;
  }

  #presenceChanged(change: PresenceChange | undefined, now: Instant): void {
    if (change === undefined) return;
    const { db, self, clock, log, kernel, services, reporter } = this.#options;
    const { mac, network } = change.station;
    if (change.kind === 'left') return this.#left(change.station, now);
    if (change.kind === 'fading') return services()?.ask(mac, network);
    // The bridge may have learnt it on the old port: band changes too are told to the client before it says anything.
    if (change.kind === 'moved') kernel.purge(mac, change.from.network);
    else if (change.from !== undefined) kernel.forgetPort(mac, network);
    const known = db.client(mac)?.node;
    const from = known === undefined ? '' : `, and was at ${this.#nameOf(known)}`;
    reporter().authorized(mac, known, now);
    this.#hold(mac, claims.claim, now);
    this.#options.updateRoutes(mac);
    // Writing the log takes time: hearing the kernel's answer and telling the client come first.
    if (known !== self) clock.schedule(now, () => log.info(`${mac} is here, on ${network}${from}`));
    if (this.#options.isInstalled(mac)) this.installed(mac);
    // Without an address it has no routes to wait for, and in mode `host` it needs to know the prefix first.
    else if (db.client(mac)?.addresses.length === 0) services()?.arrived(mac, network, now);
    services()?.came(mac, network, now);
  }

  /** Claims the client and keeps what is known of it alive; it is told about its gateway once its routes are there. */
  #hold(mac: Mac, claim: typeof claims.claim, now: Instant): void {
    const { db, self, services, reporter, apply } = this.#options;
    services()?.provide(mac, now);
    apply(claim(db, mac, self, now));
    reporter().flooded(mac);
    this.#keeper.keep(mac, now);
    this.#arriving.add(mac);
  }

  /** The kernel has all that the client needs: it may be told. */
  installed(mac: Mac): void {
    const { clock, services, reporter } = this.#options;
    reporter().served(mac, 'routed');
    const station = this.#presence.get(mac);
    if (!this.#arriving.delete(mac) || station === undefined) return;
    services()?.arrived(mac, station.network, clock.now());
    reporter().served(mac, 'announced');
    this.#options.rearm();
  }

  #left(station: Station, now: Instant): void {
    this.#options.log.info(`${station.mac} has left`);
    this.#forget(station);
    this.#tellGone(station.mac, now);
  }

  #tellGone(mac: Mac, now: Instant): void {
    const { db, self, apply } = this.#options;
    const record = claims.gone(db, mac, self, now);
    if (record !== undefined) apply(record);
  }

  /** Nothing of this router's own speaks for the client any more. */
  #forget({ mac, network }: Station): void {
    this.#keeper.release(mac);
    this.#arriving.delete(mac);
    this.#options.services()?.left(mac);
    this.#options.kernel.purge(mac, network);
    this.#options.updateRoutes(mac);
  }

  /** The database says now that a client is at `node`, or nowhere. */
  placed(mac: Mac, node: NodeId | undefined, now: Instant): void {
    const station = this.#presence.get(mac);
    if (node !== this.#options.self && station !== undefined) this.#contradicted(station, node, now);
    if (node === this.#options.self && station === undefined && this.#settled) this.#deny(mac, now);
  }

  /** Another node has claimed a client that is here with the same number as we, and lost. */
  rivalled(mac: Mac, node: NodeId, now: Instant): void {
    this.#conflicts.rivalled(mac, node, now);
  }

  /**
   * An address or a /64 of a client is another client's now: two nodes that did not hear each other have given it to both.
   * A /64 is replaced. That it has lost an IPv4 address a client would notice only when it renews; made to associate anew,
   * it asks at once.
   */
  outbid(mac: Mac, lost: 'lease4' | 'lease6', now: Instant): void {
    const { db, self, log, stations, services } = this.#options;
    if (this.#presence.get(mac) === undefined || db.client(mac)?.node !== self) return;
    if (lost === 'lease4') {
      log.warn(`${mac} has an IPv4 address that is another client's: it has to associate anew`);
      for (const via of this.#presence.radiosOf(mac)) stations.disassociate(mac, via);
      return;
    }
    log.info(`${mac} has an IPv6 network that is another client's: it gets a new one`);
    this.#arriving.add(mac);
    services()?.provide(mac, now);
  }

  /** The /64 of a client was ended by hand, here or elsewhere. One that is here goes on with it: it is leased it again. */
  released6(mac: Mac): void {
    const { db, self, clock, services } = this.#options;
    const isHere = () => !this.#stopped && this.#presence.get(mac) !== undefined && db.client(mac)?.node === self;
    // What ended it is told to other nodes first.
    if (isHere()) afterwards(() => isHere() && services()?.lease6(mac, clock.now()));
  }

  /** Another node says that a client is not here: its record counts, but the station is given up only once that is sure. */
  #contradicted({ mac, network }: Station, node: NodeId | undefined, now: Instant): void {
    if (node !== undefined) {
      this.#keeper.release(mac);
      afterwards(() => {
        this.#options.kernel.purge(mac, network);
        this.#options.services()?.movedAway(mac, network, () => this.#presence.stations());
      });
    }
    this.#conflicts.contradicted(mac, node, now);
    this.#options.rearm();
  }

  #ask({ mac, network }: Station, now: Instant): void {
    const { clock, services, rearm } = this.#options;
    afterwards(async () => {
      const answer = services()?.probe(mac, network, now);
      rearm();
      if ((await answer)?.answered !== true || this.#stopped) return;
      this.#conflicts.answered(mac, clock.now());
      rearm();
    });
  }

  /** A client that another node says is gone or elsewhere has answered here. */
  #claimBack({ mac }: Station, against: NodeId | undefined, now: Instant): void {
    // That it flaps has been logged.
    const level = this.#conflicts.flaps(mac, now) ? 'debug' : 'info';
    this.#options.log[level](`${mac} is still here, whatever ${this.#nameOf(against)} says`);
    this.#options.reporter().conflict({ kind: 'association', mac, node: against });
    this.#hold(mac, claims.reclaim, now);
    if (this.#options.isInstalled(mac)) this.installed(mac);
  }

  #yielded(station: Station, radios: readonly string[]): void {
    const { db, log, stations } = this.#options;
    const { mac } = station;
    const node = db.client(mac)?.node;
    log.info(node === undefined ? `${mac} is not here any more` : `${mac} is at ${this.#nameOf(node)} now`);
    for (const via of radios) stations.disassociate(mac, via);
    this.#forget(station);
  }

  /** A copy of the database that was cut off says that a client is here: it was, and has left since. */
  #deny(mac: Mac, now: Instant): void {
    const { db, self, apply } = this.#options;
    const record = claims.gone(db, mac, self, now);
    if (record !== undefined && this.#conflicts.mayDeny(mac, now)) apply(record);
  }

  #nameOf(node: NodeId | undefined): string {
    return node === undefined ? 'another node' : nodeName(this.#options.db, node) || node;
  }

  /** What was here before the start and has not shown itself by now is not here any more. */
  settle(now: Instant): void {
    const { db, self } = this.#options;
    this.#settled = true;
    for (const { mac, node } of [...db.clients()]) {
      if (node === self && this.#presence.get(mac) === undefined) this.#tellGone(mac, now);
    }
  }

  /** This router serves nobody any more: it tells that its clients are gone, unless with `linger` it is back soon. */
  stop(linger: boolean, now: Instant): void {
    for (const { mac } of linger ? [] : [...this.#presence.stations()]) {
      // Forgotten first: what is associated here would be claimed again.
      this.#presence.elsewhere(mac);
      this.#tellGone(mac, now);
    }
    this.#stopped = true;
  }
}

/** For frames, dumps and the like: the routes and the flood are on their way first, and do not wait for these. */
function afterwards(task: () => unknown): void {
  void Promise.resolve().then(task);
}
