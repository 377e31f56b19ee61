/** Who may have which address. */
import type { Ip4 } from '../net/ip.js';
import { ip4ToNumber } from '../net/ip.js';
import type { Mac } from '../net/mac.js';
import type { Instant, Millis } from '../clients/time.js';
import { after, SECOND } from '../clients/time.js';
import { chooseAddress4, identityOf, isHostAddress, MAX_PROBES } from '../clients/allocation.js';
import type { Dhcp4Config, Leases, Reservation } from './config.js';
import type { Offers } from './limits.js';

/** Why a client cannot have an address: all of these are certain, and a NAK says them. */
export type Refusal = 'not an address of this network' | 'belongs to another client' | 'declined' | 'has another address';

const SEARCH_PAUSE: Millis = SECOND;

interface Search {
  /** Until then it would most likely find nothing. */
  emptyUntil: Instant;
}

export class Pool {
  readonly #free: Search = { emptyUntil: -Infinity as Instant };
  readonly #reusable: Search = { emptyUntil: -Infinity as Instant };
  #reservations: ReadonlyMap<Mac, Reservation>;
  #reservedFor: ReadonlyMap<Ip4, Mac>;
  #excluded: ReadonlySet<Ip4>;

  constructor(
    private readonly config: Dhcp4Config,
    private readonly leases: Leases,
    private readonly offers: Offers,
  ) {
    const reservations = config.reservations ?? [];
    this.#reservations = new Map(reservations.map((reservation) => [reservation.mac, reservation]));
    this.#reservedFor = new Map(reservations.map(({ address, mac }) => [address, mac]));
    this.#excluded = new Set([config.gateway, ...(config.excluded ?? [])]);
  }

  reservation(mac: Mac): Reservation | undefined {
    return this.#reservations.get(mac);
  }

  /**
   * The address to offer (RFC 2131 4.3.1): the client's reservation, its lease, what it asks for, else that which its
   * identity leads to. Where nothing is left, what is merely offered to others or rests goes too.
   */
  choose(mac: Mac, identifier: Uint8Array | undefined, requested: Ip4 | undefined, now: Instant): Ip4 | undefined {
    const own = this.#ownAddresses(mac, now);
    if (own.length > 0) return requested !== undefined && own.includes(requested) ? requested : own[0];
    const identity = identityOf(mac, identifier);
    const isBarred = (address: Ip4) => this.#isBarred(address, mac);
    const isTaken = (address: Ip4) =>
      isBarred(address) || this.#isElses(address, mac) || this.#isOffered(address, mac, now);
    const isOwned = (address: Ip4) => isBarred(address) || this.#isOwnedByElse(address, mac);
    const free = this.#search(this.#free, identity, isTaken, requested, now);
    return free ?? this.#search(this.#reusable, identity, isOwned, undefined, now);
  }

  /** A search that found nothing is not made again at once: a full pool must not cost more than one with room. */
  #search(
    search: Search,
    identity: Uint8Array,
    isTaken: (address: Ip4) => boolean,
    requested: Ip4 | undefined,
    now: Instant,
  ): Ip4 | undefined {
    const probes = now < search.emptyUntil ? 0 : MAX_PROBES;
    const found = chooseAddress4(identity, this.config.prefixes, isTaken, requested, probes);
    if (found === undefined && probes > 0) search.emptyUntil = after(now, SEARCH_PAUSE);
    return found;
  }

  /** Why the client cannot have an address that it says it has or was offered; undefined where it can. */
  refusal(address: Ip4, mac: Mac, now: Instant): Refusal | undefined {
    if (!isHostAddress(this.config.prefixes, address) || this.#excluded.has(address)) {
      return 'not an address of this network';
    }
    if (this.#isReservedForElse(address, mac)) return 'belongs to another client';
    const wasOffered = this.offers.addressFor(mac, now) === address;
    const isReservation = this.#reservations.get(mac)?.address === address;
    // A resting address may have been offered for want of others, and a reservation comes before the rest of another.
    if (wasOffered || isReservation ? this.#isOwnedByElse(address, mac) : this.#isElses(address, mac)) {
      return 'belongs to another client';
    }
    if (this.#isDeclined(address, mac)) return 'declined';
    const own = this.#ownAddresses(mac, now);
    return own.length > 0 && !own.includes(address) ? 'has another address' : undefined;
  }

  /** The reservation where it can be had, else the live leases, lowest first: every node offers the same. */
  #ownAddresses(mac: Mac, now: Instant): Ip4[] {
    const reserved = this.#reservations.get(mac)?.address;
    if (reserved !== undefined && this.#canHave(reserved, mac)) return [reserved];
    return this.leases
      .leases4Of(mac)
      .filter((lease) => lease.expires > now)
      .map((lease) => lease.address)
      .filter((address) => this.#canHave(address, mac))
      .sort((a, b) => ip4ToNumber(a) - ip4ToNumber(b));
  }

  #canHave(address: Ip4, mac: Mac): boolean {
    const isOurs = isHostAddress(this.config.prefixes, address);
    return isOurs && !this.#isBarred(address, mac) && !this.#isOwnedByElse(address, mac);
  }

  #isBarred(address: Ip4, mac: Mac): boolean {
    return this.#excluded.has(address) || this.#isReservedForElse(address, mac) || this.#isDeclined(address, mac);
  }

  /** Not for who has it: that is the one whom the client that declined it has met. */
  #isDeclined(address: Ip4, mac: Mac): boolean {
    return this.leases.declined.has(address) && this.leases.owner(address) !== mac;
  }

  #isReservedForElse(address: Ip4, mac: Mac): boolean {
    const reservedFor = this.#reservedFor.get(address);
    return reservedFor !== undefined && reservedFor !== mac;
  }

  #isOwnedByElse(address: Ip4, mac: Mac): boolean {
    const owner = this.leases.owner(address);
    return owner !== undefined && owner !== mac;
  }

  #isElses(address: Ip4, mac: Mac): boolean {
    const holder = this.leases.holder(address);
    return holder !== undefined && holder !== mac;
  }

  #isOffered(address: Ip4, mac: Mac, now: Instant): boolean {
    const client = this.offers.clientFor(address, now);
    return client !== undefined && client !== mac;
  }
}
