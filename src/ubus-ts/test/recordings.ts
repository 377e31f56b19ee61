/* The recordings of real traffic in fixtures/, see the README there. */
import { readdirSync, readFileSync } from 'node:fs';
import { decodeAttributes, decodeFields, decodeMessage, decodeMonitor, MessageType, type Attributes, type Field } from '../src/index.js';

const folder = new URL('fixtures/', import.meta.url);

/** A field as the recordings write it. */
export interface RecordedField {
  name: string;
  type: string;
  value: null | number | string | RecordedField[];
}

export interface RecordedFrame {
  dir: 'c2s' | 's2c';
  n: number;
  hex: string;
  msg?: { type: string; seq: number; peer: string; attrs: [string, unknown][] };
  note?: string;
}

export interface Recording {
  file: string;
  scenario: string;
  client: string;
  role: string;
  command: string;
  ids: { client: string; objects: Record<string, string>; types: Record<string, string> };
  closedBy: 'client' | 'ubusd';
  closedAt: number;
  frames: RecordedFrame[];
  decoded: { stdout: string; stderr: string; exit: number };
}

export interface BlobmsgTables {
  json: { json?: string; jsonHex?: string; rfc8259: boolean; accepted: boolean; hex: string; tree: RecordedField[]; printed?: string; printedIndented?: string; note?: string }[];
  typed: { tree: RecordedField[]; hex: string; printed: string; printedIndented: string }[];
  malformed: { note: string; hex: string; valid: boolean[]; printed: string }[];
}

function load(file: string): unknown {
  return JSON.parse(readFileSync(new URL(file, folder), 'utf8'));
}

/** Every recorded connection. */
export function recordings(): Recording[] {
  return readdirSync(folder)
    .filter(file => file.endsWith('.json') && file !== 'blobmsg.json')
    .sort()
    .map(file => ({ ...(load(file) as Recording), file }));
}

/** One recorded connection by its file name, without the ending. */
export function recording(name: string): Recording {
  return { ...(load(`${name}.json`) as Recording), file: `${name}.json` };
}

export function blobmsgTables(): BlobmsgTables {
  return load('blobmsg.json') as BlobmsgTables;
}

export function fromHex(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, 'hex'));
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

const hex32 = (id: number): string => id.toString(16).padStart(8, '0');

function recordedField(field: Field): RecordedField {
  const { name, type } = field;
  if (field.type === 'array' || field.type === 'table') return { name, type, value: field.value.map(recordedField) };
  if (field.type === 'int64') return { name, type, value: field.value.toString() };
  if (field.type === 'double' && (!Number.isFinite(field.value) || Object.is(field.value, -0))) {
    return { name, type, value: Object.is(field.value, -0) ? '-0' : String(field.value) };
  }
  return { name, type, value: field.value as null | number | string };
}

/** Fields in the notation of the recordings. */
export function recordedTree(fields: readonly Field[]): RecordedField[] {
  return fields.map(recordedField);
}

/** The inverse of `recordedTree`. */
export function fieldTree(tree: readonly RecordedField[]): Field[] {
  return tree.map(({ name, type, value }) => {
    if (Array.isArray(value)) return { name, type, value: fieldTree(value) } as Field;
    if (type === 'int64') return { name, type, value: BigInt(value as string) };
    if (type === 'double') return { name, type, value: Number(value) };
    return { name, type, value } as Field;
  });
}

function recordedData(bytes: Uint8Array): unknown {
  try {
    return recordedTree(decodeFields(bytes));
  } catch {
    return { notBlobmsg: toHex(bytes) };
  }
}

function recordedAttributes(attrs: Attributes): [string, unknown][] {
  return Object.entries(attrs).map(([name, value]) => {
    switch (name) {
      case 'objid':
      case 'objtype':
      case 'target':
        return [name, hex32(value as number)];
      case 'subscribers':
        return [name, (value as number[]).map(hex32)];
      case 'noReply':
        return ['no_reply', Number(value)];
      case 'active':
        return [name, Number(value)];
      case 'data':
      case 'signature':
        return [name, recordedData(value as Uint8Array)];
      default:
        return [name, value];
    }
  });
}

/** A whole message in the notation of the recordings. */
export function recordedMessage(bytes: Uint8Array): NonNullable<RecordedFrame['msg']> {
  const message = decodeMessage(bytes);
  const name = Object.entries(MessageType).find(([, type]) => type === message.type)?.[0] ?? `TYPE${message.type}`;
  const type = name.replace(/[A-Z](?=[a-z])/g, letter => `_${letter}`).toUpperCase();
  const attrs = message.type === MessageType.monitor && bytes.length > 12 ? recordedMonitor(bytes) : recordedAttributes(message.attrs);
  return { type, seq: message.seq, peer: hex32(message.peer), attrs };
}

function recordedMonitor(bytes: Uint8Array): [string, unknown][] {
  const { client, peer, seq, type, send, body } = decodeMonitor(bytes.subarray(12));
  return [
    ['client', hex32(client)],
    ['peer', hex32(peer)],
    ['seq', hex32(seq)],
    ['type', hex32(type)],
    ['send', Number(send)],
    ['data', recordedAttributes(decodeAttributes(body))],
  ];
}
