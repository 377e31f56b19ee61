/**
 * The one table of the options of /etc/config/roaming: what the daemon reads, what README's table and the web form
 * say. The UCI name of an option is its key here in snake case: leaseTime is `lease_time`.
 */
import type { ValueType } from './types.js';
import * as types from './types.js';

/** A single option: has a default, or is undefined where it is not set. */
interface Single<T> {
  readonly kind: 'option';
  readonly type: ValueType<T>;
  /** As it would stand in the file. */
  readonly preset: string | undefined;
  readonly help: string;
}

/** A list option: empty where it is not set. Blanks separate items too, as netifd reads lists. */
interface List<T> {
  readonly kind: 'list';
  readonly type: ValueType<T>;
  readonly help: string;
}

function option<T>(type: ValueType<T>, preset: string, help: string): Single<T> & { readonly preset: string } {
  return { kind: 'option', type, preset, help };
}

function optional<T>(type: ValueType<T>, help: string): Single<T> & { readonly preset: undefined } {
  return { kind: 'option', type, preset: undefined, help };
}

function list<T>(type: ValueType<T>, help: string): List<T> {
  return { kind: 'list', type, help };
}

export const schema = {
  enabled: option(types.boolean, '0', 'Whether the daemon runs at all.'),
  interface: list(
    types.interfaceName,
    'Interfaces that roaming clients are on: the bridge above the access points. None: a transit node, which has no clients and only routes.',
  ),
  prefix: list(
    types.prefix,
    'Prefixes that clients get addresses from, the same on every router: IPv4 (/8 to /29), and IPv6 (/32 to /64, of which each client gets a /64).',
  ),
  gateway: optional(
    types.address4,
    'The IPv4 address that every router shows to clients, the same everywhere. Default: the first address of the first IPv4 prefix.',
  ),
  dns: list(types.unicastAddress, 'Name servers that clients are told, IPv4 and IPv6. Default: the gateway.'),
  domain: optional(types.domainName, 'Domain that clients are told.'),
  leaseTime: option(types.duration(120, 604800), '1h', 'How long a client that is gone keeps its addresses.'),
  holdTime: option(
    types.duration(0, 600),
    '5s',
    'How long a client that left is still held to be here: most often it is roaming.',
  ),
  key: optional(
    types.text(8, 128, 'secret'),
    'Secret that all routers share: peers talk TLS 1.3 with it as pre-shared key. `roaming keygen` makes one.',
  ),
  auth: option(
    types.oneOf('psk', 'none'),
    'psk',
    "psk: only peers that hold the key. none: anybody who reaches the port, in the clear; sroamd needs this.",
  ),
  peer: list(types.endpoint, 'Routers to open a flooding session to. One that is reachable is enough.'),
  port: option(types.integer(1, 65535), '4444', 'TCP port of the flooding sessions.'),
  nodeAddress: list(
    types.unicastAddress,
    "This router's own addresses, as the routing protocol carries them: where others send its clients' packets. Default: found out.",
  ),
  table: option(types.integer(1, 4294967295), '44', 'Kernel routing table for the host routes.'),
  rulePriority: option(types.integer(1, 32765), '440', 'Priority of the rule that looks the table up, ahead of main and of what mwan3 and pbr install.'),
  linger: option(types.boolean, '0', 'Leave the routes in the kernel when the daemon stops, for a restart.'),
  stateDir: option(
    types.text(1, 255, 'path'),
    '/var/lib/roaming',
    'Where the node id and the database are kept over a restart. On OpenWrt /var is in memory.',
  ),
  maxRecords: option(types.integer(100, 10_000_000), '200000', 'Records that the database holds at the most.'),
  logLevel: option(types.oneOf('error', 'warn', 'info', 'debug'), 'info', 'What goes to the system log.'),
} as const;

export type Schema = typeof schema;

type ValueOf<O> =
  O extends List<infer T> ? readonly T[]
  : O extends { type: ValueType<infer T>; preset: string } ? T
  : O extends { type: ValueType<infer T> } ? T | undefined
  : never;

/** The options of `config roaming`, read. */
export type Options = { readonly [K in keyof Schema]: ValueOf<Schema[K]> };

/** `leaseTime` -> `lease_time`. */
export function uciName(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
