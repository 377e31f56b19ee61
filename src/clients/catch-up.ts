import type { Instant, Millis } from './time.js';
import { after, earliest, SECOND } from './time.js';

/** Nobody waits longer than that for a router that starts. */
export const LONGEST_CATCH_UP: Millis = 2 * SECOND;

/** A peer that has told nothing new for that long has told all. */
const QUIET: Millis = 150;

/**
 * How long a node that starts waits before it makes records: until a peer has told what happened meanwhile, so that its
 * claims outdo what they have to. It does not wait for peers that cannot be reached.
 */
export class CatchUp {
  readonly #limit: Instant;
  #quiet: Instant | undefined;

  /** `peers`: whether there are any to be heard from. `longest`: how long it waits for them at the most. */
  constructor(peers: boolean, now: Instant, longest = LONGEST_CATCH_UP) {
    this.#limit = peers ? after(now, longest) : now;
  }

  /** A session has come up. */
  peerUp(now: Instant): void {
    this.#quiet = after(now, QUIET);
  }

  /** A record has come that was not known. */
  news(now: Instant): void {
    if (this.#quiet !== undefined) this.#quiet = after(now, QUIET);
  }

  /** When it is over as far as is known now. */
  get until(): Instant {
    return earliest(this.#limit, this.#quiet)!;
  }
}
