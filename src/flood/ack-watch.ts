/**
 * Whether a peer acknowledges what it is sent. A router that has lost power says nothing, nor does a link that loses
 * everything: keepalives notice after {@link KeepaliveTiming.silence}, TCP about 1.5 s after the first bytes that are lost.
 * TCP knows how long an acknowledgement takes: where the path is long or packets queue up its timeouts come later, and
 * where only some packets are lost the next acknowledgement resets their count.
 */
import type { Instant, Millis } from '../clients/time.js';
import { after, earliest, MINUTE, SECOND } from '../clients/time.js';

/** What TCP says about everything written so far: see {@link PeerStream}. */
export interface Delivery {
  readonly acknowledged: boolean;
  readonly timeouts: number | undefined;
}

/** How long bytes must have gone unacknowledged, and how many timeouts in a row there must have been. */
const PATIENCE: Millis = 1.5 * SECOND;
const TIMEOUTS = 3;

/** How often TCP is asked while something is not acknowledged. */
const INTERVAL: Millis = 0.5 * SECOND;

/**
 * How long a peer must have acknowledged again before it counts as responsive. Doubled each time that it fails again within
 * the memory, up to the longest, so that a link that comes and goes causes ever fewer changes.
 */
const FIRST_PROBATION: Millis = 10 * SECOND;
const LONGEST_PROBATION: Millis = 5 * MINUTE;
const MEMORY: Millis = 10 * MINUTE;

export class AckWatch {
  /** Whatever is not known to be acknowledged was written no earlier than that. */
  #since: Instant | undefined;
  #lookAt: Instant | undefined;
  /** Whether TCP had timeouts when it was asked last. */
  #timedOut = false;
  #unresponsive = false;
  /** When it counts as responsive again, if it does not fail before. */
  #trustedAt: Instant | undefined;
  #probation: Millis = 0;
  /** When it was last found not to acknowledge. */
  #failedAt: Instant | undefined;

  /** Whether it has failed to acknowledge, and has not yet acknowledged again for long enough. */
  get unresponsive(): boolean {
    return this.#unresponsive;
  }

  /** Something was written. */
  sent(now: Instant): void {
    this.#since ??= now;
    this.#lookAt ??= after(now, INTERVAL);
  }

  /** Everything written so far is acknowledged. */
  acknowledged(now: Instant): void {
    this.#lookAt = undefined;
    this.#answers(undefined, now);
  }

  /** When {@link poll} has something to do. */
  get nextDeadline(): Instant | undefined {
    return earliest(this.#lookAt, this.#timedOut ? undefined : this.#trustedAt);
  }

  /** Returns whether {@link unresponsive} has changed. */
  poll(now: Instant, delivery: () => Delivery): boolean {
    const before = this.#unresponsive;
    if (this.#lookAt !== undefined && now >= this.#lookAt) this.#look(delivery(), now);
    if (this.#trustedAt !== undefined && now >= this.#trustedAt && !this.#timedOut) {
      this.#unresponsive = false;
      this.#trustedAt = undefined;
    }
    return this.#unresponsive !== before;
  }

  #look({ acknowledged, timeouts }: Delivery, now: Instant): void {
    if (acknowledged || timeouts === undefined) {
      this.acknowledged(now);
      return;
    }
    this.#lookAt = after(now, INTERVAL);
    if (timeouts === 0) {
      this.#answers(now, now);
      return;
    }
    this.#timedOut = true;
    if (timeouts >= TIMEOUTS && now >= after(this.#since!, PATIENCE)) this.#fails(now);
  }

  /** `since`: something may still be under way. */
  #answers(since: Instant | undefined, now: Instant): void {
    this.#since = since;
    this.#timedOut = false;
    if (this.#unresponsive) this.#trustedAt ??= after(now, this.#probation);
  }

  #fails(now: Instant): void {
    const isNew = !this.#unresponsive || this.#trustedAt !== undefined;
    this.#unresponsive = true;
    this.#trustedAt = undefined;
    if (isNew) {
      const isFirst = this.#failedAt === undefined || now >= after(this.#failedAt, MEMORY);
      this.#probation = isFirst ? FIRST_PROBATION : Math.min(2 * this.#probation, LONGEST_PROBATION);
    }
    this.#failedAt = now;
  }
}
