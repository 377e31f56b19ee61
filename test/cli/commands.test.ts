/** The program as people run it, against the daemon's own ubus methods. */
import { build } from 'esbuild';
import type { ChildProcess } from 'node:child_process';
import { execFile, execFileSync, spawn } from 'node:child_process';
import { copyFile, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { whyNot } from '../../src/cli/ask.js';
import { nodes, self, TestRouter } from '../luci/router.js';

const directory = await mkdtemp(join(tmpdir(), 'roaming-cli-'));
const program = join(directory, 'roaming.cjs');
await build({
  entryPoints: ['src/main.ts'],
  bundle: true,
  platform: 'node',
  format: 'cjs',
  outfile: program,
  conditions: ['@roaming/source'],
  define: { __VERSION__: '"0.1.0"', 'import.meta.url': 'importMetaUrl' },
  banner: { js: 'const importMetaUrl = require("url").pathToFileURL(__filename);' },
  logLevel: 'silent',
});
await copyFile('dist/packet.node', join(directory, 'packet.node'));
const router = await TestRouter.start();
await router.startDaemon();
const phone = router.move(1, nodes[1]!.id, 'a-phone-with-quite-a-long-name-for-a-table');
router.pass(60);
router.move(1, self);
t.teardown(async () => {
  await router.stop();
  await rm(directory, { recursive: true });
});

interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const roaming = (...words: string[]) => runProgram(program, words);

const runProgram = (program: string, words: readonly string[]) => run(process.execPath, [program, ...words]);

function run(file: string, words: readonly string[]): Promise<Result> {
  const env = { ...process.env, TZ: 'UTC', SHELL: '/bin/sh' };
  return new Promise((resolve) => {
    execFile(file, words, { env, maxBuffer: 2 ** 24 }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
    });
  });
}

const ask = (...words: string[]) => roaming(...words, '--ubus', router.socket);

/** What the program prints on a terminal so wide. */
async function onTerminal(columns: number, ...words: string[]): Promise<string> {
  const command = ['stty', 'cols', columns, ';', 'exec', process.execPath, program, ...words, '--ubus', router.socket].join(' ');
  const { stdout } = await run('script', ['-qec', command, '/dev/null']);
  return stdout.replaceAll('\r', '');
}

t.test('every answer fits the terminal, and comes as JSON too; in a pipe nothing is cut', async (t) => {
  const name = 'a-phone-with-quite-a-long-name-for-a-table';
  for (const words of [['clients'], ['client', phone], ['history'], ['leases'], ['nodes'], ['peers'], ['status'], ['trace']]) {
    const { code, stdout } = await ask(...words);
    t.equal(code, 0, words.join(' '));
    t.notMatch(stdout, /\x1b|…/, 'no colours in a pipe, and all of each name');
    const shown = await onTerminal(80, ...words);
    t.ok(shown.split('\n').every((line) => line.length <= 80), shown);
    const answer = JSON.parse((await ask(...words, '--json')).stdout) as object;
    t.ok(Object.keys(answer).length > 0);
  }
  t.match((await ask('clients')).stdout, name);
  t.match(await onTerminal(200, 'history'), name, 'a wide terminal shows what a narrow one cuts');
  t.notMatch(await onTerminal(80, 'history'), name);
  t.equal(await onTerminal(0, 'history'), await onTerminal(80, 'history'), 'a serial console does not know how wide it is');
});

t.test('filters and actions reach the daemon', async (t) => {
  t.match((await ask('leases', '--address', '10.44.0.1')).stdout, /1 lease$/m);
  t.match((await ask('history', '--limit', '1')).stdout, / hall  roof  /);
  t.match(await ask('disassociate', phone), { code: 0, stdout: `${phone} is sent away\n` });
  t.match(await ask('probe', phone), { code: 0, stdout: 'no answer\n' });
  t.match(await ask('release', 'a-phone'), { code: 1, stderr: /no client has the name/ }, 'a part of it is not enough to do something');
  t.match(await ask('release', '02-00-00-00-00-01'), { code: 0, stdout: '0 released\n' });
  t.match(await ask('reload'), { code: 0, stdout: 'reloaded\n' });
  t.match((await ask('metrics')).stdout, /^roaming_clients\{node="0000000000000001",node_name="roof"\} 1$/m);
  t.same(router.done, [`disassociate ${phone}`]);
});

t.test('a client by what a person knows of it', async (t) => {
  for (const word of ['020000000001', 'A-Phone']) {
    t.match((await ask('client', word)).stdout, new RegExp(`^client +${phone}$`, 'm'), word);
  }
  t.match((await ask('history', 'a-phone')).stdout, / hall  roof  /);
  t.match(await ask('probe', 'a-phone'), { code: 0, stdout: 'no answer\n' });
  t.match(await ask('client', 'nobody'), { code: 1, stderr: /^roaming: no client has 'nobody'/ });
  t.match((await ask('clients', 'a-phone')).stdout, /^1 client /m);
  t.match((await ask('clients', 'roof')).stdout, /^1 client /m);
  t.equal((await ask('clients', 'nobody')).stdout, 'no clients\n');
  t.same(JSON.parse((await ask('clients', 'nobody', '--json')).stdout), { clients: [] });
});

t.test('exit codes', async (t) => {
  t.match(await ask('clients', '--mac', 'x'), { code: 2, stderr: 'roaming: mac: not a MAC address: x\n' });
  t.match(await ask('client'), { code: 2, stderr: /^roaming: a word is missing: / });
  t.match(await ask('history', '--limit', 'x'), { code: 2, stderr: 'roaming: --limit: a number is expected\n' });
  t.match(await roaming(), { code: 2, stderr: /roaming --help/ });
  t.match(await roaming('cleints', 'r2'), { code: 2, stderr: "roaming: there is no command 'cleints': did you mean 'clients'? roaming --help lists them\n" });
  t.match(await roaming('dance'), { code: 2, stderr: /^roaming: there is no command 'dance': roaming --help / });
  t.match(await roaming('clients', '--ubus', join(directory, 'none')), { code: 3, stderr: /ubusd cannot be reached/ });
  const config = join(directory, 'roaming');
  t.match(await roaming('check', '--offline', '--config', config), { code: 1, stderr: /there is no such file/ });
  await writeFile(config, "config roaming 'main'\n\toption port 'x'\n");
  t.match(await roaming('check', '--offline', '--config', config), { code: 1, stderr: /:2: main\.port: expected a whole number/ });
  await writeFile(config, "config roaming 'main'\n\toption enabled '1'\n");
  t.match(await roaming('check', '--offline', '--config', config), { code: 0, stdout: /^good .*transit node/ });
});

t.test('check by a link to the program, as a router has it, on an interface without an access point', async (t) => {
  const [link, config] = [join(directory, 'linked'), join(directory, 'wired')];
  await symlink(program, link);
  await writeFile(config, "config roaming 'main'\n\tlist interface 'none0'\n\tlist prefix '10.44.0.0/16'\n\tlist presence 'fdb'\n");
  const { stdout } = await runProgram(link, ['check', '--config', config, '--ubus', router.socket]);
  t.match(stdout, /none0/);
  t.notMatch(stdout, /cannot load|access point/);
});

t.test('the daemon has gone', async (t) => {
  router.stopDaemon();
  while ((await ask('status')).code === 0);
  t.match(await ask('status'), { code: 3, stderr: /is it running\?/ });
  await router.startDaemon();
});

t.test('words for bash', async (t) => {
  // In a shell, as the package's file has it.
  const shell = `roaming() { "${process.execPath}" "${program}" "$@"; }
. files/usr/share/bash-completion/completions/roaming
COMP_WORDS=(roaming hist) COMP_CWORD=1
_roaming_yargs_completions
echo "\${COMPREPLY[@]}"`;
  t.equal(execFileSync('bash', ['-c', shell], { encoding: 'utf8' }), 'history\n');
  const { stdout } = await roaming('--get-yargs-completions', 'roaming', 'his');
  t.match(stdout, 'history');
});

/** What a running `roaming watch` prints, once it has said `wanted`. */
async function heard(child: ChildProcess, wanted: RegExp, say: () => void): Promise<string> {
  let text = '';
  child.stdout!.on('data', (data) => (text += data));
  for (let i = 0; i < 1200 && !wanted.test(text); i++) {
    if (i % 10 === 0) say();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return text;
}

t.test('watch, in a pipe: a line for each notification, until it is told to stop', async (t) => {
  const data = { mac: phone, hostname: 'phone', node: self, node_name: 'roof', from: nodes[1]!.id, from_name: 'hall' };
  for (const [words, wanted] of [[[], / roam {5}02:00:00:00:00:01 phone hall -> roof\n/], [['phone', '--json'], /^\{"time":\d+\.?\d*,"type":"roam","mac":"02:00/m]] as const) {
    const child = spawn(process.execPath, [program, 'watch', ...words, '--ubus', router.socket]);
    const text = await heard(child, wanted, () => router.notify('roam', data));
    t.match(text, wanted);
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGINT');
    t.equal(await ended, 0);
  }
});

t.test('watch, whose reader has gone: it ends then, not with the next notification', async (t) => {
  const data = { mac: phone, hostname: 'phone', node: self, node_name: 'roof' };
  const child = spawn('sh', ['-c', `'${process.execPath}' '${program}' watch --ubus '${router.socket}' | head -n 1`]);
  const ended = new Promise<string>((done) => child.once('exit', () => done('ended')));
  // The reader has one line, and goes. From then on nothing is said.
  t.match(await heard(child, /\n/, () => router.notify('roam', data)), /^[^\n]* roam {5}.*\n$/);
  t.equal(await Promise.race([ended, new Promise((done) => setTimeout(done, 30_000, 'still there').unref())]), 'ended');
});

t.test('where nobody answers root is told to look whether the daemon runs, others to be root', async (t) => {
  t.match(whyNot(0), 'service roaming status');
  t.match(whyNot(1000), 'try as root');
});

t.test('a full disk: one line, no trace of ours', async (t) => {
  const { code, stderr } = await run('sh', ['-c', `exec '${process.execPath}' '${program}' clients --ubus '${router.socket}' >/dev/full`]);
  t.same([code, stderr], [1, 'roaming: the output cannot be written: ENOSPC: no space left on device, write\n']);
});

t.test('an option without its value: one line, no trace of ours', async (t) => {
  const { code, stderr } = await roaming('clients', '--node');
  t.same([code, stderr], [2, 'roaming: --node: a value is missing\n']);
});

t.test('of a network with more clients than one message of ubus holds all are shown', async (t) => {
  for (let n = 100; n < 4100; n++) router.move(n, self, `phone-${n}`);
  const { clients } = JSON.parse((await ask('clients', '--json')).stdout) as { clients: { mac: string }[] };
  t.ok(clients.length >= 4000, `${clients.length}`);
  t.equal(new Set(clients.map(({ mac }) => mac)).size, clients.length);
  const { leases } = JSON.parse((await ask('leases', '--json')).stdout) as { leases: { family: number }[] };
  t.equal(leases.length, 2 * clients.length);
  t.same(leases.map(({ family }) => family), leases.map(({ family }) => family).sort(), 'IPv4 first');
  t.match((await ask('client', 'phone-4099')).stdout, /phone-4099/, 'one of them by name');
});
