import type { Instant, Millis } from '../clients/time.js';
import { after, MINUTE, SECOND } from '../clients/time.js';

/**
 * How long the kernel may refuse something before somebody is told: when a link goes down, it refuses what leads over it
 * until the routing protocol has another way.
 */
const PATIENCE: Millis = 3 * SECOND;

/** A failure that has not come again for this long is over: what still fails is tried again more often. */
const SPELL: Millis = MINUTE;

interface Cause {
  readonly since: Instant;
  readonly last: Instant;
  readonly told: boolean;
}

/** Tells failures that last from those that mend themselves. */
export class Failures {
  readonly #causes = new Map<string, Cause>();

  /** Returns whether to tell of the failure: it has lasted, and was not told of. */
  add(cause: string, now: Instant): boolean {
    const known = this.#causes.get(cause);
    const continues = known !== undefined && now <= after(known.last, SPELL);
    const { since, told } = continues ? known : { since: now, told: false };
    const due = !told && now >= after(since, PATIENCE);
    this.#causes.set(cause, { since, last: now, told: told || due });
    return due;
  }

  /** Everything is right. */
  clear(): void {
    this.#causes.clear();
  }
}
