import type { Change } from './delta.js';
import { UciError } from './errors.js';
import type { UciParseError } from './errors.js';
import type { Package, Section } from './model.js';
import { isPackageName } from './names.js';
import { Parser } from './parser.js';
import { encodeText } from './text.js';

/** A statement as it stands in the source; offsets are bytes from 0. */
export interface Statement {
  readonly kind: 'package' | 'config' | 'option' | 'list';
  /** Line on which it begins, from 1. */
  readonly line: number;
  readonly start: number;
  /** Behind its last word. */
  readonly end: number;
  /** The section it opens or belongs to. */
  readonly section: Section | undefined;
  /** Name of the option. */
  readonly option: string | undefined;
  /** Where its last word begins, quotes included: the value of an option that has one. */
  readonly lastWord: number;
}

/** How to read. */
export interface ParseOptions {
  /** Name of the package: the file's name. */
  readonly name: string;
  /** The file, for messages; the name when it is left out. */
  readonly file?: string;
  /**
   * As libuci by default: one error and the whole file is refused. With false, as `uci -S`: what
   * is left of the line with the error is skipped, extra words and changed types pass.
   */
  readonly strict?: boolean;
  /** Called for each error that was skipped because `strict` is false. */
  readonly onError?: (error: UciParseError) => void;
  /** Called after each statement, for who has to know where things stand in the source. */
  readonly onStatement?: (statement: Statement) => void;
}

/** How to read a stream of several packages. */
export interface ImportOptions extends Omit<ParseOptions, 'name'> {
  /** Takes the stream as this one package, whatever its `package` lines say. */
  readonly name?: string;
}

/** @internal Merging on top of reading: into which package, and who hears of the changes. */
export interface PassOptions extends ImportOptions {
  readonly into?: Package;
  readonly onChange?: (change: Change) => void;
}

function bytesOf(text: string | Uint8Array): Uint8Array {
  return typeof text === 'string' ? encodeText(text) : text;
}

/**
 * Reads the file of one package. `package` lines in it are checked and ignored.
 * @throws {UciParseError} at the first error, unless `strict` is false
 * @throws {UciError} `INVAL` when the name cannot be a package's
 */
export function parse(text: string | Uint8Array, options: ParseOptions): Package {
  if (!isPackageName(options.name)) throw new UciError('INVAL', `package name '${options.name}'`);
  const parser = new Parser(bytesOf(text), options);
  parser.run();
  return parser.packages[0] as Package;
}

/**
 * Reads a stream of packages, each opened by a `package` line, as `uci import` does.
 * @throws {UciParseError} as `parse`, and for a section before the first `package` line
 * @throws {UciError} `DUPLICATE` for a package that comes twice
 */
export function parsePackages(text: string | Uint8Array, options: ImportOptions = {}): Package[] {
  const parser = new Parser(bytesOf(text), options);
  parser.run();
  return parser.packages;
}

/**
 * Reads a stream into a package that exists, as `uci -m import` does: sections go on where they
 * have the same name, options are overwritten, list items appended.
 * @returns what has changed, for staging
 * @throws {UciParseError} as `parse`; the package is half merged then
 */
export function mergePackage(
  owner: Package,
  text: string | Uint8Array,
  options: Omit<ImportOptions, 'name'> = {},
): Change[] {
  const changes: Change[] = [];
  new Parser(bytesOf(text), {
    ...options,
    name: owner.name,
    into: owner,
    onChange: (change) => changes.push(change),
  }).run();
  return changes;
}
