/**
 * The frames of flooding: sroamd's version 1, and our TLVs on top of it. Big endian throughout.
 *
 * A stream begins with four bytes: 44 (decimal), version 1, and two bytes that sroamd sends as zero and does not read:
 * our capability bits. TLVs follow: type(1) length(1) body(length); only type 0 has neither length nor body. A type
 * that is not known is passed over. Types from 128 up are sent only to a peer that has shown {@link CAPABILITY_EXTENDED}.
 *
 *     type         body
 *       0 Pad1     (this byte is the whole TLV)
 *       1 PadN     anything
 *       2 Update   seqno(2) lifetime(4, seconds) keylen(1) key(keylen) value(rest)
 *     128 Hello    node(8) instance(8) connection(4) port(2) items: type(1) length(1) body; item 1 = host name, UTF-8
 *     129 Ping     token(4), then, unless the sender has more to send, root(4)
 *     130 Pong     token(4)
 *     131 Digest   index(4) hash(4) x 8
 *     132 Summary  index(4), then for each record: keyhash(4) seqno(2) tag(2)
 *     133 Request  keyhash(4), one or more
 *     134 Bye      reason(1)
 *     135 ByeAck   (empty)
 *
 * *Hello* is the first TLV between two of ours. `instance` is chosen at random at each start of a daemon, so that a
 * connection to oneself, a restarted node and two nodes with one id can be told apart; `connection` counts the
 * connections that the dialling node has opened, the listening node sends 0; `port` is where the sender listens, 0 if
 * nowhere. *Ping* is answered with the same token. `root`, `index`, hashes and tags: see digest.ts. After *Bye* its
 * sender sends no more and closes once it has the answer, which says that everything before it was received.
 */
import { BadInput, Reader, ShortInput, toBinary, Writer } from '../net/bytes.js';
import type { RecordKey } from '../clients/record.js';
import { readText, textBytes } from '../clients/record.js';
import type { NodeId } from '../clients/node-id.js';
import { nodeIdFromBytes, nodeIdToBytes } from '../clients/node-id.js';

export const MAGIC = 44;
export const VERSION = 1;
export const HANDSHAKE_BYTES = 4;

/** The peer understands the TLVs from 128 up and begins with a Hello. */
export const CAPABILITY_EXTENDED = 0x0001;

/** Children of a node of the digest tree, hashes in a Digest. */
export const FANOUT = 8;

/** Records that one Summary can tell of, and hashes that one Request can ask for: 255 bytes of body. */
export const MAX_SUMMARY = 31;
export const MAX_REQUEST = 63;

/** Longest lifetime that is sent or read, in seconds: sroamd keeps it in a signed 32-bit integer. */
export const MAX_LIFETIME = 0x7fffffff;

const Type = {
  pad1: 0,
  padN: 1,
  update: 2,
  hello: 128,
  ping: 129,
  pong: 130,
  digest: 131,
  summary: 132,
  request: 133,
  bye: 134,
  byeAck: 135,
} as const;

/** A whole TLV that says nothing. */
export const PAD = Type.pad1;

const HELLO_HOSTNAME = 1;
const HOSTNAME_BYTES = 63;

/** Why a node says goodbye. Numbers that are not known here are read as `stopping`. */
const BYE_REASONS = ['stopping', 'removed', 'duplicate', 'self', 'same id', 'full'] as const;
export type ByeReason = (typeof BYE_REASONS)[number];

export interface Update {
  readonly type: 'update';
  readonly seqno: number;
  /** Seconds, at most {@link MAX_LIFETIME}. */
  readonly lifetime: number;
  /** Empty from a peer that sends nonsense. */
  readonly key: RecordKey;
  readonly value: string;
}

export interface Hello {
  readonly type: 'hello';
  readonly node: NodeId;
  /** Random, chosen at each start of the daemon. */
  readonly instance: bigint;
  readonly connection: number;
  readonly port: number;
  readonly hostname: string;
}

/** Key and version of a record, hashed: see digest.ts. */
export interface SummaryEntry {
  readonly keyHash: number;
  readonly seqno: number;
  readonly tag: number;
}

export type Tlv =
  | Update
  | Hello
  | { readonly type: 'ping'; readonly token: number; readonly root: number | undefined }
  | { readonly type: 'pong'; readonly token: number }
  | { readonly type: 'digest'; readonly index: number; readonly hashes: readonly number[] }
  | { readonly type: 'summary'; readonly index: number; readonly entries: readonly SummaryEntry[] }
  | { readonly type: 'request'; readonly keyHashes: readonly number[] }
  | { readonly type: 'bye'; readonly reason: ByeReason }
  | { readonly type: 'byeAck' };

export function encodeHandshake(capabilities: number): Uint8Array {
  return new Writer(HANDSHAKE_BYTES).u8(MAGIC).u8(VERSION).u16(capabilities).done();
}

/** The capability bits of four bytes of handshake. Throws {@link BadInput} for what is no peer of ours. */
export function decodeHandshake(bytes: Uint8Array): number {
  const r = new Reader(bytes);
  const magic = r.u8();
  const version = r.u8();
  if (magic !== MAGIC) throw new BadInput('it does not speak the flooding protocol');
  if (version !== VERSION) throw new BadInput(`it speaks version ${version} of the flooding protocol, not ${VERSION}`);
  return r.u16();
}

/** Appends one TLV. An Update's key and value have at most MAX_RECORD_BYTES together. */
export function writeTlv(w: Writer, tlv: Tlv): void {
  switch (tlv.type) {
    case 'update': {
      w.u8(Type.update).u8(7 + tlv.key.length + tlv.value.length);
      w.u16(tlv.seqno).u32(tlv.lifetime).u8(tlv.key.length);
      writeBinary(w, tlv.key);
      writeBinary(w, tlv.value);
      return;
    }
    case 'hello': {
      const hostname = textBytes(tlv.hostname, HOSTNAME_BYTES);
      w.u8(Type.hello).u8(24 + hostname.length);
      w.put(nodeIdToBytes(tlv.node)).u64(tlv.instance).u32(tlv.connection).u16(tlv.port);
      w.u8(HELLO_HOSTNAME).u8(hostname.length).put(hostname);
      return;
    }
    case 'ping':
      w.u8(Type.ping).u8(tlv.root === undefined ? 4 : 8).u32(tlv.token);
      if (tlv.root !== undefined) w.u32(tlv.root);
      return;
    case 'pong':
      w.u8(Type.pong).u8(4).u32(tlv.token);
      return;
    case 'digest':
      w.u8(Type.digest).u8(4 + 4 * FANOUT).u32(tlv.index);
      for (const hash of tlv.hashes) w.u32(hash);
      return;
    case 'summary':
      w.u8(Type.summary).u8(4 + 8 * tlv.entries.length).u32(tlv.index);
      for (const { keyHash, seqno, tag } of tlv.entries) w.u32(keyHash).u16(seqno).u16(tag);
      return;
    case 'request':
      w.u8(Type.request).u8(4 * tlv.keyHashes.length);
      for (const hash of tlv.keyHashes) w.u32(hash);
      return;
    case 'bye':
      w.u8(Type.bye).u8(1).u8(BYE_REASONS.indexOf(tlv.reason));
      return;
    case 'byeAck':
      w.u8(Type.byeAck).u8(0);
  }
}

function writeBinary(w: Writer, text: string): void {
  for (let i = 0; i < text.length; i++) w.u8(text.charCodeAt(i));
}

/**
 * What a TLV says; undefined for padding and for types that are not known. Throws ShortInput or {@link BadInput} where
 * the body cannot be: its sender is broken.
 */
export function decodeTlv(type: number, body: Uint8Array): Tlv | undefined {
  const r = new Reader(body);
  switch (type) {
    case Type.update: {
      const seqno = r.u16();
      const lifetime = Math.min(r.u32(), MAX_LIFETIME);
      const key = toBinary(r.take(r.u8())) as RecordKey;
      return { type: 'update', seqno, lifetime, key, value: toBinary(r.rest()) };
    }
    case Type.hello:
      return decodeHello(r);
    case Type.ping:
      return { type: 'ping', token: r.u32(), root: r.left >= 4 ? r.u32() : undefined };
    case Type.pong:
      return { type: 'pong', token: r.u32() };
    case Type.digest: {
      const index = treeIndex(r);
      return { type: 'digest', index, hashes: Array.from({ length: FANOUT }, () => r.u32()) };
    }
    case Type.summary: {
      const index = treeIndex(r);
      const entries: SummaryEntry[] = [];
      while (r.left > 0) entries.push({ keyHash: r.u32(), seqno: r.u16(), tag: r.u16() });
      return { type: 'summary', index, entries };
    }
    case Type.request: {
      const keyHashes: number[] = [];
      while (r.left > 0) keyHashes.push(r.u32());
      return { type: 'request', keyHashes };
    }
    case Type.bye:
      return { type: 'bye', reason: BYE_REASONS[r.u8()] ?? 'stopping' };
    case Type.byeAck:
      return { type: 'byeAck' };
    default:
      return undefined;
  }
}

function decodeHello(r: Reader): Hello {
  const node = nodeIdFromBytes(r.take(8));
  const instance = r.u64();
  const connection = r.u32();
  const port = r.u16();
  let hostname = '';
  while (r.left > 0) {
    const item = r.u8();
    const body = r.take(r.u8());
    if (item === HELLO_HOSTNAME) hostname = readText(body, HOSTNAME_BYTES);
  }
  return { type: 'hello', node, instance, connection, port, hostname };
}

/** A place in the digest tree: one bit set, then three bits for each level, ten levels at most. */
function treeIndex(r: Reader): number {
  const index = r.u32();
  const bits = 31 - Math.clz32(index);
  if (index === 0 || bits % 3 !== 0 || bits > 30) throw new BadInput(`no place in the digest tree: ${index}`);
  return index;
}

/**
 * Cuts a byte stream into TLVs wherever its pieces end. Holds back at most one TLV, 257 bytes.
 */
export class TlvSplitter {
  #held = new Uint8Array(0);

  /** Bytes of an unfinished TLV. */
  get held(): number {
    return this.#held.length;
  }

  /**
   * The TLVs that `piece` completes, padding left out. Bodies share memory with `piece`: read them before the next
   * call. Whoever stops in the middle has to forget the splitter.
   */
  *split(piece: Uint8Array): Generator<{ readonly type: number; readonly body: Uint8Array }> {
    let bytes = piece;
    if (this.#held.length > 0) {
      bytes = new Uint8Array(this.#held.length + piece.length);
      bytes.set(this.#held);
      bytes.set(piece, this.#held.length);
    }
    let at = 0;
    while (at < bytes.length) {
      const type = bytes[at]!;
      if (type === Type.pad1) {
        at++;
        continue;
      }
      if (at + 2 > bytes.length) break;
      const end = at + 2 + bytes[at + 1]!;
      if (end > bytes.length) break;
      if (type !== Type.padN) yield { type, body: bytes.subarray(at + 2, end) };
      at = end;
    }
    this.#held = bytes.slice(at);
  }
}

/** Whether an error says that the input was bad, rather than that the program is. */
export function isBadInput(error: unknown): error is BadInput | ShortInput {
  return error instanceof BadInput || error instanceof ShortInput;
}
