import { UciValueError } from './errors.js';
import type { Option, Section } from './model.js';

/** Bounds of an integer option, both inclusive. */
export interface IntegerRange {
  readonly min?: number;
  readonly max?: number;
}

// OpenWrt's /lib/functions.sh, config_get_bool.
const TRUE = new Set(['1', 'on', 'true', 'yes', 'enabled']);
const FALSE = new Set(['0', 'off', 'false', 'no', 'disabled']);

const INTEGER = /^[ \t\n\v\f\r]*([+-]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)$/;

/** The error that says which option of which section in which file is wrong, and how. */
export function valueError(section: Section, name: string, reason: string): UciValueError {
  const option = section.options.get(name);
  return new UciValueError({
    file: section.package.file ?? section.package.name,
    line: option === undefined ? section.line : option.line,
    section: section.address,
    option: name,
    value: option?.value,
    reason,
  });
}

/** A single value. @throws {UciValueError} when the option is a list */
export function stringOf(section: Section, name: string): string | undefined {
  const value = section.get(name);
  if (value === undefined || typeof value === 'string') return value;
  throw valueError(section, name, 'is a list where one value is expected');
}

/** strtol with base 0; a number beyond what a double holds exactly comes back rounded. */
function parseInteger(text: string): number | undefined {
  const match = INTEGER.exec(text);
  if (match === null) return undefined;
  const digits = match[2] ?? '';
  const octal = digits.length > 1 && /^0[0-7]+$/.test(digits);
  const magnitude = Number(octal ? `0o${digits}` : digits);
  return match[1] === '-' && magnitude !== 0 ? -magnitude : magnitude;
}

/** An integer within `range`. @throws {UciValueError} */
export function integerOf(section: Section, name: string, range: IntegerRange = {}): number | undefined {
  const text = stringOf(section, name);
  if (text === undefined) return undefined;
  const number = parseInteger(text);
  if (number === undefined) throw valueError(section, name, 'is not an integer');
  const min = range.min ?? Number.MIN_SAFE_INTEGER;
  const max = range.max ?? Number.MAX_SAFE_INTEGER;
  if (number < min || number > max) {
    throw valueError(section, name, `is out of range, ${min} to ${max}`);
  }
  return number;
}

/** A boolean. @throws {UciValueError} when it is none of the ten words */
export function booleanOf(section: Section, name: string): boolean | undefined {
  const text = stringOf(section, name);
  if (text === undefined) return undefined;
  if (TRUE.has(text)) return true;
  if (FALSE.has(text)) return false;
  throw valueError(section, name, 'is not a boolean (1, on, true, yes, enabled; 0, off, false, no, disabled)');
}

/** A list, or a string split at blanks and tabs as netifd does it. */
export function listOf(section: Section, name: string): string[] {
  const option: Option | undefined = section.options.get(name);
  if (option === undefined) return [];
  if (typeof option.value !== 'string') return [...option.value];
  return option.value.split(/[ \t]+/).filter((item) => item !== '');
}
