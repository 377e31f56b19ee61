import type { Instant, Millis } from '../clients/time.js';
import { after, SECOND } from '../clients/time.js';
import type { Random } from '../ports.js';

/** Between two hellos, before up to a quarter of it is added at random. */
export const HELLO_INTERVAL: Millis = 10 * SECOND;

/** The least time between two hellos; one that somebody waits for comes within as much. */
const HURRY: Millis = SECOND;

/** When to send hellos: now and then, and soon when there is somebody new to hear them; never many. */
export class HelloSchedule {
  readonly #random: Random;
  #last: Instant | undefined;
  #next: Instant | undefined;

  constructor(random: Random) {
    this.#random = random;
  }

  /** The next hello is to come soon, at a random moment: others were told to hurry by the same event. */
  hurry(now: Instant): void {
    const earliest = this.#last === undefined ? now : Math.max(now, after(this.#last, HURRY));
    const soon = (earliest + this.#random.below(HURRY / 2)) as Instant;
    if (this.#next === undefined || soon < this.#next) this.#next = soon;
  }

  /** Whether a hello is to be sent now. */
  poll(now: Instant): boolean {
    if (this.#next === undefined || now < this.#next) return false;
    this.#last = now;
    this.#next = after(now, HELLO_INTERVAL + this.#random.below(HELLO_INTERVAL / 4));
    return true;
  }

  get nextDeadline(): Instant | undefined {
    return this.#next;
  }
}
