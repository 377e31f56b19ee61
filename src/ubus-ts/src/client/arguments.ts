/* The arguments of a call, as a declared signature promises them. */
import type { Field } from '../codec/blobmsg.js';
import type { ArgumentType } from '../codec/signature.js';
import { fromFields, type Plain, type PlainTable } from '../codec/values.js';

/** Name and type of each argument of a method. */
export type ArgumentSpec = Readonly<Record<string, ArgumentType>>;

/** The JavaScript value of an argument of each type. */
export interface ArgumentValues {
  unspec: Plain;
  array: Plain[];
  table: PlainTable;
  string: string;
  int64: number | bigint;
  int32: number;
  int16: number;
  int8: boolean;
  bool: boolean;
  double: number;
  cast_int64: number | bigint;
}

/** What a handler gets: any argument may be missing, but none has another type than declared. Without a declaration: anything. */
export type Arguments<S> = unknown extends S ? PlainTable : { readonly [K in keyof S]?: S[K] extends ArgumentType ? ArgumentValues[S[K]] : never };

const integerTypes: ReadonlySet<string> = new Set(['int64', 'int32', 'int16']);
const narrow: ReadonlySet<string> = new Set(['int32', 'int16']);

/** Drops every argument whose type is not the declared one, as a C program's policy does; keeps those that are not declared. */
export function selectArguments(fields: readonly Field[], spec: ArgumentSpec | undefined): PlainTable {
  const fitting = spec === undefined ? fields : fields.filter(field => !Object.hasOwn(spec, field.name) || fits(field, spec[field.name]!));
  return fromFields(fitting);
}

function fits(field: Field, type: ArgumentType): boolean {
  if (type === 'unspec') return true;
  if (type === 'bool' || type === 'int8') return field.type === 'int8';
  if (type !== 'cast_int64' && !integerTypes.has(type)) return field.type === type;
  if (field.type === 'int64') return !narrow.has(type) || Number.isSafeInteger(Number(field.value));
  return integerTypes.has(field.type);
}
