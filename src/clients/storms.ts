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

/** How often the numbers of one record may go past the end of their range within a window, and in the next one. */
const TURNS = 4;
const WINDOW: Millis = MINUTE;

const NONE: ReadonlyMap<RecordKey, number> = new Map();

export class Storms {
  #present = new Map<RecordKey, number>();
  /** Those of the window before. */
  #past = NONE;
  #end = -Infinity as Instant;

  /** As {@link compareVersions}, except where a record's numbers go round and round. */
  compare(copy: Record, known: Record, now: Instant): number {
    const order = compareVersions(copy, known);
    const difference = copy.seqno - known.seqno;
    if (difference === 0 || difference > 0 === order > 0) return order;
    return this.#turns(known.key, order > 0, now) > TURNS ? difference : order;
  }

  /** How often it has turned by now. An old copy that comes late is not yet one that takes the place of a newer one. */
  #turns(key: RecordKey, turns: boolean, now: Instant): number {
    if (now >= this.#end) {
      this.#past = now < after(this.#end, WINDOW) ? this.#present : NONE;
      this.#present = new Map();
      this.#end = after(now, WINDOW);
    }
    const count = (this.#present.get(key) ?? 0) + (turns ? 1 : 0);
    if (turns) this.#present.set(key, count);
    return Math.max(count, this.#past.get(key) ?? 0);
  }
}
