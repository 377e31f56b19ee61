/** Packages for opkg, laid out as the scripts of OpenWrt's build system lay them out. */
import { gzip, tar } from './archive.mjs';

/**
 * @typedef {object} Package
 * @property {string} name
 * @property {string} version with the release of the package: 1.2.3-r1
 * @property {string} architecture `all`, or one of OpenWrt's package architectures
 * @property {string[]} depends
 * @property {string} section
 * @property {string} license
 * @property {string} description its first line is the title
 * @property {string} [user] system user and group that the installation makes
 * @property {string} [postinst] shell commands that the installation ends with
 * @property {string[]} conffiles
 * @property {string[]} directories that are the package's own, those within others first
 * @property {import('./archive.mjs').Entry[]} entries
 */

/** All that an installation does is in OpenWrt's own default_postinst: users, uci-defaults, services. */
const SCRIPT = (call, condition) => `#!/bin/sh
${condition}[ -s "\${IPKG_INSTROOT}/lib/functions.sh" ] || exit 0
. "\${IPKG_INSTROOT}/lib/functions.sh"
${call} "$0" "$@"
`;
const POSTINST = SCRIPT('default_postinst', '[ "${IPKG_NO_SCRIPT}" = "1" ] && exit 0\n');
const PRERM = SCRIPT('default_prerm', '');

/** opkg keeps no list of directories, and so leaves them. One in which somebody has put something stays. */
const postrm = (directories) => `#!/bin/sh
rmdir ${directories.map((path) => `"\${IPKG_INSTROOT}${path}"`).join(' ')} 2>/dev/null
exit 0
`;

/**
 * @param {Package} contents
 * @param {number} time seconds since 1970
 */
export function ipk(contents, time) {
  const data = tar(contents.entries, time);
  const control = [
    file('/control', 0o644, controlFile(contents, data.length, time)),
    file('/postinst', 0o755, POSTINST),
    file('/prerm', 0o755, PRERM),
    file('/postrm', 0o755, postrm(contents.directories)),
    ...(contents.postinst === undefined ? [] : [file('/postinst-pkg', 0o755, contents.postinst)]),
    ...(contents.conffiles.length > 0 ? [file('/conffiles', 0o644, `${contents.conffiles.join('\n')}\n`)] : []),
  ];
  const members = [
    file('/debian-binary', 0o644, '2.0\n'),
    { path: '/data.tar.gz', mode: 0o644, content: gzip(data) },
    { path: '/control.tar.gz', mode: 0o644, content: gzip(tar(control, time)) },
  ];
  return gzip(tar(members, time));
}

export function ipkName({ name, version, architecture }) {
  return `${name}_${version}_${architecture}.ipk`;
}

function file(path, mode, text) {
  return { path, mode, content: Buffer.from(text) };
}

function controlFile({ name, version, architecture, depends, section, license, description, user }, size, time) {
  const fields = [
    ['Package', name],
    ['Version', version],
    ['Depends', depends.join(', ')],
    ['License', license],
    ['Section', section],
    ...(user === undefined ? [] : [['Require-User', `${user}:${user}`]]),
    ['SourceDateEpoch', time],
    ['Architecture', architecture],
    ['Installed-Size', size],
    ['Description', description.split('\n').join('\n ')],
  ];
  return fields.map(([field, value]) => `${field}: ${value}\n`).join('');
}
