import { ASSOCIATION_LIFETIME, assert } from './claims.js';
import type { Database } from './database.js';
import type { Record, RecordKey } from './record.js';
import type { Instant, Millis } from './time.js';
import { after, earliest, MINUTE, SECOND } from './time.js';

/** How long a node waits before it corrects what others say of it, at first and at most. */
const FIRST_CORRECTION: Millis = 50;
const LONGEST_CORRECTION: Millis = 60 * SECOND;

/** The same is not said again sooner, whatever became of it: there was no room for it, or this router only observes. */
const REST: Millis = 10 * MINUTE;

interface Said {
  value: string;
  corrections: number;
  correctAt: Instant | undefined;
  restUntil: Instant;
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
    const before = this.#said.get(key);
    if (before?.value === value && now < before.restUntil) return undefined;
    const said = before ?? { value, corrections: 0, correctAt: undefined, restUntil: now };
    said.value = value;
    this.#said.set(key, said);
    const known = this.db.get(key);
    if (known?.value === value && known.expires > now) return undefined;
    return this.#assert(key, said, now);
  }

  #assert(key: RecordKey, said: Said, now: Instant): Record {
    said.correctAt = undefined;
    said.restUntil = after(now, REST);
    return assert(this.db, key, said.value, ASSOCIATION_LIFETIME, now);
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
  #dueAt(key: RecordKey, { correctAt, restUntil }: Said): Instant {
    if (correctAt !== undefined) return correctAt;
    const record = this.db.get(key);
    return record === undefined ? restUntil : (Math.max(restUntil, after(record.expires, -ASSOCIATION_LIFETIME / 2)) as Instant);
  }

  /** The records to apply and flood now. */
  poll(now: Instant): Record[] {
    const due: Record[] = [];
    for (const [key, said] of this.#said) if (this.#dueAt(key, said) <= now) due.push(this.#assert(key, said, now));
    return due;
  }
}
