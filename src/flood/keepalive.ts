import type { Instant, Millis } from '../clients/time.js';
import { after, earliest } from '../clients/time.js';

export interface KeepaliveTiming {
  /** Between two pings. Only peers of our kind answer them. */
  readonly keepalive: Millis;
  /** A peer that answers pings is gone once it has said nothing for this long. */
  readonly silence: Millis;
}

/** How many times as long both are where nobody waits for what the peer has to tell. */
const RELAXED = 3;

/** Asks a peer now and then whether it is there; finds out how far away it is, and that it has gone without a word. */
export class Keepalive {
  readonly #timing: KeepaliveTiming;
  #heard: Instant;
  /** Undefined: not started, since the peer knows no pings. */
  #next: Instant | undefined;
  #sent: { readonly token: number; readonly at: Instant } | undefined;
  #token = 0;
  /** A ping is to be written. */
  pending = false;
  #relaxed = false;
  /** Smoothed round-trip time; undefined until measured. */
  rtt: Millis | undefined;

  constructor(timing: KeepaliveTiming, now: Instant) {
    this.#timing = timing;
    this.#heard = now;
  }

  start(now: Instant): void {
    this.#next = now;
  }

  /** Whether nobody waits for what the peer has to tell. Once somebody does the peer has to answer anew. */
  relax(relaxed: boolean, now: Instant): void {
    if (this.#relaxed && !relaxed) {
      this.#next = this.#next && now;
      this.#heard = now;
    }
    this.#relaxed = relaxed;
  }

  /** Something has come from the peer, whatever it is. */
  heard(now: Instant): void {
    this.#heard = now;
  }

  /** The token of the ping that is written now. */
  ping(now: Instant): number {
    this.pending = false;
    this.#token = (this.#token + 1) >>> 0;
    this.#sent = { token: this.#token, at: now };
    return this.#token;
  }

  pong(token: number, now: Instant): void {
    if (this.#sent?.token !== token) return;
    const sample = now - this.#sent.at;
    this.#sent = undefined;
    // The smoothing of RFC 6298 2.3.
    this.rtt = this.rtt === undefined ? sample : (7 * this.rtt + sample) / 8;
  }

  /** Returns how long the peer has been silent, where that is too long. */
  poll(now: Instant): Millis | undefined {
    if (this.#next === undefined) return undefined;
    if (now >= this.#silentAt) return now - this.#heard;
    if (now >= this.#next) {
      this.pending = true;
      this.#next = after(now, this.#times(this.#timing.keepalive));
    }
    return undefined;
  }

  /** When {@link poll} has something to do. */
  get nextDeadline(): Instant | undefined {
    return this.#next && earliest(this.#next, this.#silentAt);
  }

  get #silentAt(): Instant {
    return after(this.#heard, this.#times(this.#timing.silence));
  }

  #times(delay: Millis): Millis {
    return this.#relaxed ? RELAXED * delay : delay;
  }
}
