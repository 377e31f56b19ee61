import type { Instant, Millis } from './time.js';
import { after, earliest, SECOND } from './time.js';

/** A node that starts does not keep its clients waiting longer than this. */
export const LONGEST_CATCH_UP: Millis = 2 * SECOND;

/** Doubtful stored records wait this long for a peer to speak: after a reboot, links and routes come back slowly. */
export const LONGEST_HOLD: Millis = 30 * SECOND;

/** A peer that has told nothing new for this long has told all. */
const QUIET: Millis = 150;

/**
 * How long a node that starts waits before it makes records: until a peer has told what happened meanwhile, so that its
 * claims outdo what they have to. It does not wait for peers that cannot be reached.
 */
export class CatchUp {
  readonly #start: Instant;
  readonly #mayHavePeers: boolean;
  #quiet: Instant | undefined;

  /** `mayHavePeers`: whether there is anybody to be heard from. */
  constructor(mayHavePeers: boolean, now: Instant) {
    this.#mayHavePeers = mayHavePeers;
    this.#start = now;
  }

  /** A session has come up. */
  peerUp(now: Instant): void {
    this.#quiet = after(now, QUIET);
  }

  /** A record has come that was not known. */
  news(now: Instant): void {
    if (this.#quiet !== undefined) this.#quiet = after(now, QUIET);
  }

  /** When this node may claim clients, as far as is known now. */
  get claimsFrom(): Instant {
    return this.#until(LONGEST_CATCH_UP);
  }

  /** When the doubtful records that it has stored are to count, as far as is known now. */
  get admitsFrom(): Instant {
    return this.#until(LONGEST_HOLD);
  }

  #until(longest: Millis): Instant {
    return this.#mayHavePeers ? earliest(after(this.#start, longest), this.#quiet)! : this.#start;
  }
}
