import { BadInput, equalBytes } from './bytes.js';
import type { Family, Ip, Ip4, Ip6 } from './ip.js';
import { familyOf, ip4FromNumber, ipFromBytes, ipToBytes, parseIp } from './ip.js';

/** An address prefix; the bits of `address` behind `length` are zero. */
export interface Prefix<A extends Ip = Ip> {
  readonly address: A;
  /** 0 to 32 or 128. */
  readonly length: number;
  readonly family: Family;
  /**
   * For maps and sets: the same text for the same prefix. An address stands for its host prefix. It goes with the prefix, so
   * that all maps have it in common.
   */
  readonly key: string;
}

export type Prefix4 = Prefix<Ip4>;
export type Prefix6 = Prefix<Ip6>;

export function isPrefix4(prefix: Prefix): prefix is Prefix4 {
  return prefix.family === 4;
}

export function isPrefix6(prefix: Prefix): prefix is Prefix6 {
  return prefix.family === 6;
}

/** The prefix of an address that has no bits set behind `length`. */
export function makePrefix<A extends Ip>(address: A, length: number): Prefix<A> {
  const family = familyOf(address);
  // Joined it is one piece of memory.
  return { address, length, family, key: length === bitsOf(family) ? address : [address, length].join('/') };
}

/** The prefix of `length` bits that `ip` lies in. */
export function prefixOf<A extends Ip>(ip: A, length: number): Prefix<A> {
  const bytes = ipToBytes(ip);
  clearFrom(bytes, length);
  return makePrefix(ipFromBytes(bytes) as A, length);
}

/**
 * Reads `10.44.0.0/16` or `2001:db8::/48`. Throws {@link BadInput}, also when bits behind the length are set: such a
 * prefix is more often a slip of the pen than an intention.
 */
export function parsePrefix(text: string): Prefix {
  const slash = text.indexOf('/');
  const digits = text.slice(slash + 1);
  if (slash < 0 || !/^\d{1,3}$/.test(digits)) throw new BadInput(`not a prefix: ${text}`);
  const address = parseIp(text.slice(0, slash));
  const length = Number(digits);
  if (length > bitsOf(familyOf(address))) throw new BadInput(`prefix length out of range: ${text}`);
  const prefix = prefixOf(address, length);
  if (prefix.address !== address) {
    throw new BadInput(`${text} has bits set behind the prefix length; ${formatPrefix(prefix)} is meant?`);
  }
  return prefix;
}

export function formatPrefix(prefix: Prefix): string {
  return `${prefix.address}/${prefix.length}`;
}

export function contains(prefix: Prefix, ip: Ip): boolean {
  if (familyOf(ip) !== prefix.family) return false;
  const bytes = ipToBytes(ip);
  clearFrom(bytes, prefix.length);
  return equalBytes(bytes, ipToBytes(prefix.address));
}

/** Whether one of the prefixes contains it. */
export function anyContains(prefixes: readonly Prefix[], ip: Ip): boolean {
  return prefixes.some((prefix) => contains(prefix, ip));
}

/** Whether `inner` lies wholly in `outer`. */
export function covers(outer: Prefix, inner: Prefix): boolean {
  return inner.length >= outer.length && contains(outer, inner.address);
}

export function bitsOf(family: Family): 32 | 128 {
  return family === 6 ? 128 : 32;
}

/** The prefix of one address: /32 or /128. */
export function hostPrefix<A extends Ip>(ip: A): Prefix<A> {
  return makePrefix(ip, bitsOf(familyOf(ip)));
}

/** The netmask of an IPv4 prefix length. */
export function netmask(length: number): Ip4 {
  return ip4FromNumber(length === 0 ? 0 : (0xffffffff << (32 - length)) >>> 0);
}

/** The last address of an IPv4 prefix: its directed broadcast. */
export function broadcastOf(prefix: Prefix4): Ip4 {
  const bytes = ipToBytes(prefix.address);
  for (let bit = prefix.length; bit < 32; bit++) bytes[bit >> 3]! |= 0x80 >> (bit & 7);
  return ipFromBytes(bytes) as Ip4;
}

function clearFrom(bytes: Uint8Array, length: number): void {
  for (let i = 0; i < bytes.length; i++) {
    const keep = Math.max(0, Math.min(8, length - 8 * i));
    bytes[i]! &= 0xff00 >> keep;
  }
}

