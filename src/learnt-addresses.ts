/** The addresses that clients use, as their frames show: what is believed of them becomes records. */
import { isHostAddress } from './clients/allocation.js';
import * as claims from './clients/claims.js';
import { hostKey } from './clients/record.js';
import type { Instant } from './clients/time.js';
import { SECOND } from './clients/time.js';
import type { ClientServicesOptions } from './client-services.js';
import type { Config } from './config/config.js';
import { RateLimit } from './dhcp4/limits.js';
import type { Ip, Ip4, Ip6 } from './net/ip.js';
import { isIp6, isLinkLocal6 } from './net/ip.js';
import type { Mac } from './net/mac.js';
import { anyContains } from './net/prefix.js';

export type LearntAddressesOptions = Pick<ClientServicesOptions, 'db' | 'apply'>;

export class LearntAddresses {
  readonly #options: LearntAddressesOptions;
  #config: Config;
  #routers: ReadonlySet<Ip>;
  /** Link-local addresses of clients here: needed on the link alone, so not in the database. */
  readonly #linkLocals = new Map<Mac, Ip6>();
  /** Addresses of one client that give way to others: one a minute, four at once. Each is told to all routers. */
  readonly #replacements = new RateLimit(1 / 60, 4);
  /** Addresses that were not taken in because their client has too many. */
  refused = 0;

  constructor(options: LearntAddressesOptions, config: Config, routers: ReadonlySet<Ip>) {
    this.#options = options;
    this.#config = config;
    this.#routers = routers;
  }

  /** `routers`: IPv4 addresses in the prefixes that routers have. */
  configure(config: Config, routers: ReadonlySet<Ip>): void {
    this.#config = config;
    this.#routers = routers;
  }

  linkLocalOf(mac: Mac): Ip6 | undefined {
    return this.#linkLocals.get(mac);
  }

  left(mac: Mac): void {
    this.#linkLocals.delete(mac);
  }

  /** A client here uses an address: taken in, unless it belongs to another or the client has too many. */
  learn(mac: Mac, address: Ip, now: Instant): void {
    if (!isIp6(address)) this.#learn4(mac, address, now);
    else if (isLinkLocal6(address)) this.#linkLocals.set(mac, address);
    else this.#learn6(mac, address, now);
  }

  #learn4(mac: Mac, address: Ip4, now: Instant): void {
    const { db, apply } = this.#options;
    if (!isHostAddress(this.#config.prefixes4, address) || this.#routers.has(address)) return;
    const holder = db.holder(address);
    // One that it had until not long ago, or one that a client gave up because somebody else uses it: here is who that is.
    const mayTake = holder === mac || db.declined.has(address);
    const isFree = holder === undefined || (mayTake && db.owner(address) === undefined);
    if (!isFree) return;
    if (db.leases4Of(mac).length < this.#config.maxAddresses) apply(claims.lease4(db, address, mac, this.#lifetime, now));
    else this.refused++;
  }

  #learn6(mac: Mac, address: Ip6, now: Instant): void {
    const { db, apply } = this.#options;
    if (!anyContains(this.#config.prefix, address)) return;
    // Without a /64 of its own that covers it, the address would be another client's or nobody's: not believed.
    if (db.holder(address) !== mac || db.live(hostKey(address)) !== undefined) return;
    if (this.#makeRoom(mac, now)) apply(claims.host(db, address, mac, this.#lifetime, now));
    else this.refused++;
  }

  /**
   * Room for one more address in the client's own /64: phones take new ones each time they associate and each day, and do
   * not say which they have given up. The one that was learnt first gives way.
   */
  #makeRoom(mac: Mac, now: Instant): boolean {
    const { db, apply } = this.#options;
    const [oldest, ...others] = (db.client(mac)?.addresses ?? []).filter((prefix) => prefix.length === 128);
    if (oldest === undefined || 1 + others.length < this.#config.maxAddresses) return true;
    if (!this.#replacements.take(mac, now)) return false;
    const record = claims.hostGone(db, oldest.address, mac, now);
    if (record !== undefined) apply(record);
    return true;
  }

  get #lifetime(): number {
    return this.#config.leaseTime * SECOND;
  }
}
