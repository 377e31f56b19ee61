/**
 * Writes installable packages of what `make build` has built, without OpenWrt's SDK: node openwrt/package.mjs DIRECTORY
 *
 * .ipk for opkg (OpenWrt 24.10), and .apk (25.12) where there is an apk with mkpkg. The addon fits this machine's
 * processor; it needs no C library of its own, so it works with musl as with glibc. The same input gives the same bytes.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { apkName, canMakeApk, writeApk } from './apk.mjs';
import { ipk, ipkName } from './ipk.mjs';

const TOP = dirname(dirname(fileURLToPath(import.meta.url)));
const RELEASE = process.env.OPENWRT_RELEASE ?? 1;

/** OpenWrt's package architectures of Node's. Others of one family are said by OPENWRT_ARCH: aarch64_cortex-a53. */
const ARCHITECTURES = { x64: 'x86_64', arm64: 'aarch64_generic', arm: 'arm_cortex-a7_neon-vfpv4', ia32: 'i386_pentium4' };

const { version } = JSON.parse(readFileSync(join(TOP, 'package.json'), 'utf8'));

function daemonPackage() {
  const built = [
    ['/usr/lib/roaming/roaming.js', 0o755, 'dist/roaming.js'],
    ['/usr/lib/roaming/cli/daemon.js', 0o644, 'dist/cli/daemon.js'],
    ['/usr/lib/roaming/cli/commands.js', 0o644, 'dist/cli/commands.js'],
    ['/usr/lib/roaming/packet.node', 0o755, 'dist/packet.node'],
    ['/usr/lib/roaming/LICENSES', 0o644, 'dist/LICENSES'],
  ];
  return {
    name: 'roaming',
    version: `${version}-r${RELEASE}`,
    architecture: process.env.OPENWRT_ARCH ?? ARCHITECTURES[process.arch] ?? process.arch,
    depends: ['libc', 'node'],
    section: 'net',
    license: 'MIT',
    user: 'roaming',
    description: `Layer-3 client roaming for routed Wi-Fi meshes
Wi-Fi clients keep their IPv4 and IPv6 addresses, and their open connections, while they move between access
points of a routed mesh. No controller, no tunnels, nothing installed on the client. Babel (babeld) or another
routing protocol carries the addresses of the routers.`,
    conffiles: ['/etc/config/roaming'],
    directories: ['/usr/lib/roaming/cli', '/usr/lib/roaming'],
    entries: [
      ...tree(join(TOP, 'files'), ''),
      ...built.map(([path, mode, source]) => ({ path, mode, content: readFileSync(join(TOP, source)) })),
      { path: '/usr/lib/roaming/roaming', mode: 0o777, link: '/usr/bin/node' },
      { path: '/usr/sbin/roaming', mode: 0o777, link: '../lib/roaming/roaming.js' },
    ],
  };
}

function luciPackage() {
  const source = join(TOP, 'openwrt/luci-app-roaming');
  return {
    name: 'luci-app-roaming',
    version: `${version}-r${RELEASE}`,
    architecture: 'all',
    depends: ['libc', 'luci-base', 'roaming'],
    section: 'luci',
    license: 'MIT',
    description: `LuCI support for roaming
Live clients, routers, roams and the configuration of the roaming daemon.`,
    // On a router, not in an image: LuCI and rpcd hold menus and rights of before.
    postinst: `[ -z "\${IPKG_INSTROOT}" ] || exit 0
rm -rf /tmp/luci-indexcache.* /tmp/luci-modulecache
killall -HUP rpcd 2>/dev/null
exit 0
`,
    conffiles: [],
    directories: ['/www/luci-static/resources/view/roaming', '/www/luci-static/resources/roaming'],
    entries: [...tree(join(source, 'htdocs'), '/www'), ...tree(join(source, 'root'), '')],
  };
}

/** All files under a directory, as they land under `prefix`. */
function tree(directory, prefix) {
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { recursive: true })
    .map(String)
    .filter((name) => statSync(join(directory, name)).isFile())
    .map((name) => ({ path: `${prefix}/${name}`, mode: modeOf(`${prefix}/${name}`), content: readFileSync(join(directory, name)) }));
}

/** Not as they lie here: a checkout has whatever mode the umask gave. */
function modeOf(path) {
  if (path.startsWith('/etc/config/')) return 0o600;
  return /^\/(etc\/(init\.d|uci-defaults)|usr\/(s?bin|libexec))\//.test(path) ? 0o755 : 0o644;
}

/** SOURCE_DATE_EPOCH (reproducible-builds.org), else the time of the last commit, else 0. */
function sourceTime() {
  if (process.env.SOURCE_DATE_EPOCH) return Number(process.env.SOURCE_DATE_EPOCH);
  try {
    return Number(execFileSync('git', ['-C', TOP, 'log', '-1', '--format=%ct'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
  } catch {
    return 0;
  }
}

const [output = 'dist'] = process.argv.slice(2);
const time = sourceTime();
const apk = canMakeApk();
mkdirSync(output, { recursive: true });
for (const contents of [daemonPackage(), luciPackage()]) {
  if (contents.entries.length === 0) continue;
  const written = [join(output, ipkName(contents))];
  writeFileSync(written[0], ipk(contents, time));
  if (apk) {
    written.push(join(output, apkName(contents)));
    writeApk(contents, time, written[1]);
  }
  for (const path of written) console.log(`${path}  ${Math.ceil(statSync(path).size / 1024)} KiB`);
}
if (!apk) console.log('no .apk for OpenWrt 25.12: that takes apk-tools 3 (apk mkpkg)');
