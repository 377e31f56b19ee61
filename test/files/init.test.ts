/** /etc/init.d/roaming in busybox's shell, as rc.common would run it, with procd's functions recorded. */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import t from 'tap';
import type { Test } from 'tap';
import { parse } from 'uci-parser';

const SCRIPT = resolve('files/etc/init.d/roaming');

const busybox = spawnSync('busybox', ['ash', '-c', 'true']).status === 0;
const skip = busybox ? false : 'busybox is not installed';

/** What OpenWrt's shell libraries do, as far as the script uses them: each call of procd's becomes a line. */
const LIBRARY = `
exec 9>&1
record() {
	line="$1"; shift
	for word in "$@"; do line="$line [$word]"; done
	echo "$line" >&9
}
extra_command() { record extra_command "$1"; }
for name in open_instance close_instance set_param add_jail add_reload_trigger add_reload_interface_trigger; do
	eval "procd_$name() { record $name \\"\\$@\\"; }"
done
_procd_status() { [ "$RUNNING" = 1 ] && echo running || { echo 'not running'; return 5; }; }
logger() { if [ $# -gt 4 ]; then record logger "$@"; else while read -r text; do record logger "$@" "$text"; done; fi; }
id() { [ "$2" = "$KNOWN_USER" ]; }
chown() { record chown "$@"; }
chgrp() { record chgrp "$@"; }
`;

interface Router {
  readonly config: string;
  /** Exit code and text of \`roaming daemon --check\`. */
  readonly check?: readonly [number, string];
  /** Networks that are up, and their devices. */
  readonly networks?: { readonly [network: string]: string };
  /** Whether there are ujail and the user roaming. */
  readonly jail?: boolean;
  readonly running?: boolean;
}

/** Runs one command of the script; returns the recorded lines. The router's files are under the test's directory. */
function run(t: Test, command: string, { config, check = [0, ''], networks = {}, jail = true, running = true }: Router) {
  const root = t.testdir({});
  const at = (path: string) => join(root, path);
  for (const directory of ['etc/config', 'lib/functions', 'sbin', 'usr/sbin', 'etc/capabilities', 'var']) {
    mkdirSync(at(directory), { recursive: true });
  }
  const text = config.replaceAll('/var/lib/roaming', at('var/roaming'));
  writeFileSync(at('etc/config/roaming'), text, { mode: 0o600 });
  writeFileSync(at('etc/capabilities/roaming.json'), '{}');
  writeFileSync(at('usr/sbin/roaming'), `#!/bin/sh\necho "$@" >>${at('calls')}\necho '${check[1]}' >&2\nexit ${check[0]}\n`);
  const cases = Object.entries(networks).map(([network, device]) => `${network}) eval "$1=${device}" ;;`);
  writeFileSync(at('lib/functions/network.sh'), `network_get_device() { case "$2" in ${cases.join(' ')} *) return 1 ;; esac; }\n`);
  if (jail) writeFileSync(at('sbin/ujail'), '');
  for (const program of ['usr/sbin/roaming', ...(jail ? ['sbin/ujail'] : [])]) chmodSync(at(program), 0o755);
  const script = readFileSync(SCRIPT, 'utf8').replace(/(?<![$\w}])\/(sbin|usr|etc|var)\//g, `${root}/$1/`);
  writeFileSync(at('script'), `${LIBRARY}${configFunctions(text)}\n${script}\n${command}\n`);
  const env = { PATH: process.env['PATH'], IPKG_INSTROOT: root, KNOWN_USER: jail ? 'roaming' : 'nobody', RUNNING: running ? '1' : '0' };
  const { stdout, stderr, status } = spawnSync('busybox', ['ash', at('script')], { env, encoding: 'utf8' });
  const lines = stdout.replaceAll(root, '').split('\n').filter((line) => line !== '' && !line.startsWith('extra_command'));
  const mode = (statSync(at('etc/config/roaming')).mode & 0o777).toString(8);
  return { lines, stderr, status, mode };
}

/** /lib/functions.sh reads UCI by a C library; here the test reads it. */
function configFunctions(text: string): string {
  const [section] = parse(text, { name: 'roaming' }).ofType('roaming');
  const values = [...(section?.options ?? [])].map(({ name, value }) => `${name}) eval "$1=\\"${[value].flat().join(' ')}\\"" ;;`);
  const get = `config_get() { case "$3" in ${values.join(' ')} *) eval "$1=\\"\\$4\\"" ;; esac; }`;
  return `config_load() { :; }\nconfig_foreach() { ${section === undefined ? ':' : '"$1" main'}; }\n${get}\nconfig_get_bool() { config_get "$@"; }`;
}

const ENABLED = `config roaming 'main'
	option enabled '1'
	list interface 'client'
	list interface 'guests'
	list prefix '10.44.0.0/16'
	option state_dir '/var/lib/roaming'
`;

t.test('ShellCheck has nothing to say', { skip: spawnSync('shellcheck', ['-V']).status === 0 ? false : 'shellcheck is not installed' }, async (t) => {
  // SC2034, SC2317: rc.common uses the variables and calls the functions. SC1091, SC3043: files of the router, local of ash.
  const shell = ['-s', 'sh', '-e', 'SC2034,SC2317,SC1090,SC1091,SC3043'];
  t.equal(execFileSync('shellcheck', [...shell, SCRIPT], { encoding: 'utf8' }), '');
});

t.test('not enabled: no instance', { skip }, async (t) => {
  t.same(run(t, 'start_service', { config: "config roaming 'main'\n\toption enabled '0'\n" }).lines, []);
  t.same(run(t, 'start_service', { config: '' }).lines, [], 'no section');
});

t.test('enabled, with a jail: own user and its capabilities', { skip }, async (t) => {
  const { lines, stderr, mode } = run(t, 'start_service', { config: ENABLED, networks: { client: 'br-client' } });
  t.equal(stderr, '');
  t.same(lines, [
    'chgrp [roaming] [/etc/config/roaming]',
    'chown [-hR] [roaming:roaming] [/var/roaming]',
    'open_instance',
    lines.find((line) => line.includes('[command]')),
    'set_param [file] [/etc/config/roaming]',
    'set_param [netdev] [br-client]',
    'set_param [reload_signal] [HUP]',
    'set_param [respawn] [3600] [5] [0]',
    'set_param [term_timeout] [10]',
    'set_param [stdout] [1]',
    'set_param [stderr] [1]',
    'set_param [env] [UV_THREADPOOL_SIZE=2]',
    'set_param [limits] [nice=25 25]',
    'add_jail [roaming]',
    'set_param [user] [roaming]',
    'set_param [group] [roaming]',
    'set_param [capabilities] [/etc/capabilities/roaming.json]',
    'set_param [no_new_privs] [1]',
    'close_instance',
  ]);
  t.equal(mode, '640', 'the file with the key is for root and the daemon alone');
  t.match(
    lines.join('\n'),
    /command\] \[\/usr\/lib\/roaming\/roaming\] (\[--[a-z0-9=-]+\] )+\[\/usr\/sbin\/roaming\] \[daemon\] \[--supervised\] \[--config\] \[\/etc\/config\/roaming\]/,
  );
});

t.test('no ujail, or no user: as root, and nothing is handed over', { skip }, async (t) => {
  const { lines, mode } = run(t, 'start_service', { config: ENABLED, jail: false });
  t.notMatch(lines.join('\n'), /jail|user|capabilities|no_new_privs|chown|chgrp/);
  t.match(lines.join('\n'), 'set_param [command]');
  t.equal(mode, '600');
});

t.test('a state_dir that is not ours alone keeps its owner', { skip }, async (t) => {
  const { lines } = run(t, 'start_service', { config: ENABLED.replace('/var/lib/roaming', '/var/lib/roaming/../shared') });
  t.notMatch(lines.join('\n'), 'chown');
  t.match(lines.join('\n'), /logger \[-t\] \[roaming\] \[-p\] \[daemon.warn\] .*shared/);
});

t.test('a configuration that cannot be used: procd is told not to start it, the log why', { skip }, async (t) => {
  const problems = '/etc/config/roaming:3: main.port: expected a whole number\n/etc/config/roaming:4: main.x: unknown option';
  const { lines } = run(t, 'start_service', { config: ENABLED, check: [1, problems.replace(/^/gm, 'roaming: ')] });
  t.match(lines.join('\n'), 'set_param [error] [/etc/config/roaming:3: main.port: expected a whole number]');
  t.same(lines.filter((line) => line.startsWith('logger')), problems.split('\n').map((line) => `logger [-t] [roaming] [-p] [daemon.err] [${line}]`));
  t.match(lines.join('\n'), 'set_param [command]', 'with a command, or procd would not list the instance and its error');
});

t.test('a program that cannot be run says so too', { skip }, async (t) => {
  const { lines } = run(t, 'start_service', { config: ENABLED, check: [127, ''] });
  t.match(lines.join('\n'), 'set_param [error] [/usr/sbin/roaming cannot be run]');
});

t.test('reload: when the configuration or an interface of it changes', { skip }, async (t) => {
  t.same(run(t, 'service_triggers', { config: ENABLED }).lines, [
    'add_reload_trigger [roaming]',
    'add_reload_interface_trigger [client]',
    'add_reload_interface_trigger [guests]',
  ]);
  t.same(run(t, 'service_triggers', { config: '' }).lines, ['add_reload_trigger [roaming]']);
});

t.test('extra commands', { skip }, async (t) => {
  t.same(run(t, 'check', { config: ENABLED, check: [3, ''] }).status, 3, 'the exit code is the program’s');
  t.match(run(t, 'status_service', { config: ENABLED }).lines, ['running']);
  const stopped = run(t, 'status_service', { config: ENABLED, check: [1, 'main.port: expected a whole number'], running: false });
  t.match([stopped.status, stopped.stderr], [5, 'main.port: expected a whole number'], 'what keeps it from running');
  const { status, lines } = run(t, 'status_service', { config: '' });
  t.equal(status, 3);
  t.match(lines[0], 'not enabled');
});
