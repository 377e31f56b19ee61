/** Packages for apk (OpenWrt 25.12 and later), made by its own tool: their format is not an archive of files. */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** Whether there is an apk that can make packages: version 3. */
export function canMakeApk() {
  return /^apk-tools 3/.test(spawnSync('apk', ['--version'], { encoding: 'utf8' }).stdout ?? '');
}

export function apkName({ name, version }) {
  return `${name}-${version}.apk`;
}

const scripts = ({ name, postinst = '' }) => ({
  'post-install': script(name, '[ "${IPKG_NO_SCRIPT}" = "1" ] && exit 0\n', `add_group_and_user\ndefault_postinst\n${postinst}`),
  'post-upgrade': script(name, 'export PKG_UPGRADE=1\n[ "${IPKG_NO_SCRIPT}" = "1" ] && exit 0\n', `add_group_and_user\ndefault_postinst\n${postinst}`),
  'pre-deinstall': script(name, '', 'default_prerm\n'),
});

const script = (name, first, calls) => `#!/bin/sh
${first}[ -s "\${IPKG_INSTROOT}/lib/functions.sh" ] || exit 0
. "\${IPKG_INSTROOT}/lib/functions.sh"
export root="\${IPKG_INSTROOT}"
export pkgname="${name}"
${calls}`;

/** Runs apk mkpkg as root would have it; in `output`, unsigned: it is installed with --allow-untrusted. */
export function writeApk(contents, time, output) {
  const directory = mkdtempSync(join(tmpdir(), 'apk-'));
  try {
    const root = join(directory, 'root');
    for (const entry of [...contents.entries, ...metadata(contents)]) place(root, entry, time);
    const words = Object.entries(scripts(contents)).flatMap(([type, text]) => {
      writeFileSync(join(directory, type), text, { mode: 0o755 });
      return ['--script', `${type}:${join(directory, type)}`];
    });
    const info = infoOf(contents).flatMap(([field, value]) => ['--info', `${field}:${value}`]);
    const env = { ...process.env, SOURCE_DATE_EPOCH: String(time) };
    execFileSync('apk', ['mkpkg', ...info, ...words, '--files', root, '--output', output], { env, stdio: ['ignore', 'ignore', 'inherit'] });
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function infoOf({ name, version, architecture, depends, license, description }) {
  return [
    ['name', name],
    ['version', version],
    ['arch', architecture === 'all' ? 'noarch' : architecture],
    ['license', license],
    ['description', description.split('\n')[0]],
    ['depends', depends.join(' ')],
  ];
}

/** What opkg has in the control archive lies among the files: OpenWrt's scripts read it there. */
function metadata({ name, entries, conffiles, user }) {
  const at = (kind, lines) => ({ path: `/lib/apk/packages/${name}.${kind}`, mode: 0o644, content: Buffer.from(lines.map((line) => `${line}\n`).join('')) });
  const sums = entries.filter(({ path }) => conffiles.includes(path)).map(({ path, content }) => `${path} ${createHash('sha256').update(content).digest('hex')}`);
  return [
    at('list', entries.map(({ path }) => path).sort()),
    ...(conffiles.length > 0 ? [at('conffiles', conffiles), at('conffiles_static', sums)] : []),
    ...(user === undefined ? [] : [at('rusers', [`${user}:${user}`])]),
  ];
}

function place(root, { path, mode, content, link }, time) {
  const target = join(root, path);
  mkdirSync(dirname(target), { recursive: true, mode: 0o755 });
  if (link !== undefined) return symlinkSync(link, target);
  writeFileSync(target, content, { mode });
  utimesSync(target, time, time);
}
