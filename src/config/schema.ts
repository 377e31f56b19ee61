/**
 * The one table of the options of /etc/config/roaming: what the daemon reads, what README's table and the web form
 * say. The UCI name of an option is its key here in snake case: leaseTime is `lease_time`.
 */
import type { ValueType } from './types.js';
import { presenceOption } from './presence.js';
import * as types from './types.js';

/** A single option: has a default, or is undefined where it is not set. */
export interface Single<T> {
  readonly kind: 'option';
  readonly type: ValueType<T>;
  /** As it would stand in the file. */
  readonly preset: string | undefined;
  readonly help: string;
}

/** A list option: empty where it is not set. Blanks separate items too, as netifd reads lists. */
export interface List<T> {
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
  mode: option(
    types.oneOf('roam', 'observe'),
    'roam',
    'observe: watch and log what would be done, but change nothing in the kernel, send clients nothing, remove no station and tell other routers nothing.',
  ),
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
  search: list(types.domainName, 'Domains that clients search names in. IPv6 clients without it are told the domain.'),
  ntp: list(types.address4, 'Time servers that clients are told.'),
  route: list(
    types.route,
    'Routes that clients are told besides the default one: `10.0.0.0/8`, or `10.0.0.0/8,10.44.0.2` where a router other than the gateway leads there; IPv6 always through the gateway.',
  ),
  mtu: optional(types.integer(1280, 65535), 'MTU that clients are told.'),
  netmask: option(
    types.oneOf('prefix', 'host'),
    'prefix',
    'prefix: clients take the whole IPv4 prefix to be on their link, and routers answer ARP for those that are elsewhere. host: a /32, which not every client can handle.',
  ),
  rapidCommit: option(types.boolean, '1', 'Whether clients that ask for it get an address in two messages instead of four.'),
  captivePortal: optional(types.captivePortalUri, "URI of the captive portal's API (RFC 8908)."),
  ipv6OnlyWait: optional(
    types.duration(300, 604800),
    'Tells clients that can do without IPv4 to do without it for this long (RFC 8925). For networks with NAT64.',
  ),
  pref64: optional(types.nat64Prefix, 'Prefix of the NAT64 translator that clients are told (RFC 8781).'),
  routerLifetime: option(
    types.duration(600, 65535),
    '90m',
    'How long an IPv6 client keeps its default route without hearing of us. Advertisements come at a third of it.',
  ),
  exclude: list(
    types.address4,
    "Addresses in the IPv4 prefixes that no client gets. The gateway's and those of known routers are excluded anyway.",
  ),
  presence: list(
    presenceOption,
    'What tells that a client is here. hostapd, nl80211: our access points. fdb: MACs that the bridge learns on other ports, for wired clients and access points of others. neighbour, traffic: who is in the neighbour cache, who sends ARP, DHCP or ND; for interfaces without an access point of ours. With @interface for that one only: `fdb@br-lan`. Default: hostapd and nl80211. Beside usteer or dawn, nl80211 alone: hostapd asks all who listen about a station, and takes the last answer.',
  ),
  ignoreSsid: list(types.text(1, 48, 'SSID[@interface]'), 'Wi-Fi networks whose stations are left alone, though they are on a client interface. With @interface on that one only: `guests@br-lan`.'),
  ipv6Mode: option(
    types.oneOf('prefix', 'host'),
    'prefix',
    'prefix: each client gets a /64 of its own (RFC 8273). host: all share a /64 and choose addresses in it, each of which has a host route.',
  ),
  seek: option(
    types.boolean,
    '1',
    'Look for the client on all routers when a packet comes for an address in our prefixes that nobody is known to have; it is answered as unreachable meanwhile.',
  ),
  leaseTime: option(types.duration(120, 604800), '1h', 'How long a client that is gone keeps its addresses.'),
  holdTime: option(
    types.duration(0, 600),
    '5s',
    'How long a client that left still counts as here: most often it is roaming.',
  ),
  gatewayMac: option(
    types.stationMac,
    '00:00:5e:00:52:13',
    'The MAC that client interfaces have at every router (RFC 6543 reserves the default for this).',
  ),
  gatewayLinkLocal: optional(
    types.linkLocalAddress,
    'The IPv6 link-local address that they have at every router. Default: the one that follows from the MAC.',
  ),
  setup: option(
    types.boolean,
    '0',
    'Give the client interfaces the MAC and the addresses of the gateway, and the settings that roaming needs, instead of only checking them. What was set is taken back at a clean stop, and where a reload does not want it any more.',
  ),
  relay: list(
    types.prefix4,
    'Where DHCP relay agents may be: only those are answered, since who pretends to be one can speak for any client.',
  ),
  dhcpRate: option(types.integer(1, 1000), '5', 'DHCP messages that are accepted from one client in a second; four times as many in a burst.'),
  discoverRate: option(types.integer(1, 100_000), '100', 'DHCP DISCOVERs answered in a second on one interface; twice as many in a burst.'),
  newLeaseRate: option(
    types.integer(1, 100_000),
    '50',
    'Leases given in a second on one interface to clients that had none; four times as many in a burst. Each is told to all routers.',
  ),
  declineTime: option(types.duration(0, 86400), '10m', 'How long an address that a client found in use is set aside, at every router.'),
  declineRate: option(
    types.integer(1, 1000),
    '2',
    'Addresses set aside in a second on one interface; eight times as many in a burst. Never more than an eighth of all, nor more than eight because of one client.',
  ),
  maxAddresses: option(types.integer(1, 1024), '16', 'How many addresses that one client chose itself, in each of IPv4 and IPv6, are told to other routers.'),
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
  port: option(types.integer(1, 65535), '4444', 'TCP port of the flooding sessions, and UDP port of the hellos to neighbours.'),
  discovery: option(
    types.boolean,
    '1',
    'Whether to find other routers on the same links by multicast, so that no peer has to be configured.',
  ),
  meshInterface: list(
    types.interfaceName,
    "Interfaces on which to look for other routers. Default: with a key, all but those of clients; with auth 'none', none.",
  ),
  maxPeers: option(
    types.integer(0, 64),
    '6',
    'Sessions to keep with routers that are known from others, chosen so that no single router that fails cuts off others. 0: only with configured peers and neighbours.',
  ),
  maxSessions: option(types.integer(1, 200), '64', 'Sessions that other routers may open with this one.'),
  nodeAddress: list(
    types.unicastAddress,
    "This router's own addresses, as the routing protocol carries them: where others send its clients' packets. Default: found automatically.",
  ),
  table: option(types.routingTable, '44', 'Kernel routing table for the host routes; the next one is for packets to unknown clients.'),
  rulePriority: option(types.integer(1, 32763), '440', 'Priority of the rule that looks the table up, ahead of main and of what mwan3 and pbr install.'),
  linger: option(types.boolean, '0', 'Leave the routes in the kernel when the daemon stops, for a restart.'),
  stateDir: option(
    types.text(1, 255, 'path'),
    '/var/lib/roaming',
    'Where the node id and the database are kept over a restart. On OpenWrt /var is in memory.',
  ),
  stateInterval: option(
    types.duration(10, 86400),
    '1m',
    "The database is written to state_dir at most this often, and when the daemon stops or the system's clock was set. Where that is flash memory, 1h spares it.",
  ),
  nodeId: optional(
    types.nodeId,
    "This router's id in the mesh: 16 hexadecimal digits that no other router has. Default: the one in state_dir, unless it is of another router's hardware; at the first start it is made from the hardware's lowest MAC address, or at random where there is none.",
  ),
  maxRecords: option(types.integer(100, 10_000_000), '200000', 'How many records the database holds at the most; as many again of what this router itself tells.'),
  maxRecordBytes: option(
    types.integer(10_000, 1_000_000_000),
    '16000000',
    'How many bytes of keys and values the database holds at the most. A record of a client has 15 to 30.',
  ),
  logLevel: option(types.oneOf('error', 'warn', 'info', 'debug'), 'info', 'What goes to the system log.'),
} as const;

export type Schema = typeof schema;

type ValueOf<O> =
  O extends List<infer T> ? readonly T[]
  : O extends { type: ValueType<infer T>; preset: string } ? T
  : O extends { type: ValueType<infer T> } ? T | undefined
  : never;

/** The options of `config roaming`, read. */
export type Options = OptionsOf<Schema>;

/** Options of `config host`: an address that is one client's for ever. The sections of dnsmasq have the same. */
export const hostSchema = {
  name: optional(types.domainName, 'Host name that the client is told.'),
  mac: list(types.stationMac, 'The MAC of the client.'),
  ip: optional(types.address4, 'Its address.'),
} as const;

/** A table of options, by their keys. */
export interface OptionTable {
  readonly [key: string]: Single<unknown> | List<unknown>;
}

/** What a table's options are read to. */
export type OptionsOf<T> = { readonly [K in keyof T]: ValueOf<T[K]> };

/** `leaseTime` -> `lease_time`. */
export function uciName(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
