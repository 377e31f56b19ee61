/**
 * Records: what the nodes replicate. A record is a key, a value, a sequence number and an expiry (sroamd: datum).
 *
 * Keys begin with a type byte. Types 0 to 2 and their layouts are sroamd's, version 1; types from 128 up are ours.
 * Keys and values are kept as binary strings (one character a byte), which make compact Map keys and are compared
 * bytewise by `<`.
 */
import { BadInput, fromBinary, Reader, toBinary, Writer } from '../net/bytes.js';
import type { Brand } from '../net/brand.js';
import type { Ip, Ip4, Ip6 } from '../net/ip.js';
import { ip4FromBytes, ip4ToBytes, ip6FromBytes, ip6ToBytes, ipToBytes, isIp6 } from '../net/ip.js';
import type { Mac } from '../net/mac.js';
import { isStationMac, macFromBytes, macToBytes } from '../net/mac.js';
import type { Prefix6 } from '../net/prefix.js';
import { prefixOf } from '../net/prefix.js';
import type { Instant, Millis } from './time.js';
import { HOUR } from './time.js';
import type { NodeId } from './node-id.js';
import { nodeIdFromBytes, nodeIdToBytes } from './node-id.js';

/** The bytes of a record's key, type byte first. */
export type RecordKey = Brand<string, 'RecordKey'>;

export const RecordType = {
  /** Key: IPv4 address (4 bytes). Value: MAC. */
  lease4: 0,
  /** Key: first 8 bytes of the /64. Value: MAC. */
  lease6: 1,
  /** Key: MAC. Value: node id (8 bytes), or empty: gone. */
  association: 2,
  /** Key: node id. Value: {@link NodeInfo}. */
  node: 128,
  /** Key: address in 16 bytes, IPv4 as ::ffff:a.b.c.d. Value: MAC, or empty: gone. */
  host: 129,
  /** Key: MAC. Value: {@link ClientInfo}. */
  clientInfo: 130,
  /** Key: node id. Value: addresses that the node looks for, 16 bytes each, IPv4 as ::ffff:a.b.c.d. */
  seek: 131,
  /** Key: IPv4 address (4 bytes), which nobody gets for as long as the record lives. Value: MAC of who found it in use. */
  declined: 132,
  /** Key: node id. Value: ids of the nodes that it floods to over links of its own, 8 bytes each. */
  adjacencies: 133,
} as const;

/** Longest key and value together that fit an Update: 255 bytes of TLV body less 7 of sequence, lifetime, key length. */
export const MAX_RECORD_BYTES = 248;

/**
 * No record is believed to live longer, as no lease can be configured to: what is wrong, and nobody keeps alive, comes to an
 * end.
 */
export const LONGEST_LIFETIME: Millis = 7 * 24 * HOUR;

export interface Record {
  readonly key: RecordKey;
  readonly value: string;
  /** 16 bits, compared as serial numbers (RFC 1982): see merge.ts. */
  readonly seqno: number;
  /** From then on the record is dead: kept only so that no older copy revives it. */
  readonly expires: Instant;
}

/** What a key and a value mean. */
export type Meaning =
  | { readonly type: 'lease4'; readonly address: Ip4; readonly mac: Mac }
  | { readonly type: 'lease6'; readonly prefix: Prefix6; readonly mac: Mac }
  | { readonly type: 'association'; readonly mac: Mac; readonly node: NodeId | undefined }
  | { readonly type: 'node'; readonly node: NodeId; readonly info: NodeInfo }
  | { readonly type: 'host'; readonly address: Ip; readonly mac: Mac | undefined }
  | { readonly type: 'seek'; readonly node: NodeId; readonly addresses: readonly Ip[] }
  | { readonly type: 'clientInfo'; readonly mac: Mac; readonly info: ClientInfo }
  | { readonly type: 'declined'; readonly address: Ip4; readonly by: Mac }
  | { readonly type: 'adjacencies'; readonly node: NodeId; readonly neighbours: readonly NodeId[] }
  | { readonly type: 'unknown' };

/** Where a node can be reached and what it calls itself. */
export interface NodeInfo {
  readonly hostname: string;
  /** Addresses that the routing protocol carries, best first; client traffic is routed towards them. */
  readonly addresses: readonly Ip[];
  /** Port of its flooding listener; 0: it does not listen. */
  readonly port: number;
}

export interface ClientInfo {
  /** What the client calls itself (DHCP option 12), '' where unknown. */
  readonly hostname: string;
  /** The network that it is associated with, '' where unknown. */
  readonly ssid: string;
}

export function typeOfKey(key: RecordKey): number {
  return key.charCodeAt(0);
}

function makeKey(type: number, bytes: Uint8Array): RecordKey {
  return (String.fromCharCode(type) + toBinary(bytes)) as RecordKey;
}

export function lease4Key(address: Ip4): RecordKey {
  return makeKey(RecordType.lease4, ip4ToBytes(address));
}

/** The key of the /64 that `address` begins. */
export function lease6Key(address: Ip6): RecordKey {
  return makeKey(RecordType.lease6, ip6ToBytes(address).subarray(0, 8));
}

export function associationKey(mac: Mac): RecordKey {
  return makeKey(RecordType.association, macToBytes(mac));
}

export function nodeKey(node: NodeId): RecordKey {
  return makeKey(RecordType.node, nodeIdToBytes(node));
}

export function hostKey(address: Ip): RecordKey {
  return makeKey(RecordType.host, mapped(address));
}

/** In 16 bytes, whatever the family: RFC 4291 2.5.5.2. */
function mapped(address: Ip): Uint8Array {
  return isIp6(address) ? ip6ToBytes(address) : new Writer(16).zeros(10).u16(0xffff).put(ip4ToBytes(address)).done();
}

export function seekKey(node: NodeId): RecordKey {
  return makeKey(RecordType.seek, nodeIdToBytes(node));
}

export function seekValue(addresses: readonly Ip[]): string {
  return addresses.map((address) => toBinary(mapped(address))).join('');
}

function seekAddresses(value: Uint8Array): Ip[] {
  if (value.length % 16 !== 0) throw new BadInput(`${value.length} bytes are no whole number of addresses`);
  return Array.from({ length: value.length / 16 }, (_, i) => hostAddress(value.subarray(16 * i, 16 * i + 16)));
}

export function clientInfoKey(mac: Mac): RecordKey {
  return makeKey(RecordType.clientInfo, macToBytes(mac));
}

export function declinedKey(address: Ip4): RecordKey {
  return makeKey(RecordType.declined, ip4ToBytes(address));
}

export function adjacenciesKey(node: NodeId): RecordKey {
  return makeKey(RecordType.adjacencies, nodeIdToBytes(node));
}

/** At most 29 are told, so that the record fits its TLV. */
export function adjacenciesValue(neighbours: readonly NodeId[]): string {
  return neighbours.slice(0, 29).map((node) => nodeValue(node)).join('');
}

function readNodeIds(value: Uint8Array): NodeId[] {
  if (value.length % 8 !== 0) throw new BadInput(`${value.length} bytes are no whole number of node ids`);
  return Array.from({ length: value.length / 8 }, (_, i) => nodeIdFromBytes(value.subarray(8 * i, 8 * i + 8)));
}

export function macValue(mac: Mac | undefined): string {
  return mac === undefined ? '' : toBinary(macToBytes(mac));
}

export function nodeValue(node: NodeId | undefined): string {
  return node === undefined ? '' : toBinary(nodeIdToBytes(node));
}

const Item = { hostname: 1, address: 2, port: 3, ssid: 4 } as const;

/** Items of type(1) length(1) body; a reader passes over the types that it does not know. */
function writeItem(w: Writer, type: number, body: Uint8Array): void {
  w.u8(type).u8(body.length).put(body);
}

function* readItems(value: Uint8Array): Generator<[type: number, body: Uint8Array]> {
  const r = new Reader(value);
  while (r.left > 0) {
    const type = r.u8();
    yield [type, r.take(r.u8())];
  }
}

/** Text cut to `limit` bytes of UTF-8, at a character's end. */
export function textBytes(text: string, limit: number): Uint8Array {
  let bytes = new TextEncoder().encode(text);
  if (bytes.length > limit) {
    let end = limit;
    while (end > 0 && (bytes[end]! & 0xc0) === 0x80) end--;
    bytes = bytes.slice(0, end);
  }
  return bytes;
}

/** Text of which no more than `limit` bytes are taken. */
export function readText(bytes: Uint8Array, limit: number): string {
  return new TextDecoder().decode(bytes.subarray(0, limit));
}

/** Addresses that a node tells at the most. */
const MAX_NODE_ADDRESSES = 8;

/** Those to tell, in their order: half of the room is each family's, since a routing protocol may carry one alone. */
function toldOf(addresses: readonly Ip[]): Ip[] {
  const six = addresses.filter(isIp6);
  const four = addresses.filter((address) => !isIp6(address));
  const room = ({ length }: readonly Ip[]) => Math.max(MAX_NODE_ADDRESSES / 2, MAX_NODE_ADDRESSES - length);
  const told = new Set([...four.slice(0, room(six)), ...six.slice(0, room(four))]);
  return addresses.filter((address) => told.has(address));
}

/** Longest names that are told, and that are believed: a peer's may not make what tells of them larger than it may be. */
const NODE_NAME_BYTES = 63;
const CLIENT_NAME_BYTES = 64;
const SSID_BYTES = 32;

/** At most eight addresses are told, so that the record fits its TLV. */
export function nodeInfoValue(info: NodeInfo): string {
  const w = new Writer();
  writeItem(w, Item.hostname, textBytes(info.hostname, NODE_NAME_BYTES));
  for (const address of toldOf(info.addresses)) writeItem(w, Item.address, ipToBytes(address));
  if (info.port !== 0) writeItem(w, Item.port, Uint8Array.of(info.port >> 8, info.port & 0xff));
  return toBinary(w.done());
}

export function clientInfoValue(info: ClientInfo): string {
  const w = new Writer();
  if (info.hostname !== '') writeItem(w, Item.hostname, textBytes(info.hostname, CLIENT_NAME_BYTES));
  if (info.ssid !== '') writeItem(w, Item.ssid, textBytes(info.ssid, SSID_BYTES));
  return toBinary(w.done());
}

function readNodeInfo(value: Uint8Array): NodeInfo {
  let hostname = '';
  let port = 0;
  const addresses: Ip[] = [];
  for (const [type, body] of readItems(value)) {
    if (type === Item.hostname) hostname = readText(body, NODE_NAME_BYTES);
    else if (type === Item.port) port = new Reader(body).u16();
    else if (type === Item.address) addresses.push(body.length === 4 ? ip4FromBytes(body) : ip6FromBytes(body));
  }
  return { hostname, addresses, port };
}

function readClientInfo(value: Uint8Array): ClientInfo {
  let hostname = '';
  let ssid = '';
  for (const [type, body] of readItems(value)) {
    if (type === Item.hostname) hostname = readText(body, CLIENT_NAME_BYTES);
    else if (type === Item.ssid) ssid = readText(body, SSID_BYTES);
  }
  return { hostname, ssid };
}

function stationMac(bytes: Uint8Array): Mac {
  if (bytes.length !== 6) throw new BadInput(`a MAC address has 6 bytes, not ${bytes.length}`);
  const mac = macFromBytes(bytes);
  if (!isStationMac(mac)) throw new BadInput(`${mac} is no station's address`);
  return mac;
}

function exactly(bytes: Uint8Array, length: number, what: string): Uint8Array {
  if (bytes.length !== length) throw new BadInput(`${what} has ${length} bytes, not ${bytes.length}`);
  return bytes;
}

function hostAddress(bytes: Uint8Array): Ip {
  exactly(bytes, 16, 'a host key');
  const mapped = bytes.subarray(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff && bytes[11] === 0xff;
  return mapped ? ip4FromBytes(bytes, 12) : ip6FromBytes(bytes);
}

/**
 * What a record says. Types that are not ours to know are `unknown`: stored and passed on. Throws {@link BadInput} or
 * ShortInput where a known type has a key or a value that cannot be.
 */
export function meaningOf(key: RecordKey, value: string): Meaning {
  const body = fromBinary(key.slice(1));
  const v = fromBinary(value);
  switch (typeOfKey(key)) {
    case RecordType.lease4:
      return { type: 'lease4', address: ip4FromBytes(exactly(body, 4, 'an IPv4 lease key')), mac: stationMac(v) };
    case RecordType.lease6: {
      const whole = new Writer(16).put(exactly(body, 8, 'an IPv6 lease key')).zeros(8).done();
      return { type: 'lease6', prefix: prefixOf(ip6FromBytes(whole), 64), mac: stationMac(v) };
    }
    case RecordType.association:
      return { type: 'association', mac: stationMac(body), node: v.length === 0 ? undefined : nodeIdFromBytes(v) };
    case RecordType.node:
      return { type: 'node', node: nodeIdFromBytes(body), info: readNodeInfo(v) };
    case RecordType.host:
      return { type: 'host', address: hostAddress(body), mac: v.length === 0 ? undefined : stationMac(v) };
    case RecordType.seek:
      return { type: 'seek', node: nodeIdFromBytes(body), addresses: seekAddresses(v) };
    case RecordType.clientInfo:
      return { type: 'clientInfo', mac: stationMac(body), info: readClientInfo(v) };
    case RecordType.declined:
      return { type: 'declined', address: ip4FromBytes(exactly(body, 4, 'the key of a declined address')), by: stationMac(v) };
    case RecordType.adjacencies:
      return { type: 'adjacencies', node: nodeIdFromBytes(body), neighbours: readNodeIds(v) };
    default:
      return { type: 'unknown' };
  }
}

/** What a record says once it is dead: no more than which client, node or address it was about. */
export function meaningOnceDead(meaning: Meaning): Meaning {
  if (meaning.type === 'association') return { ...meaning, node: undefined };
  if (meaning.type === 'host') return { ...meaning, mac: undefined };
  if (meaning.type === 'node') return { ...meaning, info: { ...meaning.info, addresses: [] } };
  if (meaning.type === 'seek') return { ...meaning, addresses: [] };
  if (meaning.type === 'adjacencies') return { ...meaning, neighbours: [] };
  return meaning;
}
