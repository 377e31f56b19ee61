/** The end of whoever reads from us, as poll(2) tells it. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { addon, until } from './namespace.js';

const EPIPE = 32;

/** A pipe: the end that reads, and that which is written to. */
function pipe(): [reader: number, writer: number] {
  const directory = mkdtempSync(join(tmpdir(), 'roaming-'));
  const path = join(directory, 'pipe');
  execFileSync('mkfifo', [path]);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writer = openSync(path, constants.O_WRONLY);
  rmSync(directory, { recursive: true });
  return [reader, writer];
}

t.test('the reader of a pipe goes: told once, without a write', async (t) => {
  const [reader, writer] = pipe();
  const told: number[] = [];
  const hangup = new (addon().Hangup)(writer, (errno) => told.push(errno));
  writeSync(writer, 'what nobody reads');
  await new Promise((resolve) => setTimeout(resolve, 50));
  t.same(told, [], 'as long as it is there, nothing');
  closeSync(reader);
  await until(t, 'it is told', () => told.length > 0);
  await new Promise((resolve) => setTimeout(resolve, 50));
  t.same(told, [EPIPE]);
  hangup.close();
  hangup.close();
  t.throws(() => writeSync(writer, 'x'), { code: 'EPIPE' }, 'the descriptor is still ours');
  closeSync(writer);
});

t.test('closed before, it tells nothing', async (t) => {
  const [reader, writer] = pipe();
  const told: number[] = [];
  new (addon().Hangup)(writer, (errno) => told.push(errno)).close();
  closeSync(reader);
  await new Promise((resolve) => setTimeout(resolve, 50));
  t.same(told, []);
  closeSync(writer);
});

t.test('the other end of a socket says no more, and still reads; then it goes', async (t) => {
  // Its standard output is a socket, of which this end is shut down first, and closed then.
  const code = `
    const module = { exports: {} };
    process.dlopen(module, ${JSON.stringify(join(process.cwd(), 'dist/packet.node'))});
    new module.exports.Hangup(1, () => { require('node:fs').writeSync(2, 'gone'); process.exit(); });
    require('node:fs').writeSync(2, 'there');
  `;
  const child = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  child.stderr.on('data', (data) => (said += data));
  await until(t, 'it waits', () => said === 'there');
  (child.stdout as unknown as { end(): void }).end();
  await new Promise((resolve) => setTimeout(resolve, 100));
  t.equal(said, 'there');
  child.stdout.destroy();
  await once(child, 'exit');
  t.equal(said, 'theregone');
});

t.test('what is no descriptor is refused', async (t) => {
  t.throws(() => new (addon().Hangup)(-1, () => undefined), { code: 'EBADF' });
  t.throws(() => new (addon().Hangup)('1' as never, () => undefined), TypeError);
});
