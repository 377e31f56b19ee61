/** From the options of /etc/config/roaming to the configurations of the DHCPv4 server and of the router advertisements. */
import { SECOND } from './clients/time.js';
import type { Config } from './config/config.js';
import type { Dhcp4Config, Dhcp4Limits } from './dhcp4/config.js';
import { DEFAULT_LIMITS } from './dhcp4/config.js';
import { BadInput } from './net/bytes.js';
import type { Ip4 } from './net/ip.js';
import { isPrefix4, isPrefix6 } from './net/prefix.js';
import type { RaConfig } from './ra/config.js';
import { checkRaConfig, DEFAULT_RA_CONFIG } from './ra/config.js';

/** `routers`: addresses in the prefixes that routers have. Undefined where there is no IPv4 prefix. */
export function dhcp4Config(config: Config, routers: Iterable<Ip4> = []): Dhcp4Config | undefined {
  const { prefixes4, gateway4, netmask, leaseTime, dns4, ntp, search, rapidCommit, exclude, hosts } = config;
  if (gateway4 === undefined) return undefined;
  const routes = config.route.flatMap(({ destination, via }) =>
    isPrefix4(destination) ? [{ destination, via: via ?? gateway4 }] : [],
  );
  return {
    prefixes: prefixes4,
    gateway: gateway4,
    netmask,
    leaseTime,
    dns: dns4,
    search,
    ntp,
    routes,
    rapidCommit,
    excluded: [...exclude, ...routers],
    relays: config.relay,
    reservations: hosts,
    ...optional('domain', config.domain),
    ...optional('mtu', config.mtu),
    ...optional('captivePortal', config.captivePortal),
    ...optional('ipv6OnlyWait', config.ipv6OnlyWait),
  };
}

export function dhcp4Limits({ dhcpRate, discoverRate, newLeaseRate, declineTime, declineRate }: Config): Dhcp4Limits {
  return {
    ...DEFAULT_LIMITS,
    messagesPerSecond: dhcpRate,
    messageBurst: 4 * dhcpRate,
    discoversPerSecond: discoverRate,
    discoverBurst: 2 * discoverRate,
    newLeasesPerSecond: newLeaseRate,
    newLeaseBurst: 4 * newLeaseRate,
    declineTime: declineTime * SECOND,
    declinesPerSecond: declineRate,
    declineBurst: 8 * declineRate,
  };
}

/** Prefixes are preferred as long as the router lives, and valid twice as long (RFC 9096 3.4), or as long as the lease. */
export function raConfig(config: Config): RaConfig {
  const { dns6, domain, search, leaseTime, routerLifetime } = config;
  return {
    ...DEFAULT_RA_CONFIG,
    mode: config.ipv6Mode,
    sharedPrefixes: config.ipv6Mode === 'host' ? config.prefixes6 : [],
    routerLifetime,
    preferredLifetime: routerLifetime,
    validLifetime: Math.max(leaseTime, 2 * routerLifetime),
    dns: dns6,
    search: search.length > 0 || domain === undefined ? search : [domain],
    routes: config.route.map(({ destination }) => destination).filter(isPrefix6),
    ...optional('mtu', config.mtu),
    ...optional('pref64', config.pref64),
    ...optional('captivePortal', config.captivePortal),
  };
}

/** What of a configuration cannot be told to clients, though each option by itself is well; undefined where all can. */
export function serviceProblem(config: Config): string | undefined {
  try {
    checkRaConfig(raConfig(config));
    return undefined;
  } catch (error) {
    if (error instanceof BadInput) return error.message;
    throw error;
  }
}

function optional<K extends string, V>(key: K, value: V | undefined): { [k in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { [k in K]?: V });
}
