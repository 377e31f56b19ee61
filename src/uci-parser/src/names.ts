import { encodeText, isEncodable } from './text.js';

const NAME = /^[A-Za-z0-9_]+$/;
const PACKAGE_STATEMENT = /^[A-Za-z0-9_-]+$/;
const PRINTABLE = /^[\x21-\x7e]+$/;
// libuci's text check lets tab, line feed and carriage return pass, and all from 0x20 on.
const CONTROL = /[\x00-\x08\x0b\x0c\x0e-\x1f]/;

/** Whether a section or an option may have this name: ASCII letters, digits, `_`. */
export function isName(text: string): boolean {
  return NAME.test(text);
}

/** Whether a `package` line may have this name: as `isName`, and `-`. */
export function isPackageStatementName(text: string): boolean {
  return PACKAGE_STATEMENT.test(text);
}

/** Whether a file, and the first part of an address, may have this name: printable ASCII. */
export function isPackageName(text: string): boolean {
  return PRINTABLE.test(text);
}

/** Whether a section may have this type: printable ASCII. */
export function isType(text: string): boolean {
  return PRINTABLE.test(text);
}

/** Whether a value may be staged: no control characters but tab, line feed, carriage return. */
export function isValue(text: string): boolean {
  return !CONTROL.test(text) && isEncodable(text);
}

/**
 * The name that libuci makes up for an anonymous section.
 * @param count how many sections the package has had, this one included
 * @param type the section's type; its bytes count as signed, as C's `char` on most machines
 */
export function madeUpName(count: number, type: string): string {
  let hash = 5381;
  for (const byte of encodeText(type)) hash = (Math.imul(hash, 33) + ((byte << 24) >> 24)) | 0;
  const low = (hash & 0xffff).toString(16).padStart(4, '0');
  return `cfg${count.toString(16).padStart(2, '0')}${low}`;
}
