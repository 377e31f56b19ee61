import { readdirSync, readFileSync } from 'node:fs';

const ROOT = new URL('./fixtures/', import.meta.url);

/** What the real `uci` printed for a file; keys with the ending Hex hold bytes that are no UTF-8. */
export interface Expected {
  readonly note: string;
  readonly name: string;
  readonly exit: number;
  readonly stderr: string;
  readonly nonStrict?: { readonly export: string; readonly stderr: string; readonly exit: number };
  readonly exportIsStable?: boolean;
  readonly [key: string]: unknown;
}

/** A configuration file with what the real `uci` made of it. */
export interface Fixture {
  readonly id: string;
  readonly source: Uint8Array;
  readonly expected: Expected;
}

/** A file below fixtures/ as JSON. */
export function fixtureJson<T>(path: string): T {
  return JSON.parse(readFileSync(new URL(path, ROOT), 'utf8')) as T;
}

/** The names below a folder of fixtures/ with an ending, without it. */
export function fixtureNames(folder: string, ending: string): string[] {
  const names = readdirSync(new URL(folder, ROOT)).filter((name) => name.endsWith(ending));
  return names.map((name) => name.slice(0, -ending.length)).sort();
}

/** All single files. */
export function fixtures(): Fixture[] {
  return fixtureNames('./', '.expected.json').map((id) => ({
    id,
    source: readFileSync(new URL(`${id}.conf`, ROOT)),
    expected: fixtureJson<Expected>(`${id}.expected.json`),
  }));
}

/** The bytes that stand under a key, as text or in hexadecimal, in hexadecimal. */
export function expectedHex(expected: { readonly [key: string]: unknown }, key: string): string | undefined {
  const hex = expected[`${key}Hex`];
  if (typeof hex === 'string') return hex;
  const text = expected[key];
  return typeof text === 'string' ? Buffer.from(text, 'utf8').toString('hex') : undefined;
}
