/** Forwarding entries of bridges, which MAC is behind which port: struct ndmsg with family AF_BRIDGE. */
import { ShortInput } from '../../net/bytes.js';
import type { Mac } from '../../net/mac.js';
import { macFromBytes, macToBytes } from '../../net/mac.js';
import { AF_BRIDGE } from './family.js';
import { NDMSG_LENGTH, RTM_DELNEIGH, RTM_GETNEIGH, RTM_NEWNEIGH } from './neighbour.js';
import type { NetlinkMessage } from './wire.js';
import { MessageWriter, NLM_F_CREATE, NLM_F_REPLACE, parseAttributes, readI32, readU16, readU32 } from './wire.js';

const NDA_LLADDR = 2;
const NDA_VLAN = 5;
const NDA_MASTER = 9;

const NTF_SELF = 0x02;
const NTF_MASTER = 0x04;
const NTF_EXT_LEARNED = 0x10;

const NUD_NOARP = 0x40;
const NUD_PERMANENT = 0x80;

export interface FdbEntry {
  readonly mac: Mac;
  /** Interface index of the port. */
  readonly port: number;
  /** Interface index of the bridge; absent from the port's own list of addresses that it receives. */
  readonly bridge?: number;
  readonly vlan?: number;
  /** Learnt from traffic, or told by something else; not configured, nor the bridge's own address. */
  readonly learned: boolean;
}

/** Makes the bridge above a port forget an address; ENOENT when it does not know it there. */
export function deleteFdbEntry(entry: Pick<FdbEntry, 'mac' | 'port' | 'vlan'>): Uint8Array {
  return encode(new MessageWriter(RTM_DELNEIGH), entry, 0, NTF_MASTER);
}

/** Makes a bridge, by its interface index as `port`, take in what comes to a MAC beside its own. */
export function addBridgeMac(entry: Pick<FdbEntry, 'mac' | 'port' | 'vlan'>): Uint8Array {
  return encode(new MessageWriter(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE), entry, NUD_PERMANENT, NTF_SELF);
}

/** ENOENT when it does not. */
export function deleteBridgeMac(entry: Pick<FdbEntry, 'mac' | 'port' | 'vlan'>): Uint8Array {
  return encode(new MessageWriter(RTM_DELNEIGH), entry, 0, NTF_SELF);
}

function encode(w: MessageWriter, { mac, port, vlan }: Pick<FdbEntry, 'mac' | 'port' | 'vlan'>, state: number, flags: number): Uint8Array {
  w.u8(AF_BRIDGE, 0, 0, 0).u32(port).u16(state).u8(flags, 0).attribute(NDA_LLADDR, macToBytes(mac));
  if (vlan !== undefined) w.attributeU16(NDA_VLAN, vlan);
  return w.done();
}

/** Asks for the entries of all bridges, or of one. */
export function dumpFdb(bridge?: number): Uint8Array {
  const w = request();
  if (bridge !== undefined) w.attributeU32(NDA_MASTER, bridge);
  return w.done();
}

/** Which entry: of a bridge, by its interface index, and of a VLAN where the bridge tells them apart. */
export interface FdbQuery {
  readonly bridge: number;
  readonly mac: Mac;
  readonly vlan?: number;
}

function request(): MessageWriter {
  return new MessageWriter(RTM_GETNEIGH).u8(AF_BRIDGE, 0, 0, 0).u32(0).u16(0).u8(0, 0);
}

/** Asks for one entry; ENOENT when there is none. */
export function getFdbEntry({ bridge, mac, vlan }: FdbQuery): Uint8Array {
  const w = request().attribute(NDA_LLADDR, macToBytes(mac));
  if (vlan !== undefined) w.attributeU16(NDA_VLAN, vlan);
  return w.attributeU32(NDA_MASTER, bridge).done();
}

/**
 * The entry in a RTM_NEWNEIGH or RTM_DELNEIGH message; undefined when that is not about a bridge.
 *
 * @throws {@link ShortInput}, {@link BadInput}
 */
export function parseFdbEntry({ payload }: NetlinkMessage): FdbEntry | undefined {
  if (payload.length < NDMSG_LENGTH) throw new ShortInput(NDMSG_LENGTH, payload.length);
  const attributes = parseAttributes(payload, NDMSG_LENGTH);
  const mac = attributes.get(NDA_LLADDR);
  if (payload[0] !== AF_BRIDGE || mac?.length !== 6) return undefined;
  const bridge = attributes.get(NDA_MASTER);
  const vlan = attributes.get(NDA_VLAN);
  const flags = payload[10]!;
  const state = readU16(payload, 8);
  return {
    mac: macFromBytes(mac),
    port: readI32(payload, 4),
    ...(bridge && { bridge: readU32(bridge) }),
    ...(vlan && { vlan: readU16(vlan) }),
    learned:
      (flags & NTF_SELF) === 0 &&
      ((flags & NTF_EXT_LEARNED) !== 0 || (state & (NUD_NOARP | NUD_PERMANENT)) === 0),
  };
}
