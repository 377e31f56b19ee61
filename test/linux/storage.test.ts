import { mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
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

t.test('where there is no room, what was written of a file does not take up what little there is', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'roaming-storage-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const storage = new DirectoryStorage(directory);
  await storage.save('database', Uint8Array.of(1));
  symlinkSync('/dev/full', join(directory, 'database.new'));
  await t.rejects(storage.save('database', Uint8Array.of(2)), { code: 'ENOSPC' });
  t.same(readdirSync(directory), ['database']);
  t.same([...(await storage.load('database'))!], [1], 'the old content is there');
});
