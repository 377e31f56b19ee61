/** What flooding needs of the database: a small face of clients/database.ts. */
import type { Record, RecordKey } from '../clients/record.js';
import type { Instant } from '../clients/time.js';

/** What a record did to the database. */
export type Applied =
  | {
      /** `newer`: it was stored. `same`: nothing changed. `older`: what is stored is newer: the sender has to be told. */
      readonly kind: 'newer' | 'same' | 'older';
      /** The record as it is stored now. */
      readonly record: Record;
    }
  /** The version that is stored already, living notably longer from now on than until `before`. */
  | { readonly kind: 'extended'; readonly record: Record; readonly before: Instant }
  /** A new key or a longer value, and the database is full. */
  | { readonly kind: 'refused' };

export interface Replica {
  /** The record of a key, live or dead. */
  get(key: RecordKey): Record | undefined;
  /** Merges in a record whose key and value are known to be valid. */
  apply(record: Record, now: Instant): Applied;
  records(): Iterable<Record>;
}
