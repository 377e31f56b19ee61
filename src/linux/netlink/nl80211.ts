/** Wi-Fi interfaces and stations, linux/nl80211.h. */
import { ShortInput } from '../../net/bytes.js';
import type { Mac } from '../../net/mac.js';
import { macFromBytes, macToBytes } from '../../net/mac.js';
import type { PacketAddon } from '../addons.js';
import type { BpfProgram } from '../bpf.js';
import { anyOf, byteAt } from '../bpf.js';
import { unless } from './error.js';
import { GENERIC_HEADER_LENGTH, resolveFamily } from './generic.js';
import { NetlinkMonitor } from './monitor.js';
import type { NetlinkSocketOptions } from './socket.js';
import { NETLINK_GENERIC, NetlinkSocket } from './socket.js';
import type { Attributes, NetlinkMessage } from './wire.js';
import { HEADER_LENGTH, MessageWriter, parseAttributes, readString, readU32, readU8 } from './wire.js';

const CMD_GET_INTERFACE = 5;
const CMD_NEW_INTERFACE = 7;
const CMD_DEL_INTERFACE = 8;
const CMD_GET_STATION = 17;
const CMD_NEW_STATION = 19;
const CMD_DEL_STATION = 20;

const ATTR_WIPHY = 1;
const ATTR_IFINDEX = 3;
const ATTR_IFNAME = 4;
const ATTR_IFTYPE = 5;
const ATTR_MAC = 6;
const ATTR_STA_INFO = 21;
const ATTR_MGMT_SUBTYPE = 41;
const ATTR_SSID = 52;
const ATTR_REASON_CODE = 54;

/** Subtype of a deauthentication frame, IEEE 802.11 9.2.4.1.3. */
const DEAUTHENTICATION = 12;

const STA_INFO_INACTIVE_TIME = 1;
const STA_INFO_SIGNAL = 7;
const STA_INFO_CONNECTED_TIME = 16;
const STA_INFO_STA_FLAGS = 17;

/** NL80211_STA_FLAG_AUTHORIZED as a bit. */
const AUTHORIZED = 1 << 1;

/** Of NL80211_IFTYPE_...: the two that have stations of an access point, see {@link WirelessInterface.vlan}. */
const IFTYPE_AP = 3;
const IFTYPE_AP_VLAN = 4;

export interface Station {
  /**
   * In a list, the interface that the station is on. In an answer about one station, that which was asked: each of an
   * access point's knows all of its stations. A new one is told on the access point's own, and told as gone on that
   * which it was on at last.
   */
  readonly ifindex: number;
  readonly mac: Mac;
  /**
   * The WPA handshake is done, or none is needed. Undefined where the driver does not say. A station is new, and not
   * authorized, when it has merely authenticated; the kernel tells nothing when that changes.
   */
  readonly authorized?: boolean;
  /** Milliseconds since the last frame from it. */
  readonly inactive?: number;
  /** Seconds. */
  readonly connected?: number;
  /** Of the last frame from it, in dBm. */
  readonly signal?: number;
}

export interface WirelessInterface {
  readonly ifindex: number;
  readonly name: string;
  /** Number of its wiphy. */
  readonly radio: number;
  /** It has stations. */
  readonly accessPoint: boolean;
  /**
   * It has some of the stations of the access point that has the same MAC on the same radio: those of one of hostapd's
   * VLANs, or one that sends frames with four addresses (WDS).
   */
  readonly vlan: boolean;
  readonly mac?: Mac;
  /** Bytes, for an SSID need not be text. */
  readonly ssid?: Uint8Array;
}

export interface StationEvent {
  readonly removed: boolean;
  readonly station: Station;
}

/** The requests, for the family's id as message type. */
export function getStation(family: number, ifindex: number, mac: Mac): Uint8Array {
  return header(family, CMD_GET_STATION)
    .attributeU32(ATTR_IFINDEX, ifindex)
    .attribute(ATTR_MAC, macToBytes(mac))
    .done();
}

/** Has the access point send the station a deauthentication frame with that reason code, and forget it. */
export function deleteStation(family: number, ifindex: number, mac: Mac, reason: number): Uint8Array {
  return header(family, CMD_DEL_STATION)
    .attributeU32(ATTR_IFINDEX, ifindex)
    .attribute(ATTR_MAC, macToBytes(mac))
    .attributeU8(ATTR_MGMT_SUBTYPE, DEAUTHENTICATION)
    .attributeU16(ATTR_REASON_CODE, reason)
    .done();
}

export function dumpStations(family: number, ifindex: number): Uint8Array {
  return header(family, CMD_GET_STATION).attributeU32(ATTR_IFINDEX, ifindex).done();
}

export function dumpInterfaces(family: number): Uint8Array {
  return header(family, CMD_GET_INTERFACE).done();
}

function header(family: number, command: number): MessageWriter {
  return new MessageWriter(family).u8(command, 0, 0, 0);
}

/**
 * The station in an answer or an event; undefined when there is none in it.
 *
 * @throws {@link ShortInput}, {@link BadInput}
 */
export function parseStation({ payload }: NetlinkMessage): Station | undefined {
  const attributes = parseAttributes(payload, GENERIC_HEADER_LENGTH);
  const ifindex = attributes.get(ATTR_IFINDEX);
  const mac = attributes.get(ATTR_MAC);
  if (!ifindex || !mac) return undefined;
  if (mac.length < 6) throw new ShortInput(6, mac.length);
  const information = attributes.get(ATTR_STA_INFO);
  return {
    ifindex: readU32(ifindex),
    mac: macFromBytes(mac),
    ...(information && parseInformation(parseAttributes(information))),
  };
}

/** A station as the kernel tells that it is new. */
export function encodeStation(family: number, { ifindex, mac, authorized }: Station): Uint8Array {
  const message = new MessageWriter(family).u8(CMD_NEW_STATION, 1, 0, 0).attributeU32(ATTR_IFINDEX, ifindex).attribute(ATTR_MAC, macToBytes(mac));
  const flags = Uint32Array.of(AUTHORIZED, authorized === true ? AUTHORIZED : 0);
  return message.nested(ATTR_STA_INFO, () => message.attribute(STA_INFO_STA_FLAGS, new Uint8Array(flags.buffer))).done();
}

function parseInformation(fields: Attributes): Partial<Station> {
  const inactive = fields.get(STA_INFO_INACTIVE_TIME);
  const connected = fields.get(STA_INFO_CONNECTED_TIME);
  const signal = fields.get(STA_INFO_SIGNAL);
  const authorized = parseAuthorized(fields.get(STA_INFO_STA_FLAGS));
  return {
    ...(authorized !== undefined && { authorized }),
    ...(inactive && { inactive: readU32(inactive) }),
    ...(connected && { connected: readU32(connected) }),
    // A signed byte.
    ...(signal && { signal: (readU8(signal) << 24) >> 24 }),
  };
}

/** struct nl80211_sta_flag_update { u32 mask; u32 set; }: which flags the driver knows, and which are set. */
function parseAuthorized(flags: Uint8Array | undefined): boolean | undefined {
  if (!flags || (readU32(flags) & AUTHORIZED) === 0) return undefined;
  return (readU32(flags, 4) & AUTHORIZED) !== 0;
}

/** The event in a message of the group `mlme`; undefined when it is about something else. Throws as {@link parseStation}. */
export function parseStationEvent(message: NetlinkMessage): StationEvent | undefined {
  const command = readU8(message.payload);
  if (command !== CMD_NEW_STATION && command !== CMD_DEL_STATION) return undefined;
  const station = parseStation(message);
  return station && { removed: command === CMD_DEL_STATION, station };
}

/**
 * What wakes the daemon of all that the groups tell: `mlme` tells of each frame of a handshake too. The command stands
 * behind struct nlmsghdr.
 */
export const wirelessNews: BpfProgram = anyOf([
  byteAt(HEADER_LENGTH),
  { oneOf: [CMD_NEW_INTERFACE, CMD_DEL_INTERFACE, CMD_NEW_STATION, CMD_DEL_STATION] },
]);

/** The interface in an answer; undefined for a device without a network interface. Throws as {@link parseStation}. */
export function parseInterface({ payload }: NetlinkMessage): WirelessInterface | undefined {
  const attributes = parseAttributes(payload, GENERIC_HEADER_LENGTH);
  const ifindex = attributes.get(ATTR_IFINDEX);
  const name = attributes.get(ATTR_IFNAME);
  if (!ifindex || !name) return undefined;
  const type = attributes.get(ATTR_IFTYPE);
  const kind = type ? readU32(type) : 0;
  const wiphy = attributes.get(ATTR_WIPHY);
  const mac = attributes.get(ATTR_MAC);
  const ssid = attributes.get(ATTR_SSID);
  return {
    ifindex: readU32(ifindex),
    name: readString(name),
    radio: wiphy ? readU32(wiphy) : 0,
    accessPoint: kind === IFTYPE_AP || kind === IFTYPE_AP_VLAN,
    vlan: kind === IFTYPE_AP_VLAN,
    ...(mac?.length === 6 && { mac: macFromBytes(mac) }),
    ...(ssid && { ssid: ssid.slice() }),
  };
}

export interface Nl80211Options extends NetlinkSocketOptions {
  readonly onStation: (event: StationEvent) => void;
  /** A Wi-Fi interface came or went. */
  readonly onInterface: () => void;
  /** Events were lost: read the stations anew. See NetlinkMonitor. */
  readonly onOverrun: (code: string) => void;
}

/** Requests and events of nl80211. All methods throw {@link NetlinkError}. */
export class Nl80211 {
  readonly #socket: NetlinkSocket;
  readonly #monitor: NetlinkMonitor;
  readonly #family: number;

  private constructor(socket: NetlinkSocket, monitor: NetlinkMonitor, family: number) {
    this.#socket = socket;
    this.#monitor = monitor;
    this.#family = family;
  }

  /** Events come from now on. Undefined when the kernel has no Wi-Fi, or not yet: its modules bring nl80211 along. */
  static async open(addon: PacketAddon, options: Nl80211Options): Promise<Nl80211 | undefined> {
    const socket = new NetlinkSocket(addon, NETLINK_GENERIC, options);
    try {
      const family = await resolveFamily(socket, 'nl80211');
      const group = family?.groups.get('mlme');
      if (family && group !== undefined) {
        const config = family.groups.get('config');
        const monitor = new NetlinkMonitor(addon, {
          protocol: NETLINK_GENERIC,
          groups: config === undefined ? [group] : [group, config],
          filter: wirelessNews,
          onMessages: (messages) => messages.forEach((message) => deliver(message, options)),
          onOverrun: options.onOverrun,
        });
        return new Nl80211(socket, monitor, family.id);
      }
    } catch (error) {
      socket.close();
      throw error;
    }
    socket.close();
    return undefined;
  }

  /** All stations of an interface. */
  stations(ifindex: number): Promise<Station[]> {
    return this.#socket.dump(dumpStations(this.#family, ifindex), parseStation);
  }

  /** One station; undefined when it is not there. */
  async station(ifindex: number, mac: Mac): Promise<Station | undefined> {
    const [reply] = (await this.#socket.request(getStation(this.#family, ifindex, mac)).catch(unless('ENOENT'))) ?? [];
    return reply && parseStation(reply);
  }

  /** Has the access point forget a station; nothing where it is not there. */
  async removeStation(ifindex: number, mac: Mac, reason: number): Promise<void> {
    await this.#socket.request(deleteStation(this.#family, ifindex, mac, reason)).catch(unless('ENOENT'));
  }

  interfaces(): Promise<WirelessInterface[]> {
    return this.#socket.dump(dumpInterfaces(this.#family), parseInterface);
  }

  close(): void {
    this.#monitor.close();
    this.#socket.close();
  }
}

function deliver(message: NetlinkMessage, options: Nl80211Options): void {
  let event: StationEvent | undefined;
  try {
    event = parseStationEvent(message);
  } catch {
    return options.onOverrun('EBADMSG');
  }
  if (event) options.onStation(event);
  else if (isInterfaceEvent(message)) options.onInterface();
}

function isInterfaceEvent({ payload }: NetlinkMessage): boolean {
  return payload[0] === CMD_NEW_INTERFACE || payload[0] === CMD_DEL_INTERFACE;
}
