/**
 * Stations of the access points on this router, as hostapd tells over ubus: objects `hostapd.<interface>` that come and
 * go with the radios. A station counts once it is authorised, or anybody could move a client by associating with its MAC.
 * Stations on VLANs are told of by the access point's object alone, so the kernel is asked which interface they are on.
 */
import type { PlainTable, UbusClient, WatchHandlers } from 'ubus-ts';
import type { Mac } from '../net/mac.js';
import { isStationMac, parseMac } from '../net/mac.js';
import type { Logger, StationEvent, Stations } from '../ports.js';
import { networkOf as masterOf } from './devices.js';

const PREFIX = 'hostapd.';

/** Notifications that say that a station has gone. */
const LEAVES = new Set(['disassoc', 'deauth', 'inactive-deauth', 'local-deauth']);

/** Reason code 3 of IEEE 802.11 9.4.1.7: the station has left. */
export const REASON_LEFT = 3;

/** Milliseconds after an association: a hostapd from before sta-authorized is asked then whether the handshake is done. */
const ASK_DELAYS = [200, 1000, 4000];

/** Milliseconds after which a hostapd that does not say who is there, being busy with its start, is asked again. */
const LIST_DELAYS = [1000, 4000, 16_000];

interface RemoteObject {
  readonly path: string;
  call(method: string, args?: PlainTable): Promise<PlainTable | undefined>;
}

interface AccessPoint {
  readonly object: RemoteObject;
  readonly device: string;
  ssid: string;
  /** For each list that is waited for: stations of which something newer was told meanwhile, which counts instead. */
  readonly lists: Set<Set<Mac>>;
}

/** Those whose handshake is done, and those of which the list may be out of date. */
interface Listed {
  readonly authorized: ReadonlySet<Mac>;
  readonly outdated: ReadonlySet<Mac>;
}

export interface HostapdStationsOptions {
  readonly ubus: UbusClient;
  readonly log: Logger;
  /** An access point came or went. */
  readonly changed?: () => void;
  /** The client interface that an access point is on. Default: the bridge that it is a port of. */
  readonly networkOf?: (device: string) => string;
  /** The one that a station of it is on, undefined where the kernel does not know the station. Default: the same. */
  readonly placeOf?: (mac: Mac, device: string) => string | Promise<string | undefined>;
}

export class HostapdStations implements Omit<Stations, 'refresh'> {
  readonly #ubus: UbusClient;
  readonly #log: Logger;
  readonly #changed: () => void;
  readonly #networkOf: (device: string) => string;
  readonly #placeOf: (mac: Mac, device: string) => string | Promise<string | undefined>;
  #accessPoints = new Map<string, AccessPoint>();
  /** Where stations were told to be, by the interface that told them: what is compared after a reconnect. */
  #told = new Map<string, Map<Mac, string>>();
  /**
   * Stations that associate, each with the turn that its timers stand for: they are asked about. What was told of them
   * before stands until hostapd says otherwise.
   */
  #associating = new Map<string, symbol>();
  /** Stations that are authorised, while it is asked where they are, each with the turn of the question. */
  #placing = new Map<string, symbol>();
  #listener: ((event: StationEvent) => void) | undefined;
  #watch: Promise<{ close(): Promise<void> }> | undefined;
  #timers = new Set<NodeJS.Timeout>();

  constructor({ ubus, log, changed = () => {}, networkOf = masterOf, placeOf = (_, device) => networkOf(device) }: HostapdStationsOptions) {
    this.#ubus = ubus;
    this.#log = log;
    this.#changed = changed;
    this.#networkOf = networkOf;
    this.#placeOf = placeOf;
  }

  /**
   * Without a listener nothing is subscribed to, and access points are only known. hostapd asks its subscribers whether to
   * answer a station, if one of them wants that (usteer, dawn), and takes what the last of them says: our consent would
   * undo their refusals.
   */
  start(listener?: (event: StationEvent) => void): void {
    this.#listener = listener;
    const notified: WatchHandlers['notified'] = (object, type, data) => this.#notified(object.path.slice(PREFIX.length), type, data);
    this.#watch = this.#ubus.watch(`${PREFIX}*`, {
      appeared: (object) => void this.#appeared(object),
      ...(listener && { notified }),
      gone: (object) => this.#gone(object.path.slice(PREFIX.length)),
    });
    this.#watch.catch((error: Error) => this.#log.error(`cannot follow hostapd: ${error.message}`));
  }

  /** Whether hostapd runs an access point on this interface. */
  knows(device: string): boolean {
    return this.#accessPoints.has(device);
  }

  hasAccessPoint(network: string): boolean {
    return [...this.#accessPoints.keys()].some((device) => this.#networkOf(device) === network);
  }

  disassociate(mac: Mac, via: string): void {
    const accessPoint = this.#accessPoints.get(via);
    accessPoint?.object
      .call('del_client', { addr: mac, reason: REASON_LEFT, deauth: true, ban_time: 0 })
      .catch((error: Error) => this.#log.debug(`${via}: ${mac} cannot be removed: ${error.message}`));
  }

  stop(): void {
    this.#listener = undefined;
    for (const timer of this.#timers) clearTimeout(timer);
    void this.#watch?.then((watch) => watch.close()).catch(() => {});
  }

  /** An access point is there: subscribed to already, so that nothing falls between its list and its notifications. */
  async #appeared(object: RemoteObject): Promise<void> {
    const device = object.path.slice(PREFIX.length);
    const accessPoint: AccessPoint = { object, device, ssid: '', lists: new Set() };
    this.#accessPoints.set(device, accessPoint);
    this.#changed();
    await this.#readAll(accessPoint, LIST_DELAYS);
  }

  /** Who is there; where it does not say, it is asked again after these delays. */
  async #readAll(accessPoint: AccessPoint, [delay, ...later]: readonly number[]): Promise<void> {
    const { object, device } = accessPoint;
    if (this.#listener === undefined || this.#accessPoints.get(device) !== accessPoint) return;
    try {
      const status = await object.call('get_status');
      accessPoint.ssid = typeof status?.['ssid'] === 'string' ? status['ssid'] : '';
      this.#compare(device, await this.#list(accessPoint));
    } catch (error) {
      this.#log.warn(`${object.path} does not say who is there: ${(error as Error).message}`);
      if (delay !== undefined) this.#later(delay, () => void this.#readAll(accessPoint, later));
    }
  }

  /** Notifications that are read together with an answer are handled before the caller goes on. */
  async #list({ object, lists }: AccessPoint): Promise<Listed> {
    const outdated = new Set<Mac>();
    lists.add(outdated);
    try {
      const clients = (await object.call('get_clients'))?.['clients'];
      return { authorized: authorizedIn(isTable(clients) ? clients : {}), outdated };
    } finally {
      lists.delete(outdated);
    }
  }

  /** What the access point lists now, against what was told of it before the connection was lost. */
  #compare(device: string, { authorized, outdated }: Listed): void {
    for (const mac of this.#toldBy(device)) if (!authorized.has(mac) && !outdated.has(mac)) this.#left(device, mac);
    for (const mac of authorized) if (!outdated.has(mac)) this.#authorized(device, mac);
  }

  #notified(device: string, type: string, data: PlainTable): void {
    const mac = readMac(data['address']);
    if (mac === undefined) return;
    const isLeave = LEAVES.has(type);
    if (!isLeave && type !== 'sta-authorized' && type !== 'assoc') return;
    for (const outdated of this.#accessPoints.get(device)?.lists ?? []) outdated.add(mac);
    if (isLeave) this.#left(device, mac);
    else if (type === 'assoc') this.#associated(device, mac);
    else this.#authorized(device, mac);
  }

  /** A request, not granted yet; and whether a notification follows when it is depends on hostapd's age. */
  #associated(device: string, mac: Mac): void {
    const key = keyOf(device, mac);
    const turn = Symbol();
    this.#associating.set(key, turn);
    for (const delay of ASK_DELAYS) {
      this.#later(delay, async () => {
        if (this.#associating.get(key) !== turn) return;
        await this.#ask(device, mac);
        if (delay === ASK_DELAYS.at(-1) && this.#associating.get(key) === turn) this.#associating.delete(key);
      });
    }
  }

  #later(delay: number, task: () => unknown): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      void task();
    }, delay);
    this.#timers.add(timer);
  }

  async #ask(device: string, mac: Mac): Promise<void> {
    const accessPoint = this.#accessPoints.get(device);
    if (accessPoint === undefined) return;
    try {
      const { authorized, outdated } = await this.#list(accessPoint);
      if (authorized.has(mac) && !outdated.has(mac)) this.#authorized(device, mac);
    } catch (error) {
      this.#log.debug(`${device} does not say whether ${mac} is authorized: ${(error as Error).message}`);
    }
  }

  #authorized(device: string, mac: Mac): void {
    const place = this.#placeOf(mac, device);
    if (typeof place === 'string') return this.#tell(device, mac, place);
    const [key, turn] = [keyOf(device, mac), Symbol()];
    this.#placing.set(key, turn);
    void place
      .catch((error: Error) => {
        this.#log.debug(`${device}: it is not known where ${mac} is: ${error.message}`);
        return this.#networkOf(device);
      })
      .then((network) => {
        if (this.#placing.get(key) !== turn || !this.#accessPoints.has(device)) return;
        if (network !== undefined) this.#tell(device, mac, network);
        else if (!this.#associating.has(key)) this.#associated(device, mac);
      });
  }

  #tell(device: string, mac: Mac, network: string): void {
    const key = keyOf(device, mac);
    this.#placing.delete(key);
    this.#associating.delete(key);
    const told = this.#told.get(device) ?? new Map<Mac, string>();
    this.#told.set(device, told.set(mac, network));
    const ssid = this.#accessPoints.get(device)?.ssid ?? '';
    this.#listener?.({ kind: 'authorized', mac, network, via: device, ssid, source: 'hostapd' });
  }

  /** The kernel has a station on that client interface, perhaps another than before: VLANs may be changed. */
  placed(mac: Mac, device: string, network: string): void {
    const before = this.#told.get(device)?.get(mac);
    if (before !== undefined && before !== network) this.#tell(device, mac, network);
  }

  #toldBy(device: string): Mac[] {
    return [...(this.#told.get(device)?.keys() ?? [])];
  }

  #left(device: string, mac: Mac): void {
    const key = keyOf(device, mac);
    this.#associating.delete(key);
    this.#placing.delete(key);
    this.#told.get(device)?.delete(mac);
    this.#listener?.({ kind: 'left', mac, via: device, source: 'hostapd' });
  }

  /** The access point stopped: its stations are off. If only ubusd went, they are still there, and compared later. */
  #gone(device: string): void {
    this.#accessPoints.delete(device);
    this.#changed();
    if (!this.#ubus.connected) return;
    for (const mac of this.#toldBy(device)) this.#left(device, mac);
  }
}

function keyOf(device: string, mac: Mac): string {
  return `${device} ${mac}`;
}

function authorizedIn(clients: { readonly [mac: string]: unknown }): Set<Mac> {
  const authorized = new Set<Mac>();
  for (const [address, state] of Object.entries(clients)) {
    const mac = readMac(address);
    if (mac !== undefined && isTable(state) && state['authorized'] === true) authorized.add(mac);
  }
  return authorized;
}

function readMac(text: unknown): Mac | undefined {
  try {
    const mac = parseMac(String(text));
    return isStationMac(mac) ? mac : undefined;
  } catch {
    return undefined;
  }
}

function isTable(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
