/**
 * Serial numbers are compared on a circle, where "newer" is no order: of three copies that lie a third of the circle apart
 * each is newer than another one. Where some nodes in a ring come to hold such copies, by damage or by a peer that lies,
 * each replaces the next one's for ever, and as fast as the links are: so ended the ARPANET on 27 October 1980 (RFC 789).
 * The sign of it is that the numbers of a record go round and round, which honest ones do once in 65,536 changes. There the
 * greatest number wins until it is over, as everybody on the way sees.
 */
import { compareVersions } from './merge.js';
import type { Record, RecordKey } from './record.js';
import type { Instant, Millis } from './time.js';
import { after, MINUTE } from './time.js';

/** How often copies of one record may meet across the ends of the number range within a window, and in the next one. */
const TURNS = 4;
const WINDOW: Millis = MINUTE;

const NONE: ReadonlyMap<RecordKey, number> = new Map();

export class Storms {
  #turns = new Map<RecordKey, number>();
  /** Those of the window before. */
  #past = NONE;
  #end = -Infinity as Instant;

  /** As {@link compareVersions}, except where a record's numbers go round and round. */
  compare(copy: Record, known: Record, now: Instant): number {
    const order = compareVersions(copy, known);
    const difference = copy.seqno - known.seqno;
    if (difference === 0 || difference > 0 === order > 0) return order;
    return this.#turn(known.key, now) > TURNS ? difference : order;
  }

  /** Returns how often it has turned by now. */
  #turn(key: RecordKey, now: Instant): number {
    if (now >= this.#end) {
      this.#past = now < after(this.#end, WINDOW) ? this.#turns : NONE;
      this.#turns = new Map();
      this.#end = after(now, WINDOW);
    }
    const turns = (this.#turns.get(key) ?? 0) + 1;
    this.#turns.set(key, turns);
    return Math.max(turns, this.#past.get(key) ?? 0);
  }
}
