/** Addresses of interfaces: struct ifaddrmsg and its attributes, linux/if_addr.h. */
import { BadInput, ShortInput } from '../../net/bytes.js';
import type { Family, Ip } from '../../net/ip.js';
import { familyOf, ipFromBytes, ipToBytes } from '../../net/ip.js';
import { bitsOf } from '../../net/prefix.js';
import { fromAf, toAf } from './family.js';
import type { NetlinkMessage } from './wire.js';
import { MessageWriter, NLM_F_CREATE, NLM_F_REPLACE, parseAttributes, readU32 } from './wire.js';

export const RTM_NEWADDR = 20;
export const RTM_DELADDR = 21;
const RTM_GETADDR = 22;

const HEADER_LENGTH = 8;

const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
const IFA_FLAGS = 8;

const IFA_F_NODAD = 0x02;
const IFA_F_DADFAILED = 0x08;
const IFA_F_TENTATIVE = 0x40;
const IFA_F_NOPREFIXROUTE = 0x200;

export interface InterfaceAddress {
  readonly ifindex: number;
  readonly ip: Ip;
  /** Of the subnet. */
  readonly length: number;
  /** IPv6: duplicate address detection is not through, or found a duplicate. */
  readonly tentative?: boolean;
  readonly duplicate?: boolean;
  /** The kernel is to make no route to the subnet. */
  readonly noPrefixRoute?: boolean;
  /** IPv6: without duplicate address detection. An address that other routers have as well needs this. */
  readonly noDad?: boolean;
}

/** Adds an address, or changes its flags. */
export function replaceAddress(address: InterfaceAddress): Uint8Array {
  const flags = (address.noDad ? IFA_F_NODAD : 0) | (address.noPrefixRoute ? IFA_F_NOPREFIXROUTE : 0);
  const w = encode(address, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, flags);
  // Flags beyond a byte go here.
  if (flags > 255) w.attributeU32(IFA_FLAGS, flags);
  return w.done();
}

/** Removes an address; EADDRNOTAVAIL when there is none. */
export function deleteAddress(address: Pick<InterfaceAddress, 'ifindex' | 'ip' | 'length'>): Uint8Array {
  return encode(address, RTM_DELADDR, 0, 0).done();
}

function encode(
  { ifindex, ip, length }: Pick<InterfaceAddress, 'ifindex' | 'ip' | 'length'>,
  type: number,
  messageFlags: number,
  addressFlags: number,
): MessageWriter {
  return new MessageWriter(type, messageFlags)
    .u8(toAf(familyOf(ip)), length, addressFlags & 0xff, 0)
    .u32(ifindex)
    .attribute(IFA_LOCAL, ipToBytes(ip))
    .attribute(IFA_ADDRESS, ipToBytes(ip));
}

export function dumpAddresses(family?: Family): Uint8Array {
  return new MessageWriter(RTM_GETADDR).u8(toAf(family), 0, 0, 0).u32(0).done();
}

/**
 * The address in a RTM_NEWADDR or RTM_DELADDR message; undefined when it is not IP.
 *
 * @throws {@link ShortInput}, {@link BadInput}
 */
export function parseAddress({ payload }: NetlinkMessage): InterfaceAddress | undefined {
  if (payload.length < HEADER_LENGTH) throw new ShortInput(HEADER_LENGTH, payload.length);
  const family = fromAf(payload[0]!);
  const attributes = parseAttributes(payload, HEADER_LENGTH);
  // On a point-to-point link IFA_ADDRESS is the other end's.
  const bytes = attributes.get(IFA_LOCAL) ?? attributes.get(IFA_ADDRESS);
  if (family === undefined || bytes === undefined) return undefined;
  const ip = ipFromBytes(bytes);
  const length = payload[1]!;
  if (length > bitsOf(family) || familyOf(ip) !== family) throw new BadInput(`an address ${ip}/${length}`);
  const all = attributes.get(IFA_FLAGS);
  const flags = all ? readU32(all) : payload[2]!;
  return {
    ifindex: readU32(payload, 4),
    ip,
    length,
    ...((flags & IFA_F_TENTATIVE) !== 0 && { tentative: true }),
    ...((flags & IFA_F_DADFAILED) !== 0 && { duplicate: true }),
    ...((flags & IFA_F_NOPREFIXROUTE) !== 0 && { noPrefixRoute: true }),
    ...((flags & IFA_F_NODAD) !== 0 && { noDad: true }),
  };
}
