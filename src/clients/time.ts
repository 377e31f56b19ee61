import type { Brand } from '../net/brand.js';

/** Milliseconds on a clock that only goes forward (CLOCK_MONOTONIC); its zero means nothing. */
export type Instant = Brand<number, 'Instant'>;

/** Milliseconds between two instants. */
export type Millis = number;

/** Later than any other instant. */
export const NEVER = Infinity as Instant;

export const SECOND: Millis = 1000;
export const MINUTE: Millis = 60 * SECOND;
export const HOUR: Millis = 60 * MINUTE;

export function after(instant: Instant, delay: Millis): Instant {
  return (instant + delay) as Instant;
}

/** Whole seconds from `now` until `then`, rounded down, never negative: what a lifetime field on the wire says. */
export function secondsUntil(then: Instant, now: Instant): number {
  return Math.max(0, Math.floor((then - now) / SECOND));
}

/** The earliest of some deadlines, undefined where there is none. */
export function earliest(...deadlines: (Instant | undefined)[]): Instant | undefined {
  let first: Instant | undefined;
  for (const at of deadlines) if (at !== undefined && (first === undefined || at < first)) first = at;
  return first;
}

/** How often something may be done: `burst` times at once, and once more in each `interval`. */
export class Pace {
  /** When all of the burst is there again (the generic cell rate algorithm, ITU-T I.371). */
  #whole = -Infinity as Instant;

  constructor(
    private readonly burst: number,
    private readonly interval: Millis,
  ) {}

  /** Whether it may be done now; then it counts as done. */
  take(now: Instant): boolean {
    if (now < this.from) return false;
    this.#whole = after(Math.max(this.#whole, now) as Instant, this.interval);
    return true;
  }

  /** From when on it may be done. */
  get from(): Instant {
    return after(this.#whole, -(this.burst - 1) * this.interval);
  }
}

/**
 * What is ours and is taken away by another program is put back: some times at once, then only in each interval, since
 * that program may do so for ever.
 */
export class Repairs {
  readonly #pace: Pace;
  #slow = false;

  /** `slowed`: told once as they begin to wait for the interval. */
  constructor(
    burst: number,
    interval: Millis,
    private readonly slowed: () => void,
  ) {
    this.#pace = new Pace(burst, interval);
  }

  /** One is done now. Returns from when on the next may be. */
  done(now: Instant): Instant {
    this.#pace.take(now);
    const { from } = this.#pace;
    if (from > now && !this.#slow) this.slowed();
    this.#slow = from > now;
    return from;
  }
}
