/* Signatures: what methods an object has and what arguments they take. Nothing enforces them. */
import { decodeFields, encodeFields, type Field } from './blobmsg.js';

/** Names for argument types: the wire types, `bool` for int8, `cast_int64` for an integer of any size. */
export const argumentTypes = {
  unspec: 0,
  array: 1,
  table: 2,
  string: 3,
  int64: 4,
  int32: 5,
  int16: 6,
  int8: 7,
  bool: 7,
  double: 8,
  cast_int64: 9,
} as const;
/** Name of an argument type. */
export type ArgumentType = keyof typeof argumentTypes;

/** One method: its name, and name and type number of each argument, in order. */
export interface MethodSignature {
  readonly name: string;
  readonly args: readonly { readonly name: string; readonly type: number }[];
}

/** The payload of a SIGNATURE attribute. */
export function encodeSignature(methods: readonly MethodSignature[]): Uint8Array {
  return encodeFields(
    methods.map(({ name, args }): Field => ({
      name,
      type: 'table',
      value: args.map((arg): Field => ({ name: arg.name, type: 'int32', value: arg.type })),
    })),
  );
}

/**
 * Reads the payload of a SIGNATURE attribute. What is no table, and what in a table is no int32, is left out.
 * @throws MalformedError if it is not blobmsg.
 */
export function decodeSignature(bytes: Uint8Array): MethodSignature[] {
  return decodeFields(bytes).flatMap(method =>
    method.type === 'table'
      ? [{ name: method.name, args: method.value.flatMap(arg => (arg.type === 'int32' ? [{ name: arg.name, type: arg.value }] : [])) }]
      : [],
  );
}

const printedTypes: Readonly<Record<number, string>> = { 1: 'Array', 2: 'Table', 3: 'String', 5: 'Integer', 7: 'Boolean' };

/** The lines that `ubus -v list` prints for an object. `id` is the object's id. */
export function formatSignature(path: string, id: number, methods: readonly MethodSignature[]): string {
  const lines = methods.map(({ name, args }) => {
    const list = args.map(arg => `"${arg.name}":"${printedTypes[arg.type] ?? '(unknown)'}"`);
    return `\t"${name}":{${list.join(',')}}\n`;
  });
  return `'${path}' @${id.toString(16).padStart(8, '0')}\n${lines.join('')}`;
}
