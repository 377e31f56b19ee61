/** The packages that `make package` writes: their layout, and what opkg makes of them. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import t from 'tap';
import type { Test } from 'tap';

const luci = existsSync('openwrt/luci-app-roaming/htdocs') ? false : 'there is no LuCI application in this tree';
const TIME = 1_700_000_000;

/** Runs the packer; returns the directory that it wrote to. */
function write(t: Test, env: { readonly [name: string]: string } = {}): string {
  const directory = mkdtempSync(join(tmpdir(), 'package-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  execFileSync(process.execPath, ['openwrt/package.mjs', directory], { env: { ...process.env, SOURCE_DATE_EPOCH: String(TIME), ...env } });
  return directory;
}

function ipkOf(directory: string): string {
  return join(directory, readdirSync(directory).find((name) => name.startsWith('roaming_'))!);
}

/** `tar` with its listing in the order of the archive: mode, owner, size, time, name. */
function list(archive: string): string[] {
  const words = ['--numeric-owner', '--utc', '-tvzf', archive];
  return execFileSync('tar', words, { encoding: 'utf8' }).trim().split('\n').map((line) => line.replace(/ +/g, ' '));
}

function unpack(archive: string, directory: string): void {
  mkdirSync(directory, { recursive: true });
  execFileSync('tar', ['-xzf', archive, '-C', directory]);
}

t.test('layout of the .ipk', async (t) => {
  const directory = write(t, { OPENWRT_ARCH: 'aarch64_cortex-a53' });
  const archive = ipkOf(directory);
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  t.equal(archive, join(directory, `roaming_${version}-r1_aarch64_cortex-a53.ipk`));
  t.match(list(archive).map((line) => line.split(' ').at(-1)), ['./', './control.tar.gz', './data.tar.gz', './debian-binary']);
  const outer = join(directory, 'outer');
  unpack(archive, outer);
  t.equal(readFileSync(join(outer, 'debian-binary'), 'utf8'), '2.0\n');
  const files = list(join(outer, 'data.tar.gz'));
  for (const expected of [
    'drwxr-xr-x 0/0 0 2023-11-14 22:13 ./etc/config/',
    /^-rw------- 0\/0 \d+ 2023-11-14 22:13 \.\/etc\/config\/roaming$/,
    /^-rwxr-xr-x 0\/0 \d+ 2023-11-14 22:13 \.\/etc\/init\.d\/roaming$/,
    /^-rwxr-xr-x .* \.\/etc\/uci-defaults\/90-roaming$/,
    /^-rw-r--r-- .* \.\/usr\/share\/acl\.d\/roaming\.json$/,
    /^-rwxr-xr-x .* \.\/usr\/lib\/roaming\/roaming\.js$/,
    /^-rwxr-xr-x .* \.\/usr\/lib\/roaming\/packet\.node$/,
    /^-rw-r--r-- .* \.\/usr\/lib\/roaming\/LICENSES$/,
    /^lrwxrwxrwx .* \.\/usr\/lib\/roaming\/roaming -> \/usr\/bin\/node$/,
    /^lrwxrwxrwx .* \.\/usr\/sbin\/roaming -> \.\.\/lib\/roaming\/roaming\.js$/,
  ]) {
    t.ok(files.some((line) => (typeof expected === 'string' ? line === expected : expected.test(line))), String(expected));
  }
  t.notMatch(files.join('\n'), /\.map$|node_modules/m, 'no source map, nothing of the build');
  const control = join(directory, 'control');
  unpack(join(outer, 'control.tar.gz'), control);
  const size = execFileSync('gzip', ['-dc', join(outer, 'data.tar.gz')], { maxBuffer: 64 << 20 }).length;
  const text = readFileSync(join(control, 'control'), 'utf8');
  t.match(text, new RegExp(`^Package: roaming\nVersion: ${version}-r1\nDepends: libc, node\nLicense: MIT\nSection: net\nRequire-User: roaming:roaming\n`));
  t.match(text, new RegExp(`\nArchitecture: aarch64_cortex-a53\nInstalled-Size: ${size}\nDescription: .+\n( .+\n)+$`));
  t.equal(readFileSync(join(control, 'conffiles'), 'utf8'), '/etc/config/roaming\n');
  for (const [script, call] of [['postinst', 'default_postinst'], ['prerm', 'default_prerm']] as const) {
    t.equal((statSync(join(control, script)).mode & 0o777).toString(8), '755');
    t.equal(callOf(t, join(control, script)), `${call} ${join(control, script)} configure`);
  }
  t.equal((statSync(join(control, 'postrm')).mode & 0o777).toString(8), '755');
});

/** Runs a package's script that opkg runs on the router itself, but not in a root elsewhere. */
function runScript(t: Test, archive: string, script: string, root: string): void {
  const directory = mkdtempSync(join(tmpdir(), 'script-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  unpack(archive, directory);
  unpack(join(directory, 'control.tar.gz'), directory);
  execFileSync(join(directory, script), ['remove'], { env: { ...process.env, IPKG_INSTROOT: root } });
}

t.test('of its own directories none stays, but for one that holds something else', async (t) => {
  const root = t.testdir({ usr: { lib: { other: {}, roaming: { cli: {}, mine: '' } } }, www: { 'luci-static': { resources: { roaming: {}, view: { roaming: {} } } } } });
  const directory = write(t);
  for (const name of readdirSync(directory).filter((name) => name.endsWith('.ipk'))) runScript(t, join(directory, name), 'postrm', root);
  t.same(readdirSync(join(root, 'usr/lib/roaming')), ['mine']);
  rmSync(join(root, 'usr/lib/roaming/mine'));
  runScript(t, ipkOf(directory), 'postrm', root);
  t.same(readdirSync(join(root, 'usr/lib')), ['other']);
  if (luci === false) t.same(readdirSync(join(root, 'www/luci-static/resources'), { recursive: true }), ['view']);
});

/** Runs a script of the package on a root whose library records what is called. */
function callOf(t: Test, script: string): string {
  const root = t.testdir({ [script.endsWith('prerm') ? 'prerm' : 'postinst']: { lib: { 'functions.sh': 'default_postinst() { echo default_postinst "$@"; }\ndefault_prerm() { echo default_prerm "$@"; }\n' } } });
  const env = { ...process.env, IPKG_INSTROOT: join(root, script.endsWith('prerm') ? 'prerm' : 'postinst') };
  t.equal(execFileSync('sh', [script, 'configure'], { env: { ...env, IPKG_INSTROOT: '/nonexistent' }, encoding: 'utf8' }), '', 'nothing without OpenWrt');
  return execFileSync('sh', [script, 'configure'], { env, encoding: 'utf8' }).trim();
}

t.test('the same bytes each time', async (t) => {
  const [one, two] = [ipkOf(write(t)), ipkOf(write(t, { TZ: 'Asia/Tokyo', LANG: 'C' }))];
  t.ok(readFileSync(one).equals(readFileSync(two)));
});

t.test('LuCI’s package is for every processor, and puts its files where LuCI looks', { skip: luci }, async (t) => {
  const directory = write(t);
  const name = readdirSync(directory).find((entry) => entry.startsWith('luci-app-roaming_'))!;
  t.match(name, /_all\.ipk$/);
  const outer = join(directory, 'outer');
  unpack(join(directory, name), outer);
  const files = list(join(outer, 'data.tar.gz')).map((line) => line.split(' ').at(-1)!);
  t.ok(files.some((path) => path.startsWith('./www/luci-static/resources/view/roaming/')));
  t.ok(files.includes('./usr/share/luci/menu.d/luci-app-roaming.json'));
  t.ok(files.includes('./usr/share/rpcd/acl.d/luci-app-roaming.json'));
  const control = join(directory, 'control');
  unpack(join(outer, 'control.tar.gz'), control);
  t.equal(postinstOf(t, join(control, 'postinst-pkg'), ''), 'killall -HUP rpcd\n', 'on a router');
  t.equal(postinstOf(t, join(control, 'postinst-pkg'), '/image'), '', 'in an image there is nothing to tell');
});

/** Runs what the package adds to OpenWrt's postinst, as that does, with programs that only say how they were called. */
function postinstOf(t: Test, script: string, root: string): string {
  const programs = mkdtempSync(join(tmpdir(), 'programs-'));
  t.teardown(() => rmSync(programs, { recursive: true }));
  writeFileSync(join(programs, 'killall'), '#!/bin/sh\necho killall "$@"\nexit 1\n', { mode: 0o755 });
  writeFileSync(join(programs, 'rm'), '#!/bin/sh\n', { mode: 0o755 });
  return execFileSync('/bin/sh', ['-c', '( . "$0" )', script], { encoding: 'utf8', env: { PATH: programs, IPKG_INSTROOT: root } });
}

t.test('what is in it runs, and needs no C library of its own', async (t) => {
  const directory = write(t);
  const outer = join(directory, 'outer');
  unpack(ipkOf(directory), outer);
  const root = join(directory, 'root');
  unpack(join(outer, 'data.tar.gz'), root);
  const program = join(root, 'usr/sbin/roaming');
  t.match(execFileSync(process.execPath, [program, '--version'], { encoding: 'utf8' }), /^\d+\.\d+\.\d+\n$/);
  const check = spawnSync(process.execPath, [program, 'daemon', '--check', '--config', join(root, 'etc/config/roaming')], { encoding: 'utf8' });
  t.same([check.status, check.stderr], [0, '']);
  const addon = join(root, 'usr/lib/roaming/packet.node');
  t.notMatch(execFileSync('readelf', ['-d', addon], { encoding: 'utf8' }), 'NEEDED');
  const undefinedSymbols = symbols(['-D', '--undefined-only', addon]).filter((name) => !/^(napi|uv)_/.test(name));
  t.same(undefinedSymbols.filter((name) => name.includes('@')), [], 'of no version of glibc');
  const musl = `/usr/lib/${execFileSync('uname', ['-m'], { encoding: 'utf8' }).trim()}-linux-musl/libc.so`;
  await t.test('musl has all that it uses', { skip: existsSync(musl) ? false : 'musl is not installed' }, async (t) => {
    const offered = new Set(symbols(['-D', '--defined-only', musl]));
    t.same(undefinedSymbols.filter((name) => !offered.has(name)), []);
  });
});

function symbols(words: string[]): string[] {
  return execFileSync('nm', words, { encoding: 'utf8' }).trim().split('\n').map((line) => line.split(' ').at(-1)!);
}

const opkg = spawnSync('opkg', ['--version']).error === undefined;

t.test('opkg installs, upgrades and removes it', { skip: opkg ? false : 'no opkg on PATH' }, async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'opkg-'));
  t.teardown(() => rmSync(root, { recursive: true }));
  const at = (path: string) => join(root, path);
  for (const directory of ['tmp', 'usr/lib/opkg/info', 'var/lock']) mkdirSync(at(directory), { recursive: true });
  writeFileSync(at('opkg.conf'), 'dest root /\narch all 1\narch test 10\n');
  const installed = (name: string) => `Package: ${name}\nVersion: 1\nStatus: install user installed\nArchitecture: test\n\n`;
  writeFileSync(at('usr/lib/opkg/status'), installed('libc') + installed('node'));
  for (const name of ['libc', 'node']) writeFileSync(at(`usr/lib/opkg/info/${name}.list`), '');
  const run = (...words: string[]) => execFileSync('opkg', ['-f', at('opkg.conf'), '-o', root, ...words], { encoding: 'utf8' });

  const first = write(t, { OPENWRT_ARCH: 'test' });
  run('install', ipkOf(first));
  t.match(run('list-installed'), /^roaming - \d/m);
  t.match(run('files', 'roaming'), '/usr/lib/roaming/packet.node');
  t.match(execFileSync(process.execPath, [at('usr/sbin/roaming'), '--version'], { encoding: 'utf8' }), /^\d/);
  const changed = readFileSync(at('etc/config/roaming'), 'utf8').replace("enabled '0'", "enabled '1'");
  writeFileSync(at('etc/config/roaming'), changed);

  const second = write(t, { OPENWRT_ARCH: 'test', OPENWRT_RELEASE: '2' });
  run('install', ipkOf(second));
  t.match(run('list-installed'), /^roaming - .*-r2$/m, 'upgraded');
  t.equal(readFileSync(at('etc/config/roaming'), 'utf8'), changed, 'the configuration is kept');

  run('remove', 'roaming');
  t.notMatch(run('list-installed'), 'roaming');
  runScript(t, ipkOf(second), 'postrm', root);
  t.notOk(existsSync(at('usr/lib/roaming')), 'its files are gone, and their directories');
  t.equal(readFileSync(at('etc/config/roaming'), 'utf8'), changed, 'but the configuration that was changed stays');
});

const apk = /^apk-tools 3/.test(spawnSync('apk', ['--version'], { encoding: 'utf8' }).stdout ?? '');

t.test('apk makes a package of it, and installs it', { skip: apk ? false : 'no apk-tools 3 on PATH' }, async (t) => {
  const directory = write(t, { OPENWRT_ARCH: 'test' });
  const name = readdirSync(directory).find((entry) => /^roaming-.*\.apk$/.test(entry))!;
  const root = join(directory, 'root');
  for (const [kind, package_] of [['libc', 'libc'], ['node', 'node']] as const) {
    execFileSync('apk', ['mkpkg', '--info', `name:${package_}`, '--info', 'version:1', '--info', 'arch:test', '--output', join(directory, `${kind}-1.apk`)]);
  }
  const words = ['--root', root, '--arch', 'test', '--allow-untrusted', '--no-network', '--no-logfile'];
  const run = (...more: string[]) => execFileSync('apk', [...words, ...more], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  run('add', '--initdb', '--no-scripts', join(directory, 'libc-1.apk'), join(directory, 'node-1.apk'), join(directory, name));
  t.match(run('list', '--installed'), /^roaming-\d/m);
  t.match(execFileSync(process.execPath, [join(root, 'usr/sbin/roaming'), '--version'], { encoding: 'utf8' }), /^\d/);
  t.match(readFileSync(join(root, 'lib/apk/packages/roaming.conffiles'), 'utf8'), '/etc/config/roaming');
  run('del', '--no-scripts', 'roaming');
  t.notOk(existsSync(join(root, 'usr/lib/roaming')));
});

t.test('the feed installs the same as the packages have', async (t) => {
  const sdk = mkdtempSync(join(tmpdir(), 'sdk-'));
  t.teardown(() => rmSync(sdk, { recursive: true }));
  const at = (path: string) => join(sdk, path);
  // What OpenWrt's build system has to offer, as far as the Makefiles use it.
  const rules = `
INCLUDE_DIR:=$(TOPDIR)
STAGING_DIR:=$(TOPDIR)/staging
PKG_BUILD_DIR:=$(TOPDIR)/build/$(notdir $(CURDIR))
TARGET_CC:=cc
TARGET_CFLAGS:=-Os
CP:=cp -fpR
LN:=ln -sf
INSTALL_DIR:=install -d -m0755
INSTALL_BIN:=install -m0755
INSTALL_DATA:=install -m0644
INSTALL_CONF:=install -m0600
`;
  const packages = `
define BuildPackage
all:
	$(call Build/Prepare)
	chmod -R go-rx $(PKG_BUILD_DIR)
	ln -s ${resolve('node_modules')} $(PKG_BUILD_DIR)/node_modules
	touch $(PKG_BUILD_DIR)/node_modules/.package-lock.json
	$(call Build/Compile)
	$(call Build/InstallDev,$(STAGING_DIR))
	$(call Package/$(1)/install,$(TOPDIR)/root)
	@echo version $(PKG_VERSION)
endef
`;
  const luciRules = `
all:
	mkdir -p $(PKG_BUILD_DIR) $(TOPDIR)/luci-root
	cp -R htdocs $(PKG_BUILD_DIR)/
	rm -f $(PKG_BUILD_DIR)/htdocs/luci-static/resources/roaming/schema.js
	$(foreach hook,$(Hooks/Compile/Pre),$(call $(hook)))
	cp -R $(PKG_BUILD_DIR)/htdocs $(TOPDIR)/luci-root/www
	cp -R root/* $(TOPDIR)/luci-root/
	@echo version $(PKG_VERSION)
`;
  writeFileSync(at('rules.mk'), rules);
  writeFileSync(at('package.mk'), packages);
  mkdirSync(at('feeds/luci'), { recursive: true });
  writeFileSync(at('feeds/luci/luci.mk'), luciRules);
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  for (const name of ['roaming', 'luci-app-roaming']) {
    const printed = execFileSync('make', ['-s', '-C', `openwrt/${name}`, `TOPDIR=${sdk}`], { encoding: 'utf8', env: { ...process.env, MAKEFLAGS: '' } });
    t.match(printed, `version ${version}`);
  }
  const directory = write(t);
  for (const [root, name] of [['root', 'roaming_'], ['luci-root', 'luci-app-roaming_']] as const) {
    unpack(join(directory, readdirSync(directory).find((entry) => entry.startsWith(name))!), at(`outer-${root}`));
    unpack(at(`outer-${root}/data.tar.gz`), at(`unpacked-${root}`));
    t.same(contentsOf(at(root)), contentsOf(at(`unpacked-${root}`)));
  }
});

/** Type, mode, path and target of each file, and its bytes, but for the addon's: its compiler and flags are the target's. */
function contentsOf(root: string): string[] {
  const list = execFileSync('find', ['.', '!', '-type', 'd', '-printf', '%M %p %l\n'], { cwd: root, encoding: 'utf8' });
  const sums = execFileSync('find', ['.', '-type', 'f', '!', '-name', 'packet.node', '-exec', 'sha256sum', '{}', '+'], { cwd: root, encoding: 'utf8' });
  return `${list}${sums}`.trim().split('\n').sort();
}
