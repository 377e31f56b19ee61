/**
 * What is still to be sent to one peer. Records wait by key, not as bytes: a peer that does not keep up gets the latest
 * version once, and what waits for it is bounded by the size of the database. Live changes go before the rest.
 */
import type { Record, RecordKey } from '../clients/record.js';
import type { Instant } from '../clients/time.js';
import { secondsUntil } from '../clients/time.js';
import { Writer } from '../net/bytes.js';
import type { DigestTree } from './digest.js';
import type { Tlv } from './frame.js';
import { MAX_LIFETIME, MAX_REQUEST, MAX_SUMMARY, writeTlv } from './frame.js';
import type { Replica } from './replica.js';

/** A node of the tree with no more records than this is told by Summary; its children's hashes would be no shorter. */
const SUMMARY_RECORDS = 5;

/** Questions that wait to be answered or asked; what is beyond is left to the next comparison. */
const MAX_WAITING = 65536;

export class Outbox {
  /** Changes of the moment, sent whether they live or not. */
  readonly #changes = new Set<RecordKey>();
  /** Records that only live longer: they wait for {@link Outbox.release}. */
  readonly #extensions = new Set<RecordKey>();
  /** Nodes of the digest tree of which a Digest or a Summary is to be sent. */
  readonly #nodes = new Set<number>();
  /** Key hashes to ask for. */
  readonly #questions = new Set<number>();
  /** What the peer lacks: as long as it lives. */
  readonly #repairs = new Set<RecordKey>();
  /** Nodes of the tree whose records are all to be sent. */
  readonly #ranges = new Set<number>();
  #range: Iterator<RecordKey> | undefined;
  /** Updates handed out so far. */
  updates = 0;

  constructor(
    private readonly replica: Replica,
    private readonly tree: DigestTree,
  ) {}

  /** Whether no record and no question waits, but for extensions that are not released. */
  get idle(): boolean {
    return (
      this.#changes.size + this.#nodes.size + this.#questions.size + this.#repairs.size + this.#ranges.size === 0 &&
      this.#range === undefined
    );
  }

  /** Whether changes of the moment wait. */
  get live(): boolean {
    return this.#changes.size > 0;
  }

  /** Keys that wait for the peer one by one. */
  get waiting(): number {
    return this.#changes.size + this.#repairs.size;
  }

  change(key: RecordKey): void {
    this.#extensions.delete(key);
    this.#changes.add(key);
  }

  extend(key: RecordKey): void {
    this.#extensions.add(key);
  }

  /** What only lives longer is to be sent now. */
  release(): void {
    for (const key of this.#extensions) this.#changes.add(key);
    this.#extensions.clear();
  }

  repair(key: RecordKey): void {
    this.#repairs.add(key);
  }

  /** The peer has this record's present version: it has just sent it. */
  has(key: RecordKey): void {
    this.#changes.delete(key);
    this.#extensions.delete(key);
    this.#repairs.delete(key);
  }

  compare(index: number): void {
    if (this.#nodes.size < MAX_WAITING) this.#nodes.add(index);
  }

  ask(keyHash: number): void {
    if (this.#questions.size < MAX_WAITING) this.#questions.add(keyHash);
  }

  sendAll(index: number): void {
    if (this.#ranges.size < MAX_WAITING) this.#ranges.add(index);
  }

  /** Gives up all but the changes of the moment: the peer will be told goodbye after them. */
  changesOnly(): void {
    this.#nodes.clear();
    this.#questions.clear();
    this.#repairs.clear();
    this.#ranges.clear();
    this.#range = undefined;
  }

  /** Appends what waits, until `w` is `limit` bytes long or a TLV longer. */
  drain(w: Writer, limit: number, now: Instant): void {
    while (w.length < limit) {
      if (!this.#drainOne(w, now)) return;
    }
  }

  #drainOne(w: Writer, now: Instant): boolean {
    const change = shift(this.#changes);
    if (change !== undefined) {
      const record = this.replica.get(change);
      if (record !== undefined) this.#write(w, record, now);
      return true;
    }
    const node = shift(this.#nodes);
    if (node !== undefined) {
      const answer = this.#tell(node);
      if (answer !== undefined) writeTlv(w, answer);
      return true;
    }
    if (this.#questions.size > 0) {
      const keyHashes: number[] = [];
      while (this.#questions.size > 0 && keyHashes.length < MAX_REQUEST) keyHashes.push(shift(this.#questions)!);
      writeTlv(w, { type: 'request', keyHashes });
      return true;
    }
    const key = shift(this.#repairs) ?? this.#nextInRange();
    if (key === undefined) return false;
    const record = this.replica.get(key);
    if (record !== undefined && record.expires > now) this.#write(w, record, now);
    return true;
  }

  #nextInRange(): RecordKey | undefined {
    for (;;) {
      const next = this.#range?.next();
      if (next?.done === false) return next.value;
      const index = shift(this.#ranges);
      this.#range = index === undefined ? undefined : this.tree.keys(index);
      if (this.#range === undefined) return undefined;
    }
  }

  #tell(index: number): Tlv | undefined {
    const count = this.tree.count(index);
    const children = this.tree.children(index);
    if (count > SUMMARY_RECORDS && children.length > 0) {
      return { type: 'digest', index, hashes: children.map((child) => this.tree.hash(child)) };
    }
    if (count <= MAX_SUMMARY) return { type: 'summary', index, entries: this.tree.summarize(index) };
    this.sendAll(index);
    return undefined;
  }

  #write(w: Writer, { key, value, seqno, expires }: Record, now: Instant): void {
    this.updates++;
    writeTlv(w, { type: 'update', key, value, seqno, lifetime: Math.min(secondsUntil(expires, now), MAX_LIFETIME) });
  }
}

/** Takes the first element out of a set. */
function shift<T>(set: Set<T>): T | undefined {
  for (const element of set) {
    set.delete(element);
    return element;
  }
  return undefined;
}
