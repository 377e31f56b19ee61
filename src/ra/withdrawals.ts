import type { Instant } from '../clients/time.js';
import { after, SECOND } from '../clients/time.js';
import type { NdOption } from '../net/nd-options.js';
import { writeNdOptions } from '../net/nd-options.js';
import { settingsOptions } from './advertisement.js';
import type { RaConfig } from './config.js';
import { MAX_SETTINGS_BYTES } from './config.js';

interface Earlier {
  readonly config: RaConfig;
  /** When the last that was told it has forgotten it. */
  readonly until: Instant;
}

/** Configurations that are remembered, the last. */
const MAX_EARLIER = 4;

/**
 * What clients were told and is not so any more: name servers, search domains, routes, the prefix of a translator. A
 * lifetime of zero ends their use (RFC 8106 5.1 and 5.2, 4191 2.3, 8781 4); else it went on for up to the router's lifetime.
 */
export class Withdrawals {
  #earlier: Earlier[] = [];
  #options: readonly NdOption[] = [];

  /** From now on `config` is advertised, and `before` no longer. */
  replaced(before: RaConfig, config: RaConfig, now: Instant): void {
    const until = after(now, before.routerLifetime * SECOND);
    this.#earlier = [...this.#earlier.filter((one) => one.until > now), { config: before, until }].slice(-MAX_EARLIER);
    this.#options = withdrawn(this.#earlier.map((one) => one.config), config);
  }

  /** The options of an advertisement that is sent now, behind all others; as many as there is room for. */
  at(now: Instant): readonly NdOption[] {
    return this.#earlier.some(({ until }) => until > now) ? this.#options : [];
  }
}

function withdrawn(earlier: readonly RaConfig[], config: RaConfig): NdOption[] {
  const servers = unique(earlier.flatMap(({ dns }) => dns)).filter((one) => !config.dns.includes(one));
  const domains = unique(earlier.flatMap(({ search }) => search)).filter((one) => !config.search.includes(one));
  const routes = new Map(earlier.flatMap((one) => one.routes.map((prefix) => [prefix.key, prefix])));
  const translators = new Map(earlier.flatMap(({ pref64 }) => (pref64 === undefined ? [] : [[pref64.key, pref64]])));
  for (const { key } of config.routes) routes.delete(key);
  translators.delete(config.pref64?.key ?? '');
  const lifetime = 0;
  const all: NdOption[] = [
    ...[...translators.values()].map((prefix) => ({ type: 'pref64', lifetime, prefix }) as const),
    // One option each, so that as many are told as there is room for.
    ...servers.map((server) => ({ type: 'rdnss', lifetime, servers: [server] }) as const),
    ...domains.map((domain) => ({ type: 'dnssl', lifetime, domains: [domain] }) as const),
    ...[...routes.values()].map((prefix) => ({ type: 'route', prefix, preference: 'medium', lifetime }) as const),
  ];
  let room = MAX_SETTINGS_BYTES - writeNdOptions(settingsOptions(config)).length;
  return all.filter((option) => {
    const { length } = writeNdOptions([option]);
    if (length > room) return false;
    room -= length;
    return true;
  });
}

function unique<T>(items: readonly T[]): T[] {
  return [...new Set(items)];
}
