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
