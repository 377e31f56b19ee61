/** The program as it is built, with a configuration that cannot be used: it says what to mend, and does nothing else. */
import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Test } from 'tap';
import t from 'tap';
import { BUILT, exists } from './harness.js';

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function roaming(...args: string[]): Promise<Ended> {
  if (!(await exists(BUILT.roaming))) throw new Error(`${BUILT.roaming} is not there: make build makes it`);
  const child = spawn(process.execPath, [BUILT.roaming, ...args], { timeout: 120_000 });
  const code = new Promise<number>((resolve) => child.once('close', (status) => resolve(status ?? -1)));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await code, stdout, stderr };
}

async function configured(t: Test, ...lines: string[]): Promise<{ directory: string; file: string }> {
  const directory = t.testdir({});
  const file = join(directory, 'roaming');
  await writeFile(file, `config roaming 'main'\n\toption enabled '1'\n${lines.map((line) => `\t${line}\n`).join('')}`);
  return { directory, file };
}

const WRONG: readonly { what: string; line: string; says: string }[] = [
  { what: 'a value out of range', line: "option port '70000'", says: 'main.port: expected a whole number from 1 to 65535' },
  { what: 'an unknown option', line: "option lease '1h'", says: 'main.lease: unknown option' },
  { what: 'a prefix that is none', line: "list prefix '10.44.0.0/33'", says: 'main.prefix: expected a prefix' },
  { what: 'a list for an option', line: "list port '1'", says: 'main.port: a list, where a single option is expected' },
  { what: 'peers and no key', line: "list peer '192.0.2.1'", says: 'main.peer: there is no key' },
];

for (const { what, line, says } of WRONG) {
  t.test(`${what}: check and daemon say file, line, section and option, and end with an error`, async (t) => {
    const { directory, file } = await configured(t, `option state_dir '${t.testdirName}/state'`, line);
    for (const args of [['check'], ['daemon', '--ubus', join(directory, 'no-ubus')]]) {
      const { code, stdout, stderr } = await roaming(...args, '--config', file);
      t.equal(code, 1, `${args[0]}: exit code`);
      t.match(stderr, `roaming: ${file}:4: ${says}`, `${args[0]}: what is wrong`);
      t.equal(stderr.split('\n').length, 2, `${args[0]}: one line`);
      t.equal(stdout, '', `${args[0]}: nothing else`);
    }
    t.notOk(await exists(join(directory, 'state')), 'the daemon has not made its directory');
  });
}

t.test('a file that is not there, or is no UCI file', async (t) => {
  const { directory, file } = await configured(t, "option dns 'unfinished");
  const missing = join(directory, 'missing');
  for (const command of ['check', 'daemon']) {
    const absent = await roaming(command, '--config', missing);
    t.strictSame([absent.code, absent.stderr], [1, `roaming: ${missing}: there is no such file: 'roaming setup' says what makes one\n`], command);
    const broken = await roaming(command, '--config', file);
    t.equal(broken.code, 1);
    t.match(broken.stderr, `roaming: ${file}:3`, `${command}: the line that cannot be read`);
  }
});

t.test('a configuration that can be used', async (t) => {
  const { file } = await configured(t, "list interface 'br-client'", "list prefix '10.44.0.0/16'");
  const { code, stdout } = await roaming('check', '--offline', '--config', file);
  t.strictSame([code, stdout], [0, `good     ${file} (clients on br-client; peers: 0)\n`]);
});
