/** The router's configuration as it is read and changed: by `uci` where it is in force, or in a directory of its own. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Package } from 'uci-parser';
import { UciError, UciParseError } from 'uci-parser';
import { UciStore } from 'uci-parser/node';
import { CliError } from '../ask.js';
import type { UciCommand } from './draft.js';
import { formatCommand } from './draft.js';

const CONFDIR = '/etc/config';

export interface Configuration {
  /** What is committed, by name; what is not there is left out. Throws {@link CliError}. */
  load(names: readonly string[]): Map<string, Package>;
  /** Carries out all commands and commits, or none. Throws {@link CliError}. */
  apply(commands: readonly UciCommand[]): void;
}

/** @param directory undefined: /etc/config, through the uci program, so that all who listen for changes hear of them */
export function openConfiguration(directory: string | undefined): Configuration {
  return directory === undefined ? new LiveConfiguration() : new DirectoryConfiguration(directory);
}

function packagesOf(commands: readonly UciCommand[]): string[] {
  return [...new Set(commands.map(({ address }) => address.split('.', 1)[0]!))];
}

function loadAll(store: UciStore, names: readonly string[]): Map<string, Package> {
  const loaded = new Map<string, Package>();
  for (const name of names) {
    try {
      loaded.set(name, store.load(name, { staged: false }));
    } catch (error) {
      if (error instanceof UciParseError) throw new CliError(error.message);
      if (!(error instanceof UciError) || error.code !== 'NOTFOUND') throw error;
    }
  }
  return loaded;
}

class LiveConfiguration implements Configuration {
  load(names: readonly string[]): Map<string, Package> {
    return loadAll(new UciStore(), names);
  }

  apply(commands: readonly UciCommand[]): void {
    const packages = packagesOf(commands);
    for (const name of packages) {
      if (uci('changes', name).trim() === '') continue;
      throw new CliError(`${name} has changes that are not committed: 'uci commit ${name}' or 'uci revert ${name}' first`);
    }
    try {
      for (const { command, address, value } of commands) uci(command, value === undefined ? address : `${address}=${value}`);
    } catch (error) {
      for (const name of packages) uci('revert', name);
      throw error;
    }
    for (const name of packages) uci('commit', name);
  }
}

function uci(...words: string[]): string {
  try {
    return execFileSync('uci', words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (error) {
    const { code, stderr } = error as { code?: string; stderr?: string };
    if (code === 'ENOENT') throw new CliError('there is no uci program: is this an OpenWrt router?');
    throw new CliError(`uci ${words.join(' ')}: ${stderr?.trim() ?? String(error)}`);
  }
}

class DirectoryConfiguration implements Configuration {
  constructor(private readonly directory: string) {}

  load(names: readonly string[]): Map<string, Package> {
    return loadAll(this.#store(join(this.directory, '.none')), names);
  }

  #store(savedir: string): UciStore {
    return new UciStore({ confdir: this.directory, savedir, overridedir: '' });
  }

  apply(commands: readonly UciCommand[]): void {
    const savedir = mkdtempSync(join(tmpdir(), 'roaming-setup-'));
    try {
      const store = this.#store(savedir);
      for (const command of commands) carryOut(store, command);
      for (const name of packagesOf(commands)) store.commit(name, { keepLayout: true });
    } finally {
      rmSync(savedir, { recursive: true });
    }
  }
}

function carryOut(store: UciStore, change: UciCommand): void {
  const { command, address, value = '' } = change;
  try {
    if (command === 'set') store.set(address, value);
    else if (command === 'add_list') store.addList(address, value);
    else if (command === 'del_list') store.delList(address, value);
    else store.delete(address);
  } catch (error) {
    throw new CliError(`${formatCommand(change)}: ${(error as Error).message}`);
  }
}

/** A file of the package that was deleted is made anew: uci changes only what is there. */
export function ensurePackage(directory: string | undefined, name: string): void {
  const path = join(directory ?? CONFDIR, name);
  if (!existsSync(path)) writeFileSync(path, '', { mode: 0o600 });
}
