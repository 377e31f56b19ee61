/** Packets for addresses that nobody is known to have: their clients are looked for, here and everywhere. */
import type { ClientServices } from './client-services.js';
import * as claims from './clients/claims.js';
import type { Database } from './clients/database.js';
import type { NodeId } from './clients/node-id.js';
import type { Record } from './clients/record.js';
import type { Instant } from './clients/time.js';
import type { Config } from './config/config.js';
import type { Ip } from './net/ip.js';
import { anyContains } from './net/prefix.js';
import type { Clock, Logger, Strays } from './ports.js';
import { Seeker } from './presence/seeker.js';

export interface StrayPacketsOptions {
  readonly self: NodeId;
  readonly config: Config;
  readonly db: Database;
  readonly clock: Clock;
  readonly log: Logger;
  readonly strays: Strays;
  /** What clients see of this router; undefined before it has a client interface. */
  readonly services: () => ClientServices | undefined;
  /** Enters a record into the database, and floods it. */
  readonly apply: (record: Record) => void;
  /** {@link StrayPackets.nextDeadline} may have changed. */
  readonly rearm: () => void;
}

export class StrayPackets {
  readonly #options: StrayPacketsOptions;
  #config: Config;
  readonly #seeker = new Seeker();
  #stopped = false;

  constructor(options: StrayPacketsOptions) {
    this.#options = options;
    this.#config = options.config;
  }

  /** Packets for clients that nobody knows are caught; those for /64s that nobody has are refused at once. */
  async start(): Promise<void> {
    const { strays, clock, log } = this.#options;
    const { seek, prefixes4, prefixes6, ipv6Mode } = this.#config;
    const [caught, unreachable] = ipv6Mode === 'host' ? [[...prefixes4, ...prefixes6], []] : [prefixes4, prefixes6];
    try {
      await strays.start(seek ? { caught, unreachable } : { caught: [], unreachable: [] }, (address) => this.caught(address, clock.now()));
    } catch (error) {
      log.warn(`packets for unknown clients are not caught: ${(error as Error).message}`);
    }
  }

  configure(config: Config): void {
    const bearing = ({ seek, prefix }: Config) => JSON.stringify([seek, prefix]);
    const isAnother = bearing(config) !== bearing(this.#config);
    this.#config = config;
    if (isAnother) void this.start();
  }

  /** A packet came for a client that nobody knows: it is looked for here and everywhere, and refused meanwhile. */
  caught(address: Ip, now: Instant): void {
    const { self, db, strays, services, apply, rearm } = this.#options;
    if (this.#stopped || !this.#config.seek || !this.#seeker.stray(address, now)) return;
    strays.refuse(address, true);
    const owner = db.owner(address);
    // At a node to which there is no way at present: nothing is to be found.
    if (owner === undefined || db.client(owner)?.node === undefined) {
      services()?.seek(address);
      apply(claims.seek(db, self, this.#seeker.recent(now), now));
    }
    rearm();
  }

  /** Another node looks for these: they are asked for on our own links. */
  asked(addresses: readonly Ip[], now: Instant): void {
    for (const address of addresses) {
      if (anyContains(this.#config.prefix, address) && this.#seeker.asked(address, now)) this.#options.services()?.seek(address);
    }
  }

  get counters(): { readonly sought: number; readonly limited: number } {
    return this.#seeker.counters;
  }

  get nextDeadline(): Instant | undefined {
    return this.#seeker.nextDeadline;
  }

  poll(now: Instant): void {
    for (const address of this.#seeker.poll(now)) this.#options.strays.refuse(address, false);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#options.strays.stop();
  }
}
