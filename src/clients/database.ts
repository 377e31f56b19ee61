/**
 * The location database: every record that this node knows, and what they say about clients and nodes.
 *
 * A record is live until it expires, then dead: its content no longer counts, but it stays as long as an older copy of
 * it may be live somewhere, so that none can come back. Nothing here reads a clock.
 */
import type { Ip, Ip4, Ip6 } from '../net/ip.js';
import { isIp6 } from '../net/ip.js';
import type { Mac } from '../net/mac.js';
import type { Prefix } from '../net/prefix.js';
import { hostPrefix } from '../net/prefix.js';
import type { Instant, Millis } from './time.js';
import { after, HOUR, MINUTE, NEVER, SECOND } from './time.js';
import type { ClientInfo, Meaning, NodeInfo, Record, RecordKey } from './record.js';
import { hostKey, lease4Key, lease6Key, meaningOf } from './record.js';
import type { NodeId } from './node-id.js';
import { compareVersions } from './merge.js';
import { DeadlineHeap } from './heap.js';
import type { Row } from './record-table.js';
import { RecordTable } from './record-table.js';
import { SharedStrings } from './shared-strings.js';
import { Storms } from './storms.js';

/** A later expiry of the same version counts only beyond this: less is rounding and delay, which must not go in circles. */
export const EXTENSION_SLACK: Millis = 2 * SECOND;

/** How long a dead record is remembered at least: an address rests that long before another client gets it. */
export const REST: Millis = 10 * MINUTE;

/** A dead record is remembered as long as older copies may live, but not longer than this. */
export const LONGEST_MEMORY: Millis = 48 * HOUR;

/** What is known of a client. It stays as it is: when more is known, the database has another one. */
export interface Client {
  readonly mac: Mac;
  /** Where it is; undefined: nowhere that we know of. */
  readonly node: NodeId | undefined;
  /** Its addresses: leases as /32 and /64, learnt host addresses as /32 and /128. */
  readonly addresses: readonly Prefix[];
  readonly info: ClientInfo;
}

/** An address, or the first of a /64, that a client has until `expires`. */
export interface Lease<A extends Ip> {
  readonly address: A;
  readonly expires: Instant;
}

export type Outcome =
  /** Not known before, or a newer version than was known. */
  | { readonly kind: 'newer'; readonly record: Record; readonly meaning: Meaning; readonly previous: Meaning | undefined }
  /** The version that was known, living notably longer than until `before`. */
  | { readonly kind: 'extended'; readonly record: Record; readonly meaning: Meaning; readonly previous: Meaning | undefined; readonly before: Instant }
  /** Nothing new. */
  | { readonly kind: 'same'; readonly record: Record }
  /** The sender is behind: `record` is what we have. */
  | { readonly kind: 'older'; readonly record: Record }
  /** A new key or a longer value, and the database is full. */
  | { readonly kind: 'refused' };

const NO_ADDRESSES: readonly Prefix[] = [];

const NO_INFO: ClientInfo = { hostname: '', ssid: '' };

export class Database {
  #records = new RecordTable();
  #clients = new Map<Mac, Client>();
  #nodes = new Map<NodeId, NodeInfo>();
  #declined = new Map<Ip4, Mac>();
  #adjacencies = new Map<NodeId, readonly NodeId[]>();
  #deadlines = new DeadlineHeap<RecordKey>((key, at) => {
    const row = this.#records.row(key);
    return row !== undefined && this.#records.queued(row) === at;
  });
  readonly #storms = new Storms();
  /** Node ids and the values that name them, which all clients of a node have in common. */
  #shared = new SharedStrings();

  /** Of all keys and values. */
  #bytes = 0;

  /**
   * How many records are kept at the most, and how many bytes of keys and values: what is beyond is refused. As much again
   * is kept for this node's own, or whoever fills the database would keep clients from being served here.
   */
  constructor(
    readonly limit = Infinity,
    readonly byteLimit = Infinity,
  ) {}

  /** Bytes of all keys and values. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Records known, dead ones included. */
  get size(): number {
    return this.#records.size;
  }

  /** The record of a key, live or dead. */
  get(key: RecordKey): Record | undefined {
    return this.#records.get(key);
  }

  /** All records, live and dead: what a peer has to know. */
  records(): Iterable<Record> {
    return this.#records.records();
  }

  /** What the live record of a key says. */
  live(key: RecordKey): Meaning | undefined {
    const row = this.#records.row(key);
    return row !== undefined && this.#records.isLive(row) ? meaningOf(key, this.#records.value(row)) : undefined;
  }

  client(mac: Mac): Client | undefined {
    return this.#clients.get(mac);
  }

  /** Clients of which at least one record is live. */
  clients(): Iterable<Client> {
    return this.#clients.values();
  }

  node(id: NodeId): NodeInfo | undefined {
    return this.#nodes.get(id);
  }

  nodes(): Iterable<[NodeId, NodeInfo]> {
    return this.#nodes;
  }

  /** The nodes that one floods to over links of its own, by what it says. */
  adjacencies(node: NodeId): readonly NodeId[] {
    return this.#adjacencies.get(node) ?? [];
  }

  /** Addresses that are set aside since a client found them in use, with that client. */
  get declined(): ReadonlyMap<Ip4, Mac> {
    return this.#declined;
  }

  /** The client that an address belongs to, by a live record. */
  owner(address: Ip): Mac | undefined {
    return this.#holder(address, (row) => this.#records.isLive(row));
  }

  /** The same, or the client that it belonged to until not long ago: nobody else may have it yet. */
  holder(address: Ip): Mac | undefined {
    return this.#holder(address, () => true);
  }

  #holder(address: Ip, counts: (row: Row) => boolean): Mac | undefined {
    const lease = isIp6(address) ? lease6Key(address) : lease4Key(address);
    for (const key of [lease, hostKey(address)]) {
      const row = this.#records.row(key);
      if (row === undefined || !counts(row)) continue;
      const meaning = meaningOf(key, this.#records.value(row));
      if ('mac' in meaning && meaning.mac !== undefined) return meaning.mac;
    }
    return undefined;
  }

  /** The live IPv4 leases of a client, lowest first; several where nodes that could not hear each other gave them. */
  leases4Of(mac: Mac): Lease<Ip4>[] {
    return this.#leases(mac, 32, lease4Key);
  }

  /** The live /64s of a client, lowest first; `address` is the first of each. */
  leases6Of(mac: Mac): Lease<Ip6>[] {
    return this.#leases(mac, 64, lease6Key);
  }

  #leases<A extends Ip>(mac: Mac, length: 32 | 64, keyOf: (address: A) => RecordKey): Lease<A>[] {
    const leases: Lease<A>[] = [];
    for (const prefix of this.#clients.get(mac)?.addresses ?? []) {
      if (prefix.length !== length) continue;
      const address = prefix.address as A;
      const row = this.#records.row(keyOf(address));
      if (row !== undefined && this.#records.isLive(row)) leases.push({ address, expires: this.#records.expires(row) });
    }
    return leases.sort((a, b) => (a.address < b.address ? -1 : 1));
  }

  /**
   * Merges a record in: the one way by which anything enters the database, from here or from a peer. Throws BadInput
   * or ShortInput, and changes nothing, where a known type has content that cannot be. `isOwn`: it was made here.
   */
  apply(record: Record, now: Instant, isOwn = false): Outcome {
    const meaning = meaningOf(record.key, record.value);
    const known = this.#records.get(record.key);
    if (known === undefined) {
      const isFull = this.#records.size >= (isOwn ? 2 : 1) * this.limit;
      if (isFull || !this.#fits(bytesOf(record), isOwn)) return { kind: 'refused' };
      return this.#store(record, meaning, undefined, now);
    }
    const order = this.#storms.compare(record, known, now);
    if (order < 0) return { kind: 'older', record: known };
    if (order === 0 && record.expires <= known.expires + EXTENSION_SLACK) return { kind: 'same', record: known };
    if (!this.#fits(bytesOf(record) - bytesOf(known), isOwn)) return { kind: 'refused' };
    return this.#store(record, meaning, known, now);
  }

  #fits(growth: number, isOwn: boolean): boolean {
    return growth <= 0 || this.#bytes + growth <= (isOwn ? 2 : 1) * this.byteLimit;
  }

  #store(record: Record, meaning: Meaning, old: Record | undefined, now: Instant): Outcome {
    const records = this.#records;
    const previous = old && this.live(record.key);
    const before = old !== undefined && compareVersions(record, old) === 0 ? old.expires : undefined;
    const isNewer = before === undefined;
    if (previous !== undefined && isNewer) this.#unindex(previous);
    const live = record.expires > now;
    const value = meaning.type === 'association' ? this.#shared.share(record.value) : record.value;
    const row = records.put({ ...record, value });
    records.setForget(row, forgetAt(record, old && records.forget(row), now));
    records.setLive(row, live);
    this.#bytes += bytesOf(record) - (old === undefined ? 0 : bytesOf(old));
    if (live && (isNewer || previous === undefined)) this.#index(meaning);
    this.#enqueue(record.key, row);
    return isNewer ? { kind: 'newer', record, meaning, previous } : { kind: 'extended', record, meaning, previous, before };
  }

  /** A later deadline than the one that it is queued under is not pushed: the earlier one finds it in time. */
  #enqueue(key: RecordKey, row: Row): void {
    const deadline = this.#records.isLive(row) ? this.#records.expires(row) : this.#records.forget(row);
    if (deadline >= this.#records.queued(row)) return;
    this.#records.setQueued(row, deadline);
    this.#deadlines.push(deadline, key);
  }

  /** When {@link expire} next has something to do. */
  get nextDeadline(): Instant | undefined {
    return this.#deadlines.next;
  }

  /** Lets die what has expired, forgets what died long ago; returns the records that have just died and what they said. */
  expire(now: Instant): { record: Record; meaning: Meaning }[] {
    const died: { record: Record; meaning: Meaning }[] = [];
    const records = this.#records;
    for (let key = this.#deadlines.popDue(now); key !== undefined; key = this.#deadlines.popDue(now)) {
      const row = records.row(key)!;
      if (records.isLive(row) && records.expires(row) <= now) {
        records.setLive(row, false);
        const record = records.get(key)!;
        const meaning = meaningOf(key, record.value);
        this.#unindex(meaning);
        died.push({ record, meaning });
      }
      records.setQueued(row, NEVER);
      if (!records.isLive(row) && records.forget(row) <= now) this.#forget(records.get(key)!);
      else this.#enqueue(key, row);
    }
    return died;
  }

  #forget(record: Record): void {
    this.#records.delete(record.key);
    this.#bytes -= bytesOf(record);
  }

  /** A client of which nothing is known any more is dropped. */
  #change(mac: Mac, change: Partial<Client>): void {
    const known = this.#clients.get(mac);
    // The string for the MAC that is there already, not one more.
    const client = { ...(known ?? { mac, node: undefined, addresses: NO_ADDRESSES, info: NO_INFO }), ...change };
    if (client.node !== undefined || client.addresses.length > 0 || client.info !== NO_INFO) this.#clients.set(client.mac, client);
    else this.#clients.delete(mac);
  }

  #addAddress(mac: Mac, prefix: Prefix): void {
    // Not pushed or spread: an array that grows by one element has room for sixteen more.
    this.#change(mac, { addresses: this.#addressesOf(mac).concat(prefix) });
  }

  #addressesOf(mac: Mac): readonly Prefix[] {
    return this.#clients.get(mac)?.addresses ?? NO_ADDRESSES;
  }

  #index(meaning: Meaning): void {
    switch (meaning.type) {
      case 'lease4':
        this.#addAddress(meaning.mac, hostPrefix(meaning.address));
        break;
      case 'lease6':
        this.#addAddress(meaning.mac, meaning.prefix);
        break;
      case 'host':
        if (meaning.mac !== undefined) this.#addAddress(meaning.mac, hostPrefix(meaning.address));
        break;
      case 'association':
        if (meaning.node !== undefined) this.#change(meaning.mac, { node: this.#shared.share(meaning.node) as NodeId });
        break;
      case 'clientInfo':
        this.#change(meaning.mac, { info: meaning.info });
        break;
      case 'node':
        this.#nodes.set(meaning.node, meaning.info);
        break;
      case 'declined':
        this.#declined.set(meaning.address, meaning.by);
        break;
      case 'adjacencies':
        this.#adjacencies.set(meaning.node, meaning.neighbours);
        break;
      case 'unknown':
        break;
    }
  }

  #unindex(meaning: Meaning): void {
    if (meaning.type === 'node') this.#nodes.delete(meaning.node);
    if (meaning.type === 'declined') this.#declined.delete(meaning.address);
    if (meaning.type === 'adjacencies') this.#adjacencies.delete(meaning.node);
    if (!('mac' in meaning) || meaning.mac === undefined) return;
    const { mac } = meaning;
    if (meaning.type === 'association') this.#change(mac, { node: undefined });
    else if (meaning.type === 'clientInfo') this.#change(mac, { info: NO_INFO });
    else {
      const gone = meaning.type === 'lease6' ? meaning.prefix : hostPrefix(meaning.address);
      this.#change(mac, { addresses: without(this.#addressesOf(mac), gone) });
    }
  }
}

function bytesOf({ key, value }: Record): number {
  return key.length + value.length;
}

/** When a dead record is forgotten: not before every older version has expired, wherever there is a copy of one. */
function forgetAt(record: Record, earlier: Instant | undefined, now: Instant): Instant {
  const rest = after(Math.max(record.expires, now) as Instant, REST);
  const remembered = Math.min(earlier ?? 0, after(now, LONGEST_MEMORY));
  return Math.max(rest, remembered) as Instant;
}

/** `prefixes` without the first that is equal to `gone`. */
function without(prefixes: readonly Prefix[], gone: Prefix): readonly Prefix[] {
  const at = prefixes.findIndex((prefix) => prefix.address === gone.address && prefix.length === gone.length);
  return at < 0 ? prefixes : prefixes.toSpliced(at, 1);
}

/** The clients that a change of a record is about. */
export function clientsOf(...meanings: (Meaning | undefined)[]): Mac[] {
  const macs = new Set<Mac>();
  for (const meaning of meanings) if (meaning !== undefined && 'mac' in meaning && meaning.mac) macs.add(meaning.mac);
  return [...macs];
}
