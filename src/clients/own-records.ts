import { ASSOCIATION_LIFETIME, assert } from './claims.js';
import type { Database } from './database.js';
import type { Record, RecordKey } from './record.js';
import type { Instant, Millis } from './time.js';
import { after, earliest, SECOND } from './time.js';

/** How long a node waits before it corrects what others say of it, at first and at most. */
const FIRST_CORRECTION: Millis = 50;
const LONGEST_CORRECTION: Millis = 60 * SECOND;

interface Said {
  value: string;
  corrections: number;
  correctAt: Instant | undefined;
}

/**
 * What a node says of itself, kept alive and kept true. A peer's copy may be newer and say something else: an earlier
 * run of this node did, of which nothing is stored, or another node with the same id. With that one there is no end to
 * it, so each correction waits twice as long as the last.
 */
export class OwnRecords {
  readonly #said = new Map<RecordKey, Said>();

  constructor(private readonly db: Database) {}

  /** From now on `key` says `value`; returns the record to apply, undefined where the database says so already. */
  say(key: RecordKey, value: string, now: Instant): Record | undefined {
    const said = this.#said.get(key);
    if (said === undefined) this.#said.set(key, { value, corrections: 0, correctAt: undefined });
    else said.value = value;
    const known = this.db.get(key);
    if (known?.value === value && known.expires > now) return undefined;
    return assert(this.db, key, value, ASSOCIATION_LIFETIME, now);
  }

  /** The record of a key has changed, whoever said so; returns whether that is to be corrected. */
  changed(key: RecordKey, now: Instant): boolean {
    const said = this.#said.get(key);
    if (said === undefined || this.db.get(key)?.value === said.value) return false;
    said.correctAt ??= after(now, Math.min(FIRST_CORRECTION * 2 ** said.corrections++, LONGEST_CORRECTION));
    return true;
  }

  get nextDeadline(): Instant | undefined {
    let at: Instant | undefined;
    for (const [key, said] of this.#said) at = earliest(at, this.#dueAt(key, said));
    return at;
  }

  /** The next correction, else half of the record's life. */
  #dueAt(key: RecordKey, { correctAt }: Said): Instant | undefined {
    if (correctAt !== undefined) return correctAt;
    const record = this.db.get(key);
    return record && after(record.expires, -ASSOCIATION_LIFETIME / 2);
  }

  /** The records to apply and flood now. */
  poll(now: Instant): Record[] {
    const due: Record[] = [];
    for (const [key, said] of this.#said) {
      const at = this.#dueAt(key, said);
      if (at === undefined || at > now) continue;
      said.correctAt = undefined;
      due.push(assert(this.db, key, said.value, ASSOCIATION_LIFETIME, now));
    }
    return due;
  }
}
