import type { Package, Section } from './model.js';
import { parse } from './parse.js';
import type { Statement } from './parse.js';

const LF = 0x0a;

/** The statements that make up one option, in order. */
export interface OptionLayout {
  readonly name: string;
  readonly statements: Statement[];
}

/** One section's stretch of the source: comments right above it, header, body, up to the next. */
export interface SectionLayout {
  readonly section: Section;
  readonly header: Statement;
  readonly start: number;
  readonly end: number;
  readonly options: OptionLayout[];
}

/** A source taken apart. */
export interface Layout {
  readonly source: Uint8Array;
  readonly parsed: Package;
  /** Where the first section's stretch begins. */
  readonly preambleEnd: number;
  readonly sections: SectionLayout[];
}

/** Start of the line that holds an offset. */
export function lineStart(source: Uint8Array, offset: number): number {
  return offset === 0 ? 0 : source.lastIndexOf(LF, offset - 1) + 1;
}

/** Start of the line after the one that holds an offset. */
export function lineEnd(source: Uint8Array, offset: number): number {
  const newline = source.indexOf(LF, offset);
  return newline < 0 ? source.length : newline + 1;
}

/** The white space that begins a line; bytes as characters. */
export function indentAt(source: Uint8Array, start: number): string {
  let end = start;
  while (source[end] === 0x20 || source[end] === 0x09) end++;
  return String.fromCharCode(...source.subarray(start, end));
}

/** Takes in the comment lines right above a header that are indented no deeper. */
function withComments(source: Uint8Array, header: number, floor: number): number {
  const indent = indentAt(source, header).length;
  let start = header;
  while (start > floor) {
    const above = lineStart(source, start - 1);
    const blank = indentAt(source, above);
    if (above < floor || blank.length > indent || source[above + blank.length] !== 0x23) break;
    start = above;
  }
  return start;
}

function groupOptions(statements: readonly Statement[]): OptionLayout[] {
  const groups = new Map<string, OptionLayout>();
  for (const statement of statements) {
    const name = statement.option ?? '';
    const group = groups.get(name) ?? { name, statements: [] };
    group.statements.push(statement);
    groups.set(name, group);
  }
  return [...groups.values()];
}

/**
 * Finds out where sections and options stand in a source.
 * @returns undefined when the sections have no stretches of their own: one is opened twice, or two
 * share a line
 * @throws {UciParseError} when the source cannot be read
 */
export function layOut(source: Uint8Array, name: string): Layout | undefined {
  const all: Statement[] = [];
  const parsed = parse(source, { name, onStatement: (statement) => all.push(statement) });
  const statements = all.filter((statement) => statement.kind !== 'package');
  const headers = statements.filter((statement) => statement.kind === 'config');
  if (headers.length !== parsed.sections.length) return undefined;
  const starts: number[] = [];
  for (const header of headers) {
    const before = all[all.indexOf(header) - 1];
    const floor = before === undefined ? 0 : lineEnd(source, before.end);
    const line = lineStart(source, header.start);
    if (line < floor) return undefined;
    starts.push(withComments(source, line, floor));
  }
  const sections = headers.map((header, index) => ({
    section: header.section as Section,
    header,
    start: starts[index] ?? 0,
    end: starts[index + 1] ?? source.length,
    options: groupOptions(statements.filter(({ section, kind }) => section === header.section && kind !== 'config')),
  }));
  return { source, parsed, preambleEnd: starts[0] ?? source.length, sections };
}
