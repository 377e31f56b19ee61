import { decodeText } from './text.js';

const NUL = 0;
const NEWLINE = 0x0a;
const INITIAL_CAPACITY = 32;

/** Where a stretch of the buffer came from. */
interface Segment {
  readonly at: number;
  readonly source: number;
  readonly line: number;
  /** Offset in the source at which that line begins. */
  readonly lineStart: number;
}

/** A place in the source: byte offset from 0, line and byte column from 1. */
export interface Place {
  readonly offset: number;
  readonly line: number;
  readonly column: number;
}

/**
 * The line that is being read: a NUL-terminated buffer into which a continued or quoted line is
 * joined, as libuci has it. Its odd sides are kept because files depend on them: a NUL ends what
 * is read of a line, and how much a NUL swallows depends on how large the buffer has grown.
 */
export class LineBuffer {
  /** Offset of the next byte to look at. */
  pos = 0;
  /** Newlines read so far. */
  line = 0;
  /** End of the text that the last successful fill put into the buffer. */
  filled = 0;

  readonly #source: Uint8Array;
  #read = 0;
  #eof = false;
  #bytes = new Uint8Array(INITIAL_CAPACITY);
  // A number apart from the real size: it doubles without bound on hostile input.
  #capacity = INITIAL_CAPACITY;
  #segments: Segment[] = [];
  #sourceLine = 1;
  #sourceLineStart = 0;

  constructor(source: Uint8Array) {
    this.#source = source;
  }

  /** Whether a read has met the end of the source. */
  get eof(): boolean {
    return this.#eof;
  }

  /** The byte at an offset of the buffer; NUL behind its end. */
  byte(at: number): number {
    return this.#bytes[at] ?? NUL;
  }

  /** The byte at `pos`. */
  get current(): number {
    return this.byte(this.pos);
  }

  /** Writes one byte, NUL for an end mark. */
  put(at: number, byte: number): void {
    this.#reserve(at + 1);
    this.#bytes[at] = byte;
  }

  /** The text from `start` to `end`. */
  text(start: number, end: number): string {
    return decodeText(this.#bytes.subarray(start, end));
  }

  /** Begins a new line. */
  start(): void {
    this.pos = 0;
    this.#segments = [];
    this.fill(0);
  }

  /** Reads the next line of the source to `offset`; at the end of the source, an empty text. */
  fill(offset: number): void {
    if (offset >= this.#capacity - 1) this.#capacity *= 2;
    let at = offset;
    for (;;) {
      this.put(at, NUL);
      const taken = this.#take(at, this.#capacity - at - 1);
      const length = taken.indexOf(NUL) < 0 ? taken.length : taken.indexOf(NUL);
      if (length === 0) return;
      at += length;
      this.filled = at;
      if (this.byte(at - 1) === NEWLINE) {
        this.line++;
        return;
      }
      this.#capacity *= 2;
    }
  }

  /** Where the byte at an offset of the buffer stood in the source. */
  place(at: number): Place {
    const segment = this.#segments.findLast((candidate) => candidate.at <= at);
    if (segment === undefined) return { offset: 0, line: 1, column: 1 };
    const offset = segment.source + (at - segment.at);
    return { offset, line: segment.line, column: offset - segment.lineStart + 1 };
  }

  /** Copies up to `limit` bytes of the source, and no more than a line, to `at`. */
  #take(at: number, limit: number): Uint8Array {
    const from = this.#read;
    const newline = this.#source.indexOf(NEWLINE, from);
    const lineEnd = newline < 0 ? this.#source.length : newline + 1;
    const end = Math.min(lineEnd, from + limit);
    const taken = this.#source.subarray(from, end);
    // Like stdio: only a read that would have liked more notices the end.
    if (newline < 0 && end - from < limit) this.#eof = true;
    if (taken.length === 0) return taken;
    this.#reserve(at + taken.length + 1);
    this.#bytes.set(taken, at);
    this.put(at + taken.length, NUL);
    this.#segments.push({ at, source: from, line: this.#sourceLine, lineStart: this.#sourceLineStart });
    this.#read = end;
    if (taken[taken.length - 1] === NEWLINE) {
      this.#sourceLine++;
      this.#sourceLineStart = end;
    }
    return taken;
  }

  #reserve(size: number): void {
    if (size <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(size, this.#bytes.length * 2));
    grown.set(this.#bytes);
    this.#bytes = grown;
  }
}
