import { encodeText } from '../codec/text.js';

/** A pattern of ACLs and event listeners: all of a name, or with `*` at the end, its beginning. */
export interface Pattern {
  /** The pattern without its `*`, as `byteKey` has it. */
  readonly key: string;
  /** Whether any rest may follow. */
  readonly partial: boolean;
}

const ascii = /^[\0-\x7f]*$/;

/**
 * A string with one code unit for each of its bytes: ubusd sorts and matches bytes, whatever they encode, and so compared,
 * JavaScript's order is the same.
 */
export function byteKey(text: string): string {
  if (ascii.test(text)) return text;
  let key = '';
  for (const byte of encodeText(text)) key += String.fromCharCode(byte);
  return key;
}

/** Takes a pattern apart. Only a `*` at the very end means anything. */
export function parsePattern(text: string): Pattern {
  const partial = text.endsWith('*');
  return { key: byteKey(partial ? text.slice(0, -1) : text), partial };
}

/** Whether a name, given by its `byteKey`, is what the pattern asks for. */
export function matches({ key, partial }: Pattern, name: string): boolean {
  return partial ? name.startsWith(key) : name === key;
}
