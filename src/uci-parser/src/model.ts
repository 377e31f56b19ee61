import { findIndexed } from './address.js';
import { isName, madeUpName } from './names.js';
import * as typed from './typed.js';
import type { IntegerRange } from './typed.js';

/** A string option, or a list. libuci knows no other types, and no empty string. */
export type Value = string | readonly string[];

/** One option of a section. */
export class Option {
  readonly name: string;
  #value: string | string[];
  #line: number | undefined;

  /** @param line where the statement stands in the file, from 1; undefined for what is not in it */
  constructor(name: string, value: Value, line?: number) {
    this.name = name;
    this.#value = typeof value === 'string' ? value : [...value];
    this.#line = line;
  }

  get value(): Value {
    return this.#value;
  }

  /**
   * Line of the statement that gave the value; undefined when it was not the file: a staged change
   * or the program.
   */
  get line(): number | undefined {
    return this.#line;
  }

  /** Gives another value. */
  assign(value: Value, line?: number): void {
    this.#value = typeof value === 'string' ? value : [...value];
    this.#line = line;
  }

  /** Appends an item; a string becomes the first item of a list. */
  append(item: string, line?: number): void {
    if (typeof this.#value === 'string') this.#value = [this.#value, item];
    else this.#value.push(item);
    this.#line = line;
  }
}

/** The options of a section in order. As in libuci, a name finds the first that has it. */
export class Options implements Iterable<Option> {
  #list: Option[] = [];
  readonly #byName = new Map<string, Option>();

  get size(): number {
    return this.#list.length;
  }

  get(name: string): Option | undefined {
    return this.#byName.get(name);
  }

  has(name: string): boolean {
    return this.#byName.has(name);
  }

  names(): string[] {
    return this.#list.map((option) => option.name);
  }

  [Symbol.iterator](): IterableIterator<Option> {
    return this.#list[Symbol.iterator]();
  }

  /** Appends an option. */
  add(option: Option): void {
    this.#list.push(option);
    if (!this.#byName.has(option.name)) this.#byName.set(option.name, option);
  }

  /** Gives an option another name at its place; that the name is free is not checked. */
  rename(option: Option, name: string): void {
    const renamed = new Option(name, option.value, option.line);
    this.#rebuild(this.#list.map((other) => (other === option ? renamed : other)));
  }

  /** Takes an option out. */
  remove(option: Option): void {
    this.#rebuild(this.#list.filter((other) => other !== option));
  }

  #rebuild(list: Option[]): void {
    this.#list = [];
    this.#byName.clear();
    for (const option of list) this.add(option);
  }
}

/** A section: a type, a name, options. */
export class Section {
  type: string;
  /** For an anonymous section the made-up name, `cfg` and hexadecimal digits. */
  name: string;
  anonymous: boolean;
  readonly options = new Options();
  readonly package: Package;
  /** Line of the `config` statement, from 1; undefined for what was never in the file. */
  readonly line: number | undefined;

  /** @internal Sections are made by `Package.addSection`, which counts them. */
  constructor(owner: Package, type: string, name: string, anonymous: boolean, line?: number) {
    this.package = owner;
    this.type = type;
    this.name = name;
    this.anonymous = anonymous;
    this.line = line;
  }

  /** The value of an option as it stands, undefined when there is none. */
  get(option: string): Value | undefined {
    return this.options.get(option)?.value;
  }

  /** `package.name`, or `package.@type[index]` for an anonymous section. */
  get address(): string {
    if (!this.anonymous) return `${this.package.name}.${this.name}`;
    const index = this.package.ofType(this.type).indexOf(this);
    return `${this.package.name}.@${this.type}[${index}]`;
  }

  /**
   * A string option.
   * @throws {UciValueError} when it is a list
   */
  string(option: string): string | undefined;
  string(option: string, fallback: string): string;
  string(option: string, fallback?: string): string | undefined {
    return typed.stringOf(this, option) ?? fallback;
  }

  /**
   * An integer as netifd reads it (C's strtol with base 0): decimal, `0x` hexadecimal, `0` octal.
   * @throws {UciValueError} when it is a list, no integer, or outside `range`
   */
  integer(option: string, range?: IntegerRange): number | undefined;
  integer(option: string, range: IntegerRange | undefined, fallback: number): number;
  integer(option: string, range?: IntegerRange, fallback?: number): number | undefined {
    return typed.integerOf(this, option, range) ?? fallback;
  }

  /**
   * A boolean by the words of OpenWrt's shell functions: 1 on true yes enabled, 0 off false no
   * disabled.
   * @throws {UciValueError} for any other word, or a list
   */
  boolean(option: string): boolean | undefined;
  boolean(option: string, fallback: boolean): boolean;
  boolean(option: string, fallback?: boolean): boolean | undefined {
    return typed.booleanOf(this, option) ?? fallback;
  }

  /** A list; a string option is split at blanks and tabs. Empty when the option is missing. */
  list(option: string): string[] {
    return typed.listOf(this, option);
  }
}

/** A configuration file: sections in order. */
export class Package {
  readonly name: string;
  /** Where it was read from, for messages. */
  readonly file: string | undefined;
  readonly sections: Section[] = [];
  #made = 0;

  constructor(name: string, file?: string) {
    this.name = name;
    this.file = file;
  }

  /**
   * A section by name, made-up names included (the first that has it), or by `@type[index]`.
   * @throws {UciError} `INVAL` for anything else
   */
  section(reference: string): Section | undefined {
    if (!isName(reference)) return findIndexed(this.sections, reference);
    return this.sections.find((section) => section.name === reference);
  }

  /** All sections of a type, named and anonymous, in order. */
  ofType(type: string): Section[] {
    return this.sections.filter((section) => section.type === type);
  }

  /**
   * Appends a section; without a name, an anonymous one with a made-up name. That name counts all
   * sections made so far, removed ones too.
   */
  addSection(type: string, name?: string, line?: number): Section {
    this.#made++;
    const anonymous = name === undefined || name === '';
    const given = anonymous ? madeUpName(this.#made, type) : name;
    const section = new Section(this, type, given, anonymous, line);
    this.sections.push(section);
    return section;
  }

  /** Takes a section out. */
  removeSection(section: Section): void {
    const index = this.sections.indexOf(section);
    if (index >= 0) this.sections.splice(index, 1);
  }
}
