/**
 * The records that this node makes itself, as pure functions of what the database holds: each returns a record for
 * {@link Database.apply}, or undefined where there is nothing to say.
 *
 * A change of content takes the next sequence number; living on takes the same one and a later expiry.
 */
import type { Ip, Ip4, Ip6 } from '../net/ip.js';
import { isIp6 } from '../net/ip.js';
import type { Mac } from '../net/mac.js';
import type { ClientInfo, Record, RecordKey } from './record.js';
import {
  associationKey,
  clientInfoKey,
  clientInfoValue,
  declinedKey,
  hostKey,
  lease4Key,
  lease6Key,
  macValue,
  nodeValue,
  seekKey,
  seekValue,
} from './record.js';
import type { Database } from './database.js';
import { nextSeqno } from './merge.js';
import type { NodeId } from './node-id.js';
import type { Instant, Millis } from './time.js';
import { after, HOUR, SECOND } from './time.js';

/** Lifetime of an association and of what is told about a client and a node; the owner extends it at half time. */
export const ASSOCIATION_LIFETIME: Millis = HOUR;

/** A question is answered soon or never; whoever hears of it later need not ask. */
const SEEK_LIFETIME: Millis = 5 * SECOND;

/** `key` says `value` for `lifetime` from now: with the version that says so already, or with the next one. */
export function assert(db: Database, key: RecordKey, value: string, lifetime: Millis, now: Instant): Record {
  const known = db.get(key);
  const expires = after(now, lifetime);
  if (known === undefined) return { key, value, seqno: 0, expires };
  if (known.value === value && known.expires > now) {
    return { ...known, expires: Math.max(known.expires, expires) as Instant };
  }
  return { key, value, seqno: nextSeqno(known.seqno), expires };
}

/** The client is here. */
export function claim(db: Database, mac: Mac, self: NodeId, now: Instant): Record {
  return assert(db, associationKey(mac), nodeValue(self), ASSOCIATION_LIFETIME, now);
}

/** The client is here, whatever others say: a newer number than any that is known. */
export function reclaim(db: Database, mac: Mac, self: NodeId, now: Instant): Record {
  const key = associationKey(mac);
  const known = db.get(key);
  return { key, value: nodeValue(self), seqno: known === undefined ? 0 : nextSeqno(known.seqno), expires: after(now, ASSOCIATION_LIFETIME) };
}

/** The client has left, unless another node has claimed it. */
export function gone(db: Database, mac: Mac, self: NodeId, now: Instant): Record | undefined {
  if (db.client(mac)?.node !== self) return undefined;
  return assert(db, associationKey(mac), nodeValue(undefined), ASSOCIATION_LIFETIME, now);
}

export function lease4(db: Database, address: Ip4, mac: Mac, lifetime: Millis, now: Instant): Record {
  return assert(db, lease4Key(address), macValue(mac), lifetime, now);
}

/** `network`: the first address of the /64. */
export function lease6(db: Database, network: Ip6, mac: Mac, lifetime: Millis, now: Instant): Record {
  return assert(db, lease6Key(network), macValue(mac), lifetime, now);
}

/** The client gave its address back: the lease ends now. */
export function release4(db: Database, address: Ip4, mac: Mac, now: Instant): Record | undefined {
  const key = lease4Key(address);
  const known = db.get(key);
  if (known === undefined || known.expires <= now || known.value !== macValue(mac)) return undefined;
  return { key, value: known.value, seqno: nextSeqno(known.seqno), expires: now };
}

/** A client found the address in use by somebody whom no record knows: nobody is given it while this record lives. */
export function declined(db: Database, address: Ip4, by: Mac, lifetime: Millis, now: Instant): Record {
  return assert(db, declinedKey(address), macValue(by), lifetime, now);
}

/** An address that a client was seen to use. */
export function host(db: Database, address: Ip, mac: Mac, lifetime: Millis, now: Instant): Record {
  return assert(db, hostKey(address), macValue(mac), lifetime, now);
}

/** The client does not use that address any more: its record ends now. */
export function hostGone(db: Database, address: Ip, mac: Mac, now: Instant): Record | undefined {
  const key = hostKey(address);
  const known = db.get(key);
  if (known === undefined || known.expires <= now || known.value !== macValue(mac)) return undefined;
  return { key, value: known.value, seqno: nextSeqno(known.seqno), expires: now };
}

export function clientInfo(db: Database, mac: Mac, info: ClientInfo, now: Instant): Record | undefined {
  const value = clientInfoValue(info);
  return value === '' ? undefined : assert(db, clientInfoKey(mac), value, ASSOCIATION_LIFETIME, now);
}

/** This node looks for those addresses: one record, however many are looked for. */
export function seek(db: Database, self: NodeId, addresses: readonly Ip[], now: Instant): Record {
  const key = seekKey(self);
  const known = db.get(key);
  return { key, value: seekValue(addresses), seqno: known === undefined ? 0 : nextSeqno(known.seqno), expires: after(now, SEEK_LIFETIME) };
}

/** Keys of all live records about a client that the node where it is keeps alive: of its addresses only those of ours. */
export function keysOf(db: Database, mac: Mac, isOurs: (address: Ip) => boolean): RecordKey[] {
  const client = db.client(mac);
  if (client === undefined) return [];
  const ours = client.addresses.filter(({ address }) => isOurs(address));
  const addresses = ours.map(({ address, length }) => {
    if (length === 128) return hostKey(address);
    if (isIp6(address)) return lease6Key(address);
    return db.live(lease4Key(address)) === undefined ? hostKey(address) : lease4Key(address);
  });
  return [associationKey(mac), clientInfoKey(mac), ...addresses].filter((key) => db.live(key) !== undefined);
}
