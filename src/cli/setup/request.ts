/** What a router is to be set up as: from the command line, completed with what follows from the shared key and the MAC. */
import { createHash } from 'node:crypto';
import type { Ip4, Ip6 } from '../../net/ip.js';
import { ip4FromNumber, ip4ToNumber, parseIp, parseIp4 } from '../../net/ip.js';
import type { Mac } from '../../net/mac.js';
import type { Prefix, Prefix4 } from '../../net/prefix.js';
import { anyContains, isPrefix4, isPrefix6, parsePrefix } from '../../net/prefix.js';
import { CliError, ExitCode } from '../ask.js';

export interface SetupOptions {
  readonly network: string;
  readonly ssid: string;
  readonly wifiKey: string | undefined;
  readonly key: string;
  readonly prefix: readonly string[];
  readonly mesh: readonly string[];
  readonly address: string | undefined;
  readonly peer: readonly string[];
}

export interface SetupRequest {
  /** Name of the clients' network; the bridge is br- and this. */
  readonly network: string;
  readonly ssid: string;
  /** Undefined: an open network. */
  readonly wifiKey: string | undefined;
  readonly key: string;
  readonly prefixes: readonly Prefix[];
  readonly prefix4: Prefix4 | undefined;
  /** The first address of the first IPv4 prefix. */
  readonly gateway4: Ip4 | undefined;
  /** Networks or devices to other routers. */
  readonly mesh: readonly string[];
  /** This router's own addresses. */
  readonly address4: Ip4;
  readonly address6: Ip6;
  /** Babel's. */
  readonly routerId: string;
  readonly peers: readonly string[];
}

const DEFAULT_PREFIX4 = '10.44.0.0/16';
/** Routers take their own addresses from here where none is given. */
const ROUTERS4 = parsePrefix('10.45.0.0/16') as Prefix4;

/** @throws CliError where the words cannot be */
export function completeRequest(options: SetupOptions, mac: Mac): SetupRequest {
  const given = options.prefix.length > 0 ? options.prefix : [DEFAULT_PREFIX4, uniqueLocal(`clients ${options.key}`)];
  const prefixes = given.map(readPrefix);
  const prefix4 = prefixes.find(isPrefix4);
  const address4 = options.address === undefined ? ownAddress4(mac) : readAddress(options.address);
  if (anyContains(prefixes, address4)) {
    throw new CliError(`--address: ${address4} lies in a prefix of the clients; each router needs one of its own outside`, ExitCode.usage);
  }
  if (!/^[a-z][a-z0-9_]{0,9}$/.test(options.network)) {
    throw new CliError(`--network: expected a short name of small letters and digits, found '${options.network}'`, ExitCode.usage);
  }
  return {
    ...options,
    prefixes,
    prefix4,
    gateway4: prefix4 === undefined ? undefined : ip4FromNumber(ip4ToNumber(prefix4.address) + 1),
    address4,
    address6: ownAddress6(options.key, mac),
    routerId: mac.split(':').toSpliced(3, 0, 'ff', 'fe').join(':'),
    peers: options.peer,
  };
}

function readPrefix(text: string): Prefix {
  try {
    const prefix = parsePrefix(text);
    if (isPrefix6(prefix) ? prefix.length <= 64 : prefix.length <= 29) return prefix;
  } catch {
    // Said below, for both cases.
  }
  throw new CliError(`--prefix: expected a prefix such as 10.44.0.0/16 or fd44::/48, found '${text}'`, ExitCode.usage);
}

function readAddress(text: string): Ip4 {
  try {
    return parseIp4(text);
  } catch {
    throw new CliError(`--address: expected an IPv4 address, found '${text}'`, ExitCode.usage);
  }
}

/** A /48 as RFC 4193 section 3.2 wants them, pseudo-random, but the same wherever the text is known. */
function uniqueLocal(text: string): string {
  const hex = digest(text).toString('hex');
  return `fd${hex.slice(0, 2)}:${hex.slice(2, 6)}:${hex.slice(6, 10)}::/48`;
}

function ownAddress4(mac: Mac): Ip4 {
  return ip4FromNumber(ip4ToNumber(ROUTERS4.address) + 1 + (digest(mac).readUInt16BE() % 0xfffe));
}

function ownAddress6(key: string, mac: Mac): Ip6 {
  const network = uniqueLocal(`routers ${key}`).replace('::/48', '');
  const [a, b, c, d, e, f] = mac.split(':').map((byte) => parseInt(byte, 16)) as [number, number, number, number, number, number];
  const groups = [(a << 8) ^ 0x200 ^ b, (c << 8) | 0xff, 0xfe00 | d, (e << 8) | f];
  return parseIp(`${network}:0:${groups.map((group) => group.toString(16)).join(':')}`) as Ip6;
}

function digest(text: string): Buffer {
  return createHash('sha256').update(`roaming ${text}`).digest();
}
