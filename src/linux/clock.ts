import { randomBytes, randomInt } from 'node:crypto';
import type { Instant, Millis } from '../clients/time.js';
import type { Clock, Random, WallClock } from '../ports.js';
import { readFile } from './files.js';

/** setTimeout takes 31 bits; longer waits end early, for which whoever waits for a deadline is prepared. */
const LONGEST_DELAY = 2 ** 31 - 1;

/** CLOCK_MONOTONIC. Not `performance`, with which Node loads all of its measuring: 256 KiB. */
export function monotonicTime(): Millis {
  const [seconds, nanoseconds] = process.hrtime();
  return 1000 * seconds + nanoseconds / 1e6;
}

export const systemClock: Clock = {
  now: () => monotonicTime() as Instant,
  schedule(at, task) {
    const delay = Math.min(Math.max(0, Math.ceil(at - monotonicTime())), LONGEST_DELAY);
    const timer = setTimeout(task, delay);
    return { cancel: () => clearTimeout(timer) };
  },
};

/** CLOCK_REALTIME. */
export async function openWallClock(): Promise<WallClock> {
  const boot = await readFile('/proc/sys/kernel/random/boot_id', 'ascii').catch(() => '');
  return { time: () => Date.now() / 1000, boot: boot.trim() };
}

export const systemRandom: Random = {
  bytes: (count) => randomBytes(count),
  below: (bound) => randomInt(bound),
};
