/** libuci's error numbers by name, as far as they can reach a caller of this library. */
export type UciErrorCode = 'INVAL' | 'NOTFOUND' | 'IO' | 'PARSE' | 'DUPLICATE';

const TEXT: Record<UciErrorCode, string> = {
  INVAL: 'Invalid argument',
  NOTFOUND: 'Entry not found',
  IO: 'I/O error',
  PARSE: 'Parse error',
  DUPLICATE: 'Duplicate entry',
};

/** An operation that libuci would refuse as well, unless its documentation says otherwise. */
export class UciError extends Error {
  override name = 'UciError';
  readonly code: UciErrorCode;
  /** What the `uci` tool prints behind `uci: `. */
  readonly text: string;

  /** @param detail what the message adds to uci's own text, which never says what it is about */
  constructor(code: UciErrorCode, detail?: string, options?: ErrorOptions & { message?: string }) {
    const text = TEXT[code];
    super(options?.message ?? (detail === undefined ? text : `${text}: ${detail}`), options);
    this.code = code;
    this.text = code === 'PARSE' && detail !== undefined ? `${text} (${detail})` : text;
  }
}

/** Where and why a file cannot be read. */
export interface ParseFailure {
  /** libuci's words, such as `invalid command`. */
  readonly reason: string;
  /** Newlines read so far: libuci's line number. After a value of several lines, its last line. */
  readonly line: number;
  /** Offset in the joined text of that line at which libuci's reader stopped. */
  readonly byte: number;
  /** Line of the offending word (of the opening quote when one is missing), from 1. */
  readonly sourceLine: number;
  /** Column of the offending word in `sourceLine`, in bytes, from 1. */
  readonly column: number;
  /** The file as it was given to `parse`, else the package's name. */
  readonly file: string;
}

/** A file that libuci refuses. The message reads `FILE:LINE:COLUMN: REASON`. */
export class UciParseError extends UciError implements ParseFailure {
  override name = 'UciParseError';
  readonly reason: string;
  readonly line: number;
  readonly byte: number;
  readonly sourceLine: number;
  readonly column: number;
  readonly file: string;
  override readonly text: string;

  constructor(failure: ParseFailure) {
    const { reason, line, byte, sourceLine, column, file } = failure;
    super('PARSE', undefined, { message: `${file}:${sourceLine}:${column}: ${reason}` });
    this.text = `Parse error (${reason}) at line ${line}, byte ${byte}`;
    this.reason = reason;
    this.line = line;
    this.byte = byte;
    this.sourceLine = sourceLine;
    this.column = column;
    this.file = file;
  }
}

/** Which option has a value that its reader cannot use. */
export interface ValueFailure {
  /** The file, else the package's name. */
  readonly file: string;
  /** Line of the statement; undefined when the value did not come from the file. */
  readonly line: number | undefined;
  /** Address of the section, `package.name` or `package.@type[index]`. */
  readonly section: string;
  readonly option: string;
  readonly value: string | readonly string[] | undefined;
  /** What is wrong with it, as in `is not an integer`. */
  readonly reason: string;
}

function quoted(value: string | readonly string[]): string {
  return typeof value === 'string' ? `'${value}'` : value.map((item) => `'${item}'`).join(' ');
}

/** An option that is missing or holds what its reader cannot use. */
export class UciValueError extends Error implements ValueFailure {
  override name = 'UciValueError';
  readonly file: string;
  readonly line: number | undefined;
  readonly section: string;
  readonly option: string;
  readonly value: string | readonly string[] | undefined;
  readonly reason: string;

  constructor(failure: ValueFailure) {
    const { file, line, section, option, value, reason } = failure;
    const place = line === undefined ? file : `${file}:${line}`;
    const what = value === undefined ? '' : `${quoted(value)} `;
    super(`${place}: ${section}.${option}: ${what}${reason}`);
    this.file = file;
    this.line = line;
    this.section = section;
    this.option = option;
    this.value = value;
    this.reason = reason;
  }
}
