/** The /64 of each client here (RFC 8273): leased when it comes, looked for again while there is none left. */
import { chooseNetwork6 } from './clients/allocation.js';
import * as claims from './clients/claims.js';
import type { Instant, Millis } from './clients/time.js';
import { after, MINUTE, SECOND } from './clients/time.js';
import type { ClientServicesOptions } from './client-services.js';
import type { Config } from './config/config.js';
import type { Mac } from './net/mac.js';
import type { Prefix6 } from './net/prefix.js';
import { anyContains } from './net/prefix.js';
import type { Station } from './presence/presence.js';

/** How long a client for which there was no /64 waits before one is looked for again. */
const RETRY: Millis = MINUTE;

export type NetworkLeasesOptions = Pick<ClientServicesOptions, 'config' | 'db' | 'station' | 'apply' | 'exhausted'>;

export class NetworkLeases {
  readonly #options: NetworkLeasesOptions;
  #config: Config;
  /** Clients here that have no /64 since none was left, or the database had no room for it. */
  readonly #without = new Set<Mac>();
  #retryAt: Instant | undefined;

  constructor(options: NetworkLeasesOptions) {
    this.#options = options;
    this.#config = options.config;
  }

  configure(config: Config): void {
    this.#config = config;
  }

  /** Leases a client that is here a /64, unless it has one of the prefixes that are configured now, or all share theirs. */
  lease(mac: Mac, now: Instant): void {
    const { db, apply, exhausted } = this.#options;
    const { mode, ipv6Mode, prefix: prefixes, prefixes6, leaseTime } = this.#config;
    const [prefix] = prefixes6;
    if (prefix === undefined || ipv6Mode === 'host') return;
    if (db.leases6Of(mac).some(({ address }) => anyContains(prefixes, address))) return;
    const isTaken = ({ address }: Prefix6) => (db.holder(address) ?? mac) !== mac;
    const chosen = chooseNetwork6(mac, prefix, isTaken);
    this.#without.delete(mac);
    if (chosen === undefined) exhausted(6);
    else {
      apply(claims.lease6(db, chosen.address, mac, leaseTime * SECOND, now));
      // Where the router only observes there is none ever.
      if (mode === 'observe' || db.owner(chosen.address) === mac) return;
    }
    this.#without.add(mac);
    this.#retryAt ??= after(now, RETRY);
  }

  left(mac: Mac): void {
    this.#without.delete(mac);
  }

  get nextDeadline(): Instant | undefined {
    return this.#retryAt;
  }

  /** Others may have gone meanwhile. Returns those who have got a /64 now, to be told. */
  poll(now: Instant): Station[] {
    if (this.#retryAt === undefined || this.#retryAt > now) return [];
    this.#retryAt = undefined;
    const served: Station[] = [];
    for (const mac of [...this.#without]) {
      this.#without.delete(mac);
      const station = this.#options.station(mac);
      if (station === undefined) continue;
      this.lease(mac, now);
      // Where the first still gets none there is none for the rest either.
      if (this.#without.has(mac)) break;
      served.push(station);
    }
    return served;
  }
}
