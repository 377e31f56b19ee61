import { applyDelta } from './delta.js';
import type { Change } from './delta.js';
import { DEFAULT_SAVEDIR } from './deltapath.js';
import { UciError } from './errors.js';
import type { UciParseError } from './errors.js';
import type { Files } from './files.js';
import type { Package } from './model.js';
import { isPackageName } from './names.js';
import { parse } from './parse.js';

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
export interface Loaded {
  readonly package: Package;
  readonly path: string;
  readonly source: Uint8Array;
  /** Whether it lies in `confdir` or `overridedir`, and so has staged changes. */
  readonly staged: boolean;
  readonly changes: Change[];
  readonly applied: number;
}

/** Finds and reads the files of a store. */
export class Loader {
  readonly confdir: string;
  readonly savedir: string;
  /** How files are to be read, for `parse`. */
  readonly reading: Pick<StoreOptions, 'strict' | 'onError'>;
  readonly #files: Files;
  readonly #overridedir: string;
  readonly #deltadirs: readonly string[];

  constructor(files: Files, options: StoreOptions) {
    this.#files = files;
    this.confdir = options.confdir ?? '/etc/config';
    this.savedir = options.savedir ?? DEFAULT_SAVEDIR;
    this.#overridedir = options.overridedir ?? '/var/run/uci';
    this.#deltadirs = options.deltadirs ?? [this.savedir];
    const { strict, onError } = options;
    this.reading = { ...(strict === undefined ? {} : { strict }), ...(onError === undefined ? {} : { onError }) };
  }

  /**
   * Names of the files in `confdir` that are packages.
   * @throws {UciError} `NOTFOUND`
   */
  names(): string[] {
    const names = this.#files.list(this.confdir);
    if (names === undefined || names.length === 0) throw new UciError('NOTFOUND', this.confdir);
    // Package names are ASCII, so this is the byte order that libuci's glob has in the C locale.
    return names.filter((name) => !name.includes('.') && isPackageName(name)).sort();
  }

  /**
   * Reads a package, with its staged changes if `withStaged`.
   * @throws {UciError} `NOTFOUND`, `INVAL`; UciParseError
   */
  load(name: string, withStaged: boolean): Loaded {
    const direct = name.startsWith('/') || name.startsWith('./');
    if (!direct && (!isPackageName(name) || name.includes('/'))) throw new UciError('INVAL', `package '${name}'`);
    if (!direct && name.startsWith('.')) throw new UciError('NOTFOUND', name);
    const path = direct ? name : this.#path(name);
    const source = this.#files.read(path);
    if (source === undefined) throw new UciError('NOTFOUND', path);
    const owner = parse(source, { name: path.slice(path.lastIndexOf('/') + 1), file: path, ...this.reading });
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

  #path(name: string): string {
    const override = `${this.#overridedir}/${name}`;
    if (this.#overridedir !== '' && this.#files.exists(override)) return override;
    return `${this.confdir}/${name}`;
  }
}
