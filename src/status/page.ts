/** Answers in parts: what is told of many would be more than a message holds, and nothing else is done meanwhile. */
import type { Client } from '../clients/database.js';

/** Of one answer at the most. ubus holds a MiB. */
const PAGE_BYTES = 300_000;

/** What one answer tells of some things. */
export interface Paging<T> {
  /** What they are told in the order of, different for each. */
  key(item: T): string;
  /** What one takes with all that may be shown of it, in the encoding of ubus. */
  bytes(item: T): number;
}

export interface Page<T> {
  readonly items: readonly T[];
  /** For the answer, where there are more behind them: the key of the last one. */
  readonly rest: { readonly next?: string };
}

/** Those from behind `after` on; one at the least where there is any. */
export function pageOf<T>(all: Iterable<T>, { key, bytes }: Paging<T>, after = ''): Page<T> {
  const left: T[] = [];
  for (const item of all) if (key(item) > after) left.push(item);
  left.sort((a, b) => (key(a) < key(b) ? -1 : 1));
  let sum = 0;
  const beyond = left.findIndex((item) => (sum += bytes(item)) > PAGE_BYTES);
  const items = beyond < 0 ? left : left.slice(0, Math.max(1, beyond));
  return { items, rest: items.length < left.length ? { next: key(items.at(-1)!) } : {} };
}

const CLIENT_BYTES = 400;
const ADDRESS_BYTES = 250;

/** Clients by MAC, with their leases or without. */
export const CLIENTS: Paging<Client> = {
  key: ({ mac }) => mac,
  bytes: ({ addresses }) => CLIENT_BYTES + ADDRESS_BYTES * addresses.length,
};
