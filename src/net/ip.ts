import type { Brand } from './brand.js';
import { BadInput } from './bytes.js';
import type { Mac } from './mac.js';
import { macToBytes } from './mac.js';

/** An IPv4 address in dotted decimal, no leading zeros: `10.44.0.9`. */
export type Ip4 = Brand<string, 'Ip4'>;

/** An IPv6 address in the canonical form of RFC 5952: `2001:db8::1`. Never with a zone. */
export type Ip6 = Brand<string, 'Ip6'>;

export type Ip = Ip4 | Ip6;

export type Family = 4 | 6;

export const ANY4 = '0.0.0.0' as Ip4;
export const BROADCAST4 = '255.255.255.255' as Ip4;
export const ANY6 = '::' as Ip6;
export const ALL_NODES = 'ff02::1' as Ip6;
export const ALL_ROUTERS = 'ff02::2' as Ip6;

export function isIp6(ip: Ip): ip is Ip6 {
  return ip.includes(':');
}

export function familyOf(ip: Ip): Family {
  return isIp6(ip) ? 6 : 4;
}

export function parseIp4(text: string): Ip4 {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255)) {
    throw new BadInput(`not an IPv4 address: ${text}`);
  }
  return text as Ip4;
}

/** Reads any textual form of RFC 4291 2.2 and makes it canonical. Throws {@link BadInput}. */
export function parseIp6(text: string): Ip6 {
  return ip6FromBytes(ip6TextToBytes(text));
}

export function parseIp(text: string): Ip {
  return text.includes(':') ? parseIp6(text) : parseIp4(text);
}

/** As {@link parseIp}; undefined for what is no address. */
export function readIp(text: string): Ip | undefined {
  try {
    return parseIp(text);
  } catch {
    return undefined;
  }
}

function ip6TextToBytes(text: string): Uint8Array {
  const fail = () => new BadInput(`not an IPv6 address: ${text}`);
  const halves = text.split('::');
  if (halves.length > 2) throw fail();
  const wordsOf = (half: string): number[] => {
    if (half === '') return [];
    const words = half.split(':');
    return words.flatMap((word, i) => {
      if (i === words.length - 1 && word.includes('.')) {
        const [a, b, c, d] = ip4ToBytes(parseIp4(word)) as unknown as [number, number, number, number];
        return [(a << 8) | b, (c << 8) | d];
      }
      if (!/^[0-9a-fA-F]{1,4}$/.test(word)) throw fail();
      return [parseInt(word, 16)];
    });
  };
  const head = wordsOf(halves[0]!);
  const tail = halves.length === 2 ? wordsOf(halves[1]!) : [];
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) throw fail();
  const words = [...head, ...new Array<number>(missing).fill(0), ...tail];
  return Uint8Array.from(words.flatMap((word) => [word >> 8, word & 0xff]));
}

export function ip4FromBytes(bytes: Uint8Array, offset = 0): Ip4 {
  if (bytes.length < offset + 4) throw new BadInput(`an IPv4 address has 4 bytes, not ${bytes.length - offset}`);
  return `${bytes[offset]}.${bytes[offset + 1]}.${bytes[offset + 2]}.${bytes[offset + 3]}` as Ip4;
}

/** The canonical text (RFC 5952) of the sixteen bytes at `offset`. */
export function ip6FromBytes(bytes: Uint8Array, offset = 0): Ip6 {
  if (bytes.length < offset + 16) throw new BadInput(`an IPv6 address has 16 bytes, not ${bytes.length - offset}`);
  const [start, length] = longestZeroRun(bytes, offset);
  if (length < 2) return groups(bytes, offset, 0, 8).join(':') as Ip6;
  return [groups(bytes, offset, 0, start).join(':'), groups(bytes, offset, start + length, 8).join(':')].join('::') as Ip6;
}

/** The groups of 16 bits from `first` up to `end`: to be joined, which makes one piece of memory. */
function groups(bytes: Uint8Array, offset: number, first: number, end: number): string[] {
  const words: string[] = [];
  for (let i = first; i < end; i++) words.push(((bytes[offset + 2 * i]! << 8) | bytes[offset + 2 * i + 1]!).toString(16));
  return words;
}

/** In groups of 16 bits, the first of those that are equally long. */
function longestZeroRun(bytes: Uint8Array, offset: number): readonly [start: number, length: number] {
  let [best, longest, start] = [0, 0, 0];
  for (let i = 0; i < 8; i++) {
    if (bytes[offset + 2 * i] !== 0 || bytes[offset + 2 * i + 1] !== 0) start = i + 1;
    else if (i + 1 - start > longest) [best, longest] = [start, i + 1 - start];
  }
  return [best, longest];
}

/** Canonical text needs no check. */
export function ip4ToBytes(ip: Ip4): Uint8Array {
  const bytes = new Uint8Array(4);
  for (let i = 0, at = 0; i < ip.length; i++) {
    const code = ip.charCodeAt(i);
    if (code === DOT) at++;
    else bytes[at] = 10 * bytes[at]! + code - 0x30;
  }
  return bytes;
}

const DOT = 0x2e;

/** Canonical text needs no check: one pass over its characters, since every frame of Neighbour Discovery comes by here. */
export function ip6ToBytes(ip: Ip6): Uint8Array {
  const bytes = new Uint8Array(16);
  let [at, word, digits, gap] = [0, 0, 0, -1];
  for (let i = 0; i <= ip.length; i++) {
    const code = i < ip.length ? ip.charCodeAt(i) : COLON;
    if (code !== COLON) {
      word = (word << 4) | (code < 0x3a ? code - 0x30 : (code | 0x20) - 0x57);
      digits++;
    } else if (digits > 0) {
      bytes[at++] = word >> 8;
      bytes[at++] = word;
      [word, digits] = [0, 0];
    } else if (i < ip.length) gap = at;
  }
  if (gap < 0) return bytes;
  // What follows the gap belongs at the end.
  bytes.copyWithin(16 - (at - gap), gap, at);
  return bytes.fill(0, gap, 16 - (at - gap));
}

const COLON = 0x3a;

export function ipToBytes(ip: Ip): Uint8Array {
  return isIp6(ip) ? ip6ToBytes(ip) : ip4ToBytes(ip);
}

/** The address in 4 or 16 bytes. Throws {@link BadInput} for another length. */
export function ipFromBytes(bytes: Uint8Array): Ip {
  if (bytes.length === 4) return ip4FromBytes(bytes);
  if (bytes.length === 16) return ip6FromBytes(bytes);
  throw new BadInput(`an address has 4 or 16 bytes, not ${bytes.length}`);
}

export function ip4ToNumber(ip: Ip4): number {
  const [a, b, c, d] = ip4ToBytes(ip) as unknown as [number, number, number, number];
  return ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
}

export function ip4FromNumber(value: number): Ip4 {
  return `${value >>> 24}.${(value >>> 16) & 0xff}.${(value >>> 8) & 0xff}.${value & 0xff}` as Ip4;
}

export function isMulticast(ip: Ip): boolean {
  return isIp6(ip) ? ip.startsWith('ff') && ip.indexOf(':') === 4 : (ip4ToNumber(ip) >>> 28) === 0xe;
}

/** fe80::/10, RFC 4291 2.5.6. */
export function isLinkLocal6(ip: Ip): boolean {
  return ip.startsWith('fe') && ip[4] === ':' && '89ab'.includes(ip[2]!);
}

/** The link-local address whose interface identifier is the modified EUI-64 of `mac` (RFC 4291, appendix A). */
export function linkLocalOf(mac: Mac): Ip6 {
  const bytes = new Uint8Array(16);
  bytes.set([0xfe, 0x80]);
  bytes.set(modifiedEui64(mac), 8);
  return ip6FromBytes(bytes);
}

/** The 64-bit interface identifier of a MAC: `ff:fe` in the middle, universal bit inverted. */
export function modifiedEui64(mac: Mac): Uint8Array {
  const m = macToBytes(mac);
  return Uint8Array.of(m[0]! ^ 2, m[1]!, m[2]!, 0xff, 0xfe, m[3]!, m[4]!, m[5]!);
}

/** The solicited-node multicast address of `ip`, RFC 4291 2.7.1. */
export function solicitedNodeOf(ip: Ip6): Ip6 {
  const bytes = new Uint8Array(16);
  bytes.set([0xff, 0x02]);
  bytes[11] = 1;
  bytes[12] = 0xff;
  bytes.set(ip6ToBytes(ip).subarray(13), 13);
  return ip6FromBytes(bytes);
}
