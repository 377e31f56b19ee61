/** State of the server that is local to the node and bounded: offers and rates. */
import type { Ip4 } from '../net/ip.js';
import type { Mac } from '../net/mac.js';
import type { Instant, Millis } from '../clients/time.js';
import { after, SECOND } from '../clients/time.js';

interface Offer {
  readonly mac: Mac;
  readonly address: Ip4;
  readonly until: Instant;
}

/** Addresses offered and not yet requested. Known to nobody else: an offer floods nothing. */
export class Offers {
  // Both in the order in which offers lapse, since all last equally long.
  #byMac = new Map<Mac, Offer>();
  #byAddress = new Map<Ip4, Offer>();

  constructor(
    readonly limit: number,
    readonly duration: Millis,
  ) {}

  get size(): number {
    return this.#byMac.size;
  }

  /** The address offered to a client. */
  addressFor(mac: Mac, now: Instant): Ip4 | undefined {
    this.#forgetLapsed(now);
    return this.#byMac.get(mac)?.address;
  }

  /** The client that an address is offered to; where to several, the last. */
  clientFor(address: Ip4, now: Instant): Mac | undefined {
    this.#forgetLapsed(now);
    return this.#byAddress.get(address)?.mac;
  }

  put(mac: Mac, address: Ip4, now: Instant): void {
    this.delete(mac);
    this.#forgetLapsed(now);
    const [oldest] = this.#byMac.keys();
    if (oldest !== undefined && this.#byMac.size >= this.limit) this.delete(oldest);
    const offer = { mac, address, until: after(now, this.duration) };
    this.#byMac.set(mac, offer);
    this.#byAddress.delete(address);
    this.#byAddress.set(address, offer);
  }

  delete(mac: Mac): void {
    const offer = this.#byMac.get(mac);
    if (offer === undefined) return;
    this.#byMac.delete(mac);
    if (this.#byAddress.get(offer.address) === offer) this.#byAddress.delete(offer.address);
  }

  #forgetLapsed(now: Instant): void {
    for (const offer of this.#byMac.values()) {
      if (offer.until > now) return;
      this.delete(offer.mac);
    }
  }
}

/** Token buckets, one for each client network or client; beyond `limit` those that were used last are kept. */
export class RateLimit {
  #buckets = new Map<string, { tokens: number; at: Instant }>();

  constructor(
    private perSecond: number,
    private burst: number,
    readonly limit = 4096,
  ) {}

  /** From now on. What buckets hold stays, up to the new burst. */
  set(perSecond: number, burst: number): void {
    this.perSecond = perSecond;
    this.burst = burst;
  }

  /** Takes one token where there is one. */
  take(whose: string, now: Instant): boolean {
    const bucket = this.#buckets.get(whose) ?? { tokens: this.burst, at: now };
    this.#buckets.delete(whose);
    this.#buckets.set(whose, bucket);
    const [oldest] = this.#buckets.keys();
    if (this.#buckets.size > this.limit) this.#buckets.delete(oldest!);
    bucket.tokens = Math.min(this.burst, bucket.tokens + ((now - bucket.at) / SECOND) * this.perSecond);
    bucket.at = now;
    if (bucket.tokens < 1) return false;
    bucket.tokens--;
    return true;
  }
}
