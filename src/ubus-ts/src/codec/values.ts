/* JavaScript values to fields and back. */
import { maxDepth, type BlobmsgType, type Field } from './blobmsg.js';
import { untilNul } from './text.js';

/** A value with an explicit wire type; made by `int8`, `int16`, `int32`, `int64`, `double`, `table`, `array`. */
export class Typed {
  readonly type: BlobmsgType;
  readonly value: Field['value'];

  constructor(type: BlobmsgType, value: Field['value']) {
    this.type = type;
    this.value = value;
  }
}

/** What `toFields` takes as the value of a field. `undefined` leaves the field out. */
export type Value = string | number | bigint | boolean | null | undefined | Typed | readonly Value[] | Table;
/** What `toFields` takes as a table. A Map keeps keys such as '10' in their place, an object moves them to the front. */
export type Table = { readonly [name: string]: Value } | ReadonlyMap<string, Value>;
/** A table, or its fields with every detail spelled out. */
export type TableOrFields = Table | readonly Field[];

/** What `fromFields` yields: objects have no prototype, so a field may be called anything. */
export type Plain = string | number | bigint | boolean | null | Plain[] | PlainTable;
/** A table as `fromFields` yields it. */
export type PlainTable = { [name: string]: Plain };

/** An int8 that need not be 0 or 1; -128 to 255. */
export const int8 = (value: number): Typed => new Typed('int8', value);
/** An int16; -2^15 to 2^16 - 1. */
export const int16 = (value: number): Typed => new Typed('int16', value);
/** An int32; -2^31 to 2^32 - 1. */
export const int32 = (value: number): Typed => new Typed('int32', value);
/** An int64, also of a small value; -2^63 to 2^64 - 1. */
export const int64 = (value: bigint | number): Typed => new Typed('int64', BigInt(value));
/** A double, also of a whole number. */
export const double = (value: number): Typed => new Typed('double', value);
/** A table given by its fields, inside of a `Table`. */
export const table = (fields: readonly Field[]): Typed => new Typed('table', fields);
/** An array given by its fields, inside of a `Table`. */
export const array = (fields: readonly Field[]): Typed => new Typed('array', fields);

/**
 * The fields of a table, typed by the rules that the `ubus` command has for JSON: whole numbers are int32 if they fit, else
 * int64, others double; booleans int8; null unspec. A bigint is an int64. Strings and names end at their first NUL.
 * An array of fields is returned as it is.
 * @throws TypeError for what has no counterpart (functions, symbols, class instances), RangeError for numbers and depths out of range.
 */
export function toFields(value: TableOrFields): readonly Field[] {
  return isFieldList(value) ? value : tableFields(value, 1);
}

/**
 * The value of a table's fields: int8 becomes a boolean, int64 a number if that is exact, else a bigint, unspec null. A string ends
 * at its first NUL, where it ends for every C program. Of two fields with one name the first counts, as for `blobmsg_parse`.
 */
export function fromFields(fields: readonly Field[]): PlainTable {
  const out = Object.create(null) as PlainTable;
  for (const field of fields) {
    const name = untilNul(field.name);
    if (!(name in out)) out[name] = plain(field);
  }
  return out;
}

function plain(field: Field): Plain {
  switch (field.type) {
    case 'table': return fromFields(field.value);
    case 'array': return field.value.map(plain);
    case 'int8': return field.value !== 0;
    case 'int64': {
      const number = Number(field.value);
      return Number.isSafeInteger(number) ? number : field.value;
    }
    case 'string': return untilNul(field.value);
    default: return field.value;
  }
}

function isFieldList(value: TableOrFields): value is readonly Field[] {
  return Array.isArray(value);
}

function tableFields(value: Table, depth: number): Field[] {
  const fields: Field[] = [];
  const entries = value instanceof Map ? value.entries() : Object.entries(value);
  for (const [name, item] of entries as Iterable<[string, Value]>) {
    if (item !== undefined) fields.push(toField(untilNul(name), item, depth));
  }
  return fields;
}

function toField(name: string, value: Exclude<Value, undefined>, depth: number): Field {
  if (depth > maxDepth) throw new RangeError(`nested deeper than ${maxDepth}`);
  switch (typeof value) {
    case 'string': return { name, type: 'string', value: untilNul(value) };
    case 'boolean': return { name, type: 'int8', value: value ? 1 : 0 };
    case 'bigint': return { name, type: 'int64', value };
    case 'number': return numberField(name, value);
    case 'object': break;
    default: throw new TypeError(`${typeof value} in ${name === '' ? 'an array' : name}`);
  }
  if (value === null) return { name, type: 'unspec', value: null };
  if (value instanceof Typed) return { name, type: value.type, value: value.value } as Field;
  if (isValueList(value)) {
    return { name, type: 'array', value: value.map(item => toField('', item ?? null, depth + 1)) };
  }
  if (!isTable(value)) throw new TypeError(`no plain object in ${name === '' ? 'an array' : name}`);
  return { name, type: 'table', value: tableFields(value, depth + 1) };
}

function numberField(name: string, value: number): Field {
  if (value === (value | 0)) return { name, type: 'int32', value: value | 0 };
  if (Number.isSafeInteger(value)) return { name, type: 'int64', value: BigInt(value) };
  return { name, type: 'double', value };
}

function isValueList(value: object): value is readonly Value[] {
  return Array.isArray(value);
}

function isTable(value: object): value is Table {
  if (value instanceof Map) return true;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
