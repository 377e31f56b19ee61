import { readFile } from 'node:fs/promises';
import type { Test } from 'tap';
import t from 'tap';
import { UciError } from 'uci-parser';
import { CliError } from '../../src/cli/ask.js';
import { reported } from '../../src/cli/outcome.js';

/** What is printed where the work fails with this, and the exit code. */
async function outcomeOf(t: Test, work: () => Promise<unknown>): Promise<[string, typeof process.exitCode]> {
  const before = process.exitCode;
  const written = t.capture(process.stderr, 'write', () => true);
  await reported(work);
  const code = process.exitCode;
  process.exitCode = before;
  return [written().map(({ args }) => args[0]).join(''), code];
}

t.test('what the system refuses is said in one line; a fault of the program with its place', async (t) => {
  const fail = (error: Error) => () => Promise.reject(error);
  t.same(await outcomeOf(t, () => readFile('/nonexistent')), ["roaming: ENOENT: no such file or directory, open '/nonexistent'\n", 1]);
  t.same(await outcomeOf(t, fail(new UciError('IO', 'EACCES: permission denied'))), ['roaming: I/O error: EACCES: permission denied\n', 1]);
  const taken = Object.assign(new Error('listen EADDRINUSE'), { code: 'EADDRINUSE', syscall: 'listen' });
  t.same(await outcomeOf(t, fail(new Error('port 4444: in use by another program', { cause: taken }))), ['roaming: port 4444: in use by another program\n', 1]);
  t.same(await outcomeOf(t, fail(new CliError('not so', 2))), ['roaming: not so\n', 2]);
  const [text] = await outcomeOf(t, fail(new TypeError('oops')));
  t.match(text, /^roaming: TypeError: oops\n +at /);
});
