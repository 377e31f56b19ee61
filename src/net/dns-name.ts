import { BadInput, Reader, Writer } from './bytes.js';

/** A domain name's bytes in the uncompressed form of RFC 1035 3.1. Throws {@link BadInput} for what is no name. */
export function dnsNameBytes(name: string): Uint8Array {
  const w = new Writer();
  for (const label of name.replace(/\.$/, '').split('.')) {
    if (!/^[\x21-\x7e]{1,63}$/.test(label)) throw new BadInput(`not a domain name: ${name}`);
    w.u8(label.length).put(new TextEncoder().encode(label));
  }
  w.u8(0);
  if (w.length > 255) throw new BadInput(`not a domain name: ${name}`);
  return w.done();
}

/**
 * The names that follow one another in `bytes`, padded with zeros (RFC 8106 5.2), without their last dots. Undefined
 * where it is no such list: compressed, cut short, or with characters that no text form can hold.
 */
export function readDnsNames(bytes: Uint8Array): string[] | undefined {
  const r = new Reader(bytes);
  const names: string[] = [];
  while (r.left > 0) {
    const name = readName(r);
    if (name === undefined) return undefined;
    if (name === '') return r.rest().every((byte) => byte === 0) ? names : undefined;
    names.push(name);
  }
  return names;
}

function readName(r: Reader): string | undefined {
  const start = r.offset;
  const labels: string[] = [];
  while (r.left > 0) {
    const length = r.u8();
    if (length === 0) return labels.join('.');
    if (length > 63 || length > r.left || r.offset + length + 1 - start > 255) return undefined;
    const label = new TextDecoder('latin1').decode(r.take(length));
    if (!/^[\x21-\x2d\x2f-\x7e]+$/.test(label)) return undefined;
    labels.push(label);
  }
  return undefined;
}
