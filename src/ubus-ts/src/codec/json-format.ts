/* Blobmsg to text, exactly as `blobmsg_format_json` of libubox and so the `ubus` command prints it. */
import { MalformedError } from '../errors.js';
import { AttributeReader } from './blob.js';
import { encodeFields, locateField, maxDepth, type Field, type FieldPlace } from './blobmsg.js';
import { decodeText, untilNul } from './text.js';

/** Options of `formatJson`. */
export interface FormatOptions {
  /** One line per field, indented by tabs, as `ubus call` prints. Without it: one line, as with `-S`, `listen`, `monitor`. */
  readonly indent?: boolean;
}

/** libubox indents by no more tabs, however deep the nesting. */
const maxIndent = 16;
const named: Readonly<Record<string, string>> = { '"': '\\"', '\\': '\\\\', '\b': '\\b', '\n': '\\n', '\t': '\\t', '\r': '\\r' };

/**
 * The text that the `ubus` command prints for a table, given by its fields or by the payload of a DATA attribute. It is not always
 * JSON: a field with an empty name prints its value alone, an invalid field prints nothing but its comma, NaN prints `nan`.
 * @throws MalformedError if it nests deeper than `maxDepth`.
 */
export function formatJson(data: Uint8Array | readonly Field[], options: FormatOptions = {}): string {
  const bytes = data instanceof Uint8Array ? data : encodeFields(data);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const indent = options.indent ?? false;
  const lineBreak = (level: number): string => (indent ? '\n' + '\t'.repeat(Math.min(level, maxIndent)) : '');
  const place: FieldPlace = { nameStart: 0, nameEnd: 0, valueStart: 0 };

  const list = (start: number, end: number, isArray: boolean, level: number): string => {
    if (level > maxDepth) throw new MalformedError('nested too deeply', start);
    const parts: string[] = [];
    const reader = new AttributeReader(bytes, start, end);
    while (reader.next()) parts.push(element(reader, isArray, level));
    const [open, close] = isArray ? ['[', ']'] : ['{', '}'];
    return open + lineBreak(level) + parts.join(',' + lineBreak(level)) + lineBreak(level - 1) + close;
  };
  const element = (reader: AttributeReader, isArray: boolean, level: number): string => {
    if (locateField(bytes, reader, place) !== undefined) return '';
    const name = isArray ? '' : untilNul(decodeText(bytes, place.nameStart, place.nameEnd));
    const prefix = name === '' ? '' : quote(name) + (indent ? ': ' : ':');
    return prefix + value(reader.id, place.valueStart, reader.payloadEnd, level);
  };
  const value = (id: number, start: number, end: number, level: number): string => {
    switch (id) {
      case 0: return 'null';
      case 1: return list(start, end, true, level + 1);
      case 2: return list(start, end, false, level + 1);
      case 3: return quote(untilNul(decodeText(bytes, start, end - 1)));
      case 4: return view.getBigInt64(start).toString();
      case 5: return view.getInt32(start).toString();
      case 6: return view.getInt16(start).toString();
      case 7: return bytes[start] === 0 ? 'false' : 'true';
      default: return formatDouble(view.getFloat64(start), bytes[start]! >= 0x80);
    }
  };
  return list(0, bytes.length, false, 1);
}

/** A double as C's `%lf` prints it: six digits after the point, no exponent, ties to even. `negative` is its sign bit. */
function formatDouble(value: number, negative: boolean): string {
  const sign = negative ? '-' : '';
  const size = Math.abs(value);
  if (Number.isNaN(value)) return sign + 'nan';
  if (size === Infinity) return sign + 'inf';
  if (size >= 1e21) return `${sign}${BigInt(size)}.000000`;
  // Half a millionth is exact only in odd multiples of 1/128; there `toFixed` rounds up where C rounds to even.
  const parts = size * 128;
  if (!Number.isInteger(parts) || parts % 2 === 0) return sign + size.toFixed(6);
  const below = (BigInt(parts) * 1000000n) / 128n;
  const millionths = below + (below & 1n);
  return `${sign}${millionths / 1000000n}.${(millionths % 1000000n).toString().padStart(6, '0')}`;
}

function quote(text: string): string {
  return `"${/["\\\u0000-\u001f]/.test(text) ? text.replace(/["\\\u0000-\u001f]/g, escape) : text}"`;
}

function escape(char: string): string {
  return named[char] ?? `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
