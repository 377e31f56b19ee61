import { UciError } from './errors.js';

/*
 * UCI files are bytes and nothing says that they are UTF-8. In this library names and values are
 * ordinary strings: bytes that form valid UTF-8 are decoded, every other byte b becomes the lone
 * surrogate U+DC00 + b (the idea of Python's PEP 383), so encoding gives the same bytes again.
 */

const LONE_SURROGATE = /\p{Surrogate}/u;
const FOREIGN_SURROGATE = /[\u{d800}-\u{dc7f}\u{dd00}-\u{dfff}]/u;
const ESCAPE_BASE = 0xdc00;

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Length of the well-formed UTF-8 sequence at `at` (RFC 3629, section 4), 0 when there is none. */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at] ?? 0;
  const second = bytes[at + 1] ?? 0;
  const continues = (index: number): boolean => ((bytes[index] ?? 0) & 0xc0) === 0x80;
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return continues(at + 1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    const low = first === 0xe0 ? 0xa0 : 0x80;
    const high = first === 0xed ? 0x9f : 0xbf;
    return second >= low && second <= high && continues(at + 2) ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    const low = first === 0xf0 ? 0x90 : 0x80;
    const high = first === 0xf4 ? 0x8f : 0xbf;
    return second >= low && second <= high && continues(at + 2) && continues(at + 3) ? 4 : 0;
  }
  return 0;
}

function decodeEscaping(bytes: Uint8Array): string {
  let text = '';
  let at = 0;
  while (at < bytes.length) {
    let end = at;
    for (let step = sequenceLength(bytes, end); step > 0 && end < bytes.length; ) {
      end += step;
      step = sequenceLength(bytes, end);
    }
    if (end > at) text += decoder.decode(bytes.subarray(at, end));
    if (end < bytes.length) text += String.fromCharCode(ESCAPE_BASE + (bytes[end] ?? 0));
    at = end + 1;
  }
  return text;
}

/**
 * Decodes bytes of a UCI file. Every byte sequence has a string, and `encodeText` gives the same
 * bytes back.
 */
export function decodeText(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    return decodeEscaping(bytes);
  }
}

/** Whether `encodeText` has bytes for this string: no lone surrogate but U+DC80 to U+DCFF. */
export function isEncodable(text: string): boolean {
  return !FOREIGN_SURROGATE.test(text);
}

/**
 * The bytes of a string, the inverse of `decodeText`.
 * @throws {UciError} `INVAL` when the string holds a lone surrogate that stands for no byte.
 */
export function encodeText(text: string): Uint8Array {
  if (!LONE_SURROGATE.test(text)) return encoder.encode(text);
  if (!isEncodable(text)) throw new UciError('INVAL', 'lone surrogate in a string');
  const out: number[] = [];
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    if (code > ESCAPE_BASE && code <= 0xdcff) out.push(code - ESCAPE_BASE);
    else out.push(...encoder.encode(character));
  }
  return Uint8Array.from(out);
}
