import { UciError } from './errors.js';
import type { Option, Package, Section } from './model.js';
import { isName, isPackageName, isType, isValue } from './names.js';
import { wholeInt } from './numbers.js';

/** `package[.section[.option]][=value]`, taken apart. */
export interface Address {
  readonly package: string;
  readonly section: string | undefined;
  readonly option: string | undefined;
  /** What stands behind the first `=`. */
  readonly value: string | undefined;
}

/** What an address leads to. */
export interface Target {
  readonly package: Package;
  /** Name of the section: of the one found, or as it was asked for. */
  readonly sectionName: string | undefined;
  readonly section: Section | undefined;
  readonly optionName: string | undefined;
  readonly option: Option | undefined;
  /** Whether all that the address names exists. */
  readonly complete: boolean;
}

const INDEXED = /^@([^[]*)\[([^\]]*)\]$/;

/**
 * Takes an address apart.
 * @throws {UciError} `PARSE` for a fourth part, a bad package or option name, or a control
 * character in the value
 */
export function parseAddress(text: string): Address {
  const equals = text.indexOf('=');
  const path = equals < 0 ? text : text.slice(0, equals);
  const value = equals < 0 ? undefined : text.slice(equals + 1);
  const [owner = '', section, option, ...more] = path.split('.');
  const good =
    more.length === 0 &&
    isPackageName(owner) &&
    (option === undefined || isName(option)) &&
    (value === undefined || isValue(value));
  if (!good) throw new UciError('PARSE', undefined, { message: `Parse error: address '${text}'` });
  return { package: owner, section, option, value };
}

/**
 * Finds a section by `@type[index]`, or `@[index]` among all; negative counts from the end.
 * @throws {UciError} `INVAL` when the reference has not this form
 */
export function findIndexed(sections: readonly Section[], reference: string): Section | undefined {
  const match = INDEXED.exec(reference);
  const type = match?.[1] ?? '';
  const index = wholeInt(match?.[2] ?? 'none');
  if (match === null || index === undefined || (type !== '' && !isType(type))) {
    throw new UciError('INVAL', `section '${reference}'`);
  }
  const candidates = type === '' ? sections : sections.filter((section) => section.type === type);
  return candidates.at(index);
}

/**
 * Looks up what an address names in its package.
 * @throws {UciError} `INVAL` for a section that is neither a name nor of the form `@type[index]`
 */
export function resolve(owner: Package, address: Omit<Address, 'package' | 'value'>): Target {
  const section = address.section === undefined ? undefined : owner.section(address.section);
  const option = address.option === undefined ? undefined : section?.options.get(address.option);
  return {
    package: owner,
    sectionName: section?.name ?? address.section,
    section,
    optionName: address.option,
    option,
    complete:
      (address.section === undefined || section !== undefined) &&
      (address.option === undefined || option !== undefined),
  };
}
