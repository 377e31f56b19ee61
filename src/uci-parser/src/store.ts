import { parseAddress, resolve } from './address.js';
import type { Address, Target } from './address.js';
import { applyDelta, formatDelta, parseDelta } from './delta.js';
import type { Change } from './delta.js';
import { DEFAULT_SAVEDIR } from './deltapath.js';
import { UciError } from './errors.js';
import type { UciParseError } from './errors.js';
import type { Files } from './files.js';
import { exportPackage, show, showOption, showSection } from './format.js';
import type { ShowOptions } from './format.js';
import type { Package, Value } from './model.js';
import { isName, isPackageName, isType, isValue } from './names.js';
import * as operations from './operations.js';
import { mergePackage, parse, parsePackages } from './parse.js';
import { rewrite } from './rewrite.js';
import { encodeText } from './text.js';

/** Directories and manners of a store; the defaults are those of `uci`. */
export interface StoreOptions {
  /** Where the files are; `/etc/config`. */
  readonly confdir?: string;
  /** A file here is used instead of the one in `confdir`; `/var/run/uci`. Empty for none. */
  readonly overridedir?: string;
  /** Where changes are staged until they are committed; `/tmp/.uci`. */
  readonly savedir?: string;
  /** All directories whose staged changes are applied, in order; only `savedir` by default. */
  readonly deltadirs?: readonly string[];
  /** False makes `commit` do nothing, as `uci -P` does for the state in /var/state. */
  readonly commit?: boolean;
  /** False reads on behind errors, as `uci -S`; see `ParseOptions`. */
  readonly strict?: boolean;
  /** Hears of the errors that are skipped when `strict` is false. */
  readonly onError?: (error: UciParseError) => void;
  /**
   * False stages, as `uci` does, names and types that the next reader of the staged changes
   * ignores. By default they are refused with `INVAL`.
   */
  readonly checkNames?: boolean;
}

/** A package with the place it came from. */
interface Loaded {
  readonly package: Package;
  readonly path: string;
  readonly source: Uint8Array;
  /** Whether it lies in `confdir` or `overridedir`, and so has staged changes. */
  readonly staged: boolean;
  readonly changes: Change[];
  readonly applied: number;
}

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
  readonly #confdir: string;
  readonly #overridedir: string;
  readonly #savedir: string;
  readonly #deltadirs: readonly string[];
  readonly #options: StoreOptions;

  constructor(files: Files, options: StoreOptions = {}) {
    this.#files = files;
    this.#options = options;
    this.#confdir = options.confdir ?? '/etc/config';
    this.#overridedir = options.overridedir ?? '/var/run/uci';
    this.#savedir = options.savedir ?? DEFAULT_SAVEDIR;
    this.#deltadirs = options.deltadirs ?? [this.#savedir];
  }

  /**
   * Names of the files in `confdir`, in the order of `uci show`: those that are no directory, have
   * no dot in the name, and can be a package's name.
   * @throws {UciError} `NOTFOUND` when the directory has no files
   */
  names(): string[] {
    const names = this.#files.list(this.#confdir);
    if (names === undefined || names.length === 0) throw new UciError('NOTFOUND', this.#confdir);
    // Package names are ASCII, so this is the byte order that libuci's glob has in the C locale.
    return names.filter((name) => !name.includes('.') && isPackageName(name)).sort();
  }

  /**
   * Reads a package. With a path (`/` or `./` in front) instead of a name, that file, which then
   * has no staged changes.
   * @param options.staged false leaves the staged changes out: what a daemon wants, because they
   * are half-done until they are committed
   * @throws {UciError} `NOTFOUND`; UciParseError
   */
  load(name: string, options: { readonly staged?: boolean } = {}): Package {
    return this.#load(name, options.staged ?? true).package;
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
    const loaded = this.#load(name, true);
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
    const loaded = this.#load(parsed.package, true);
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
    const loaded = this.#load(parsed.package, true);
    this.#stage(loaded, [operations.reorder(resolve(loaded.package, parsed), position)]);
  }

  /** `uci changes`: what is staged for a package, or for all. */
  changes(name?: string): Change[] {
    if (name !== undefined) return this.#load(name, true).changes;
    return this.names().flatMap((other) => {
      try {
        return this.#load(other, true).changes;
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
    const target = this.#target(this.#withoutValue(address));
    const path = `${this.#savedir}/${target.package.name}`;
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
    const loaded = this.#load(name, true);
    if (this.#options.commit === false || loaded.applied === 0) return false;
    this.#write(loaded, options.keepLayout === true);
    const staged = `${this.#savedir}/${loaded.package.name}`;
    if (this.#files.exists(staged)) this.#files.truncate(staged);
    return true;
  }

  /**
   * `uci import`: replaces the files of all packages in a stream. With a name, the stream is that
   * one package.
   * @throws {UciError} before anything is written when the stream has an error
   */
  import(text: string | Uint8Array, name?: string): void {
    const packages = parsePackages(text, { ...this.#reading, ...(name === undefined ? {} : { name }) });
    for (const owner of packages) {
      const bytes = encodeText(exportPackage(owner, { header: false }));
      this.#files.replace(`${this.#confdir}/${owner.name}`, bytes);
    }
  }

  /** `uci -m import`: stages what a stream would add to a package. */
  merge(text: string | Uint8Array, name: string): void {
    const loaded = this.#load(name, true);
    this.#stage(loaded, mergePackage(loaded.package, text, this.#reading));
  }

  get #checked(): boolean {
    return this.#options.checkNames ?? true;
  }

  get #reading(): Pick<StoreOptions, 'strict' | 'onError'> {
    const { strict, onError } = this.#options;
    return { ...(strict === undefined ? {} : { strict }), ...(onError === undefined ? {} : { onError }) };
  }

  #path(name: string): string {
    const override = `${this.#overridedir}/${name}`;
    if (this.#overridedir !== '' && this.#files.exists(override)) return override;
    return `${this.#confdir}/${name}`;
  }

  #load(name: string, withStaged: boolean): Loaded {
    const direct = name.startsWith('/') || name.startsWith('./');
    if (!direct && (!isPackageName(name) || name.includes('/'))) throw new UciError('INVAL', `package '${name}'`);
    if (!direct && name.startsWith('.')) throw new UciError('NOTFOUND', name);
    const path = direct ? name : this.#path(name);
    const source = this.#files.read(path);
    if (source === undefined) throw new UciError('NOTFOUND', path);
    const owner = parse(source, { name: path.slice(path.lastIndexOf('/') + 1), file: path, ...this.#reading });
    const changes: Change[] = [];
    let applied = 0;
    for (const directory of withStaged && !direct ? this.#deltadirs : []) {
      const delta = this.#files.read(`${directory}/${name}`);
      const result = applyDelta(owner, delta ?? new Uint8Array());
      changes.push(...result.changes);
      applied += result.applied;
    }
    return { package: owner, path, source, staged: !direct, changes, applied };
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
    return resolve(this.#load(address.package, true).package, address);
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
    const loaded = this.#load(parsed.package, true);
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
    const loaded = this.#load(parsed.package, true);
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
    this.#files.append(`${this.#savedir}/${name}`, encodeText(real.map(formatDelta).join('')), {
      file: `${this.#confdir}/${name}`,
      directory: this.#confdir,
    });
  }

  #write(loaded: Loaded, keepLayout: boolean): void {
    const text = keepLayout
      ? rewrite(loaded.source, loaded.package)
      : exportPackage(loaded.package, { header: false });
    this.#files.replace(loaded.path, encodeText(text));
  }
}
