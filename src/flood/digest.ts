/**
 * The digest tree: finds out what two databases differ in, at the cost of what they differ in.
 *
 * Each live record lies in a tree at the place that the hash of its key names: the root has index 1, child `c` (0 to 7)
 * of node `i` has index 8i + c, and each level takes three more bits off the front of the 32-bit key hash. A node's
 * hash is the sum, modulo 2^32, of the record hashes below it; it is 0 where there are none. Two nodes with equal roots
 * are taken to hold the same. Where they differ one side sends a *Digest*, the hashes of a node's children; the other
 * answers for each child that differs: with the Digest of that child, or, where it holds few records below it, with
 * their *Summary*. Whoever gets a Summary sends what the other lacks or has in an older version, and asks for what it
 * lacks or has older itself (*Request*). Each answer follows from the question alone, so that nothing is remembered
 * between them and nothing can get stuck; what is missed is found by the next comparison.
 *
 * Lifetimes are no part of the hashes: they differ by the time that records spend on their way. A record that its owner
 * has given a longer life while two nodes could not talk would so go unnoticed; therefore one that is about to expire
 * is left out of the tree, as if it were dead already, and comes back from whoever knows it to live longer.
 */
import type { Record, RecordKey } from '../clients/record.js';
import { DeadlineHeap } from '../clients/heap.js';
import type { Instant, Millis } from '../clients/time.js';
import { after, NEVER, SECOND } from '../clients/time.js';
import type { Entry } from './digest-buckets.js';
import { DigestBuckets } from './digest-buckets.js';
import type { SummaryEntry } from './frame.js';
import { FANOUT } from './frame.js';
import { finish, FNV_OFFSET, fnv, fnvByte } from './hash.js';
import type { Replica } from './replica.js';

export const ROOT = 1;

/** A record with less than that to live is left out: long enough for some keepalives to find it missing. */
export const LAST_MOMENTS: Millis = 40 * SECOND;

/**
 * Levels whose sums are kept; below them a node is small enough to be looked through. They grow with the database, so
 * that a small one costs little: 8^n buckets of some records each.
 */
const LEAST_KEPT = 1;
const MOST_KEPT = 4;
const BUCKET_RECORDS = 16;

/** The deepest level: 30 bits of the hash. */
const MAX_LEVEL = 10;

/** Where the sums of a level begin in one array of all of them, and so the length of one of all levels before. */
function offsetOf(level: number): number {
  return (FANOUT ** level - 1) / (FANOUT - 1);
}

/** Where in the tree a key lies: 32 bits. */
export function hashKey(key: RecordKey): number {
  return finish(fnv(key, FNV_OFFSET));
}

/** Key, sequence number and value in 32 bits. */
export function hashRecord(record: Record): number {
  return hashRest(record, fnv(record.key, FNV_OFFSET));
}

/** The same, once the key has been gone through. */
function hashRest({ seqno, value }: Record, keyState: number): number {
  return finish(fnv(value, fnvByte(seqno & 0xff, fnvByte(seqno >> 8, keyState))));
}

/** The low half of a record's hash: tells two values with one sequence number apart. */
export function tagOf(record: Record): number {
  return hashRecord(record) & 0xffff;
}

function levelOf(index: number): number {
  return (31 - Math.clz32(index)) / 3;
}

/** Whether the place that a key hash names lies at or below node `index`. */
function isBelow(keyHash: number, index: number): boolean {
  const level = levelOf(index);
  return level === 0 || keyHash >>> (32 - 3 * level) === index - FANOUT ** level;
}

export class DigestTree {
  readonly #replica: Replica;
  #kept = LEAST_KEPT;
  #buckets = new DigestBuckets(FANOUT ** LEAST_KEPT);
  #sums = new Uint32Array(0);
  #counts = new Uint32Array(0);
  /** When to look at records again. A later deadline is not pushed: the earlier one finds it in time. */
  readonly #deadlines = new DeadlineHeap<RecordKey>((key, at) => {
    const entry = this.#buckets.find(this.#placeOf(hashKey(key)), key);
    return entry !== undefined && this.#buckets.due(entry) === at;
  });

  constructor(replica: Replica, now: Instant) {
    this.#replica = replica;
    this.#layOut(LEAST_KEPT);
    for (const record of replica.records()) this.touch(record.key, now);
  }

  /** The hash of everything. */
  get root(): number {
    return this.hash(ROOT);
  }

  /** Records in the tree. */
  get size(): number {
    return this.count(ROOT);
  }

  /** When {@link poll} has something to do. */
  get nextDeadline(): Instant | undefined {
    return this.#deadlines.next;
  }

  /** Has the sums of this many levels kept, all of them 0 at first. */
  #layOut(levels: number): void {
    this.#kept = levels;
    this.#sums = new Uint32Array(offsetOf(levels + 1));
    this.#counts = new Uint32Array(offsetOf(levels + 1));
  }

  #grow(): void {
    this.#layOut(this.#kept + 1);
    this.#buckets.spread(FANOUT ** this.#kept, (key) => this.#placeOf(hashKey(key)));
    for (const [place, entry] of this.#buckets.all()) this.#add(place, this.#buckets.hash(entry), 1);
  }

  #placeOf(keyHash: number): number {
    return keyHash >>> (32 - 3 * this.#kept);
  }

  /** Has the tree follow the database about one key. Calling it for nothing is harmless. */
  touch(key: RecordKey, now: Instant): void {
    const keyState = fnv(key, FNV_OFFSET);
    const place = this.#placeOf(finish(keyState));
    const entry = this.#buckets.find(place, key);
    const record = this.#replica.get(key);
    if (record !== undefined && record.expires > after(now, LAST_MOMENTS)) {
      this.#put(place, entry, record, hashRest(record, keyState));
      if (this.#kept < MOST_KEPT && this.#counts[0]! > BUCKET_RECORDS * this.#buckets.count) this.#grow();
    } else if (entry !== undefined) {
      this.#add(place, -this.#buckets.hash(entry), -1);
      this.#buckets.remove(place, entry);
    }
  }

  #put(place: number, old: Entry | undefined, record: Record, hash: number): void {
    this.#add(place, hash - (old === undefined ? 0 : this.#buckets.hash(old)), old === undefined ? 1 : 0);
    const entry = old ?? this.#buckets.add(place, record.key);
    this.#buckets.setHash(entry, hash);
    const due = after(record.expires, -LAST_MOMENTS);
    if (this.#buckets.due(entry) <= due) return;
    this.#buckets.setDue(entry, due);
    this.#deadlines.push(due, record.key);
  }

  /** Leaves out what is about to expire. */
  poll(now: Instant): void {
    for (let key = this.#deadlines.popDue(now); key !== undefined; key = this.#deadlines.popDue(now)) {
      this.#buckets.setDue(this.#buckets.find(this.#placeOf(hashKey(key)), key)!, NEVER);
      this.touch(key, now);
    }
  }

  #add(place: number, hash: number, count: number): void {
    for (let level = this.#kept, node = place; level >= 0; level--, node >>>= 3) {
      const at = offsetOf(level) + node;
      this.#sums[at] = this.#sums[at]! + hash;
      this.#counts[at] = this.#counts[at]! + count;
    }
  }

  hash(index: number): number {
    const at = this.#keptAt(index);
    if (at !== undefined) return this.#sums[at]!;
    let sum = 0;
    this.#below(index, (_, hash) => (sum = (sum + hash) >>> 0));
    return sum;
  }

  /** Records at and below a node. */
  count(index: number): number {
    const at = this.#keptAt(index);
    if (at !== undefined) return this.#counts[at]!;
    let count = 0;
    this.#below(index, () => count++);
    return count;
  }

  #keptAt(index: number): number | undefined {
    const level = levelOf(index);
    return level <= this.#kept ? offsetOf(level) + index - FANOUT ** level : undefined;
  }

  /** Calls `visit` for the records of a node below the kept levels: all lie in one bucket. */
  #below(index: number, visit: (key: RecordKey, hash: number) => void): void {
    const place = (index >>> (3 * (levelOf(index) - this.#kept))) - this.#buckets.count;
    for (const entry of this.#buckets.entries(place)) {
      const key = this.#buckets.key(entry);
      if (isBelow(hashKey(key), index)) visit(key, this.#buckets.hash(entry));
    }
  }

  /** The indexes of a node's children; none at the deepest level. */
  children(index: number): number[] {
    if (levelOf(index) >= MAX_LEVEL) return [];
    return Array.from({ length: FANOUT }, (_, child) => FANOUT * index + child);
  }

  /**
   * The keys at and below a node, bucket by bucket, so that a long walk may be interrupted while the tree changes: it
   * then meets every key that was there all the time.
   */
  *keys(index: number): Generator<RecordKey> {
    const level = levelOf(index);
    if (level > this.#kept) {
      const keys: RecordKey[] = [];
      this.#below(index, (key) => keys.push(key));
      yield* keys;
      return;
    }
    const span = 2 ** (32 - 3 * level);
    const first = (index - FANOUT ** level) * span;
    // By key hashes rather than by buckets, of which there are more once the tree has grown: none is met twice.
    for (let hash = first; hash < first + span; ) {
      const place = this.#placeOf(hash);
      hash = (place + 1) * 2 ** (32 - 3 * this.#kept);
      yield* this.#keysAt(place);
    }
  }

  /** The records at and below a node. */
  *records(index: number): Generator<Record> {
    for (const key of this.keys(index)) {
      const record = this.#replica.get(key);
      if (record !== undefined) yield record;
    }
  }

  /** The keys that have a hash: one, by all odds. */
  keysOf(keyHash: number): RecordKey[] {
    return this.#keysAt(this.#placeOf(keyHash)).filter((key) => hashKey(key) === keyHash);
  }

  #keysAt(place: number): RecordKey[] {
    return Array.from(this.#buckets.entries(place), (entry) => this.#buckets.key(entry));
  }

  /** What a Summary of a node says. */
  summarize(index: number): SummaryEntry[] {
    return Array.from(this.records(index), (record) => ({
      keyHash: hashKey(record.key),
      seqno: record.seqno,
      tag: tagOf(record),
    }));
  }
}
