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
import { after, SECOND } from '../clients/time.js';
import type { SummaryEntry } from './frame.js';
import { FANOUT } from './frame.js';
import { finish, FNV_OFFSET, fnv, fnvByte } from './hash.js';
import type { Replica } from './replica.js';

export const ROOT = 1;

/** A record with less than that to live is left out: long enough for some keepalives to find it missing. */
export const LAST_MOMENTS: Millis = 40 * SECOND;

const NEVER = Infinity as Instant;

/** Levels whose sums are kept; below them a node is small enough to be looked through. */
const KEPT_LEVELS = 4;
const BUCKETS = FANOUT ** KEPT_LEVELS;
const BUCKET_SHIFT = 32 - 3 * KEPT_LEVELS;

/** The deepest level: 30 bits of the hash. */
const MAX_LEVEL = 10;

/** Where the sums of a level begin in one array of all of them: (8^level - 1) / 7. */
const LEVEL_OFFSET = [0, 1, 9, 73, 585] as const;

/** Where in the tree a key lies: 32 bits. */
export function hashKey(key: RecordKey): number {
  return finish(fnv(key, FNV_OFFSET));
}

/** Key, sequence number and value in 32 bits. */
export function hashRecord(record: Record): number {
  let h = fnv(record.key, FNV_OFFSET);
  h = fnvByte(record.seqno & 0xff, fnvByte(record.seqno >> 8, h));
  return finish(fnv(record.value, h));
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

interface Bucket {
  readonly keys: RecordKey[];
  /** The n-th record's hash as it is in the sums. */
  readonly hashes: number[];
  /** When the n-th record is to be looked at: its entry among the deadlines, all others of its key are stale. */
  readonly due: Instant[];
}

export class DigestTree {
  readonly #replica: Replica;
  readonly #buckets = new Array<Bucket | undefined>(BUCKETS).fill(undefined);
  readonly #sums = new Uint32Array(LEVEL_OFFSET[KEPT_LEVELS] + BUCKETS);
  readonly #counts = new Uint32Array(LEVEL_OFFSET[KEPT_LEVELS] + BUCKETS);
  /** When to look at records again. A later deadline is not pushed: the earlier one finds it in time. */
  readonly #deadlines = new DeadlineHeap<RecordKey>();

  constructor(replica: Replica, now: Instant) {
    this.#replica = replica;
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

  /** Has the tree follow the database about one key. Calling it for nothing is harmless. */
  touch(key: RecordKey, now: Instant): void {
    const place = hashKey(key) >>> BUCKET_SHIFT;
    const bucket = (this.#buckets[place] ??= { keys: [], hashes: [], due: [] });
    const at = bucket.keys.indexOf(key);
    const record = this.#replica.get(key);
    if (record !== undefined && record.expires > after(now, LAST_MOMENTS)) {
      this.#put(place, bucket, at < 0 ? bucket.keys.length : at, record);
    } else if (at >= 0) {
      this.#add(place, -bucket.hashes[at]!, -1);
      for (const column of [bucket.keys, bucket.hashes, bucket.due]) column.splice(at, 1);
    }
  }

  #put(place: number, bucket: Bucket, at: number, record: Record): void {
    const hash = hashRecord(record);
    const old = bucket.hashes[at];
    this.#add(place, hash - (old ?? 0), old === undefined ? 1 : 0);
    bucket.keys[at] = record.key;
    bucket.hashes[at] = hash;
    const due = after(record.expires, -LAST_MOMENTS);
    const queued = bucket.due[at];
    if (queued !== undefined && queued <= due) return;
    bucket.due[at] = due;
    this.#deadlines.push(due, record.key);
  }

  /** Leaves out what is about to expire. */
  poll(now: Instant): void {
    for (let key = this.#deadlines.popDue(now); key !== undefined; key = this.#deadlines.popDue(now)) {
      const bucket = this.#buckets[hashKey(key) >>> BUCKET_SHIFT];
      const at = bucket?.keys.indexOf(key) ?? -1;
      if (bucket === undefined || at < 0 || bucket.due[at]! > now) continue;
      bucket.due[at] = NEVER;
      this.touch(key, now);
    }
  }

  #add(place: number, hash: number, count: number): void {
    for (let level = KEPT_LEVELS, node = place; level >= 0; level--, node >>>= 3) {
      const at = LEVEL_OFFSET[level]! + node;
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
    return level <= KEPT_LEVELS ? LEVEL_OFFSET[level]! + index - FANOUT ** level : undefined;
  }

  /** Calls `visit` for the records of a node below the kept levels: all lie in one bucket. */
  #below(index: number, visit: (key: RecordKey, hash: number) => void): void {
    const bucket = this.#buckets[(index >>> (3 * (levelOf(index) - KEPT_LEVELS))) - BUCKETS];
    bucket?.keys.forEach((key, i) => {
      if (isBelow(hashKey(key), index)) visit(key, bucket.hashes[i]!);
    });
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
    if (level > KEPT_LEVELS) {
      const keys: RecordKey[] = [];
      this.#below(index, (key) => keys.push(key));
      yield* keys;
      return;
    }
    const span = FANOUT ** (KEPT_LEVELS - level);
    const first = (index - FANOUT ** level) * span;
    for (let place = first; place < first + span; place++) {
      const bucket = this.#buckets[place];
      if (bucket !== undefined) yield* bucket.keys.slice();
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
    return this.#buckets[keyHash >>> BUCKET_SHIFT]?.keys.filter((key) => hashKey(key) === keyHash) ?? [];
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
