/*
 * Strings on the wire are bytes that nobody checks to be UTF-8 (an SSID is any 32 bytes). So that a string
 * survives decoding and encoding, each byte that is not part of valid UTF-8 becomes one code unit from
 * U+DC80 to U+DCFF, lone surrogates which valid UTF-8 never yields, and goes back to that byte.
 */

const escapeBase = 0xdc00;
const loneSurrogate = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;
const encoder = new TextEncoder();
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Longer strings are left to the platform's decoder; for shorter ones its overhead costs more than the loop. */
const shortString = 48;

/** The string in `bytes` from `start` to `end`. Never fails: what is not UTF-8 is kept as U+DC80 to U+DCFF. */
export function decodeText(bytes: Uint8Array, start = 0, end = bytes.length): string {
  if (end - start <= shortString) {
    let text = '';
    let at = start;
    for (; at < end; at++) {
      const byte = bytes[at]!;
      if (byte >= 0x80) break;
      text += String.fromCharCode(byte);
    }
    if (at === end) return text;
  }
  const part = bytes.subarray(start, end);
  try {
    return strict.decode(part);
  } catch {
    return decodeEscaped(part);
  }
}

/** The bytes of a string: UTF-8, U+DC80 to U+DCFF as the bytes 0x80 to 0xff, other lone surrogates as U+FFFD. */
export function encodeText(text: string): Uint8Array {
  const plain = encoder.encode(text);
  if (text.search(loneSurrogate) < 0) return plain;
  const out = new Uint8Array(plain.length);
  let length = 0;
  let last = 0;
  const append = (bytes: Uint8Array): void => {
    out.set(bytes, length);
    length += bytes.length;
  };
  for (const match of text.matchAll(loneSurrogate)) {
    append(encoder.encode(text.slice(last, match.index)));
    last = match.index + 1;
    const byte = match[0].charCodeAt(0) - escapeBase;
    append(byte >= 0x80 && byte <= 0xff ? Uint8Array.of(byte) : encoder.encode('\ufffd'));
  }
  append(encoder.encode(text.slice(last)));
  return out.subarray(0, length);
}

/** Replaces every lone surrogate by U+FFFD. */
export function wellFormed(text: string): string {
  return text.replace(loneSurrogate, '\ufffd');
}

/** What a C program sees of a string: the part before the first NUL. */
export function untilNul(text: string): string {
  const at = text.indexOf('\0');
  return at < 0 ? text : text.slice(0, at);
}

function decodeEscaped(bytes: Uint8Array): string {
  let text = '';
  let good = 0;
  let at = 0;
  while (at < bytes.length) {
    const size = sequenceLength(bytes, at);
    if (size > 0) {
      at += size;
      continue;
    }
    text += strict.decode(bytes.subarray(good, at)) + String.fromCharCode(escapeBase + bytes[at]!);
    good = ++at;
  }
  return text + strict.decode(bytes.subarray(good));
}

/** Length of the well-formed UTF-8 sequence at `at` (Unicode, table 3-7), 0 if there is none. */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const lead = bytes[at]!;
  if (lead < 0x80) return 1;
  const size = lead >= 0xc2 && lead <= 0xdf ? 2 : lead >= 0xe0 && lead <= 0xef ? 3 : lead >= 0xf0 && lead <= 0xf4 ? 4 : 0;
  if (size === 0 || at + size > bytes.length) return 0;
  const second = bytes[at + 1]!;
  const low = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
  const high = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
  if (second < low || second > high) return 0;
  for (let i = 2; i < size; i++) {
    if ((bytes[at + i]! & 0xc0) !== 0x80) return 0;
  }
  return size;
}
