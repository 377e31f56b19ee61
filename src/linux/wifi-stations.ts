/**
 * Stations of the access points on this router, as nl80211 tells. A station is new when it has merely authenticated,
 * and nl80211 does not tell when its handshake is done. mac80211 tells the bridges then, by a frame in the station's
 * name that comes in by the access point's interface: the first time the station is asked for at once, and from then on
 * the frame is enough. Drivers without mac80211 tell nobody; so a station is asked for besides, soon and then ever more
 * rarely, until it is authorised.
 *
 * Where an access point has interfaces for VLANs, a station is on the bridge of that which lists it. Nobody tells which
 * that is, nor, but for the same frame, that it has changed.
 */
import type { Mac } from '../net/mac.js';
import { isStationMac } from '../net/mac.js';
import type { Logger, StationEvent, Stations } from '../ports.js';
import type { AccessPoint } from './access-points.js';
import { accessPointsOf } from './access-points.js';
import { networkOf } from './devices.js';
import { unless } from './netlink/error.js';
import type { Nl80211, Station, StationEvent as WirelessEvent } from './netlink/nl80211.js';
import type { Later } from './rereading.js';
import { later, Rereading } from './rereading.js';
import { REASON_LEFT } from './stations.js';

/** The requests of {@link Nl80211} that are made here. */
export type Wireless = Pick<Nl80211, 'interfaces' | 'stations' | 'station' | 'removeStation' | 'close'>;

export interface WirelessHandlers {
  readonly onStation: (event: WirelessEvent) => void;
  readonly onInterface: () => void;
  readonly onOverrun: (code: string) => void;
}

export interface WifiStationsOptions {
  /** Undefined while the kernel has no Wi-Fi. */
  readonly open: (handlers: WirelessHandlers) => Promise<Wireless | undefined>;
  /** Reads what `networkOf` goes by, each time before the stations are read. */
  readonly prepare?: () => Promise<unknown>;
  /** Calls `moved` when the bridges are told of a station that came by that interface; returns what ends that. */
  readonly listen: (ifindex: number, moved: (mac: Mac) => void) => () => void;
  readonly log: Logger;
  /** Calls back after `ms` milliseconds. */
  readonly after?: Later;
  /** The bridge above an interface. */
  readonly networkOf?: (device: string) => string;
  /** An authorised station is on that client interface, or is there now. `via`: the access point. */
  readonly placed?: (mac: Mac, via: string, network: string) => void;
}

/**
 * A handshake takes 20 to 200 ms, a login by 802.1X seconds: it is noticed late by a twentieth of what it has taken, and
 * by {@link FIRST_DELAY}.
 */
const GROWTH = 1.05;
const FIRST_DELAY = 5;
const LONGEST_DELAY = 2000;

/** Where the kernel has told the bridges before, it will again: asking beside that is for a frame that was lost. */
const TOLD_DELAY = 100;

/** Milliseconds after which a station that may be on another VLAN is looked for; also the least time between two looks. */
const FOLLOW_DELAY = 50;

/** What the kernel says of a station. `unclear`: nothing that helps now. `stale`: another has asked meanwhile. */
type Answer = 'authorized' | 'not yet' | 'unknown' | 'unclear' | 'stale';

/** Where a station was told to be. */
interface Told {
  readonly mac: Mac;
  readonly via: string;
  readonly network: string;
}

export class WifiStations implements Stations {
  readonly #options: WifiStationsOptions;
  readonly #after: Later;
  readonly #all: Rereading<WirelessEvent>;
  readonly #networkOf: (device: string) => string;
  #wireless: Wireless | undefined;
  #listener: ((event: StationEvent) => void) | undefined;
  /** By the index of each of their interfaces. */
  #accessPoints = new Map<number, AccessPoint>();
  /** Stations told as authorised. */
  #told = new Map<string, Told>();
  /** Stations that are asked for, each with the turn that its timer stands for. */
  #asking = new Map<string, symbol>();
  /** What ends that moves are listened to, by the index of each interface. */
  #listening = new Map<number, () => void>();
  /**
   * Access points by interface index: whether the bridges are told when a station is authorised, or before. Kernels that
   * lack the mending of CVE-2019-5108 tell before.
   */
  #telling = new Map<number, 'in time' | 'early'>();
  /** Those that we have had removed: until the kernel has done it, a list of stations still shows them. */
  #removing = new Set<string>();
  /** Interfaces have come or gone that are not read yet. */
  #changing = false;
  /** All is to be read soon. */
  #following = false;

  constructor(options: WifiStationsOptions) {
    this.#options = options;
    this.#after = options.after ?? later;
    this.#all = new Rereading({
      read: () => this.#read(),
      failed: (error) => options.log.warn(`cannot read the Wi-Fi stations: ${error.message}`),
      handle: (event) => this.#heard(event),
      after: options.after,
    });
    this.#networkOf = options.networkOf ?? networkOf;
  }

  start(listener: (event: StationEvent) => void): void {
    this.#listener = listener;
    this.#all.start();
  }

  hasAccessPoint(network: string): boolean {
    return [...this.#points()].some(({ interfaces }) => interfaces.some(({ name }) => this.#networkOf(name) === network));
  }

  #points(): ReadonlySet<AccessPoint> {
    return new Set(this.#accessPoints.values());
  }

  /**
   * The client interface that a station of an access point is on. At once where that has no VLANs; undefined where it does
   * not have the station.
   */
  placeOf(mac: Mac, via: string): string | Promise<string | undefined> {
    const point = [...this.#points()].find(({ name }) => name === via);
    if (point === undefined && this.#all.reading !== undefined) return this.#all.reading.then(() => this.placeOf(mac, via));
    if (point === undefined || (point.interfaces.length === 1 && !this.#changing)) return this.#networkOf(via);
    return this.#find(point.ifindex, mac);
  }

  disassociate(mac: Mac, via: string): void {
    for (const { ifindex, name } of this.#points()) {
      if (name === via) this.#remove(ifindex, name, mac);
    }
  }

  #remove(ifindex: number, name: string, mac: Mac): void {
    const key = keyOf(ifindex, mac);
    this.#removing.add(key);
    this.#wireless?.removeStation(ifindex, mac, REASON_LEFT).catch((error: Error) => {
      this.#removing.delete(key);
      this.#options.log.debug(`${name}: ${mac} cannot be removed: ${error.message}`);
    });
  }

  stop(): void {
    this.#listener = undefined;
    this.#listenTo([]);
    this.#all.stop();
    this.#wireless?.close();
    this.#wireless = undefined;
  }

  /** Interfaces came, went or changed, or events were lost: all is read anew, and compared with what was told. */
  refresh(): void {
    this.#all.refresh();
  }

  async #read(): Promise<void> {
    try {
      await this.#options.prepare?.();
      this.#wireless ??= await this.#options.open({
        onStation: (event) => this.#all.take(event),
        onInterface: () => this.#interfaceChanged(),
        onOverrun: () => this.refresh(),
      });
      if (this.#wireless !== undefined && this.#listener !== undefined) await this.#compare(this.#wireless);
    } finally {
      // Stopped meanwhile: what was opened since ends too.
      if (this.#listener === undefined) this.stop();
    }
  }

  #interfaceChanged(): void {
    this.#changing = true;
    this.refresh();
  }

  async #compare(wireless: Wireless): Promise<void> {
    this.#accessPoints = accessPointsOf(await wireless.interfaces());
    this.#listenTo([...this.#accessPoints.keys()]);
    this.#changing &&= this.#all.stale;
    const present = new Set<string>();
    for (const point of this.#points()) {
      for (const { ifindex, name } of point.interfaces) {
        const network = this.#networkOf(name);
        // One that has vanished since it was read has no stations; that it has, the kernel tells as well.
        for (const station of (await wireless.stations(ifindex).catch(unless('ENODEV'))) ?? []) {
          const key = keyOf(point.ifindex, station.mac);
          // A driver without lists for VLANs has all stations in each.
          if (present.has(key) || !isStationMac(station.mac)) continue;
          present.add(key);
          this.#listed(point, station, network);
        }
      }
    }
    for (const key of this.#removing) if (!present.has(key)) this.#removing.delete(key);
    for (const key of [...this.#told.keys()]) if (!present.has(key)) this.#left(key);
  }

  #listed(point: AccessPoint, { mac, authorized }: Station, network: string): void {
    const key = keyOf(point.ifindex, mac);
    if (this.#removing.has(key) || this.#told.get(key)?.network === network) return;
    // It may have been told: on another VLAN now, or its interface on another bridge. While a handshake begins anew it is on
    // the access point's own interface, which is not to be believed.
    if (authorized === true) this.#authorized(point, mac, network);
    else this.#await(point, mac);
  }

  #heard({ removed, station: { ifindex, mac, authorized } }: WirelessEvent): void {
    const point = this.#accessPoints.get(ifindex);
    // It may be new, or have gone with its last station.
    if (point === undefined) return this.refresh();
    if (removed) return this.#left(keyOf(point.ifindex, mac));
    this.#removing.delete(keyOf(point.ifindex, mac));
    if (!isStationMac(mac)) return;
    if (authorized === true && point.interfaces.length === 1) this.#authorized(point, mac, this.#networkOf(point.name));
    else this.#await(point, mac);
  }

  #await({ ifindex }: AccessPoint, mac: Mac): void {
    if (!this.#asking.has(keyOf(ifindex, mac))) this.#ask(ifindex, mac, this.#telling.get(ifindex) === 'in time' ? TOLD_DELAY : FIRST_DELAY);
  }

  /** Those interfaces and no others are listened to. */
  #listenTo(interfaces: readonly number[]): void {
    for (const [ifindex, end] of this.#listening) {
      if (interfaces.includes(ifindex)) continue;
      end();
      this.#listening.delete(ifindex);
      this.#telling.delete(ifindex);
    }
    for (const ifindex of interfaces) {
      if (!this.#listening.has(ifindex)) this.#listening.set(ifindex, this.#options.listen(ifindex, (mac) => this.#moved(ifindex, mac)));
    }
  }

  /**
   * The bridges were told in a station's name that it came by that interface. Where stations may speak for hosts behind
   * them, on the interface of a VLAN, the kernel is asked nevertheless.
   */
  #moved(ifindex: number, mac: Mac): void {
    const point = this.#accessPoints.get(ifindex);
    if (point === undefined) return;
    const key = keyOf(point.ifindex, mac);
    const turn = this.#asking.get(key);
    const hasVlans = point.interfaces.length > 1;
    if (turn === undefined) {
      if (hasVlans && this.#told.has(key)) this.#follow();
    } else if (!hasVlans && this.#telling.get(ifindex) === 'in time') this.#authorized(point, mac, this.#networkOf(point.name));
    else void this.#query(point.ifindex, mac, turn).then((state) => this.#tells(point.ifindex, state));
  }

  /** The kernel was asked for a station that the bridges had been told of. */
  #tells(ifindex: number, state: Answer): void {
    if (state === 'not yet') this.#telling.set(ifindex, 'early');
    else if (state === 'authorized' && !this.#telling.has(ifindex)) this.#telling.set(ifindex, 'in time');
  }

  #follow(): void {
    if (this.#following) return;
    this.#following = true;
    this.#after(FOLLOW_DELAY, () => {
      this.#following = false;
      this.refresh();
    });
  }

  #ask(ifindex: number, mac: Mac, delay: number): void {
    const key = keyOf(ifindex, mac);
    const turn = Symbol();
    this.#asking.set(key, turn);
    this.#after(delay, async () => {
      if (this.#asking.get(key) !== turn) return;
      const state = await this.#query(ifindex, mac, turn);
      if (state === 'not yet' || state === 'unclear') this.#ask(ifindex, mac, Math.min(GROWTH * delay, LONGEST_DELAY));
      else if (state === 'unknown') this.#asking.delete(key);
    });
  }

  async #query(ifindex: number, mac: Mac, turn: symbol): Promise<Answer> {
    const key = keyOf(ifindex, mac);
    try {
      const station = await this.#wireless?.station(ifindex, mac);
      if (this.#asking.get(key) !== turn) return 'stale';
      if (station === undefined) return 'unknown';
      if (station.authorized !== true) return 'not yet';
      const network = await this.#find(ifindex, mac);
      if (this.#asking.get(key) !== turn) return 'stale';
      const point = this.#accessPoints.get(ifindex);
      if (network === undefined || point === undefined) return 'unclear';
      this.#authorized(point, mac, network);
      return 'authorized';
    } catch (error) {
      this.#options.log.debug(`${mac}: its station cannot be read: ${(error as Error).message}`);
      return this.#accessPoints.has(ifindex) ? 'unclear' : 'unknown';
    }
  }

  /** The client interface of that interface of an access point which lists a station; undefined: none does. */
  async #find(ifindex: number, mac: Mac): Promise<string | undefined> {
    if (this.#changing) await this.#all.reading;
    const interfaces = this.#accessPoints.get(ifindex)?.interfaces ?? [];
    const [only, ...others] = interfaces;
    if (only !== undefined && others.length === 0) return this.#networkOf(only.name);
    for (const one of interfaces) {
      const stations = (await this.#wireless?.stations(one.ifindex)) ?? [];
      if (stations.some((station) => station.mac === mac)) return this.#networkOf(one.name);
    }
    return undefined;
  }

  #authorized({ ifindex, name: via, ssid }: AccessPoint, mac: Mac, network: string): void {
    const key = keyOf(ifindex, mac);
    this.#asking.delete(key);
    this.#told.set(key, { mac, via, network });
    this.#listener?.({ kind: 'authorized', mac, network, via, ssid, source: 'nl80211' });
    this.#options.placed?.(mac, via, network);
  }

  #left(key: string): void {
    this.#removing.delete(key);
    // What is on its way as an answer is of the time before.
    this.#asking.delete(key);
    const told = this.#told.get(key);
    if (told === undefined) return;
    this.#told.delete(key);
    this.#listener?.({ kind: 'left', mac: told.mac, via: told.via, source: 'nl80211' });
  }
}

function keyOf(ifindex: number, mac: Mac): string {
  return `${ifindex} ${mac}`;
}
