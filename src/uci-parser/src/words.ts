import type { LineBuffer } from './lines.js';

const NUL = 0x00;
const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const BLANK = 0x20;
const DOUBLE_QUOTE = 0x22;
const HASH = 0x23;
const SINGLE_QUOTE = 0x27;
const SEMICOLON = 0x3b;
const BACKSLASH = 0x5c;

/** One word of a line, unquoted. An empty word also stands for a missing one. */
export interface Word {
  readonly text: string;
  /** Offsets in the line buffer: of its first byte, and behind its last, quotes included. */
  readonly start: number;
  readonly end: number;
}

/** A quote that is still open where the source ends. */
export class UnterminatedQuote extends Error {
  /** Offset of the quote in the line buffer. */
  readonly start: number;

  constructor(quote: '"' | "'", start: number) {
    super(`EOF with unterminated ${quote}`);
    this.start = start;
  }
}

/** C's isspace. */
function isSpace(byte: number): boolean {
  return byte === BLANK || (byte >= TAB && byte <= CR);
}

/** Moves to the next byte that is no white space, or to the end of the text. */
export function skipSpace(line: LineBuffer): void {
  while (isSpace(line.current)) line.pos++;
}

/** The word that begins a statement. */
export interface Keyword extends Word {
  /** Whether nothing at all follows, not even a newline. */
  readonly atEnd: boolean;
}

/** The keyword at the position, which stays. A keyword ends at a blank or a tab only. */
export function peekKeyword(line: LineBuffer): Keyword | undefined {
  const separates = (byte: number): boolean => byte === BLANK || byte === TAB;
  let start = line.pos;
  while (separates(line.byte(start))) start++;
  let end = start;
  while (line.byte(end) !== NUL && !separates(line.byte(end))) end++;
  if (end === start) return undefined;
  return { text: line.text(start, end), start, end, atEnd: end + 1 > line.filled };
}

/**
 * Reads one word. The unquoted text is written over the quoted in the buffer, and its end mark may
 * fall on the very byte at which reading stopped; that is why what follows a semicolon is read
 * behind a quoted word and lost behind a plain one.
 */
class WordReader {
  readonly #line: LineBuffer;
  #target: number;

  constructor(line: LineBuffer) {
    this.#line = line;
    this.#target = line.pos;
  }

  read(): Word {
    const line = this.#line;
    skipSpace(line);
    const start = line.pos;
    this.#target = start;
    if (line.current === SEMICOLON) {
      line.put(start, NUL);
      line.pos++;
      return { text: '', start, end: start };
    }
    const end = this.#parts();
    return { text: line.text(start, this.#target), start, end };
  }

  #parts(): number {
    const line = this.#line;
    do {
      const byte = line.current;
      if (byte === SINGLE_QUOTE) this.#singleQuoted();
      else if (byte === DOUBLE_QUOTE) this.#doubleQuoted();
      else if (byte === HASH) line.put(line.pos, NUL);
      else if (byte === SEMICOLON) return this.#finish(false);
      else if (byte !== NUL && (byte !== BACKSLASH || this.#escape())) this.#copy();
    } while (line.current !== NUL && !isSpace(line.current));
    return this.#finish(true);
  }

  #finish(skip: boolean): number {
    const line = this.#line;
    const end = line.pos;
    if (skip && line.current !== NUL) line.pos++;
    line.put(this.#target, NUL);
    return end;
  }

  #copy(): void {
    this.#line.put(this.#target++, this.#line.current);
    this.#line.pos++;
  }

  /** Steps over a backslash. False when it ended the line, and the next one has been joined. */
  #escape(): boolean {
    const line = this.#line;
    const at = ++line.pos;
    const next = line.current;
    const endsLine = next === CR && line.byte(at + 1) === LF && line.byte(at + 2) === NUL;
    if (next !== NUL && next !== LF && !endsLine) return true;
    line.fill(at);
    return false;
  }

  #singleQuoted(): void {
    const line = this.#line;
    const start = line.pos++;
    while (line.current !== SINGLE_QUOTE) {
      if (line.current === NUL) this.#more("'", start);
      else this.#copy();
    }
    line.pos++;
  }

  #doubleQuoted(): void {
    const line = this.#line;
    const start = line.pos++;
    while (line.current !== DOUBLE_QUOTE) {
      if (line.current === NUL) this.#more('"', start);
      else if (line.current !== BACKSLASH || this.#escape()) this.#copy();
    }
    line.pos++;
  }

  #more(quote: '"' | "'", start: number): void {
    this.#line.fill(this.#line.pos);
    if (this.#line.current === NUL) throw new UnterminatedQuote(quote, start);
  }
}

/** Reads the next word of the line, empty when there is none. @throws {UnterminatedQuote} */
export function readWord(line: LineBuffer): Word {
  return new WordReader(line).read();
}
