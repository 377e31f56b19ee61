/** Leases: who has which address for how long, and giving one back by hand. */
import type { Lease } from '../clients/database.js';
import { nextSeqno } from '../clients/merge.js';
import type { Record, RecordKey } from '../clients/record.js';
import { declinedKey, hostKey, lease4Key, lease6Key } from '../clients/record.js';
import type { Instant } from '../clients/time.js';
import { secondsUntil } from '../clients/time.js';
import type { Ip } from '../net/ip.js';
import { isIp6 } from '../net/ip.js';
import type { Mac } from '../net/mac.js';
import { contains, prefixOf } from '../net/prefix.js';
import type { Database } from '../clients/database.js';
import { CLIENTS, pageOf } from './page.js';
import type { ClientFilter } from './views.js';
import { toWallTime } from './viewpoint.js';
import type { Viewpoint } from './viewpoint.js';

export interface LeaseView {
  /** An IPv4 address, or an IPv6 network with its length. */
  readonly address: string;
  readonly family: 4 | 6;
  readonly mac: string;
  readonly hostname: string;
  /** Seconds since 1970. */
  readonly expires: number;
  /** Seconds from now. */
  readonly remaining: number;
}

export interface LeasesView {
  readonly leases: LeaseView[];
  /** Where other clients have more: what to ask for them `after`. */
  readonly next?: string;
}

/** Live leases, IPv4 first, by MAC and address. */
export function viewLeases(view: Viewpoint, { mac, address, after }: Pick<ClientFilter, 'mac' | 'address' | 'after'> = {}): LeasesView {
  const leases: LeaseView[] = [];
  const { items, rest } = pageOf([...view.db.clients()].filter((client) => mac === undefined || client.mac === mac), CLIENTS, after);
  for (const client of items) {
    const { hostname } = client.info;
    const one = (lease: Lease<Ip>, family: 4 | 6) => {
      const covers = address === undefined || contains(prefixOf(lease.address, family === 4 ? 32 : 64), address);
      if (covers) leases.push({ ...viewLease(view, lease, family), mac: client.mac, hostname });
    };
    for (const lease of view.db.leases4Of(client.mac)) one(lease, 4);
    for (const lease of view.db.leases6Of(client.mac)) one(lease, 6);
  }
  leases.sort((a, b) => a.family - b.family || compare(a.mac, b.mac) || compare(a.address, b.address));
  return { leases, ...rest };
}

function viewLease(view: Viewpoint, { address, expires }: Lease<Ip>, family: 4 | 6) {
  return {
    address: family === 4 ? address : `${address}/64`,
    family,
    expires: Math.floor(toWallTime(view, expires)),
    remaining: secondsUntil(expires, view.now()),
  };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * The records that end leases now, and what was learnt of addresses: all of a client's, or those that an address lies in.
 * An address that is set aside may be given to clients again.
 * Empty where there is nothing to end.
 */
export function releases(db: Database, { mac, address }: { mac?: Mac | undefined; address?: Ip | undefined }, now: Instant): Record[] {
  const keys: RecordKey[] = [];
  if (mac === undefined && address !== undefined && !isIp6(address)) keys.push(declinedKey(address));
  for (const client of db.clients()) {
    if (mac !== undefined && client.mac !== mac) continue;
    for (const prefix of client.addresses) {
      if (address === undefined || contains(prefix, address)) keys.push(...keysOf(prefix.address, prefix.length));
    }
  }
  return keys.flatMap((key) => {
    const known = db.get(key);
    if (known === undefined || db.live(key) === undefined) return [];
    return [{ key, value: known.value, seqno: nextSeqno(known.seqno), expires: now }];
  });
}

/** A /32 is leased or learnt, a /128 learnt, a /64 leased. */
function keysOf(address: Ip, length: number): RecordKey[] {
  if (!isIp6(address)) return [lease4Key(address), hostKey(address)];
  return [length === 64 ? lease6Key(address) : hostKey(address)];
}
