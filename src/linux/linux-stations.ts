/** The {@link Stations} port on Linux: all sources of presence that are used, put together. */
import type { UbusClient } from 'ubus-ts';
import type { Mac } from '../net/mac.js';
import { macFromBytes } from '../net/mac.js';
import type { Logger, StationEvent, Stations } from '../ports.js';
import type { PresenceSource } from '../presence/source.js';
import type { PacketAddon } from './addons.js';
import { BridgeStations } from './bridge-stations.js';
import { CurrentVlans } from './bridge-vlans.js';
import { anyOf, stationMoved } from './bpf.js';
import { isWireless } from './devices.js';
import { NetlinkMonitor } from './netlink/monitor.js';
import { Nl80211 } from './netlink/nl80211.js';
import { parseEvent, Rtnetlink, RtnetlinkGroup } from './netlink/rtnetlink.js';
import type { RtnetlinkEvent } from './netlink/rtnetlink.js';
import { NETLINK_ROUTE } from './netlink/socket.js';
import type { NetlinkMessage } from './netlink/wire.js';
import { PacketSocket } from './packet-socket.js';
import { HostapdStations } from './stations.js';
import { WifiStations } from './wifi-stations.js';

export interface LinuxStationsOptions {
  readonly addon: PacketAddon;
  readonly ubus: UbusClient;
  readonly log: Logger;
  /** Client interfaces; read again at every change of interfaces. */
  readonly networks: () => readonly string[];
  /** Sources that are listened to. */
  readonly sources: ReadonlySet<PresenceSource>;
}

/** Interfaces change in bursts: they are looked at this many milliseconds after the first change. */
const SETTLE = 100;

/** A large bridge flushes all that it has learnt at once. */
const EVENT_BUFFER = 4 << 20;

export class LinuxStations implements Stations {
  readonly #options: LinuxStationsOptions;
  readonly #hostapd: HostapdStations;
  readonly #wifi: WifiStations;
  readonly #rtnl: Rtnetlink;
  readonly #vlans: CurrentVlans;
  #bridge: BridgeStations | undefined;
  #monitor: NetlinkMonitor | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: LinuxStationsOptions) {
    const { addon, ubus, log } = options;
    this.#options = options;
    this.#rtnl = new Rtnetlink(addon);
    this.#vlans = new CurrentVlans(this.#rtnl);
    const networkOf = (device: string) => this.#vlans.known.networkOf(device);
    this.#hostapd = new HostapdStations({
      ubus,
      log,
      changed: () => this.#bridge?.refresh(),
      placeOf: (mac, via) => this.#wifi.placeOf(mac, via),
      networkOf,
    });
    this.#wifi = new WifiStations({
      open: (handlers) => Nl80211.open(addon, handlers),
      prepare: () => this.#vlans.read(),
      listen: (ifindex, moved) => this.#listen(ifindex, moved),
      log,
      networkOf,
      placed: (mac, via, network) => this.#hostapd.placed(mac, via, network),
    });
  }

  start(listener: (event: StationEvent) => void): void {
    const { addon, sources, networks, log } = this.#options;
    const { link, neighbour } = RtnetlinkGroup;
    if (sources.has('fdb') || sources.has('neighbour')) {
      const isOurs = (device: string) => this.#hostapd.knows(device) || isWireless(device);
      this.#bridge = new BridgeStations({ rtnl: this.#rtnl, vlans: this.#vlans, log, networks, isAccessPoint: isOurs });
    }
    this.#monitor = new NetlinkMonitor(addon, {
      protocol: NETLINK_ROUTE,
      groups: this.#bridge === undefined ? [link] : [link, neighbour],
      receiveBuffer: EVENT_BUFFER,
      onMessages: (messages) => messages.forEach((message) => this.#take(message)),
      onOverrun: () => this.#linksChanged(),
    });
    // Access points first: what the bridge has learnt on their ports is not wired. hostapd is known also where it is no
    // source, since it removes stations.
    this.#hostapd.start(sources.has('hostapd') ? listener : undefined);
    // hostapd alone does not say which of its interfaces a station is on.
    if (this.#hasAccessPoints) this.#wifi.start((event) => sources.has('nl80211') && listener(event));
    this.#bridge?.start((event) => {
      if (sources.has(event.kind === 'neighbour' ? 'neighbour' : event.source)) listener(event);
    });
  }

  /** Whether stations of our access points count. */
  get #hasAccessPoints(): boolean {
    const { sources } = this.#options;
    return sources.has('hostapd') || sources.has('nl80211');
  }

  /** What mac80211 tells the bridges of stations on that interface. Without it a station is noticed milliseconds later. */
  #listen(ifindex: number, moved: (mac: Mac) => void): () => void {
    const { addon, log } = this.#options;
    try {
      const socket = new PacketSocket(addon, {
        ifindex,
        filter: anyOf(stationMoved),
        onFrames: (frames) => frames.forEach(({ bytes }) => moved(macFromBytes(bytes.subarray(6, 12)))),
        onError: (code) => log.debug(`frames that tell of moves: ${code}`),
      });
      return () => socket.close();
    } catch (error) {
      // The interface may have gone since it was read.
      if ((error as { code?: string }).code !== 'ENODEV') log.warn(`cannot hear what the kernel tells bridges of stations: ${(error as Error).message}`);
      return () => {};
    }
  }

  /** Access points tell of all their stations, on whatever interface; bridges of those on client interfaces. */
  refresh(): void {
    this.#bridge?.refresh();
  }

  hasAccessPoint(network: string): boolean {
    return this.#hostapd.hasAccessPoint(network) || this.#wifi.hasAccessPoint(network);
  }

  disassociate(mac: Mac, via: string): void {
    if (this.#hostapd.knows(via)) this.#hostapd.disassociate(mac, via);
    else this.#wifi.disassociate(mac, via);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#monitor?.close();
    this.#hostapd.stop();
    this.#wifi.stop();
    this.#bridge?.stop();
    this.#rtnl.close();
  }

  #take(message: NetlinkMessage): void {
    let event: RtnetlinkEvent | undefined;
    try {
      event = parseEvent(message);
    } catch {
      return this.#linksChanged();
    }
    if (event === undefined) return;
    this.#bridge?.take(event);
    if (event.kind === 'link' || event.kind === 'port') this.#linksChanged();
  }

  #linksChanged(): void {
    this.#vlans.changed();
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#wifi.refresh();
      this.#bridge?.refresh();
    }, SETTLE);
  }
}
