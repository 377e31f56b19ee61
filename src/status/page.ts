/** Answers in parts: what is told of many clients would be more than a message holds, and nothing else is done meanwhile. */
import type { Client } from '../clients/database.js';
import type { Mac } from '../net/mac.js';

/** Of one answer at the most, by what a client and an address take with all that may be shown of them. ubus holds a MiB. */
const PAGE_BYTES = 300_000;
const CLIENT_BYTES = 400;
const ADDRESS_BYTES = 250;

/** Some clients, by MAC. */
export interface Page {
  readonly clients: readonly Client[];
  /** The last of them, where there are more behind it. */
  readonly next: Mac | undefined;
}

/** Those that match, from behind `after` on; one at the least where there is any. */
export function pageOf(clients: Iterable<Client>, matches: (client: Client) => boolean, after: Mac | undefined): Page {
  const left: Client[] = [];
  for (const client of clients) if ((after === undefined || client.mac > after) && matches(client)) left.push(client);
  left.sort((a, b) => (a.mac < b.mac ? -1 : 1));
  let bytes = 0;
  const beyond = left.findIndex(({ addresses }) => (bytes += CLIENT_BYTES + ADDRESS_BYTES * addresses.length) > PAGE_BYTES);
  if (beyond < 0) return { clients: left, next: undefined };
  const page = left.slice(0, Math.max(1, beyond));
  return { clients: page, next: page.length < left.length ? page.at(-1)!.mac : undefined };
}
