/** One section of a UCI file, read by a table of options; each mistake is told, not only the first. */
import type { Section, Value } from 'uci-parser';
import type { OptionsOf, OptionTable } from './schema.js';
import { uciName } from './schema.js';

/** Takes what is wrong with an option, or with the section as a whole. */
export type Report = (section: Section, option: string | undefined, message: string) => void;

/** Values that are secrets: a message does not show them. */
const SECRET = new Set(['key']);

/** Undefined where a value is wrong or an option unknown. */
export function readSection<T extends OptionTable>(section: Section, table: T, report: Report): OptionsOf<T> | undefined {
  const keys = new Map(Object.keys(table).map((key) => [uciName(key), key]));
  const values: { [key: string]: unknown } = {};
  let failed = false;
  const fail = (option: string, message: string) => {
    failed = true;
    report(section, option, message);
  };
  reportUnknown(section, [...keys.keys()], fail);
  for (const [name, key] of keys) {
    const entry = table[key]!;
    const read = (text: string) => readValue(name, text, entry.type, fail);
    const found = section.get(name);
    if (entry.kind === 'list') values[key] = itemsOf(found).map(read);
    else if (found !== undefined && typeof found !== 'string') fail(name, 'a list, where a single option is expected');
    else {
      const text = found ?? entry.preset;
      values[key] = text === undefined ? undefined : read(text);
    }
  }
  return failed ? undefined : (values as OptionsOf<T>);
}

function readValue(name: string, text: string, type: { read(text: string): unknown }, fail: (o: string, m: string) => void): unknown {
  try {
    return type.read(text);
  } catch (error) {
    fail(name, `expected ${(error as Error).message}${SECRET.has(name) ? '' : `, found '${text}'`}`);
    return undefined;
  }
}

function reportUnknown(section: Section, known: readonly string[], fail: (option: string, message: string) => void): void {
  for (const { name } of section.options) {
    if (known.includes(name)) continue;
    const near = nearest(name, known);
    fail(name, `unknown option${near === undefined ? '' : `; ${near} is meant?`}`);
  }
}

/** A list, or an option that holds several items with blanks between. */
function itemsOf(found: Value | undefined): readonly string[] {
  if (found === undefined) return [];
  return typeof found === 'string' ? found.split(/[ \t]+/).filter((item) => item !== '') : found;
}

/** The known word that a mistyped one most likely stands for: at most two edits away. */
function nearest(word: string, known: readonly string[]): string | undefined {
  const ranked = known.map((k) => [editDistance(word, k), k] as const).sort((a, b) => a[0] - b[0]);
  return ranked[0] !== undefined && ranked[0][0] <= 2 ? ranked[0][1] : undefined;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let k = 1; k <= b.length; k++) {
      next.push(Math.min(row[k]! + 1, next[k - 1]! + 1, row[k - 1]! + (a[i - 1] === b[k - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length]!;
}
