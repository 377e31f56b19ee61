import type { Target } from './address.js';
import type { Change, Command } from './delta.js';
import { appendItem, moveSection, setOption, setType } from './edit.js';
import { UciError } from './errors.js';
import type { Option, Section } from './model.js';
import { isType } from './names.js';
import { leadingInt } from './numbers.js';

/*
 * The commands of uci on a package in memory. Each returns the change to stage, or undefined when
 * nothing has changed.
 */

function named(target: Target): string {
  const { package: owner, sectionName, optionName } = target;
  return [owner.name, sectionName, optionName].filter((part) => part !== undefined).join('.');
}

function invalid(target: Target, why: string): UciError {
  return new UciError('INVAL', `${named(target)}: ${why}`);
}

function existing(target: Target): Target {
  if (!target.complete) throw new UciError('NOTFOUND', named(target));
  return target;
}

function sectionOf(target: Target): Section {
  if (target.section !== undefined) return target.section;
  throw invalid(target, target.sectionName === undefined ? 'a section is needed' : 'no such section');
}

function change(command: Command, target: Target, value: string | undefined): Change {
  return {
    command,
    package: target.package.name,
    section: target.sectionName ?? '',
    option: target.optionName,
    value,
  };
}

/**
 * Sets an option, or makes a section of the type `value`, or changes its type. An empty value
 * deletes.
 * @throws {UciError} `INVAL` for an option of a missing section, and for a bad type
 */
export function set(target: Target, value: string): Change | undefined {
  const { package: owner, section, sectionName, optionName } = target;
  if (section === undefined && (optionName !== undefined || sectionName === undefined)) sectionOf(target);
  if (optionName === undefined && value !== '' && !isType(value)) throw invalid(target, `bad type '${value}'`);
  if (value === '') return target.complete ? remove(target) : undefined;
  if (section === undefined) owner.addSection(value, sectionName);
  else if (optionName === undefined) {
    if (section.type === value) return undefined;
    setType(section, value);
  } else {
    if (section.get(optionName) === value) return undefined;
    setOption(section, optionName, value);
  }
  return change('set', target, value);
}

/**
 * Deletes a section, an option, or with `index` the item of a list at that place, from 0. An index
 * that the list does not have does nothing.
 * @throws {UciError} `NOTFOUND`; `INVAL` for a whole package
 */
export function remove(target: Target, index?: string): Change | undefined {
  const { package: owner, option } = existing(target);
  const section = sectionOf(target);
  if (option !== undefined && typeof option.value !== 'string' && index !== undefined && index !== '') {
    return removeItem(target, option, index);
  }
  if (option !== undefined) section.options.remove(option);
  else owner.removeSection(section);
  return change('delete', target, undefined);
}

function removeItem(target: Target, option: Option, index: string): Change | undefined {
  const at = leadingInt(index);
  if (at === undefined || at < 0 || at >= option.value.length) return undefined;
  const items = (option.value as readonly string[]).filter((_, position) => position !== at);
  option.assign(items);
  return change('delete', target, index);
}

/**
 * Renames a section or an option. A renamed anonymous section is a named one from then on. Neither
 * libuci nor this looks whether the name is taken.
 * @throws {UciError} `NOTFOUND`; `INVAL` for a whole package
 */
export function rename(target: Target, name: string): Change {
  const { option } = existing(target);
  const section = sectionOf(target);
  if (option !== undefined) section.options.rename(option, name);
  else {
    section.name = name;
    section.anonymous = false;
  }
  return change('rename', target, name);
}

/**
 * Moves a section to a position among all, from 0; what is beyond the end is the end.
 * @throws {UciError} `NOTFOUND`; `INVAL` for a whole package
 */
export function reorder(target: Target, position: number): Change | undefined {
  const section = sectionOf(existing(target));
  const moved = moveSection(target.package, section, position);
  if (!moved) return undefined;
  return { ...change('reorder', target, String(position)), option: undefined };
}

/**
 * Appends to a list; a string option becomes a list.
 * @throws {UciError} `INVAL` for a missing section, or without an option
 */
export function addList(target: Target, item: string): Change {
  const section = sectionOf(target);
  if (target.optionName === undefined) throw invalid(target, 'an option is needed');
  appendItem(section, target.optionName, item);
  return change('add_list', target, item);
}

/**
 * Removes all equal items from a list. What is no list stays as it is.
 * @throws {UciError} `INVAL` for a missing section
 */
export function delList(target: Target, item: string): Change | undefined {
  sectionOf(target);
  const { option } = target;
  if (option === undefined || typeof option.value === 'string') return undefined;
  const items = option.value.filter((other) => other !== item);
  option.assign(items);
  return change('del_list', target, item);
}

/** Appends an anonymous section. The type is not checked. */
export function add(target: Target, type: string): Change {
  const section = target.package.addSection(type);
  return { ...change('add', target, type), section: section.name };
}
