import type { Ip4 } from '../net/ip.js';
import type { Mac } from '../net/mac.js';
import type { Prefix4 } from '../net/prefix.js';
import type { Instant, Millis } from '../clients/time.js';
import { MINUTE, SECOND } from '../clients/time.js';
import type { ClasslessRoute } from './options.js';

/** What clients are given and told. The same on every router, or a client notices that it roams. */
export interface Dhcp4Config {
  /** Where addresses come from. */
  readonly prefixes: readonly Prefix4[];
  /** The address that every router shows to clients: their router, and the one server identifier. */
  readonly gateway: Ip4;
  /** The netmask that clients are told: that of the prefix, or /32. */
  readonly netmask: 'prefix' | 'host';
  /** Seconds. */
  readonly leaseTime: number;
  readonly dns: readonly Ip4[];
  readonly domain?: string;
  readonly search?: readonly string[];
  readonly mtu?: number;
  readonly ntp?: readonly Ip4[];
  /** Routes besides the default one, by RFC 3442. */
  readonly routes?: readonly ClasslessRoute[];
  /** URI of the captive portal's API (RFC 8910). */
  readonly captivePortal?: string;
  /** Seconds for which a client that can do without IPv4 does without it (RFC 8925, V6ONLY_WAIT). */
  readonly ipv6OnlyWait?: number;
  /** Whether a client that asks for it gets its lease in two messages (RFC 4039). Default: yes. */
  readonly rapidCommit?: boolean;
  /** Addresses in the prefixes that are never given out: the routers' own. The gateway is one without being named. */
  readonly excluded?: readonly Ip4[];
  /** Where relay agents (giaddr) may be. Default: nowhere, since who pretends to be one can speak for any client. */
  readonly relays?: readonly Prefix4[];
  readonly reservations?: readonly Reservation[];
}

/** An address that is one client's for ever. */
export interface Reservation {
  readonly mac: Mac;
  readonly address: Ip4;
  /** The host name that the client is told. */
  readonly name?: string;
}

/** What hostile or broken clients can cost. Rates are per client network, but for the first. */
export interface Dhcp4Limits {
  /** Messages of one client that are heard, in a second and at once: it must not use up what the others have. */
  readonly messagesPerSecond: number;
  readonly messageBurst: number;
  /** Offers remembered at a time; beyond it the oldest is forgotten. */
  readonly pendingOffers: number;
  readonly offerTime: Millis;
  /** DISCOVERs answered, in a second and at once. */
  readonly discoversPerSecond: number;
  readonly discoverBurst: number;
  /** Leases for clients that had none, in a second and at once: each is flooded to all nodes. */
  readonly newLeasesPerSecond: number;
  readonly newLeaseBurst: number;
  /** How long a declined address is set aside, at every node. Never more than an eighth of all addresses are. */
  readonly declineTime: Millis;
  /** Addresses set aside in a second and at once, and because of one client: each is told to all nodes. */
  readonly declinesPerSecond: number;
  readonly declineBurst: number;
  readonly declinesPerClient: number;
}

export const DEFAULT_LIMITS: Dhcp4Limits = {
  messagesPerSecond: 5,
  messageBurst: 20,
  pendingOffers: 1024,
  offerTime: 30 * SECOND,
  discoversPerSecond: 100,
  discoverBurst: 200,
  newLeasesPerSecond: 50,
  newLeaseBurst: 200,
  declineTime: 10 * MINUTE,
  declinesPerSecond: 2,
  declineBurst: 16,
  declinesPerClient: 8,
};

export interface Lease4 {
  readonly address: Ip4;
  readonly expires: Instant;
}

/** The server's view of the location database. */
export interface Leases {
  /** The live IPv4 leases of a client: one, or more where nodes that could not hear each other gave it several. */
  leases4Of(mac: Mac): readonly Lease4[];
  /** The client that an address belongs to now. */
  owner(address: Ip4): Mac | undefined;
  /** The same, or the client that it belonged to until not long ago: it rests before another gets it. */
  holder(address: Ip4): Mac | undefined;
  /** Addresses that are set aside since a client found them in use, with that client. */
  readonly declined: ReadonlyMap<Ip4, Mac>;
}
