/**
 * Records by key, with what the database notes of each. Columns instead of objects: a number that is no small integer
 * takes 16 bytes in an object beside its field, and there are three to a record.
 */
import type { Brand } from '../net/brand.js';
import { grown, nextLength, Rows } from './columns.js';
import type { Record, RecordKey } from './record.js';
import type { Instant } from './time.js';
import { NEVER } from './time.js';

/** Where a record stands in the columns, as long as its key is in the table. */
export type Row = Brand<number, 'Row'>;

export class RecordTable {
  #rows = new Rows<RecordKey, Row>();
  #values: string[] = [];
  #seqnos = new Uint16Array(0);
  #expires = new Float64Array(0);
  #forget = new Float64Array(0);
  #queued = new Float64Array(0);
  #live = new Uint8Array(0);

  get size(): number {
    return this.#rows.size;
  }

  row(key: RecordKey): Row | undefined {
    return this.#rows.get(key);
  }

  get(key: RecordKey): Record | undefined {
    const row = this.#rows.get(key);
    return row === undefined ? undefined : this.#record(key, row);
  }

  #record(key: RecordKey, row: Row): Record {
    return { key, value: this.#values[row]!, seqno: this.#seqnos[row]!, expires: this.expires(row) };
  }

  /** In the order in which their keys came. May be interrupted while the table changes. */
  *records(): Generator<Record> {
    for (const [key, row] of this.#rows.entries()) yield this.#record(key, row);
  }

  /** Adds a record, or replaces that of its key. A new one is not live, and neither queued nor forgotten ever. */
  put(record: Record): Row {
    const row = this.#rows.get(record.key) ?? this.#add(record.key);
    this.#values[row] = record.value;
    this.#seqnos[row] = record.seqno;
    this.#expires[row] = record.expires;
    return row;
  }

  #add(key: RecordKey): Row {
    const row = this.#rows.add(key);
    if (row >= this.#live.length) this.#grow();
    this.#forget[row] = NEVER;
    this.#queued[row] = NEVER;
    this.#live[row] = 0;
    return row;
  }

  #grow(): void {
    const length = nextLength(this.#live.length);
    this.#seqnos = grown(this.#seqnos, new Uint16Array(length));
    this.#expires = grown(this.#expires, new Float64Array(length));
    this.#forget = grown(this.#forget, new Float64Array(length));
    this.#queued = grown(this.#queued, new Float64Array(length));
    this.#live = grown(this.#live, new Uint8Array(length));
  }

  delete(key: RecordKey): void {
    const row = this.#rows.delete(key);
    if (row !== undefined) this.#values[row] = '';
  }

  value(row: Row): string {
    return this.#values[row]!;
  }

  expires(row: Row): Instant {
    return this.#expires[row] as Instant;
  }

  /** When even the dead record is forgotten. */
  forget(row: Row): Instant {
    return this.#forget[row] as Instant;
  }

  setForget(row: Row, at: Instant): void {
    this.#forget[row] = at;
  }

  isLive(row: Row): boolean {
    return this.#live[row] === 1;
  }

  setLive(row: Row, live: boolean): void {
    this.#live[row] = live ? 1 : 0;
  }

  /** The deadline under which it stands in the database's heap. */
  queued(row: Row): Instant {
    return this.#queued[row] as Instant;
  }

  setQueued(row: Row, at: Instant): void {
    this.#queued[row] = at;
  }
}
