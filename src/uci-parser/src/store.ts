import { parseAddress, resolve } from './address.js';
import type { Address, Target } from './address.js';
import { formatDelta, parseDelta } from './delta.js';
import type { Change } from './delta.js';
import { UciError } from './errors.js';
import type { Files } from './files.js';
import { exportPackage, show, showOption, showSection } from './format.js';
import type { ShowOptions } from './format.js';
import { Loader } from './loader.js';
import type { Loaded, StoreOptions } from './loader.js';
import type { Package, Value } from './model.js';
import { isName, isType, isValue } from './names.js';
import * as operations from './operations.js';
import { mergePackage, parsePackages } from './parse.js';
import { rewrite } from './rewrite.js';
import { encodeText } from './text.js';

/** What `loadAll` found. */
export interface LoadedAll {
  readonly packages: Package[];
  /** Why the others are missing, by name. */
  readonly errors: Map<string, UciError>;
}

/**
 * The commands of `uci` on directories. Every call reads afresh what it needs and leaves nothing
 * behind in memory, as one run of `uci` does, so others may write in between.
 *
 * Nothing is locked (see the README): use it where this program is the only one that changes the
 * package at that moment.
 */
export class Store {
  readonly #files: Files;
  readonly #loader: Loader;
  readonly #options: StoreOptions;

  constructor(files: Files, options: StoreOptions = {}) {
    this.#files = files;
    this.#options = options;
    this.#loader = new Loader(files, options);
  }

  /**
   * Names of the files in `confdir`, in the order of `uci show`: those that are no directory, have
   * no dot in the name, and can be a package's name.
   * @throws {UciError} `NOTFOUND` when the directory has no files
   */
  names(): string[] {
    return this.#loader.names();
  }

  /**
   * Reads a package. With a path (`/` or `./` in front) instead of a name, that file, which then
   * has no staged changes.
   * @param options.staged false leaves the staged changes out: what a daemon wants, because they
   * are half-done until they are committed
   * @throws {UciError} `NOTFOUND`; UciParseError
   */
  load(name: string, options: { readonly staged?: boolean } = {}): Package {
    return this.#loader.load(name, options.staged ?? true).package;
  }

  /** Reads all packages; a broken one does not keep the others away. */
  loadAll(options: { readonly staged?: boolean } = {}): LoadedAll {
    const packages: Package[] = [];
    const errors = new Map<string, UciError>();
    for (const name of this.names()) {
      try {
        packages.push(this.load(name, options));
      } catch (error) {
        if (!(error instanceof UciError)) throw error;
        errors.set(name, error);
      }
    }
    return { packages, errors };
  }

  /**
   * `uci get`: an option's value, or a section's type; nothing for a package alone.
   * @throws {UciError} `NOTFOUND`, `INVAL`, `PARSE`
   */
  get(address: string): Value | undefined {
    const target = this.#found(address);
    return target.option?.value ?? target.section?.type;
  }

  /** `uci show` of a package, a section or an option. @throws {UciError} as `get` */
  show(address: string, options: ShowOptions = {}): string {
    const { package: owner, section, option } = this.#found(address);
    if (section === undefined) return show(owner, options);
    return option === undefined ? showSection(section, options) : showOption(section, option, options);
  }

  /**
   * `uci set`: stages a new value, a new section (the value is its type), or a section's new type.
   * An empty value deletes. An array becomes a list.
   * @throws {UciError} `INVAL`, `PARSE`, `NOTFOUND` when the package is missing
   */
  set(address: string, value?: Value): void {
    if (value !== undefined && typeof value !== 'string') this.#setList(address, value);
    else this.#change(address, value, (target, text) => operations.set(this.#settable(target), text));
  }

  /** `uci add`: stages an anonymous section and tells its made-up name. */
  add(name: string, type: string): string {
    if (this.#checked && !isType(type)) throw new UciError('INVAL', `type '${type}'`);
    const loaded = this.#loader.load(name, true);
    const change = operations.add(resolve(loaded.package, { section: undefined, option: undefined }), type);
    this.#stage(loaded, [change]);
    return change.section;
  }

  /** `uci add_list`: stages one more item of a list. */
  addList(address: string, item?: string): void {
    this.#change(address, item, operations.addList);
  }

  /** `uci del_list`: stages the removal of all equal items of a list. */
  delList(address: string, item?: string): void {
    this.#change(address, item, operations.delList);
  }

  /** `uci delete`: stages the removal of a section or an option, or of one item of a list by its index. */
  delete(address: string, index?: number): void {
    const parsed = this.#withValue(address, index === undefined ? undefined : String(index));
    const loaded = this.#loader.load(parsed.package, true);
    this.#stage(loaded, [operations.remove(resolve(loaded.package, parsed), parsed.value)]);
  }

  /** `uci rename`: stages a new name for a section or an option. */
  rename(address: string, name?: string): void {
    this.#change(address, name, (target, text) => {
      if (this.#checked && !isName(text)) throw new UciError('INVAL', `name '${text}'`);
      return operations.rename(target, text);
    });
  }

  /** `uci reorder`: stages a section's move to a position among all, from 0. */
  reorder(address: string, position: number): void {
    const parsed = this.#withValue(address, undefined);
    const loaded = this.#loader.load(parsed.package, true);
    this.#stage(loaded, [operations.reorder(resolve(loaded.package, parsed), position)]);
  }

  /** `uci changes`: what is staged for a package, or for all. */
  changes(name?: string): Change[] {
    if (name !== undefined) return this.#loader.load(name, true).changes;
    return this.names().flatMap((other) => {
      try {
        return this.#loader.load(other, true).changes;
      } catch (error) {
        if (error instanceof UciError) return [];
        throw error;
      }
    });
  }

  /**
   * `uci revert`: forgets what is staged for a package, a section, or an option. Lines that are no
   * changes of this package go as well; they have no effect anyway.
   */
  revert(address: string): void {
    const parsed = this.#withoutValue(address);
    const loaded = this.#loader.load(parsed.package, true);
    if (!loaded.staged) throw new UciError('INVAL', `${loaded.path} has no staged changes`);
    const target = resolve(loaded.package, parsed);
    const path = `${this.#loader.savedir}/${target.package.name}`;
    const bytes = this.#files.read(path);
    if (bytes === undefined) return;
    const { sectionName, optionName } = target;
    const kept = parseDelta(bytes).filter((change) => {
      if (change.package !== target.package.name) return false;
      const sameSection = sectionName === undefined || change.section === sectionName;
      return !(sameSection && (optionName === undefined || change.option === optionName));
    });
    this.#files.replace(path, encodeText(kept.map(formatDelta).join('')));
  }

  /**
   * `uci commit`: writes the staged changes into the file and empties the save directory's part of
   * them. Nothing is written when nothing could be applied.
   * @param options.keepLayout keeps comments and layout of what has not changed, which `uci` loses
   * @returns whether the file was written
   */
  commit(name: string, options: { readonly keepLayout?: boolean } = {}): boolean {
    const loaded = this.#loader.load(name, true);
    if (this.#options.commit === false || loaded.applied === 0) return false;
    this.#write(loaded, options.keepLayout === true);
    const staged = `${this.#loader.savedir}/${loaded.package.name}`;
    if (this.#files.exists(staged)) this.#files.truncate(staged);
    return true;
  }

  /**
   * `uci import`: replaces the files of all packages in a stream. With a name, the stream is that
   * one package.
   * @throws {UciError} before anything is written when the stream has an error
   */
  import(text: string | Uint8Array, name?: string): void {
    const packages = parsePackages(text, { ...this.#loader.reading, ...(name === undefined ? {} : { name }) });
    for (const owner of packages) {
      const bytes = encodeText(exportPackage(owner, { header: false }));
      this.#files.replace(`${this.#loader.confdir}/${owner.name}`, bytes);
    }
  }

  /** `uci -m import`: stages what a stream would add to a package. */
  merge(text: string | Uint8Array, name: string): void {
    const loaded = this.#loader.load(name, true);
    this.#stage(loaded, mergePackage(loaded.package, text, this.#loader.reading));
  }

  get #checked(): boolean {
    return this.#options.checkNames ?? true;
  }

  #withValue(address: string, value: string | undefined): Address {
    const parsed = parseAddress(address);
    if (value === undefined) return parsed;
    if (parsed.value !== undefined) throw new UciError('INVAL', `two values: '${address}' and '${value}'`);
    if (!isValue(value)) throw new UciError('PARSE', undefined, { message: `Parse error: value of '${address}'` });
    return { ...parsed, value };
  }

  #withoutValue(address: string): Address {
    const parsed = parseAddress(address);
    if (parsed.value !== undefined) throw new UciError('INVAL', `a value in '${address}'`);
    return parsed;
  }

  #target(address: Address): Target {
    return resolve(this.#loader.load(address.package, true).package, address);
  }

  #found(address: string): Target {
    const target = this.#target(this.#withoutValue(address));
    if (!target.complete) throw new UciError('NOTFOUND', address);
    return target;
  }

  #change(
    address: string,
    value: string | undefined,
    operation: (target: Target, value: string) => Change | undefined,
  ): void {
    const parsed = this.#withValue(address, value);
    const loaded = this.#loader.load(parsed.package, true);
    const target = resolve(loaded.package, parsed);
    if (parsed.value === undefined) throw new UciError('INVAL', `no value in '${address}'`);
    this.#stage(loaded, [operation(target, parsed.value)]);
  }

  /** A section that is yet to be made needs a name that the next reader accepts. */
  #settable(target: Target): Target {
    const { section, sectionName } = target;
    if (this.#checked && section === undefined && sectionName !== undefined && !isName(sectionName)) {
      throw new UciError('INVAL', `no section ${sectionName}`);
    }
    return target;
  }

  #setList(address: string, items: readonly string[]): void {
    const parsed = this.#withoutValue(address);
    const loaded = this.#loader.load(parsed.package, true);
    const changes: (Change | undefined)[] = [];
    const target = resolve(loaded.package, parsed);
    if (target.option !== undefined) changes.push(operations.remove(target));
    for (const item of items) {
      const { value = '' } = this.#withValue(address, item);
      changes.push(operations.addList(resolve(loaded.package, parsed), value));
    }
    this.#stage(loaded, changes);
  }

  /** Appends changes to the save directory; a file outside of the directories is written at once. */
  #stage(loaded: Loaded, changes: readonly (Change | undefined)[]): void {
    const real = changes.filter((change) => change !== undefined);
    if (real.length === 0) return;
    if (!loaded.staged) {
      this.#write(loaded, false);
      return;
    }
    const { name } = loaded.package;
    this.#files.append(`${this.#loader.savedir}/${name}`, encodeText(real.map(formatDelta).join('')), {
      file: `${this.#loader.confdir}/${name}`,
      directory: this.#loader.confdir,
    });
  }

  #write(loaded: Loaded, keepLayout: boolean): void {
    const text = keepLayout
      ? rewrite(loaded.source, loaded.package)
      : exportPackage(loaded.package, { header: false });
    this.#files.replace(loaded.path, encodeText(text));
  }
}
