import type { Logger } from '../ports.js';
import type { Instant, Millis } from '../clients/time.js';
import { after, MINUTE, SECOND } from '../clients/time.js';

/** A cause is logged again after that long at the earliest. */
const PAUSE: Millis = 10 * MINUTE;

interface Cause {
  count: number;
  logged: number;
  silentUntil: Instant;
}

/** Counts what goes wrong, by cause, and logs each cause once in ten minutes: a peer must not fill the log. */
export class Complaints<C extends string> {
  readonly #causes = new Map<C, Cause>();

  constructor(private readonly logger: Logger) {}

  add(cause: C, detail: string, now: Instant): void {
    let entry = this.#causes.get(cause);
    if (entry === undefined) {
      entry = { count: 0, logged: 0, silentUntil: now };
      this.#causes.set(cause, entry);
    }
    entry.count++;
    if (now < entry.silentUntil) return;
    const silent = entry.count - entry.logged - 1;
    this.logger.warn(silent > 0 ? `${detail} (and ${silent} more of the kind before)` : detail);
    entry.logged = entry.count;
    entry.silentUntil = after(now, PAUSE);
  }

  /** How often each cause has come. */
  counts(): Partial<globalThis.Record<C, number>> {
    const counts: Partial<globalThis.Record<C, number>> = {};
    for (const [cause, { count }] of this.#causes) counts[cause] = count;
    return counts;
  }
}

/** Lines of a {@link LineQuota} at once, and the time in which one more is to be had. */
const BURST = 40;
const REFILL: Millis = 10 * SECOND;

/** What happens is logged line by line, unless somebody makes it happen all the time: then now and then. */
export class LineQuota {
  #left = BURST;
  #refilled: Instant | undefined;
  #silent = 0;

  constructor(private readonly logger: Logger) {}

  info(line: string, now: Instant): void {
    this.#refilled ??= now;
    const more = Math.floor((now - this.#refilled) / REFILL);
    this.#left = Math.min(BURST, this.#left + more);
    this.#refilled = after(this.#refilled, more * REFILL);
    if (this.#left === 0) {
      this.#silent++;
      return;
    }
    this.#left--;
    this.logger.info(this.#silent > 0 ? `${line} (and ${this.#silent} more lines of the kind before)` : line);
    this.#silent = 0;
  }
}
