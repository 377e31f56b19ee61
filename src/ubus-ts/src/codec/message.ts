/*
 * Messages: 8 bytes of header (version, type, seq, peer), then one blob that holds the attributes.
 * The numbers are those of ubusmsg.h (`enum ubus_msg_type`, `enum ubus_msg_attr`).
 */
import { MalformedError } from '../errors.js';
import { AttributeReader, BlobWriter, attributeHeader } from './blob.js';
import { decodeText } from './text.js';

/** Message types. */
export const MessageType = {
  hello: 0,
  status: 1,
  data: 2,
  ping: 3,
  lookup: 4,
  invoke: 5,
  addObject: 6,
  removeObject: 7,
  subscribe: 8,
  unsubscribe: 9,
  notify: 10,
  monitor: 11,
} as const;

/** Objects that ubusd itself owns. */
export const SystemObject = { event: 1, acl: 2, monitor: 3 } as const;
/** The lowest id that ubusd gives to clients, objects and types; those below are its own. */
export const firstDynamicId = 1024;

/** Length of the header that comes before the outer blob. */
export const messageHeader = 8;
/** Greatest length of the outer blob, its own length word included (UBUS_MAX_MSGLEN). */
export const maxBlobLength = 1048576;

/** A message taken off the stream, its attributes still bytes. */
export interface Frame {
  /** 0 in every version of ubus so far. */
  readonly version: number;
  /** One of `MessageType`, or a number that ubus does not know. */
  readonly type: number;
  /** Chosen by the requester, 16 bits. */
  readonly seq: number;
  /** An object id or a client id, unsigned. */
  readonly peer: number;
  /** The upper 8 bits of the outer blob's length word, 0 in all real traffic. */
  readonly outer: number;
  /** The payload of the outer blob; it may share memory with the chunk it was read from. */
  readonly body: Uint8Array;
}

/**
 * The attributes of a message. The order of the properties is the order on the wire, both ways.
 * Ids are unsigned. `signature` and `data` are the bytes of blobmsg fields: see `decodeFields`, `decodeSignature`.
 */
export interface Attributes {
  status?: number;
  objpath?: string;
  objid?: number;
  method?: string;
  objtype?: number;
  signature?: Uint8Array;
  data?: Uint8Array;
  target?: number;
  active?: boolean;
  noReply?: boolean;
  subscribers?: number[];
  user?: string;
  group?: string;
}

/** A message with its attributes. `version` and `outer` may be left out when encoding; they are 0 then. */
export interface Message {
  version?: number;
  type: number;
  seq: number;
  peer: number;
  outer?: number;
  attrs: Attributes;
}

type Kind = 'int32' | 'id' | 'string' | 'bytes' | 'flag' | 'ids';

/** Index: attribute id. */
const attributeTable: readonly (readonly [keyof Attributes, Kind] | undefined)[] = [
  undefined,
  ['status', 'int32'],
  ['objpath', 'string'],
  ['objid', 'id'],
  ['method', 'string'],
  ['objtype', 'id'],
  ['signature', 'bytes'],
  ['data', 'bytes'],
  ['target', 'id'],
  ['active', 'flag'],
  ['noReply', 'flag'],
  ['subscribers', 'ids'],
  ['user', 'string'],
  ['group', 'string'],
];
const attributeIds = new Map(attributeTable.flatMap((entry, id) => (entry ? [[entry[0], [id, entry[1]]] as const] : [])));

/**
 * Reads the attributes in the body of a message as ubusd does: an unknown one is skipped, one whose payload does not fit its type
 * counts as absent, of two with one id the last counts, and one that is longer than what is left ends the list.
 */
export function decodeAttributes(body: Uint8Array): Attributes {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const attrs: Record<string, Attributes[keyof Attributes]> = {};
  const reader = new AttributeReader(body);
  while (reader.next()) {
    const entry = attributeTable[reader.id];
    if (entry === undefined || reader.short) continue;
    const value = readValue(body, view, reader, entry[1]);
    if (value !== undefined) attrs[entry[0]] = value;
  }
  return attrs as Attributes;
}

/** The body of a message. */
export function encodeAttributes(attrs: Attributes): Uint8Array {
  const writer = new BlobWriter();
  writeAttributes(writer, attrs);
  return writer.finish();
}

/**
 * The bytes of a whole message.
 * @throws RangeError if it is larger than ubusd accepts; it would close the connection.
 */
export function encodeFrame(frame: Pick<Frame, 'type' | 'seq' | 'peer' | 'body'> & Partial<Frame>): Uint8Array {
  const writer = new BlobWriter(messageHeader + attributeHeader + frame.body.length);
  writeHeader(writer, frame);
  writer.bytes(frame.body);
  return finish(writer, frame.outer ?? 0);
}

/**
 * The bytes of a whole message.
 * @throws RangeError if it is larger than ubusd accepts; it would close the connection.
 */
export function encodeMessage(message: Message): Uint8Array {
  const writer = new BlobWriter(messageHeader + 64 + (message.attrs.data?.length ?? 0) + (message.attrs.signature?.length ?? 0));
  writeHeader(writer, message);
  writeAttributes(writer, message.attrs);
  return finish(writer, message.outer ?? 0);
}

/**
 * Reads one whole message.
 * @throws MalformedError if `bytes` is not exactly one message. Its attributes are read leniently, see `decodeAttributes`.
 */
export function decodeMessage(bytes: Uint8Array): Message {
  const length = frameLength(bytes, 0, bytes.length);
  if (length === undefined || length > bytes.length) throw new MalformedError('message cut off', bytes.length);
  if (length < bytes.length) throw new MalformedError('bytes after the message', length);
  const { body, ...header } = frameAt(bytes, 0, length);
  return { ...header, attrs: decodeAttributes(body) };
}

/**
 * The length of the message at `start`, undefined while fewer bytes than its fixed part are there.
 * @throws MalformedError if the outer blob is below 4 or above 1048576 bytes; ubusd closes the connection on that.
 */
export function frameLength(bytes: Uint8Array, start: number, end: number): number | undefined {
  if (end - start < messageHeader + attributeHeader) return undefined;
  const at = start + messageHeader;
  const length = (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
  if (length < attributeHeader || length > maxBlobLength) throw new MalformedError(`message of ${length} bytes`, at);
  return messageHeader + length;
}

/** The message of `length` bytes at `start`, see `frameLength`. */
export function frameAt(bytes: Uint8Array, start: number, length: number): Frame {
  const view = new DataView(bytes.buffer, bytes.byteOffset + start, length);
  return {
    version: view.getUint8(0),
    type: view.getUint8(1),
    seq: view.getUint16(2),
    peer: view.getUint32(4),
    outer: view.getUint8(messageHeader),
    body: bytes.subarray(start + messageHeader + attributeHeader, start + length),
  };
}

function writeHeader(writer: BlobWriter, header: Pick<Frame, 'type' | 'seq' | 'peer'> & { version?: number }): void {
  writer.uint8(header.version ?? 0);
  writer.uint8(header.type);
  writer.uint16(header.seq & 0xffff);
  writer.uint32(header.peer >>> 0);
  writer.uint32(0);
}

function finish(writer: BlobWriter, outer: number): Uint8Array {
  const bytes = writer.finish();
  const length = bytes.length - messageHeader;
  if (length > maxBlobLength) throw new RangeError(`message of ${length} bytes, ubusd takes ${maxBlobLength}`);
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(messageHeader, (outer << 24) | length);
  return bytes;
}

function writeAttributes(writer: BlobWriter, attrs: Attributes): void {
  for (const name in attrs) {
    const value = attrs[name as keyof Attributes];
    const entry = attributeIds.get(name as keyof Attributes);
    if (value === undefined || entry === undefined) continue;
    const start = writer.open(entry[0]);
    writeValue(writer, entry[1], value);
    writer.close(start);
  }
}

function writeValue(writer: BlobWriter, kind: Kind, value: NonNullable<Attributes[keyof Attributes]>): void {
  switch (kind) {
    case 'int32':
    case 'id':
      return writer.uint32((value as number) >>> 0);
    case 'flag':
      return writer.uint8(value === true ? 1 : 0);
    case 'bytes':
      return writer.bytes(value as Uint8Array);
    case 'string':
      writer.text(value as string);
      return writer.uint8(0);
    case 'ids':
      for (const id of value as number[]) {
        const start = writer.open(0);
        writer.uint32(id >>> 0);
        writer.close(start);
      }
  }
}

function readValue(body: Uint8Array, view: DataView, reader: AttributeReader, kind: Kind): Attributes[keyof Attributes] | undefined {
  const { payloadStart: from, payloadEnd: to } = reader;
  switch (kind) {
    case 'int32': return to - from === 4 ? view.getInt32(from) : undefined;
    case 'id': return to - from === 4 ? view.getUint32(from) : undefined;
    case 'flag': return to - from === 1 ? body[from] !== 0 : undefined;
    case 'bytes': return body.subarray(from, to);
    case 'string': return to > from && body[to - 1] === 0 ? decodeText(body, from, to - 1) : undefined;
    case 'ids': return readIds(body, view, from, to);
  }
}

function readIds(body: Uint8Array, view: DataView, from: number, to: number): number[] {
  const ids: number[] = [];
  const reader = new AttributeReader(body, from, to);
  while (reader.next()) {
    if (reader.payloadEnd - reader.payloadStart === 4) ids.push(view.getUint32(reader.payloadStart));
  }
  return ids;
}
