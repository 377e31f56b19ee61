/* JSON text to fields, by the rules of libblobmsg_json and json-c, but only for what RFC 8259 calls JSON. */
import type { Field } from './blobmsg.js';
import { untilNul, wellFormed } from './text.js';

/** Containers may nest this deep, as in json-c. */
const maxJsonDepth = 32;
const int64Max = 2n ** 63n - 1n;
const int64Min = -(2n ** 63n);
const number = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y;
const space = /[ \t\n\r]*/y;
/** A run of characters that stand for themselves in a string. */
const verbatim = /[^"\\\u0000-\u001f]*/y;
const escapes: Readonly<Record<string, string>> = { '"': '"', '\\': '\\', '/': '/', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };

/**
 * The fields that the `ubus` command would send for this argument: 1 is an int32, 3000000000 an int64, 1.0 and 1e3 doubles.
 * Integers beyond int64 saturate, strings end at U+0000, the last of two equal keys counts at the place of the first.
 * @throws SyntaxError if the text is not JSON by RFC 8259, not an object, or nests deeper than 32.
 */
export function parseJson(text: string): Field[] {
  return new Parser(text).document();
}

class Parser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  document(): Field[] {
    this.#space();
    if (this.#peek() !== '{') this.#fail('not an object');
    const fields = this.#object(1);
    this.#space();
    if (this.#at < this.#text.length) this.#fail('text after the object');
    return fields;
  }

  #value(name: string, depth: number): Field {
    const next = this.#peek();
    if (next === '{') return { name, type: 'table', value: this.#object(depth + 1) };
    if (next === '[') return { name, type: 'array', value: this.#array(depth + 1) };
    if (next === '"') return { name, type: 'string', value: untilNul(this.#string()) };
    if (this.#word('true')) return { name, type: 'int8', value: 1 };
    if (this.#word('false')) return { name, type: 'int8', value: 0 };
    if (this.#word('null')) return { name, type: 'unspec', value: null };
    return this.#number(name);
  }

  #object(depth: number): Field[] {
    const fields = new Map<string, Field>();
    this.#members('}', depth, () => {
      if (this.#peek() !== '"') this.#fail('no key');
      const name = untilNul(this.#string());
      this.#space();
      if (!this.#word(':')) this.#fail('no colon');
      this.#space();
      fields.set(name, this.#value(name, depth));
    });
    return [...fields.values()];
  }

  #array(depth: number): Field[] {
    const fields: Field[] = [];
    this.#members(']', depth, () => fields.push(this.#value('', depth)));
    return fields;
  }

  #members(end: string, depth: number, member: () => void): void {
    if (depth > maxJsonDepth) this.#fail(`nested deeper than ${maxJsonDepth}`);
    this.#at++;
    this.#space();
    if (this.#word(end)) return;
    for (;;) {
      member();
      this.#space();
      if (this.#word(end)) return;
      if (!this.#word(',')) this.#fail(`neither comma nor ${end}`);
      this.#space();
    }
  }

  #string(): string {
    let out = '';
    this.#at++;
    for (;;) {
      out += this.#match(verbatim)![0];
      if (this.#word('"')) return wellFormed(out);
      if (!this.#word('\\')) this.#fail('control character or end in a string');
      out += this.#escape();
    }
  }

  #escape(): string {
    const letter = this.#text[this.#at++] ?? '';
    if (letter !== 'u') return Object.hasOwn(escapes, letter) ? escapes[letter]! : this.#fail('unknown escape');
    const digits = this.#text.slice(this.#at, this.#at + 4);
    if (!/^[0-9a-fA-F]{4}$/.test(digits)) this.#fail('not four hexadecimal digits');
    this.#at += 4;
    return String.fromCharCode(parseInt(digits, 16));
  }

  #number(name: string): Field {
    const match = this.#match(number);
    if (match === null) return this.#fail('no value');
    if (match[1] !== undefined || match[2] !== undefined) return { name, type: 'double', value: Number(match[0]) };
    return integerField(name, match[0]);
  }

  #space(): void {
    this.#match(space);
  }

  #peek(): string {
    return this.#text[this.#at] ?? '';
  }

  #word(word: string): boolean {
    if (!this.#text.startsWith(word, this.#at)) return false;
    this.#at += word.length;
    return true;
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match !== null) this.#at = pattern.lastIndex;
    return match;
  }

  #fail(reason: string): never {
    throw new SyntaxError(`JSON: ${reason} at ${this.#at}`);
  }
}

function integerField(name: string, digits: string): Field {
  // More digits than any int64 has: no need to convert thousands of them only to saturate.
  const value = digits.length > 20 ? (digits.startsWith('-') ? int64Min : int64Max) : BigInt(digits);
  if (value === BigInt.asIntN(32, value)) return { name, type: 'int32', value: Number(value) };
  return { name, type: 'int64', value: value > int64Max ? int64Max : value < int64Min ? int64Min : value };
}
