/** `make lab` as people type at its prompt. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import t from 'tap';
import { obstacle } from './harness.js';

const DEMO = join(import.meta.dirname, '../../build/demo.mjs');

const TYPED = `
walk r2
walk r9
join phone r3
r1 roaming clients --json >/dev/null && echo 'r1 answers'
r1 service roaming stop
r1 service roaming status
r1 roaming status
r1 service roaming start
r1 logread
client ip -o addr show dev eth0
`;

/** What is said on either stream. */
function typeAtPrompt(text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, SHELL: '/bin/sh' };
    const child = execFile(process.execPath, [DEMO, '--stay'], { env }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout + stderr);
      else reject(new Error(`${error.message}\n${stdout}`));
    });
    child.stdin!.end(text);
  });
}

t.test('hosts, clients and services by name', { skip: await obstacle() }, async (t) => {
  const said = await typeAtPrompt(TYPED);
  t.match(said, /^client: r1 -> r2, unplugged for \d+ ms$/m);
  t.match(said, /^walk \[CLIENT\] ROUTER: routers with clients are r1, r2, r3$/m);
  t.match(said, /^phone \(02:00:00:00:00:02\) is at r3$/m);
  t.match(said, /^r1 answers\nstopped\ninactive\nstarted\n/m);
  t.match(said, /^roaming: the daemon does not answer on ubus: is it running\?/m);
  t.match(said, /^started as r1 /m);
  t.match(said, 'inet 10.44.');
});
