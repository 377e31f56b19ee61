/** Changes to a router's configuration, as commands of `uci`, each with what takes it back. */
import type { Package, Section, Value } from 'uci-parser';
import { CliError } from '../ask.js';

export interface UciCommand {
  readonly command: 'set' | 'add_list' | 'del_list' | 'delete';
  /** `network.client.proto`, `network.@device[0].ports`. */
  readonly address: string;
  /** Absent where something is deleted. */
  readonly value?: string;
}

/** As one would type it: `uci set network.client.proto='static'`. */
export function formatCommand({ command, address, value }: UciCommand): string {
  const assignment = value === undefined ? address : `${address}=${value}`;
  return `uci ${command} ${quote(assignment)}`;
}

/** For a shell; plain words stay plain. */
export function quote(word: string): string {
  return /^[\w@%+=:,./[\]-]+$/.test(word) && !/[[\]]/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** Collects changes, of which only those are kept that change something. */
export class Draft {
  readonly commands: UciCommand[] = [];
  #undo: UciCommand[] = [];

  constructor(private readonly packages: ReadonlyMap<string, Package>) {}

  /** What takes all back, in the order to do it in. */
  get undo(): UciCommand[] {
    return [...this.#undo].reverse();
  }

  /** Undefined where the file is not there: what belongs to it is not installed. */
  package(name: string): Package | undefined {
    return this.packages.get(name);
  }

  /**
   * A named section with these options; what else it has stays. An undefined value is left alone.
   * @throws CliError where there is a section of that name and another type
   */
  section(address: string, type: string, options: { readonly [option: string]: Value | undefined }): void {
    const [packageName, name] = address.split('.') as [string, string];
    const found = this.package(packageName)?.section(name);
    if (found !== undefined && found.type !== type) {
      throw new CliError(`${address} is there already, as a section of type '${found.type}': rename it first`);
    }
    if (found === undefined) this.#do({ command: 'set', address, value: type }, { command: 'delete', address });
    for (const [option, value] of Object.entries(options)) {
      if (value !== undefined) this.#assign(`${address}.${option}`, value, found?.get(option));
    }
  }

  /** Sets one option of a section that is there. */
  set(section: Section, option: string, value: Value): void {
    this.#assign(`${section.address}.${option}`, value, section.get(option));
  }

  /** Takes one item out of a list of a section that is there. */
  removeItem(section: Section, option: string, item: string): void {
    const address = `${section.address}.${option}`;
    if (!section.list(option).includes(item)) return;
    this.#do({ command: 'del_list', address, value: item }, { command: 'add_list', address, value: item });
  }

  #assign(address: string, value: Value, before: Value | undefined): void {
    if (JSON.stringify(value) === JSON.stringify(before)) return;
    const remove: UciCommand = { command: 'delete', address };
    if (before !== undefined && typeof value !== 'string') this.commands.push(remove);
    const back = before === undefined ? [remove] : [...(typeof before === 'string' ? [] : [remove]), ...assignments(address, before)];
    this.#undo.push(...back.reverse());
    this.commands.push(...assignments(address, value));
  }

  #do(command: UciCommand, undo: UciCommand): void {
    this.commands.push(command);
    this.#undo.push(undo);
  }
}

function assignments(address: string, value: Value): UciCommand[] {
  if (typeof value === 'string') return [{ command: 'set', address, value }];
  return value.map((item) => ({ command: 'add_list', address, value: item }));
}
