import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** File names with their contents. */
export type Contents = Readonly<Record<string, string>>;

/** What `temporaryDirectory` needs of a test. */
export interface TearsDown {
  teardown(undo: () => void): unknown;
}

/** A directory that goes away with the test. */
export function temporaryDirectory(test: TearsDown): string {
  const directory = mkdtempSync(join(tmpdir(), 'uci-parser-'));
  test.teardown(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** Makes a directory with these files. */
export async function fill(directory: string, contents: Contents = {}): Promise<string> {
  await mkdir(directory, { recursive: true });
  for (const [name, text] of Object.entries(contents)) await writeFile(join(directory, name), text);
  return directory;
}

/** The files of a directory; empty when there is none. */
export function contentsOf(directory: string): Contents {
  if (statSync(directory, { throwIfNoEntry: false }) === undefined) return {};
  const names = readdirSync(directory).sort();
  return Object.fromEntries(names.map((name) => [name, readFileSync(join(directory, name), 'utf8')]));
}
