import { AttributeReader, BlobWriter } from '../codec/blob.js';
import { blobmsgTypeId, locateField, type BlobmsgType, type FieldPlace } from '../codec/blobmsg.js';
import { decodeText, encodeText, untilNul } from '../codec/text.js';
import type { Method } from './bus.js';

interface RawField {
  readonly name: string;
  /** The field's value, encoded. */
  readonly value: Uint8Array;
}

/**
 * The value of the first field that has this name and type, still encoded. The search ends at the first field that is invalid,
 * and does not see what comes after it (libubox, blobmsg_parse). The broker passes values on, so it must not lose what they
 * hold by taking them apart.
 */
export function findField(bytes: Uint8Array | undefined, name: string, type: BlobmsgType): Uint8Array | undefined {
  if (bytes === undefined) return undefined;
  const reader = new AttributeReader(bytes);
  while (reader.next()) {
    const field = readField(bytes, reader);
    if (field === undefined) return undefined;
    if (reader.extended && reader.id === blobmsgTypeId(type) && field.name === name) return field.value;
  }
  return undefined;
}

/** The string that a string field's value holds, up to its first NUL. */
export function stringValue(value: Uint8Array): string {
  return untilNul(decodeText(value, 0, value.length - 1));
}

/** The unsigned number that an int32 field's value holds. */
export function uint32Value(value: Uint8Array): number {
  return new DataView(value.buffer, value.byteOffset, 4).getUint32(0);
}

/**
 * The methods of a signature; undefined if it holds anything that is invalid or has no name. As ubusd does, this writes the name
 * of a method anew, up to its first NUL, and keeps its value as it is.
 */
export function readSignature(bytes: Uint8Array): Method[] | undefined {
  const methods: Method[] = [];
  const reader = new AttributeReader(bytes);
  while (reader.next()) {
    const field = reader.extended ? readField(bytes, reader) : undefined;
    if (field === undefined || field.name === '') return undefined;
    const name = untilNul(field.name);
    methods.push({ name, bytes: encodeField(reader.id, name, field.value) });
  }
  return methods;
}

function encodeField(type: number, name: string, value: Uint8Array): Uint8Array {
  const writer = new BlobWriter();
  const nameBytes = encodeText(name);
  const start = writer.open(type, true);
  writer.uint16(nameBytes.length);
  writer.bytes(nameBytes);
  writer.uint8(0);
  writer.pad();
  writer.bytes(value);
  writer.close(start);
  return writer.finish();
}

function readField(bytes: Uint8Array, reader: AttributeReader): RawField | undefined {
  const place: FieldPlace = { nameStart: 0, nameEnd: 0, valueStart: 0 };
  if (locateField(bytes, reader, place) !== undefined) return undefined;
  return {
    name: decodeText(bytes, place.nameStart, place.nameEnd),
    value: bytes.subarray(place.valueStart, reader.payloadEnd),
  };
}
