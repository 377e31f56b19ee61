/** Ports of bridges and their VLANs: struct ifinfomsg with family AF_BRIDGE, linux/if_bridge.h. */
import { ShortInput } from '../../net/bytes.js';
import { AF_BRIDGE } from './family.js';
import { IFINFOMSG_LENGTH, RTM_GETLINK } from './link.js';
import type { NetlinkMessage } from './wire.js';
import { forEachAttribute, MessageWriter, parseAttributes, readI32, readU16 } from './wire.js';

const IFLA_AF_SPEC = 26;
const IFLA_EXT_MASK = 29;
const RTEXT_FILTER_BRVLAN_COMPRESSED = 4;

const IFLA_BRIDGE_VLAN_INFO = 2;
const BRIDGE_VLAN_INFO_PVID = 0x02;
const BRIDGE_VLAN_INFO_UNTAGGED = 0x04;
const NATIVE = BRIDGE_VLAN_INFO_PVID | BRIDGE_VLAN_INFO_UNTAGGED;

/** A port, or the bridge itself, which is one of its own. */
export interface BridgePort {
  /** Interface index. */
  readonly index: number;
  /** The VLAN that untagged frames belong to, in either direction; absent where there is none, or no VLANs at all. */
  readonly vlan?: number;
}

/** Asks for the ports of all bridges. */
export function dumpBridgePorts(): Uint8Array {
  return new MessageWriter(RTM_GETLINK)
    .u8(AF_BRIDGE, 0, 0, 0)
    .u32(0)
    .u32(0)
    .u32(0)
    .attributeU32(IFLA_EXT_MASK, RTEXT_FILTER_BRVLAN_COMPRESSED)
    .done();
}

/**
 * The port in a RTM_NEWLINK or RTM_DELLINK message; undefined when that is not about one.
 *
 * @throws {@link ShortInput}, {@link BadInput}
 */
export function parseBridgePort({ payload }: NetlinkMessage): BridgePort | undefined {
  if (payload.length < IFINFOMSG_LENGTH) throw new ShortInput(IFINFOMSG_LENGTH, payload.length);
  if (payload[0] !== AF_BRIDGE) return undefined;
  const vlans = parseAttributes(payload, IFINFOMSG_LENGTH).get(IFLA_AF_SPEC) ?? new Uint8Array();
  let vlan: number | undefined;
  forEachAttribute(vlans, 0, (type, info) => {
    // struct bridge_vlan_info { u16 flags; u16 vid; }
    if (type === IFLA_BRIDGE_VLAN_INFO && (readU16(info) & NATIVE) === NATIVE) vlan = readU16(info, 2);
  });
  return { index: readI32(payload, 4), ...(vlan !== undefined && { vlan }) };
}
