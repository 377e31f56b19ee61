/**
 * Stations of the access points on this router, as nl80211 tells. A station is new when it has merely authenticated,
 * and nl80211 does not tell when its handshake is done. mac80211 tells the bridges then, by a frame in the station's
 * name: whoever hears it says so ({@link WifiStations.moved}), and the station is asked for at once. Drivers without
 * mac80211 tell nobody; so it is asked for besides, soon and then ever more rarely, until it is authorised.
 */
import type { Mac } from '../net/mac.js';
import { isStationMac } from '../net/mac.js';
import type { Logger, StationEvent, Stations } from '../ports.js';
import { networkOf } from './devices.js';
import type { Nl80211, Station, StationEvent as WirelessEvent, WirelessInterface } from './netlink/nl80211.js';
import { REASON_LEFT } from './stations.js';

/** The requests of {@link Nl80211} that are made here. */
export type Wireless = Pick<Nl80211, 'interfaces' | 'stations' | 'station' | 'removeStation' | 'close'>;

export interface WirelessHandlers {
  readonly onStation: (event: WirelessEvent) => void;
  readonly onOverrun: (code: string) => void;
}

export interface WifiStationsOptions {
  /** Undefined while the kernel has no Wi-Fi. */
  readonly open: (handlers: WirelessHandlers) => Promise<Wireless | undefined>;
  readonly log: Logger;
  /** Calls back after so many milliseconds. */
  readonly after?: (ms: number, callback: () => void) => void;
  /** The bridge above an interface. */
  readonly networkOf?: (device: string) => string;
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

/** What could not be read is read again after so many milliseconds. */
const RETRY_DELAY = 1000;

interface AccessPoint {
  readonly name: string;
  readonly ssid: string;
}

export class WifiStations implements Stations {
  readonly #options: WifiStationsOptions;
  readonly #after: (ms: number, callback: () => void) => void;
  readonly #networkOf: (device: string) => string;
  #wireless: Wireless | undefined;
  #listener: ((event: StationEvent) => void) | undefined;
  /** By interface index. */
  #accessPoints = new Map<number, AccessPoint>();
  /** Stations told as authorised, with the interface's name at that time. */
  #told = new Map<string, { readonly mac: Mac; readonly via: string }>();
  /** Stations that are asked for, each with the turn that its timer stands for. */
  #asking = new Map<string, symbol>();
  /** Access points by interface index, of which the bridges are told when a station is authorised. */
  #telling = new Set<number>();
  /** Those that we have had removed: until the kernel has done it, a list of stations still shows them. */
  #removing = new Set<string>();
  #reading: Promise<void> | undefined;
  #stale = false;
  /** What was told while all is read: it may be newer than what is read, and counts after that. */
  #waiting: WirelessEvent[] = [];

  constructor(options: WifiStationsOptions) {
    this.#options = options;
    this.#after = options.after ?? ((ms, callback) => void setTimeout(callback, ms).unref());
    this.#networkOf = options.networkOf ?? networkOf;
  }

  start(listener: (event: StationEvent) => void): void {
    this.#listener = listener;
    this.refresh();
  }

  hasAccessPoint(network: string): boolean {
    return [...this.#accessPoints.values()].some(({ name }) => this.#networkOf(name) === network);
  }

  disassociate(mac: Mac, via: string): void {
    for (const [ifindex, { name }] of this.#accessPoints) {
      if (name !== via) continue;
      this.#removing.add(keyOf(ifindex, mac));
      this.#wireless
        ?.removeStation(ifindex, mac, REASON_LEFT)
        .catch((error: Error) => this.#options.log.debug(`${via}: ${mac} cannot be removed: ${error.message}`));
    }
  }

  stop(): void {
    this.#listener = undefined;
    this.#wireless?.close();
    this.#wireless = undefined;
  }

  /** Interfaces came, went or changed, or events were lost: all is read anew, and compared with what was told. */
  refresh(): void {
    this.#stale = true;
    this.#reading ??= this.#readAll().finally(() => {
      this.#reading = undefined;
    });
  }

  async #readAll(): Promise<void> {
    const { log, open } = this.#options;
    while (this.#stale && this.#listener !== undefined) {
      this.#stale = false;
      try {
        this.#wireless ??= await open({ onStation: (event) => this.#queue(event), onOverrun: () => this.refresh() });
        if (this.#wireless !== undefined) await this.#compare(this.#wireless);
      } catch (error) {
        log.warn(`cannot read the Wi-Fi stations: ${(error as Error).message}`);
        this.#after(RETRY_DELAY, () => this.refresh());
      }
      for (const event of this.#waiting.splice(0)) this.#heard(event);
    }
    if (this.#listener === undefined) this.stop();
  }

  async #compare(wireless: Wireless): Promise<void> {
    const interfaces = (await wireless.interfaces()).filter(({ accessPoint }) => accessPoint);
    this.#accessPoints = new Map(interfaces.map((one) => [one.ifindex, { name: one.name, ssid: textOf(one) }]));
    const present = new Set<string>();
    for (const { ifindex } of interfaces) {
      for (const station of await wireless.stations(ifindex)) {
        const key = keyOf(ifindex, station.mac);
        present.add(key);
        if (!this.#told.has(key) && !this.#removing.has(key)) this.#take(station);
      }
    }
    for (const key of this.#removing) if (!present.has(key)) this.#removing.delete(key);
    for (const key of [...this.#told.keys()]) if (!present.has(key)) this.#left(key);
  }

  #queue(event: WirelessEvent): void {
    if (this.#reading === undefined) this.#heard(event);
    else this.#waiting.push(event);
  }

  #heard({ removed, station }: WirelessEvent): void {
    if (removed) return this.#left(keyOf(station.ifindex, station.mac));
    if (!this.#accessPoints.has(station.ifindex)) return this.refresh();
    this.#removing.delete(keyOf(station.ifindex, station.mac));
    this.#take(station);
  }

  #take(station: Station): void {
    if (!isStationMac(station.mac)) return;
    if (station.authorized === true) this.#authorized(station);
    else if (!this.#asking.has(keyOf(station.ifindex, station.mac))) this.#ask(station.ifindex, station.mac, this.#telling.has(station.ifindex) ? TOLD_DELAY : FIRST_DELAY);
  }

  /** The bridges were told in a station's name that it is here. Anybody could have, so that the kernel is asked. */
  moved(mac: Mac): void {
    for (const ifindex of this.#accessPoints.keys()) {
      const turn = this.#asking.get(keyOf(ifindex, mac));
      if (turn !== undefined) void this.#query(ifindex, mac, turn).then((state) => state === 'authorized' && this.#telling.add(ifindex));
    }
  }

  #ask(ifindex: number, mac: Mac, delay: number): void {
    const key = keyOf(ifindex, mac);
    const turn = Symbol();
    this.#asking.set(key, turn);
    this.#after(delay, async () => {
      if (this.#asking.get(key) !== turn) return;
      const state = await this.#query(ifindex, mac, turn);
      if (state === 'not yet') this.#ask(ifindex, mac, Math.min(GROWTH * delay, LONGEST_DELAY));
      else if (state === 'unknown') this.#asking.delete(key);
    });
  }

  /** `stale`: another has asked meanwhile. */
  async #query(ifindex: number, mac: Mac, turn: symbol): Promise<'authorized' | 'not yet' | 'unknown' | 'stale'> {
    const key = keyOf(ifindex, mac);
    try {
      const station = await this.#wireless?.station(ifindex, mac);
      if (this.#asking.get(key) !== turn) return 'stale';
      if (station === undefined) return 'unknown';
      if (station.authorized !== true) return 'not yet';
      this.#asking.delete(key);
      this.#authorized(station);
      return 'authorized';
    } catch (error) {
      this.#options.log.debug(`${mac}: its station cannot be read: ${(error as Error).message}`);
      return this.#accessPoints.has(ifindex) ? 'not yet' : 'unknown';
    }
  }

  #authorized({ ifindex, mac }: Station): void {
    const accessPoint = this.#accessPoints.get(ifindex);
    if (accessPoint === undefined) return;
    const { name: via, ssid } = accessPoint;
    this.#told.set(keyOf(ifindex, mac), { mac, via });
    this.#listener?.({ kind: 'authorized', mac, network: this.#networkOf(via), via, ssid, source: 'nl80211' });
  }

  #left(key: string): void {
    this.#removing.delete(key);
    // What is on its way as an answer is of the time before.
    this.#asking.delete(key);
    const told = this.#told.get(key);
    if (told === undefined) return;
    this.#told.delete(key);
    this.#listener?.({ kind: 'left', ...told, source: 'nl80211' });
  }
}

function keyOf(ifindex: number, mac: Mac): string {
  return `${ifindex} ${mac}`;
}

function textOf({ ssid }: WirelessInterface): string {
  return new TextDecoder().decode(ssid);
}
