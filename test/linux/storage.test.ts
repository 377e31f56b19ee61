import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { DirectoryStorage } from '../../src/linux/storage.js';

t.test('files are kept, replaced, and set aside', async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'roaming-storage-'));
  t.teardown(() => rmSync(root, { recursive: true }));
  const directory = join(root, 'state');
  const storage = new DirectoryStorage(directory);
  t.equal(await storage.load('database'), undefined, 'the directory is not there yet');
  await storage.save('database', Uint8Array.of(1, 2, 3));
  await storage.save('database', Uint8Array.of(4));
  t.same([...(await storage.load('database'))!], [4]);
  t.same(readdirSync(directory), ['database'], 'nothing half written is left');
  t.equal(await storage.setAside('database'), join(directory, 'database.bad'));
  t.equal(await storage.load('database'), undefined);
  await storage.save('database', Uint8Array.of(5));
  await storage.setAside('database');
  t.same(readdirSync(directory), ['database.bad'], 'of several the last is kept');
});
