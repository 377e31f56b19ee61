/*
 * Blobmsg: named, typed fields. A field is an extended blob attribute whose id is the type and whose payload begins with
 * a name: 2 bytes of length, the name, NUL, zeros up to a multiple of 4.
 */
import { MalformedError } from '../errors.js';
import { AttributeReader, BlobWriter, padded } from './blob.js';
import { decodeText } from './text.js';

/** The wire types; the index is the attribute id. int8 is also the boolean. */
export const blobmsgTypes = ['unspec', 'array', 'table', 'string', 'int64', 'int32', 'int16', 'int8', 'double'] as const;
/** Name of a wire type. */
export type BlobmsgType = (typeof blobmsgTypes)[number];

/** One field, exactly as it is on the wire. Integers are signed, but for int8 (0 to 255); `name` is empty in arrays. */
export type Field =
  | { readonly name: string; readonly type: 'unspec'; readonly value: null }
  | { readonly name: string; readonly type: 'array' | 'table'; readonly value: readonly Field[] }
  | { readonly name: string; readonly type: 'string'; readonly value: string }
  | { readonly name: string; readonly type: 'int64'; readonly value: bigint }
  | { readonly name: string; readonly type: 'int32' | 'int16' | 'int8' | 'double'; readonly value: number };

/**
 * `strict`: anything that is not as it should be throws. `walk`: as libubox's `blobmsg_parse` reads, a container ends
 * before its first invalid field and what came before it counts.
 */
export type DecodeMode = 'strict' | 'walk';

/** How deep containers may nest. libubox has no limit and would recurse until its stack ends. */
export const maxDepth = 512;

const typeIds = new Map<BlobmsgType, number>(blobmsgTypes.map((type, id) => [type, id]));
/** Least and greatest payload length for each type; a double may be longer than its 8 bytes, as libubox has it. */
const payloadLengths: readonly (readonly [number, number])[] = [
  [0, Infinity], [0, Infinity], [0, Infinity], [1, Infinity], [8, 8], [4, 4], [2, 2], [1, 1], [8, Infinity],
];

/** The attribute id of a wire type. */
export function blobmsgTypeId(type: BlobmsgType): number {
  return typeIds.get(type)!;
}

/** The fields of a table as bytes: the payload of a DATA attribute. Throws RangeError for a number that does not fit its type. */
export function encodeFields(fields: readonly Field[]): Uint8Array {
  const writer = new BlobWriter();
  for (const field of fields) writeField(writer, field, 1);
  return writer.finish();
}

/**
 * The fields in the payload of a DATA attribute or of any table or array.
 * @throws MalformedError in `strict` mode, the default, if any byte is not as blobmsg demands.
 */
export function decodeFields(bytes: Uint8Array, mode: DecodeMode = 'strict'): Field[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return readFields(bytes, view, 0, bytes.length, mode === 'strict', 1);
}

/** Where the value of a blobmsg field lies, see `locateField`. */
export interface FieldPlace {
  nameStart: number;
  nameEnd: number;
  valueStart: number;
}

/**
 * Finds name and value of the attribute that `reader` stands on and writes it to `place`. Returns undefined if the field is valid,
 * else what is wrong with it. An attribute without a name header is fine for libubox outside of tables: then the name is empty.
 */
export function locateField(bytes: Uint8Array, reader: AttributeReader, place: FieldPlace): string | undefined {
  if (reader.short) return 'length below 4';
  const { payloadStart, payloadEnd } = reader;
  place.nameStart = place.nameEnd = place.valueStart = payloadStart;
  if (reader.extended) {
    if (payloadEnd - payloadStart < 2) return 'no room for a name';
    const nameLength = (bytes[payloadStart]! << 8) | bytes[payloadStart + 1]!;
    place.nameStart = payloadStart + 2;
    place.nameEnd = place.nameStart + nameLength;
    place.valueStart = payloadStart + padded(nameLength + 3);
    if (place.valueStart > payloadEnd) return 'name longer than its field';
    if (bytes[place.nameEnd] !== 0) return 'name without NUL';
  }
  const lengths = payloadLengths[reader.id];
  if (lengths === undefined) return `type ${reader.id}`;
  const length = payloadEnd - place.valueStart;
  if (length < lengths[0] || length > lengths[1]) return `${blobmsgTypes[reader.id]!} of ${length} bytes`;
  if (reader.id === 3 && bytes[payloadEnd - 1] !== 0) return 'string without NUL';
  return undefined;
}

function readFields(bytes: Uint8Array, view: DataView, start: number, end: number, strict: boolean, depth: number): Field[] {
  if (depth > maxDepth) throw new MalformedError('nested too deeply', start);
  const fields: Field[] = [];
  const reader = new AttributeReader(bytes, start, end);
  const place: FieldPlace = { nameStart: 0, nameEnd: 0, valueStart: 0 };
  while (reader.next()) {
    const fault = locateField(bytes, reader, place) ?? (reader.extended ? undefined : 'field without a name header');
    if (fault !== undefined) {
      if (strict) throw new MalformedError(fault, reader.start);
      return fields;
    }
    const name = decodeText(bytes, place.nameStart, place.nameEnd);
    const from = place.valueStart;
    const to = reader.payloadEnd;
    switch (reader.id) {
      case 0: fields.push({ name, type: 'unspec', value: null }); break;
      case 1: fields.push({ name, type: 'array', value: readFields(bytes, view, from, to, strict, depth + 1) }); break;
      case 2: fields.push({ name, type: 'table', value: readFields(bytes, view, from, to, strict, depth + 1) }); break;
      case 3: fields.push({ name, type: 'string', value: decodeText(bytes, from, to - 1) }); break;
      case 4: fields.push({ name, type: 'int64', value: view.getBigInt64(from) }); break;
      case 5: fields.push({ name, type: 'int32', value: view.getInt32(from) }); break;
      case 6: fields.push({ name, type: 'int16', value: view.getInt16(from) }); break;
      case 7: fields.push({ name, type: 'int8', value: bytes[from]! }); break;
      case 8: fields.push({ name, type: 'double', value: view.getFloat64(from) }); break;
    }
  }
  if (strict && reader.hasRest) throw new MalformedError('bytes that are no field', reader.position);
  return fields;
}

function writeField(writer: BlobWriter, field: Field, depth: number): void {
  if (depth > maxDepth) throw new RangeError(`nested deeper than ${maxDepth}`);
  const start = writer.open(blobmsgTypeId(field.type), true);
  const nameStart = writer.length;
  writer.uint16(0);
  const nameLength = writer.text(field.name);
  if (nameLength > 0xffff) throw new RangeError(`name of ${nameLength} bytes`);
  writer.uint16(nameLength, nameStart);
  writer.uint8(0);
  writer.pad();
  switch (field.type) {
    case 'unspec': break;
    case 'array':
    case 'table':
      for (const child of field.value) writeField(writer, child, depth + 1);
      break;
    case 'string':
      writer.text(field.value);
      writer.uint8(0);
      break;
    case 'int64':
      if (field.value < -(2n ** 63n) || field.value >= 2n ** 64n) throw new RangeError(`${field.value} is no int64`);
      writer.uint64(field.value);
      break;
    case 'int32': writer.uint32(inRange(field.value, 32)); break;
    case 'int16': writer.uint16(inRange(field.value, 16)); break;
    case 'int8': writer.uint8(inRange(field.value, 8)); break;
    case 'double': writer.float64(field.value); break;
  }
  writer.close(start);
}

/** Signed and unsigned values share the wire types, as with libubox' `blobmsg_add_u32`. */
function inRange(value: number, bits: number): number {
  if (!Number.isInteger(value) || value < -(2 ** (bits - 1)) || value >= 2 ** bits) throw new RangeError(`${value} is no int${bits}`);
  return value;
}
