/** Interfaces: struct ifinfomsg and its attributes, linux/if_link.h. */
import { ShortInput } from '../../net/bytes.js';
import type { Mac } from '../../net/mac.js';
import { macFromBytes, macToBytes } from '../../net/mac.js';
import { AF_UNSPEC } from './family.js';
import type { Attributes, NetlinkMessage } from './wire.js';
import { MessageWriter, NLM_F_CREATE, NLM_F_EXCL, parseAttributes, readI32, readString, readU16, readU32, readU8 } from './wire.js';

export const RTM_NEWLINK = 16;
export const RTM_DELLINK = 17;
export const RTM_GETLINK = 18;

/** Length of struct ifinfomsg. */
export const IFINFOMSG_LENGTH = 16;

const IFLA_ADDRESS = 1;
const IFLA_IFNAME = 3;
const IFLA_MTU = 4;
const IFLA_LINK = 5;
const IFLA_MASTER = 10;
const IFLA_LINKINFO = 18;
const IFLA_EXT_MASK = 29;
const IFLA_PERM_ADDRESS = 54;
const IFLA_INFO_KIND = 1;
const IFLA_INFO_DATA = 2;
const IFLA_VLAN_ID = 1;
const IFLA_BR_VLAN_FILTERING = 7;
const RTEXT_FILTER_SKIP_STATS = 8;

const IFF_UP = 0x1;
const IFF_LOOPBACK = 0x8;
const IFF_RUNNING = 0x40;
const IFF_NOARP = 0x80;

export interface Link {
  readonly index: number;
  readonly name: string;
  /** Absent from links without Ethernet addresses. */
  readonly mac?: Mac;
  /** The address that the hardware was made with; absent from virtual interfaces, and before Linux 5.6. */
  readonly permanentMac?: Mac;
  readonly mtu: number;
  /** Switched on. */
  readonly up: boolean;
  /** Carrier is there. */
  readonly running: boolean;
  readonly loopback: boolean;
  /** Interface index of the bridge, or the like, that it is a port of. */
  readonly master?: number;
  /** What the driver calls its sort: `bridge`, `veth`, `vlan`; absent from most hardware. */
  readonly kind?: string;
  /** An interface of kind `vlan`: that of this VLAN of another interface. */
  readonly vlan?: { readonly id: number; readonly lower: number };
  /** A bridge that tells VLANs apart. */
  readonly filtersVlans?: true;
}

export function dumpLinks(): Uint8Array {
  return header(RTM_GETLINK, 0, 0, 0).attributeU32(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS).done();
}

export function setLinkAddress(index: number, mac: Mac): Uint8Array {
  return header(RTM_NEWLINK, index, 0, 0).attribute(IFLA_ADDRESS, macToBytes(mac)).done();
}

/** Makes a bridge without ports that is up and resolves no neighbours; EEXIST where there is an interface of that name. */
export function addSink(name: string): Uint8Array {
  const flags = IFF_UP | IFF_NOARP;
  const w = header(RTM_NEWLINK, 0, flags, flags, NLM_F_CREATE | NLM_F_EXCL).attributeString(IFLA_IFNAME, name);
  return w.attributeOf(IFLA_LINKINFO, () => w.attributeString(IFLA_INFO_KIND, 'bridge')).done();
}

/** ENODEV where it is not there. */
export function deleteLink(index: number): Uint8Array {
  return header(RTM_DELLINK, index, 0, 0).done();
}

function header(type: number, index: number, flags: number, change: number, messageFlags = 0): MessageWriter {
  return new MessageWriter(type, messageFlags).u8(AF_UNSPEC, 0, 0, 0).u32(index).u32(flags).u32(change);
}

/**
 * The link in a RTM_NEWLINK or RTM_DELLINK message; undefined for what bridges and others tell of their ports, in
 * messages of their own family.
 *
 * @throws {@link ShortInput}, {@link BadInput}
 */
export function parseLink({ payload }: NetlinkMessage): Link | undefined {
  if (payload.length < IFINFOMSG_LENGTH) throw new ShortInput(IFINFOMSG_LENGTH, payload.length);
  const attributes = parseAttributes(payload, IFINFOMSG_LENGTH);
  const name = attributes.get(IFLA_IFNAME);
  if (payload[0] !== AF_UNSPEC || name === undefined) return undefined;
  const flags = readU32(payload, 8);
  const mac = attributes.get(IFLA_ADDRESS);
  const permanent = attributes.get(IFLA_PERM_ADDRESS);
  const mtu = attributes.get(IFLA_MTU);
  const master = attributes.get(IFLA_MASTER);
  const information = attributes.get(IFLA_LINKINFO);
  const details = information && parseAttributes(information);
  const kind = details?.get(IFLA_INFO_KIND);
  return {
    index: readI32(payload, 4),
    name: readString(name),
    ...(mac?.length === 6 && { mac: macFromBytes(mac) }),
    ...(permanent?.length === 6 && { permanentMac: macFromBytes(permanent) }),
    mtu: mtu ? readU32(mtu) : 0,
    up: (flags & IFF_UP) !== 0,
    running: (flags & IFF_RUNNING) !== 0,
    loopback: (flags & IFF_LOOPBACK) !== 0,
    ...(master && { master: readU32(master) }),
    ...(kind && { kind: readString(kind), ...parseVlans(readString(kind), attributes.get(IFLA_LINK), details?.get(IFLA_INFO_DATA)) }),
  };
}

function parseVlans(kind: string, lower: Uint8Array | undefined, data: Uint8Array | undefined): Pick<Link, 'vlan' | 'filtersVlans'> {
  const own: Attributes | undefined = data && parseAttributes(data);
  const id = kind === 'vlan' ? own?.get(IFLA_VLAN_ID) : undefined;
  const filtering = kind === 'bridge' ? own?.get(IFLA_BR_VLAN_FILTERING) : undefined;
  return {
    ...(id && lower && { vlan: { id: readU16(id), lower: readU32(lower) } }),
    ...(filtering && readU8(filtering) !== 0 && { filtersVlans: true }),
  };
}
