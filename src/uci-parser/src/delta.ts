import { parseAddress, resolve } from './address.js';
import { UciError } from './errors.js';
import { quote } from './format.js';
import { LineBuffer } from './lines.js';
import type { Package } from './model.js';
import { isName } from './names.js';
import * as operations from './operations.js';
import { leadingPosition } from './numbers.js';
import { encodeText } from './text.js';
import { readWord, UnterminatedQuote } from './words.js';

/** What a staged change does, by the names of uci's commands. */
export type Command = 'set' | 'add' | 'delete' | 'rename' | 'reorder' | 'add_list' | 'del_list';

/** One staged change. */
export interface Change {
  readonly command: Command;
  readonly package: string;
  /** Name of the section, made-up names included. */
  readonly section: string;
  readonly option: string | undefined;
  /**
   * The new value, type, name or position; the list item; for `delete` the index of an item, or
   * undefined.
   */
  readonly value: string | undefined;
}

/** What came of a file of staged changes. */
export interface Applied {
  /** All changes that could be read, what `uci changes` lists, applied or not. */
  readonly changes: Change[];
  /** How many of them could be applied. */
  readonly applied: number;
}

const PREFIX: Record<Command, string> = {
  set: '', add: '+', delete: '-', rename: '@', reorder: '^', add_list: '|', del_list: '~',
};
const COMMAND = new Map(Object.entries(PREFIX).map(([command, prefix]) => [prefix, command as Command]));

function isWellFormed(command: Command, option: string | undefined, value: string | undefined): boolean {
  if (command !== 'delete' && value === undefined) return false;
  if (command === 'reorder') return option === undefined;
  if (command === 'rename') return isName(value ?? '');
  if (command === 'add_list' || command === 'del_list') return option !== undefined;
  return true;
}

/** One change from its word. @throws {UciError} when it is none */
function parseChange(text: string): Change {
  const command = COMMAND.get(text.slice(0, 1)) ?? 'set';
  const address = parseAddress(command === 'set' ? text : text.slice(1));
  const { section, option, value } = address;
  if (section === undefined || !isName(section) || !isWellFormed(command, option, value)) {
    throw new UciError('INVAL', `staged change '${text}'`);
  }
  return { command, package: address.package, section, option, value };
}

function parseLine(line: LineBuffer): Change | undefined {
  try {
    const word = readWord(line);
    return line.current === 0 ? parseChange(word.text) : undefined;
  } catch (error) {
    if (error instanceof UciError || error instanceof UnterminatedQuote) return undefined;
    throw error;
  }
}

/** Reads a file of staged changes. A line that is wrong is skipped, as libuci does it. */
export function parseDelta(text: string | Uint8Array): Change[] {
  const line = new LineBuffer(typeof text === 'string' ? encodeText(text) : text);
  const changes: Change[] = [];
  while (!line.eof) {
    line.start();
    if (line.current === 0) continue;
    const change = parseLine(line);
    if (change !== undefined) changes.push(change);
  }
  return changes;
}

function path(change: Change): string {
  const option = change.option === undefined ? '' : `.${change.option}`;
  return `${change.package}.${change.section}${option}`;
}

/** A change as its line in a file of staged changes, with the newline. */
export function formatDelta(change: Change): string {
  const bare = change.command === 'delete' && change.value === undefined;
  return `${PREFIX[change.command]}${path(change)}${bare ? '' : `=${quote(change.value ?? '')}`}\n`;
}

/** A change as `uci changes` prints it, with the newline. */
export function formatChange(change: Change): string {
  if (change.command === 'delete') return `-${path(change)}\n`;
  const sign = change.command === 'add_list' ? '+=' : change.command === 'del_list' ? '-=' : '=';
  return `${path(change)}${sign}${quote(change.value ?? '')}\n`;
}

/**
 * Carries a change out.
 * @throws {UciError} when it cannot be: `NOTFOUND`, or `INVAL` for a bad type or a missing section
 */
export function applyChange(owner: Package, change: Change): void {
  const target = resolve(owner, change);
  const value = change.value ?? '';
  switch (change.command) {
    case 'set':
      operations.set(target, value);
      return;
    case 'add': {
      operations.set(target, value);
      const section = change.option === undefined ? owner.section(change.section) : undefined;
      if (section !== undefined && value !== '') section.anonymous = true;
      return;
    }
    case 'delete':
      operations.remove(target, change.value);
      return;
    case 'rename':
      operations.rename(target, value);
      return;
    case 'reorder':
      operations.reorder(target, leadingPosition(value));
      return;
    case 'add_list':
      operations.addList(target, value);
      return;
    case 'del_list':
      operations.delList(target, value);
  }
}

/**
 * Applies a file of staged changes. As in libuci, a line that is wrong, names a package that is
 * not given, or cannot be applied does nothing, and the next one counts.
 */
export function applyDelta(packages: Package | Iterable<Package>, text: string | Uint8Array): Applied {
  const all = Symbol.iterator in packages ? [...packages] : [packages];
  const changes: Change[] = [];
  let applied = 0;
  for (const change of parseDelta(text)) {
    const owner = all.find((candidate) => candidate.name === change.package);
    if (owner === undefined) continue;
    changes.push(change);
    try {
      applyChange(owner, change);
      applied++;
    } catch (error) {
      if (!(error instanceof UciError)) throw error;
    }
  }
  return { changes, applied };
}
