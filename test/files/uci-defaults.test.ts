/** /etc/uci-defaults/90-roaming as default_postinst runs it: sourced by busybox's shell, with what it calls recorded. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import t from 'tap';

const SCRIPT = readFileSync('files/etc/uci-defaults/90-roaming', 'utf8').replaceAll('/etc/init.d/roaming', 'service_roaming');
const skip = spawnSync('busybox', ['ash', '-c', 'true']).status === 0 ? false : 'busybox is not installed';

function run(env: { readonly [name: string]: string }): { status: number | null; calls: string[] } {
  const library = 'killall() { echo "killall $*"; }\nservice_roaming() { echo "service_roaming $*"; }\n';
  const { status, stdout } = spawnSync('busybox', ['ash', '-c', `${library}${SCRIPT}`], { env: { PATH: process.env['PATH'], ...env }, encoding: 'utf8' });
  return { status, calls: stdout.trim().split('\n') };
}

t.test('installed: ubusd reads what the daemon may do', { skip }, async (t) => {
  t.same(run({}), { status: 0, calls: ['killall -HUP ubusd'] });
});

t.test('upgraded: the program from before ends, so that the new one is started', { skip }, async (t) => {
  t.same(run({ PKG_UPGRADE: '1' }), { status: 0, calls: ['killall -HUP ubusd', 'service_roaming stop'] });
});
