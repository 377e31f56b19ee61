/**
 * The records of the digest tree in buckets, each with its hash and a deadline. Columns, and lists through them: an
 * array to each bucket would have more room to grow than records in it.
 */
import { grown, nextLength } from '../clients/columns.js';
import type { Brand } from '../net/brand.js';
import type { RecordKey } from '../clients/record.js';
import type { Instant } from '../clients/time.js';
import { NEVER } from '../clients/time.js';

/** Where a record stands in the columns, until it is removed. */
export type Entry = Brand<number, 'Entry'>;

/** The end of a list. */
const NONE = -1;

export class DigestBuckets {
  /** By bucket, its first entry. */
  #first: Int32Array;
  /** By entry, the next in the same bucket, or the next that is free. */
  #next = new Int32Array(0);
  #free = NONE;
  #used = 0;
  #keys: RecordKey[] = [];
  #hashes = new Uint32Array(0);
  #due = new Float64Array(0);

  constructor(count: number) {
    this.#first = new Int32Array(count).fill(NONE);
  }

  /** How many buckets there are. */
  get count(): number {
    return this.#first.length;
  }

  key(entry: Entry): RecordKey {
    return this.#keys[entry]!;
  }

  hash(entry: Entry): number {
    return this.#hashes[entry]!;
  }

  setHash(entry: Entry, hash: number): void {
    this.#hashes[entry] = hash;
  }

  /** Never, until it is set. */
  due(entry: Entry): Instant {
    return this.#due[entry] as Instant;
  }

  setDue(entry: Entry, at: Instant): void {
    this.#due[entry] = at;
  }

  /** The entries of a bucket. The buckets must not change meanwhile. */
  *entries(bucket: number): Generator<Entry> {
    for (let entry = this.#first[bucket]!; entry !== NONE; entry = this.#next[entry]!) yield entry as Entry;
  }

  /** All entries, each with its bucket. */
  *all(): Generator<[bucket: number, entry: Entry]> {
    for (let bucket = 0; bucket < this.count; bucket++) for (const entry of this.entries(bucket)) yield [bucket, entry];
  }

  find(bucket: number, key: RecordKey): Entry | undefined {
    for (let entry = this.#first[bucket]!; entry !== NONE; entry = this.#next[entry]!) {
      if (this.#keys[entry] === key) return entry as Entry;
    }
    return undefined;
  }

  /** The key must not be there. */
  add(bucket: number, key: RecordKey): Entry {
    const entry = (this.#free === NONE ? this.#used++ : this.#free) as Entry;
    if (entry === this.#free) this.#free = this.#next[entry]!;
    if (entry >= this.#next.length) this.#grow();
    this.#keys[entry] = key;
    this.#due[entry] = NEVER;
    this.#link(bucket, entry);
    return entry;
  }

  #link(bucket: number, entry: number): void {
    this.#next[entry] = this.#first[bucket]!;
    this.#first[bucket] = entry;
  }

  #grow(): void {
    const length = nextLength(this.#next.length);
    this.#next = grown(this.#next, new Int32Array(length));
    this.#hashes = grown(this.#hashes, new Uint32Array(length));
    this.#due = grown(this.#due, new Float64Array(length));
  }

  remove(bucket: number, entry: Entry): void {
    if (this.#first[bucket] === entry) this.#first[bucket] = this.#next[entry]!;
    else {
      let before = this.#first[bucket]!;
      while (this.#next[before] !== entry) before = this.#next[before]!;
      this.#next[before] = this.#next[entry]!;
    }
    this.#keys[entry] = '' as RecordKey;
    this.#next[entry] = this.#free;
    this.#free = entry;
  }

  /** Puts all entries into `count` buckets, each where `bucketOf` says. */
  spread(count: number, bucketOf: (key: RecordKey) => number): void {
    const entries = Array.from(this.all(), ([, entry]) => entry);
    this.#first = new Int32Array(count).fill(NONE);
    for (const entry of entries) this.#link(bucketOf(this.key(entry)), entry);
  }
}
