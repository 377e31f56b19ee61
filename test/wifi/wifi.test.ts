/**
 * Real Wi-Fi frames: what `make wifi-test` prints in its virtual machine (see check.ts) become tests here. Skipped by name
 * where there can be no such machine. No other test runs beside it (.taprc): it has the processors for itself.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import t from 'tap';
import { exists, obstacle } from '../lab/harness.js';

const CHECK = join(import.meta.dirname, '../../build/check.mjs');

/** What vm.sh ends with where it cannot be done here. */
const SKIPPED = 77;

t.setTimeout(20 * 60_000);

t.test('real Wi-Fi frames', async (t) => {
  const cannot = await obstacle('hostapd', 'wpa_supplicant', 'iw', 'dumpcap', 'chrt');
  if (cannot !== false) return t.plan(0, cannot);
  if (!(await exists(CHECK))) throw new Error(`${CHECK} is not there: make test builds it`);
  // A process group of its own, so that the virtual machine ends with this test.
  const machine = spawn(join(import.meta.dirname, 'vm.sh'), ['node', CHECK], { stdio: ['ignore', 'pipe', 'inherit'], detached: true });
  const kill = () => void (machine.exitCode === null && process.kill(-machine.pid!, 'SIGTERM'));
  process.once('SIGTERM', () => process.exit(143)).once('exit', kill);
  t.teardown(kill);
  const ended = once(machine, 'close') as Promise<[number | null]>;
  let planned = false;
  for await (const line of createInterface({ input: machine.stdout })) {
    const reason = /^skipped: (.*)/.exec(line)?.[1];
    if (reason !== undefined) return t.plan(0, reason);
    const [, not, what] = /^(not )?ok \d+ - (.*)$/.exec(line) ?? [];
    planned ||= /^1\.\.\d+$/.test(line);
    if (what !== undefined) t.ok(not === undefined, what);
    else t.comment(line);
  }
  const [status] = await ended;
  t.not(status, SKIPPED, 'the virtual machine says why where it cannot be');
  t.ok(planned, 'all was tried');
  t.equal(status, 0, 'the virtual machine ends well');
});
