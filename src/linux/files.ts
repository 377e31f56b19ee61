/**
 * Files, by promises. Not those of node:fs/promises, with which Node loads its readline, watchers and streams of files: half
 * a MiB that a daemon would hold and not use.
 */
import * as fs from 'node:fs';
import { promisify } from 'node:util';

export const readFile = promisify(fs.readFile);
export const writeFile = promisify(fs.writeFile);
export const makeDirectory = promisify(fs.mkdir);
export const rename = promisify(fs.rename);
export const remove = promisify(fs.unlink);

const open = promisify(fs.open);
const close = promisify(fs.close);
const synchronize = promisify(fs.fdatasync);

/** Writes a file anew, for its owner alone, and has it brought to the disk. */
export async function writeThrough(path: string, content: Uint8Array): Promise<void> {
  const file = await open(path, 'w', 0o600);
  try {
    await writeFile(file, content);
    await synchronize(file);
  } finally {
    await close(file);
  }
}
