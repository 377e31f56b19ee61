import { UciParseError } from './errors.js';
import { exportPackage, exportSection, quote } from './format.js';
import { indentAt, layOut, lineEnd, lineStart } from './layout.js';
import type { Layout, OptionLayout, SectionLayout } from './layout.js';
import { Option } from './model.js';
import type { Package, Section } from './model.js';
import { parse } from './parse.js';
import type { Statement } from './parse.js';
import { decodeText, encodeText } from './text.js';

/** A stretch of the source and what takes its place. */
interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** How a section's lines are written. */
interface Style {
  readonly indent: string;
  readonly eol: string;
}

/** Thrown where a change cannot be made without touching other statements. */
class Entangled extends Error {}

function lines(option: Option, { indent, eol }: Style): string {
  const statement = (kind: string, value: string): string => `${indent}${kind} ${option.name} ${quote(value)}${eol}`;
  if (typeof option.value === 'string') return statement('option', option.value);
  return option.value.map((item) => statement('list', item)).join('');
}

function sameValue(one: Option, other: Option): boolean {
  return one.name === other.name && JSON.stringify(one.value) === JSON.stringify(other.value);
}

/** The edits that turn one section of the source into the wanted one. */
class SectionEditor {
  readonly #source: Uint8Array;
  readonly #layout: SectionLayout;
  readonly #all: readonly Statement[];
  readonly #style: Style;
  readonly #edits: Edit[] = [];

  constructor(source: Uint8Array, layout: SectionLayout) {
    this.#source = source;
    this.#layout = layout;
    this.#all = layout.options.flatMap(({ statements }) => statements);
    const first = this.#all[0];
    const indent = first === undefined ? '\t' : indentAt(source, lineStart(source, first.start));
    const end = lineEnd(source, layout.header.end);
    this.#style = { indent: indent === '' ? '\t' : indent, eol: source[end - 2] === 0x0d ? '\r\n' : '\n' };
  }

  /** @throws {Entangled} when statements share lines in a way that stands against it */
  edits(wanted: Section): Edit[] {
    this.#header(wanted);
    const { options } = this.#layout;
    const kept = new Set<OptionLayout>();
    let reached = -1;
    let after = lineEnd(this.#source, this.#layout.header.end);
    for (const option of wanted.options) {
      const index = this.#find(option, kept);
      const group = index > reached ? options[index] : undefined;
      if (group === undefined) {
        this.#insert(after, lines(option, this.#style));
        continue;
      }
      reached = index;
      kept.add(group);
      this.#option(group, option);
      after = Math.max(...group.statements.map(({ end }) => lineEnd(this.#source, end)));
    }
    for (const group of options) if (!kept.has(group)) group.statements.forEach((each) => this.#drop(each));
    return this.#edits;
  }

  #find(option: Option, taken: ReadonlySet<OptionLayout>): number {
    const { options } = this.#layout;
    const free = (group: OptionLayout): boolean => !taken.has(group);
    const byName = options.findIndex((group) => free(group) && group.name === option.name);
    if (byName >= 0 || option.line === undefined) return byName;
    return options.findIndex(
      (group) => free(group) && group.statements.some((statement) => statement.line === option.line),
    );
  }

  #header(wanted: Section): void {
    const { header, section } = this.#layout;
    const same =
      section.type === wanted.type &&
      section.anonymous === wanted.anonymous &&
      (wanted.anonymous || section.name === wanted.name);
    if (same) return;
    const text = exportSection(wanted).split('\n', 1)[0] ?? '';
    this.#edits.push({ start: header.start, end: header.end, text });
  }

  #option(group: OptionLayout, wanted: Option): void {
    const original = this.#layout.section.options.get(group.name);
    if (original !== undefined && sameValue(original, wanted)) return;
    const [only] = group.statements;
    const plain = group.statements.length === 1 && only !== undefined && only.kind === 'option';
    if (plain && typeof wanted.value === 'string' && original !== undefined) {
      const start = group.name === wanted.name ? only.lastWord : only.start;
      const text = start === only.start ? `option ${wanted.name} ${quote(wanted.value)}` : quote(wanted.value);
      this.#edits.push({ start, end: only.end, text });
    } else if (this.#isList(group, original) && typeof wanted.value !== 'string' && group.name === wanted.name) {
      this.#items(group, (original as Option).value as readonly string[], wanted);
    } else {
      group.statements.forEach((each) => this.#drop(each));
      this.#insert(lineStart(this.#source, only?.start ?? 0), lines(wanted, this.#style));
    }
  }

  #isList(group: OptionLayout, original: Option | undefined): boolean {
    const everyItem = group.statements.every(({ kind }) => kind === 'list');
    return everyItem && typeof original?.value === 'object';
  }

  /** Keeps the lines of items that stay in order, drops the others, appends what is left. */
  #items(group: OptionLayout, before: readonly string[], wanted: Option): void {
    const items = wanted.value as readonly string[];
    let next = 0;
    group.statements.forEach((statement, index) => {
      if (next < items.length && before[index] === items[next]) next++;
      else this.#drop(statement);
    });
    const after = Math.max(...group.statements.map(({ end }) => lineEnd(this.#source, end)));
    const rest = new Option(wanted.name, items.slice(next));
    if (next < items.length) this.#insert(after, lines(rest, this.#style));
  }

  #insert(at: number, text: string): void {
    const cut = at > 0 && this.#source[at - 1] !== 0x0a;
    this.#edits.push({ start: at, end: at, text: cut ? this.#style.eol + text : text });
  }

  #drop(statement: Statement): void {
    const start = lineStart(this.#source, statement.start);
    const end = lineEnd(this.#source, statement.end);
    const overlaps = (other: Statement): boolean => other !== statement && other.start < end && other.end > start;
    if (this.#all.some(overlaps) || this.#layout.header.end > start) throw new Entangled();
    this.#edits.push({ start, end, text: '' });
  }
}

/** A stretch of the source with its edits made. Of two edits at one place the earlier comes first. */
function applyEdits(source: Uint8Array, start: number, end: number, edits: readonly Edit[]): string {
  let text = '';
  let at = start;
  for (const edit of [...edits].sort((a, b) => a.start - b.start || a.end - b.end)) {
    if (edit.start < at) throw new Entangled();
    text += decodeText(source.subarray(at, edit.start)) + edit.text;
    at = edit.end;
  }
  return text + decodeText(source.subarray(at, end));
}

function editedSection(source: Uint8Array, layout: SectionLayout, wanted: Section): string {
  try {
    return applyEdits(source, layout.start, layout.end, new SectionEditor(source, layout).edits(wanted));
  } catch (error) {
    if (!(error instanceof Entangled)) throw error;
    const comments = decodeText(source.subarray(layout.start, lineStart(source, layout.header.start)));
    return `${comments}${exportSection(wanted)}\n`;
  }
}

/** Ends the text with an empty line, so that the next section stands apart. */
function apart(text: string): string {
  if (text === '' || text.endsWith('\n\n') || text.endsWith('\n\r\n')) return text;
  return text.endsWith('\n') ? `${text}\n` : `${text}\n\n`;
}

function edited(layout: Layout, wanted: Package): string {
  const { source } = layout;
  let text = decodeText(source.subarray(0, layout.preambleEnd));
  let previous = -1;
  for (const section of wanted.sections) {
    const index = section.line === undefined ? -1 : layout.sections.findIndex((each) => each.section.line === section.line);
    const old = layout.sections[index];
    const follows = index >= 0 && index === previous + 1;
    text = follows ? text : apart(text);
    text += old === undefined ? `${exportSection(section)}\n` : editedSection(source, old, section);
    previous = old === undefined ? Number.NaN : index;
  }
  return text;
}

/** The model as text, to compare models by; undefined when the text cannot be read. */
function meaning(text: string | Uint8Array, name: string): string | undefined {
  try {
    return exportPackage(parse(text, { name }), { header: false });
  } catch (error) {
    if (error instanceof UciParseError) return undefined;
    throw error;
  }
}

/**
 * Writes a package back into the source that it was parsed from: comments and layout of what has
 * not changed stay. The result always reads as the package; where that cannot be had in place
 * (a section opened twice, statements that share a line, a source with errors), it is what libuci
 * writes.
 * @param source the text that `wanted` was parsed from, before the changes
 */
export function rewrite(source: string | Uint8Array, wanted: Package): string {
  const bytes = typeof source === 'string' ? encodeText(source) : source;
  const plain = exportPackage(wanted, { header: false });
  const before = meaning(bytes, wanted.name);
  if (before === plain) return decodeText(bytes);
  const layout = before === undefined ? undefined : layOut(bytes, wanted.name);
  if (layout === undefined) return plain;
  const text = edited(layout, wanted);
  return meaning(text, wanted.name) === plain ? text : plain;
}
