import { performance } from 'node:perf_hooks';
import { randomBytes, randomInt } from 'node:crypto';
import type { Instant } from '../clients/time.js';
import type { Clock, Random, WallClock } from '../ports.js';

/** setTimeout takes 32 bits; longer waits end early, which a deadline's owner survives. */
const LONGEST_DELAY = 2 ** 31 - 1;

/** CLOCK_MONOTONIC. */
export const systemClock: Clock = {
  now: () => performance.now() as Instant,
  schedule(at, task) {
    const delay = Math.min(Math.max(0, Math.ceil(at - performance.now())), LONGEST_DELAY);
    const timer = setTimeout(task, delay);
    return { cancel: () => clearTimeout(timer) };
  },
};

/** CLOCK_REALTIME. */
export const systemWallClock: WallClock = { time: () => Date.now() / 1000 };

export const systemRandom: Random = {
  bytes: (count) => randomBytes(count),
  below: (bound) => randomInt(bound),
};
