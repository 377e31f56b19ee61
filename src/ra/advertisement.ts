import type { Instant } from '../clients/time.js';
import { secondsUntil } from '../clients/time.js';
import type { Ip6 } from '../net/ip.js';
import { ALL_NODES } from '../net/ip.js';
import type { Mac } from '../net/mac.js';
import type { RouterAdvertisement } from '../net/nd.js';
import { ndFrame } from '../net/nd.js';
import type { NdOption, PrefixInformation } from '../net/nd-options.js';
import type { Prefix6 } from '../net/prefix.js';
import { formatPrefix } from '../net/prefix.js';
import type { RaConfig } from './config.js';

/** Who advertises: what all routers have in common. */
export interface RaGateway {
  readonly mac: Mac;
  readonly linkLocal: Ip6;
}

/** A /64 of a client. */
export interface ClientPrefix {
  readonly prefix: Prefix6;
  /** When its record expires. */
  readonly expires: Instant;
  /** It is still the client's, and shall not be used for new connections: a newer one is there. */
  readonly deprecated: boolean;
}

/** What hop limit hosts shall begin with (IANA's recommended default). */
const CURRENT_HOP_LIMIT = 64;

/** Prefixes in one advertisement at the most; beyond it old ones are left out first. */
export const MAX_PREFIXES = 12;

/**
 * The advertisement for one client. Its prefixes are its own, in mode `host` behind those of the configuration; lifetimes
 * are what is left of their records, at most what the configuration allows. `withdrawn` are prefixes that the client
 * was told and has no longer: deprecated at once, and void as soon as the client may believe it (RFC 4862 5.5.3 e).
 * `withdrawnSettings`: see {@link Withdrawals}.
 */
export function buildRa(
  prefixes: readonly ClientPrefix[],
  withdrawn: readonly Prefix6[],
  config: RaConfig,
  gateway: RaGateway,
  now: Instant,
  withdrawnSettings: readonly NdOption[] = [],
): RouterAdvertisement {
  const shared = config.mode === 'host' ? sharedOptions(config) : [];
  const current = [...shared, ...prefixes.map((own) => clientOption(own, config, now))];
  const preferredFirst = current.sort((a, b) => b.preferredLifetime - a.preferredLifetime);
  const there = new Set(current.map(({ prefix }) => formatPrefix(prefix)));
  const gone = withdrawn.filter((prefix) => !there.has(formatPrefix(prefix))).map((prefix) => prefixOption(prefix, 0, 0));
  return {
    type: 'ra',
    hopLimit: CURRENT_HOP_LIMIT,
    managed: false,
    other: false,
    preference: 'medium',
    routerLifetime: config.routerLifetime,
    reachableTime: 0,
    retransTimer: 0,
    options: [
      { type: 'sourceLinkLayer', mac: gateway.mac },
      ...[...preferredFirst, ...gone].slice(0, MAX_PREFIXES),
      ...settingsOptions(config),
      ...withdrawnSettings,
    ],
  };
}

/** Never on link: clients reach each other through the router, wherever each of them is (RFC 8273 section 4). */
function prefixOption(prefix: Prefix6, validLifetime: number, preferredLifetime: number): PrefixInformation {
  return { type: 'prefix', prefix, onLink: false, autonomous: true, validLifetime, preferredLifetime };
}

function sharedOptions(config: RaConfig): PrefixInformation[] {
  const { sharedPrefixes, validLifetime, preferredLifetime } = config;
  return sharedPrefixes.map((prefix) => prefixOption(prefix, validLifetime, preferredLifetime));
}

function clientOption({ prefix, expires, deprecated }: ClientPrefix, config: RaConfig, now: Instant): PrefixInformation {
  const valid = Math.min(secondsUntil(expires, now), config.validLifetime);
  return prefixOption(prefix, valid, deprecated ? 0 : Math.min(valid, config.preferredLifetime));
}

/** The options that are the same for all clients. */
export function settingsOptions(config: RaConfig): NdOption[] {
  const lifetime = config.routerLifetime;
  const options: NdOption[] = [];
  if (config.mtu !== undefined) options.push({ type: 'mtu', mtu: config.mtu });
  for (const prefix of config.routes) options.push({ type: 'route', prefix, preference: 'medium', lifetime });
  if (config.dns.length > 0) options.push({ type: 'rdnss', lifetime, servers: config.dns });
  if (config.search.length > 0) options.push({ type: 'dnssl', lifetime, domains: config.search });
  if (config.pref64 !== undefined) options.push({ type: 'pref64', lifetime, prefix: config.pref64 });
  if (config.captivePortal !== undefined) options.push({ type: 'captivePortal', uri: config.captivePortal });
  return options;
}

/**
 * The frame for one client: its own MAC is the destination even where its link-local address is not known and the
 * packet is for all nodes. No other client hears it, and no access point sends it at multicast speed.
 */
export function raFrame(client: Mac, to: Ip6 | undefined, gateway: RaGateway, message: RouterAdvertisement): Uint8Array {
  return ndFrame(client, gateway.mac, { source: gateway.linkLocal, destination: to ?? ALL_NODES, message });
}
