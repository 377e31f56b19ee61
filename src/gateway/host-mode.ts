/**
 * Mode `host`: clients share a /64 and choose addresses in it, and every address that one uses is a record, so that
 * every node has a host route to it. Two clients at different routers, or isolated at one, do not hear each other's
 * questions about duplicates: this side answers for the one that has the address, and where both ask at once, for the
 * one whose record wins, which all nodes decide alike.
 */
import * as claims from '../clients/claims.js';
import type { Database } from '../clients/database.js';
import type { Record } from '../clients/record.js';
import type { Instant, Millis } from '../clients/time.js';
import type { Ip6 } from '../net/ip.js';
import { isIp6 } from '../net/ip.js';
import type { Mac } from '../net/mac.js';
import type { Prefix } from '../net/prefix.js';
import { defence } from './answer.js';
import type { Gateway } from './gateway.js';
import { HostAddresses } from './host-addresses.js';
import { probe } from './prober.js';

export interface HostModeOptions {
  readonly db: Database;
  /** Enters a record into the database, and floods it. */
  readonly apply: (record: Record) => void;
  /** Sends a frame on the network that the client is on. */
  readonly send: (mac: Mac, frame: Uint8Array) => void;
  /** Whether an address is none that clients may have: a router's. */
  readonly isReserved: (address: Ip6) => boolean;
  /** Addresses of one client. */
  readonly limit: number;
  /** Of a record. */
  readonly lifetime: Millis;
}

export class HostMode {
  readonly #options: HostModeOptions;
  readonly #addresses: HostAddresses;
  #lifetime: Millis;
  /** Addresses that were not taken in because their client has too many. */
  refused = 0;

  constructor(options: HostModeOptions) {
    this.#options = options;
    this.#addresses = new HostAddresses(options.limit);
    this.#lifetime = options.lifetime;
  }

  /** From now on. Addresses that are beyond a lower limit stay. */
  configure(limit: number, lifetime: Millis): void {
    this.#addresses.limit = limit;
    this.#lifetime = lifetime;
  }

  /** The client that has an address and is somewhere: one that has left has no more right to it than anybody. */
  owner(address: Ip6): Mac | undefined {
    const { db } = this.#options;
    const owner = db.owner(address);
    return owner !== undefined && db.client(owner)?.node !== undefined ? owner : undefined;
  }

  /** A client here uses an address of the shared prefix; or asks whether it may, and it is taken in as that. */
  seen(mac: Mac, address: Ip6, tentative: boolean, now: Instant): void {
    const { db, apply } = this.#options;
    const owner = this.owner(address);
    if (owner === mac) return this.#addresses.seen(mac, address, tentative, now);
    // Whoever has given it up without a word is found out so (RFC 6957 has the owner checked too).
    if (owner !== undefined && tentative) this.#addresses.doubt(address, now);
    if (owner !== undefined || this.#options.isReserved(address)) return;
    const { free, evict } = this.#addresses.room(mac, now);
    if (!free) {
      this.refused++;
      return;
    }
    if (evict !== undefined) this.#withdraw(mac, evict, now);
    this.#addresses.seen(mac, address, tentative, now);
    apply(claims.host(db, address, mac, this.#lifetime, now));
  }

  /** The client is here now, with addresses that other nodes have told of. */
  arrived(mac: Mac, addresses: readonly Prefix[], now: Instant): void {
    for (const { address, length } of addresses) {
      if (length === 128 && isIp6(address)) this.#addresses.seen(mac, address, false, now);
    }
  }

  left(mac: Mac): void {
    this.#addresses.forget(mac);
  }

  /**
   * A record says that an address is another client's than it was. One here that has merely asked for it is told that it
   * is taken; one that has it already goes on without a route.
   */
  taken(address: Ip6, from: Mac | undefined, by: Mac, gateway: Gateway): void {
    if (from === undefined || from === by) return;
    if (this.#addresses.isTentative({ mac: from, address })) this.#options.send(from, defence(from, address, gateway));
    this.#addresses.drop(address);
  }

  /** The kernel could not reach a client there. */
  failed(address: Ip6, now: Instant): void {
    this.#addresses.doubt(address, now);
  }

  get nextDeadline(): Instant | undefined {
    return this.#addresses.nextDeadline;
  }

  poll(gateway: Gateway, now: Instant): void {
    const { ask, lost } = this.#addresses.poll(now);
    for (const { mac, address } of ask) {
      for (const frame of probe({ mac, addresses: [address] }, gateway)) this.#options.send(mac, frame);
    }
    for (const { mac, address } of lost) this.#withdraw(mac, address, now);
  }

  #withdraw(mac: Mac, address: Ip6, now: Instant): void {
    this.#addresses.drop(address);
    const record = claims.hostGone(this.#options.db, address, mac, now);
    if (record !== undefined) this.#options.apply(record);
  }
}
