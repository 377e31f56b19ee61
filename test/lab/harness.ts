/** Tests on the lab: whether it can run here, one lab for several tests, and waiting for what comes in its own time. */
import { access } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Test } from 'tap';
import type { LabOptions } from './lab.js';
import { Lab } from './lab.js';
import { interruption, PATIENCE, run, sleep } from './shell.js';

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => interruption.raise());

const root = join(import.meta.dirname, '../..');

/** What `make test` builds before. */
export const BUILT = {
  roaming: join(root, 'dist/roaming.js'),
  accessPoint: join(root, 'build/access-point.mjs'),
  tcpPeer: join(root, 'build/tcp-peer.mjs'),
  inject: join(root, 'build/inject.mjs'),
  packetAddon: join(root, 'dist/packet.node'),
};

/** For tests that have no say about how fast a routing protocol is: babeld finds its neighbours in seconds. */
export const QUICK_BABELD = ['default hello-interval 1 update-interval 4'];

const PROGRAMS = ['ip', 'sysctl', 'unshare', 'ping', 'babeld', 'udhcpc'];

export async function exists(path: string): Promise<boolean> {
  return access(path).then(() => true, () => false);
}

/** By its name in PATH, or by its whole path. */
async function isThere(program: string): Promise<boolean> {
  if (program.startsWith('/')) return exists(program);
  const directories = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  const found = await Promise.all(directories.map((directory) => exists(join(directory, program))));
  return found.includes(true);
}

/** Why the lab cannot run on this machine; false where it can. Rejects where only `make` was not run. */
export async function obstacle(...morePrograms: string[]): Promise<string | false> {
  if (process.getuid?.() !== 0) return 'network namespaces need root';
  for (const program of [...PROGRAMS, ...morePrograms]) {
    if (!(await isThere(program))) return `there is no program ${program} (test/setup.sh lab installs it)`;
  }
  const namespaces = await run('unshare', '--net', '--uts', 'true').then(() => true, () => false);
  if (!namespaces) return 'network namespaces cannot be made here';
  for (const file of Object.values(BUILT)) {
    if (!(await exists(file))) throw new Error(`${file} is not there: make test builds it`);
  }
  return false;
}

export interface LabTest {
  readonly name: string;
  /** Programs that this test needs beside the lab's own. */
  readonly programs?: readonly string[];
  readonly run: (t: Test, lab: Lab) => Promise<void>;
}

/** Runs `tests` one after the other on one lab. After a failure the others are skipped: they build on each other. */
export async function onLab(t: Test, settings: Omit<LabOptions, 'programs'>, tests: readonly LabTest[]): Promise<void> {
  await t.test(`lab ${settings.name}`, async (t) => {
    const cannot = await obstacle();
    const lab = await Lab.create({ ...settings, programs: BUILT });
    t.teardown(() => lab.stop());
    let failed = 'the lab did not come up';
    await t.test('the lab comes up', { skip: cannot }, async (t) => {
      await lab.start();
      t.pass('all routers reach each other, all daemons answer');
      failed = '';
    });
    for (const { name, programs = [], run } of tests) {
      const skip = cannot || failed || (await obstacle(...programs));
      await t.test(name, { skip }, async (t) => {
        failed = `after a failure in: ${name}`;
        t.teardown(() => t.passing() || printLogs(t, lab));
        await run(t, lab);
        if (t.passing()) failed = '';
      });
    }
  });
}

/** What the daemons said, for whoever has to find out what went wrong. */
function printLogs(t: Test, lab: Lab): void {
  for (const { name, daemon } of Object.values(lab.routers)) t.comment(`${name}:\n${daemon?.output.slice(-3000) ?? ''}`);
}

/** Reads until it is as `wanted`, at most five seconds of an idle machine, and asserts that it is. */
export async function settles<T>(t: Test, what: string, wanted: T, read: () => Promise<T>): Promise<void> {
  const end = Date.now() + 5000 * PATIENCE;
  let found = await read();
  while (!isDeepStrictEqual(found, wanted) && Date.now() < end) {
    await sleep(50);
    found = await read();
  }
  t.strictSame(found, wanted, what);
}
