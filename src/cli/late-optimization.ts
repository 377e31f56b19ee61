import { setFlagsFromString } from 'node:v8';

/**
 * The flag by which V8 optimizes code only once it has long been in use: about two hundred times later than it would. What
 * the optimizing compiler needs, 6 MiB, is then taken where many clients roam or ask at once, and not by a router that has
 * little to do, or is told of 10,000 clients once. Before Node 22 it counts bytes of code that have run, since then calls.
 */
export const LATE_OPTIMIZATION =
  Number(process.versions.node.split('.')[0]) < 22 ? '--interrupt-budget=20000000' : '--invocation-count-for-turbofan=600000';

/** Set from within, since Node does not start with a flag that its version does not know. */
export function optimizeLate(): void {
  setFlagsFromString(LATE_OPTIMIZATION);
}
