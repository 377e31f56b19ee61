/**
 * Which address a newcomer gets: a pure function of who it is, so that two nodes which cannot hear each other choose the
 * same one, and a client that was forgotten gets again what it had.
 *
 * Candidates are numbered; a hash of the identity gives the first to try and the stride to the next. The stride has no
 * divisor in common with the number of candidates: the walk visits each once before it returns to the first.
 */
import type { Ip4, Ip6 } from '../net/ip.js';
import { ip4FromNumber, ip4ToNumber, ip6FromBytes, ip6ToBytes } from '../net/ip.js';
import type { Mac } from '../net/mac.js';
import { macToBytes } from '../net/mac.js';
import type { Prefix4, Prefix6 } from '../net/prefix.js';
import { prefixOf } from '../net/prefix.js';

/** Candidates looked at before the walk gives up: bounds the work of one request where a large prefix is nearly full. */
export const MAX_PROBES = 4096;

/**
 * A client's identity before the hash: its client identifier (RFC 2132 9.14) where it gives one, else hardware type 1
 * and the MAC, which is the identifier that most clients would have given.
 */
export function identityOf(mac: Mac, clientIdentifier?: Uint8Array): Uint8Array {
  return clientIdentifier ?? Uint8Array.of(1, ...macToBytes(mac));
}

/**
 * Two independent 32-bit hashes: FNV-1a from two offset bases, each finished as MurmurHash3 does, since FNV alone leaves
 * the low bits of similar identities alike. Not for secrets: who can choose an identity can choose its address.
 * Every node has to compute the same numbers: never change them.
 */
export function identityHashes(identity: Uint8Array): readonly [number, number] {
  return [avalanche(fnv1a(identity, 0x811c9dc5)), avalanche(fnv1a(identity, 0x9e3779b9))];
}

function fnv1a(bytes: Uint8Array, basis: number): number {
  let hash = basis;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash;
}

function avalanche(hash: number): number {
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** The numbers 0 to `count` - 1 in the identity's order, at most `probes` of them. */
function* walk(identity: Uint8Array, count: number, probes: number): Generator<number> {
  if (count < 1) return;
  const [first, second] = identityHashes(identity);
  const start = first % count;
  const stride = strideFor(second, count);
  for (let i = 0; i < Math.min(count, probes); i++) yield (start + i * stride) % count;
}

function strideFor(hash: number, count: number): number {
  if (count < 3) return 1;
  let stride = 1 + (hash % (count - 1));
  while (greatestCommonDivisor(stride, count) !== 1) stride++;
  return stride;
}

function greatestCommonDivisor(a: number, b: number): number {
  while (b !== 0) [a, b] = [b, a % b];
  return a;
}

/** First address and number of those that clients can have: not network and broadcast, save in /31 (RFC 3021) and /32. */
function hostRange(prefix: Prefix4): { first: number; count: number } {
  const network = ip4ToNumber(prefix.address);
  const size = 2 ** (32 - prefix.length);
  return prefix.length >= 31 ? { first: network, count: size } : { first: network + 1, count: size - 2 };
}

/** Whether a client can have `address`: it lies in one of `prefixes`, and is not its network or broadcast address. */
export function isHostAddress(prefixes: readonly Prefix4[], address: Ip4): boolean {
  const number = ip4ToNumber(address);
  return prefixes.some((prefix) => {
    const { first, count } = hostRange(prefix);
    return number >= first && number < first + count;
  });
}

/** How many addresses `prefixes` have for clients, and for the routers among them. */
export function countHostAddresses(prefixes: readonly Prefix4[]): number {
  return prefixes.reduce((sum, prefix) => sum + hostRange(prefix).count, 0);
}

/**
 * The address for the client of this identity: `requested` where it can be had, else the first of its walk that is not
 * taken. Never a network or broadcast address; the routers' own are for `isTaken` to know. Undefined where none is found
 * among the first `probes` candidates: with 0 there is only the requested one.
 */
export function chooseAddress4(
  identity: Uint8Array,
  prefixes: readonly Prefix4[],
  isTaken: (address: Ip4) => boolean,
  requested?: Ip4,
  probes = MAX_PROBES,
): Ip4 | undefined {
  if (requested !== undefined && isHostAddress(prefixes, requested) && !isTaken(requested)) return requested;
  for (const index of walk(identity, countHostAddresses(prefixes), probes)) {
    const address = hostAddressAt(prefixes, index);
    if (!isTaken(address)) return address;
  }
  return undefined;
}

function hostAddressAt(prefixes: readonly Prefix4[], index: number): Ip4 {
  for (const prefix of prefixes) {
    const { first, count } = hostRange(prefix);
    if (index < count) return ip4FromNumber(first + index);
    index -= count;
  }
  throw new RangeError('index behind the last address');
}

/**
 * The /64 for a client (RFC 8273): the first of its walk that is not taken. Never the first /64 of `prefix`, which holds
 * the routers' own addresses; so nothing from a /64. Of a prefix shorter than /32 only the first 2^32 are given out.
 */
export function chooseNetwork6(
  mac: Mac,
  prefix: Prefix6,
  isTaken: (network: Prefix6) => boolean,
): Prefix6 | undefined {
  const count = 2 ** Math.min(32, 64 - prefix.length) - 1;
  for (const index of walk(identityOf(mac), count, MAX_PROBES)) {
    const network = prefixOf(network64At(prefix, index + 1), 64);
    if (!isTaken(network)) return network;
  }
  return undefined;
}

function network64At(prefix: Prefix6, index: number): Ip6 {
  const bytes = ip6ToBytes(prefix.address);
  for (let byte = 0; byte < 4; byte++) bytes[7 - byte]! |= (index >>> (8 * byte)) & 0xff;
  return ip6FromBytes(bytes);
}
