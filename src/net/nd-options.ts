/**
 * Options of Neighbour Discovery messages: RFC 4861 4.6 (link-layer addresses, prefix information, MTU), 3971 5.3.2
 * (nonce), 4191 2.3 (route information), 8106 5 (DNS), 8781 4 (PREF64), 8910 2.3 (captive portal).
 */
import { BadInput, Reader, Writer } from './bytes.js';
import { dnsNameBytes, readDnsNames } from './dns-name.js';
import type { Ip6 } from './ip.js';
import { ip6FromBytes, ip6ToBytes } from './ip.js';
import type { Mac } from './mac.js';
import { macFromBytes, macToBytes } from './mac.js';
import type { Prefix6 } from './prefix.js';
import { prefixOf } from './prefix.js';

/** The longest lifetime that PREF64 can tell, in seconds: 13 bits of eight seconds each. */
const MAX_PREF64_LIFETIME = 0x1fff * 8;

/** RFC 4191 2.1. */
export type RouterPreference = 'low' | 'medium' | 'high';

/** Lifetimes are in seconds throughout. */
export type NdOption =
  | { readonly type: 'sourceLinkLayer'; readonly mac: Mac }
  | { readonly type: 'targetLinkLayer'; readonly mac: Mac }
  | PrefixInformation
  | { readonly type: 'mtu'; readonly mtu: number }
  | { readonly type: 'nonce'; readonly nonce: Uint8Array }
  | RouteInformation
  | { readonly type: 'rdnss'; readonly lifetime: number; readonly servers: readonly Ip6[] }
  | { readonly type: 'dnssl'; readonly lifetime: number; readonly domains: readonly string[] }
  | { readonly type: 'pref64'; readonly lifetime: number; readonly prefix: Prefix6 }
  | { readonly type: 'captivePortal'; readonly uri: string }
  /** Of a type that is not known here, or of contents that its type does not allow; `body` is what follows the length. */
  | { readonly type: 'unknown'; readonly code: number; readonly body: Uint8Array };

export interface PrefixInformation {
  readonly type: 'prefix';
  readonly prefix: Prefix6;
  readonly onLink: boolean;
  readonly autonomous: boolean;
  readonly validLifetime: number;
  readonly preferredLifetime: number;
}

export interface RouteInformation {
  readonly type: 'route';
  readonly prefix: Prefix6;
  readonly preference: RouterPreference;
  readonly lifetime: number;
}

const Code = {
  sourceLinkLayer: 1,
  targetLinkLayer: 2,
  prefix: 3,
  mtu: 5,
  nonce: 14,
  route: 24,
  rdnss: 25,
  dnssl: 31,
  captivePortal: 37,
  pref64: 38,
} as const;

const UNIT = 8;
const PREF64_LENGTHS = [96, 64, 56, 48, 40, 32];

/**
 * All options of a message, in order. A known option that is not as its RFC has it counts as unknown: the message stays
 * of use. An option of length zero, or one that the message is too short for, is the end of the message (RFC 4861 4.6):
 * throws {@link BadInput} or ShortInput.
 */
export function readNdOptions(bytes: Uint8Array): NdOption[] {
  const r = new Reader(bytes);
  const options: NdOption[] = [];
  while (r.left > 0) {
    const code = r.u8();
    const units = r.u8();
    if (units === 0) throw new BadInput(`option ${code} has length zero`);
    const body = r.take(units * UNIT - 2);
    options.push(readKnown(code, body) ?? { type: 'unknown', code, body });
  }
  return options;
}

function readKnown(code: number, body: Uint8Array): NdOption | undefined {
  const r = new Reader(body);
  const units = (body.length + 2) / UNIT;
  switch (code) {
    case Code.sourceLinkLayer:
      return units === 1 ? { type: 'sourceLinkLayer', mac: macFromBytes(body) } : undefined;
    case Code.targetLinkLayer:
      return units === 1 ? { type: 'targetLinkLayer', mac: macFromBytes(body) } : undefined;
    case Code.prefix:
      return units === 4 ? readPrefix(r) : undefined;
    case Code.mtu:
      if (units !== 1) return undefined;
      r.skip(2);
      return { type: 'mtu', mtu: r.u32() };
    case Code.nonce:
      return { type: 'nonce', nonce: body };
    case Code.route:
      return units <= 3 ? readRoute(r) : undefined;
    case Code.rdnss:
      return units >= 3 && units % 2 === 1 ? readRdnss(r) : undefined;
    case Code.dnssl:
      return units >= 2 ? readDnssl(r) : undefined;
    case Code.pref64:
      return units === 2 ? readPref64(r) : undefined;
    case Code.captivePortal:
      return readCaptivePortal(body);
    default:
      return undefined;
  }
}

function readPrefix(r: Reader): PrefixInformation | undefined {
  const length = r.u8();
  const flags = r.u8();
  const validLifetime = r.u32();
  const preferredLifetime = r.u32();
  r.skip(4);
  if (length > 128) return undefined;
  const prefix = prefixOf(ip6FromBytes(r.take(16)), length);
  const onLink = (flags & 0x80) !== 0;
  const autonomous = (flags & 0x40) !== 0;
  return { type: 'prefix', prefix, onLink, autonomous, validLifetime, preferredLifetime };
}

/** RFC 4191 2.3: a prefix's insignificant tail may be left out, and the reserved preference voids the option. */
function readRoute(r: Reader): RouteInformation | undefined {
  const length = r.u8();
  const preference = preferenceFromBits(r.u8() >> 3);
  const lifetime = r.u32();
  if (preference === undefined || length > r.left * 8) return undefined;
  const address = new Writer(16).put(r.rest());
  const prefix = prefixOf(ip6FromBytes(address.zeros(16 - address.length).done()), length);
  return { type: 'route', prefix, preference, lifetime };
}

function readRdnss(r: Reader): NdOption {
  r.skip(2);
  const lifetime = r.u32();
  const servers: Ip6[] = [];
  while (r.left > 0) servers.push(ip6FromBytes(r.take(16)));
  return { type: 'rdnss', lifetime, servers };
}

function readDnssl(r: Reader): NdOption | undefined {
  r.skip(2);
  const lifetime = r.u32();
  const domains = readDnsNames(r.rest());
  return domains === undefined ? undefined : { type: 'dnssl', lifetime, domains };
}

function readPref64(r: Reader): NdOption | undefined {
  const word = r.u16();
  const length = PREF64_LENGTHS[word & 7];
  if (length === undefined) return undefined;
  const address = new Writer(16).put(r.take(12)).zeros(4).done();
  return { type: 'pref64', lifetime: (word >> 3) * 8, prefix: prefixOf(ip6FromBytes(address), length) };
}

/** A URI in ASCII, with zeros behind it. */
function readCaptivePortal(body: Uint8Array): NdOption | undefined {
  const uri = new TextDecoder().decode(body).replace(/\0+$/, '');
  return /^[!-~]+$/.test(uri) ? { type: 'captivePortal', uri } : undefined;
}

/** Undefined for the reserved value. */
export function preferenceFromBits(bits: number): RouterPreference | undefined {
  return ([, 'high', undefined, 'low'] as const)[bits & 3] ?? ((bits & 3) === 0 ? 'medium' : undefined);
}

export function preferenceBits(preference: RouterPreference): number {
  return { medium: 0, high: 1, low: 3 }[preference];
}

/** Throws {@link BadInput} for what an option cannot say: a name that is none, too many servers, an odd PREF64 length. */
export function writeNdOptions(options: readonly NdOption[]): Uint8Array {
  const w = new Writer();
  for (const option of options) writeNdOption(w, option);
  return w.done();
}

function writeNdOption(w: Writer, option: NdOption): void {
  const start = new Writer(32);
  const code = writeBody(start, option);
  const length = start.length + 2;
  const units = Math.ceil(length / UNIT);
  if (units > 255) throw new BadInput(`an option of ${length} bytes`);
  w.u8(code).u8(units).put(start.done()).zeros(units * UNIT - length);
}

function writeBody(w: Writer, option: NdOption): number {
  switch (option.type) {
    case 'sourceLinkLayer':
    case 'targetLinkLayer':
      w.put(macToBytes(option.mac));
      return Code[option.type];
    case 'prefix':
      w.u8(option.prefix.length).u8((option.onLink ? 0x80 : 0) | (option.autonomous ? 0x40 : 0));
      w.u32(option.validLifetime).u32(option.preferredLifetime).zeros(4).put(ip6ToBytes(option.prefix.address));
      return Code.prefix;
    case 'mtu':
      w.zeros(2).u32(option.mtu);
      return Code.mtu;
    case 'nonce':
      w.put(option.nonce);
      return Code.nonce;
    case 'route':
      w.u8(option.prefix.length).u8(preferenceBits(option.preference) << 3).u32(option.lifetime);
      w.put(ip6ToBytes(option.prefix.address).subarray(0, Math.ceil(option.prefix.length / 64) * 8));
      return Code.route;
    case 'rdnss':
      w.zeros(2).u32(option.lifetime);
      for (const server of option.servers) w.put(ip6ToBytes(server));
      return Code.rdnss;
    case 'dnssl':
      w.zeros(2).u32(option.lifetime);
      for (const domain of option.domains) w.put(dnsNameBytes(domain));
      return Code.dnssl;
    case 'pref64':
      writePref64(w, option.prefix, option.lifetime);
      return Code.pref64;
    case 'captivePortal':
      w.put(new TextEncoder().encode(option.uri));
      return Code.captivePortal;
    case 'unknown':
      w.put(option.body);
      return option.code;
  }
}

function writePref64(w: Writer, prefix: Prefix6, lifetime: number): void {
  const plc = PREF64_LENGTHS.indexOf(prefix.length);
  if (plc < 0) throw new BadInput(`PREF64 knows no prefix length ${prefix.length}`);
  const scaled = Math.ceil(Math.min(lifetime, MAX_PREF64_LIFETIME) / 8);
  w.u16((scaled << 3) | plc).put(ip6ToBytes(prefix.address).subarray(0, 12));
}
