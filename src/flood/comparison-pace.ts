import type { Instant, Millis } from '../clients/time.js';
import { after, MINUTE } from '../clients/time.js';

/**
 * What is refused, the next comparison finds missing again. It therefore waits this long for each such record, but never
 * longer than {@link LONGEST_PAUSE}: else a full database would be sent the rest every few seconds.
 */
const PAUSE_FOR_REFUSED: Millis = 100;
const LONGEST_PAUSE: Millis = 30 * MINUTE;

/** When two peers may compare their databases anew. */
export class ComparisonPace {
  #began: Instant;
  /** When the last message of one was sent or received. */
  #last: Instant;
  /** Records that were refused since one began. */
  #refused = 0;

  /** @param patience how long the next word of a comparison may take */
  constructor(
    private readonly patience: Millis,
    now: Instant,
  ) {
    this.#began = now;
    this.#last = now;
  }

  /** Whether a comparison may be going on, which finds by itself what differs. */
  isUnderWay(now: Instant): boolean {
    return now < after(this.#last, this.patience);
  }

  /** Whether a comparison may begin now, from either side; if so, it counts as begun. */
  mayBegin(now: Instant): boolean {
    if (now < after(this.#began, Math.min(PAUSE_FOR_REFUSED * this.#refused, LONGEST_PAUSE))) return false;
    this.#began = now;
    this.#refused = 0;
    return true;
  }

  /** A message of a comparison was sent or received. */
  goesOn(now: Instant): void {
    this.#last = now;
  }

  /** A record that the peer has, and goes on having, was refused. */
  refused(): void {
    this.#refused++;
  }
}
