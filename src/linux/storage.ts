import { dirname, join } from 'node:path';
import type { Storage } from '../ports.js';
import { makeDirectory, readFile, remove, rename, writeThrough } from './files.js';

/** Files in one directory, which is made when first needed. */
export class DirectoryStorage implements Storage {
  constructor(private readonly directory: string) {}

  async load(name: string): Promise<Uint8Array | undefined> {
    try {
      return await readFile(join(this.directory, name));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  /** Written beside the file, brought to the disk, then renamed over it: a crash leaves the old content or the new. */
  async save(name: string, content: Uint8Array): Promise<void> {
    const path = join(this.directory, name);
    await makeDirectory(dirname(path), { recursive: true, mode: 0o700 });
    const fresh = `${path}.new`;
    try {
      await writeThrough(fresh, content);
      await rename(fresh, path);
    } catch (error) {
      // Where there is no room, half a file would leave even less, and /var is the router's memory.
      await remove(fresh).catch(() => {});
      throw error;
    }
  }

  async setAside(name: string): Promise<string> {
    const path = join(this.directory, name);
    await rename(path, `${path}.bad`);
    return `${path}.bad`;
  }
}
