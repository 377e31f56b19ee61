/**
 * UCI files where they are: the file system under `UciStore`.
 * @module
 */
import {
  appendFileSync, chmodSync, closeSync, existsSync, fsyncSync, mkdirSync, openSync, readdirSync, readFileSync,
  realpathSync, renameSync, rmSync, statSync, truncateSync, writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { UciError } from './errors.js';
import type { Files } from './files.js';
import type { StoreOptions } from './loader.js';
import { Store } from './store.js';

const NEW_FILE_MODE = 0o600;
const NEW_DIRECTORY_MODE = 0o700;
const PERMISSIONS = 0o7777;
const TEMPORARY_NAMES = 100;

function modeOf(path: string): number | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat === undefined ? undefined : stat.mode & PERMISSIONS;
}

function failed(error: unknown): UciError {
  const detail = error instanceof Error ? error.message : String(error);
  return new UciError('IO', detail, { cause: error });
}

/** Runs a file operation; what the system refuses becomes a UciError `IO`. */
function guarded<T>(operation: () => T): T {
  try {
    return operation();
  } catch (error) {
    throw error instanceof UciError ? error : failed(error);
  }
}

/** Makes a new file beside another one, as `.NAME.uci-XXXXXX` does in libuci. */
function openTemporary(path: string): { fd: number; name: string } {
  for (let number = 0; number < TEMPORARY_NAMES; number++) {
    const name = join(dirname(path), `.${basename(path)}.uci-${process.pid}-${number}`);
    try {
      return { fd: openSync(name, 'wx', NEW_FILE_MODE), name };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
  throw new UciError('IO', `no free temporary name beside ${path}`);
}

function writeWhole(fd: number, bytes: Uint8Array): void {
  try {
    for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function replace(path: string, bytes: Uint8Array): void {
  const target = existsSync(path) ? realpathSync(path) : path;
  const { fd, name } = openTemporary(target);
  try {
    writeWhole(fd, bytes);
    chmodSync(name, modeOf(target) ?? NEW_FILE_MODE);
    renameSync(name, target);
  } catch (error) {
    rmSync(name, { force: true });
    throw error;
  }
}

function append(path: string, bytes: Uint8Array, like: { file: string; directory: string }): void {
  const directory = dirname(path);
  if (!existsSync(directory)) mkdirSync(directory, { mode: modeOf(like.directory) ?? NEW_DIRECTORY_MODE });
  appendFileSync(path, bytes, { mode: modeOf(like.file) ?? NEW_FILE_MODE });
}

function list(directory: string): string[] | undefined {
  if (!existsSync(directory)) return undefined;
  return readdirSync(directory).filter((name) => {
    const stat = statSync(join(directory, name), { throwIfNoEntry: false });
    return stat !== undefined && !stat.isDirectory();
  });
}

function read(path: string): Uint8Array | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat?.isFile() === true ? readFileSync(path) : undefined;
}

/**
 * The real file system. Node cannot take the flock that libuci takes around its reads and writes:
 * a replaced file is still seen whole by every reader, but of two programs that change the same
 * package at the same moment one may lose its change.
 */
export const nodeFiles: Files = {
  exists: (path) => existsSync(path),
  read: (path) => guarded(() => read(path)),
  list: (directory) => guarded(() => list(directory)),
  append: (path, bytes, like) => guarded(() => append(path, bytes, like)),
  truncate: (path) => guarded(() => truncateSync(path, 0)),
  replace: (path, bytes) => guarded(() => replace(path, bytes)),
};

/** The commands of `uci` on the real file system. */
export class UciStore extends Store {
  constructor(options: StoreOptions = {}) {
    super(nodeFiles, options);
  }
}
