import type { Mac } from '../net/mac.js';
import type { Instant, Millis } from '../clients/time.js';
import { after, MINUTE, SECOND } from '../clients/time.js';

/** RFC 7432 15.1: a MAC address that is claimed back this many times within this window is in two places at once. */
export const FLAP_MOVES = 5;
export const FLAP_WINDOW: Millis = 3 * MINUTE;

/** The first wait of a flapping client; it doubles with each further move, up to the window. */
const FIRST_WAIT: Millis = SECOND;

/**
 * Damps the moves of clients that flap, so that two routers which both get an answer from one MAC address do not flood
 * the mesh with their claims. Where RFC 7432 freezes such an address until an operator comes, here each further claim waits
 * twice as long as the one before: a client that was merely in a hurry has its place back soon.
 */
export class Damping {
  /** Moves within the window by client, latest last; clients in the order of their last move. */
  #moves = new Map<Mac, Instant[]>();

  /** The client was claimed to settle a contradiction, not because it associated. True: by this move it begins to flap. */
  moved(mac: Mac, now: Instant): boolean {
    this.#forget(now);
    const moves = this.#recent(mac, now);
    moves.push(now);
    this.#moves.delete(mac);
    this.#moves.set(mac, moves);
    return moves.length === FLAP_MOVES;
  }

  /** From when on the client may be claimed so again; a client that associates is always claimed at once. */
  allowed(mac: Mac, now: Instant): Instant {
    const moves = this.#recent(mac, now);
    const last = moves.at(-1);
    if (last === undefined || moves.length < FLAP_MOVES) return now;
    return after(last, Math.min(FLAP_WINDOW, FIRST_WAIT * 2 ** (moves.length - FLAP_MOVES)));
  }

  /** Whether it has begun to flap, and has not come to rest since. */
  flaps(mac: Mac, now: Instant): boolean {
    return this.#recent(mac, now).length >= FLAP_MOVES;
  }

  /** Clients of which moves are remembered. */
  get size(): number {
    return this.#moves.size;
  }

  #recent(mac: Mac, now: Instant): Instant[] {
    const moves = this.#moves.get(mac) ?? [];
    while (moves.length > 0 && moves[0]! <= after(now, -FLAP_WINDOW)) moves.shift();
    return moves;
  }

  #forget(now: Instant): void {
    for (const [mac, moves] of this.#moves) {
      if (moves.at(-1)! > after(now, -FLAP_WINDOW)) return;
      this.#moves.delete(mac);
    }
  }
}
