/** Archives that come out the same, byte for byte, whenever and wherever they are made. */
import { gzipSync } from 'node:zlib';

/**
 * @typedef {object} Entry
 * @property {string} path with a leading slash
 * @property {number} mode permission bits
 * @property {Buffer} [content] of a file
 * @property {string} [link] target of a symbolic link
 */

const BLOCK = 512;

/**
 * A tar of the files and of the directories above them, in order of names, all of root's; POSIX ustar, which GNU tar,
 * busybox and opkg read.
 *
 * @param {Entry[]} entries
 * @param {number} time seconds since 1970, for all
 */
export function tar(entries, time) {
  const all = [...directoriesOf(entries), ...entries].sort((a, b) => (a.path < b.path ? -1 : 1));
  const blocks = all.flatMap((entry) => [header(entry, time), padded(entry.content ?? Buffer.alloc(0))]);
  return Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)]);
}

function directoriesOf(entries) {
  const paths = new Set(['/']);
  for (const { path } of entries) {
    for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) paths.add(`${path.slice(0, end)}/`);
  }
  return [...paths].map((path) => ({ path, mode: 0o755 }));
}

/** IEEE 1003.1, pax: ustar Interchange Format. */
function header({ path, mode, content, link }, time) {
  const name = `.${path}`;
  if (Buffer.byteLength(name) > 100) throw new Error(`${path}: the path is too long for the archive`);
  const block = Buffer.alloc(BLOCK);
  const octal = (value, offset, length) => block.write(value.toString(8).padStart(length - 1, '0'), offset);
  block.write(name, 0);
  octal(mode, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(content?.length ?? 0, 124, 12);
  octal(time, 136, 12);
  block.write(' '.repeat(8), 148);
  block.write(link !== undefined ? '2' : path.endsWith('/') ? '5' : '0', 156);
  block.write(link ?? '', 157);
  block.write('ustar\x0000', 257);
  block.write('root', 265);
  block.write('root', 297);
  const sum = block.reduce((a, b) => a + b, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}

function padded(content) {
  return Buffer.concat([content, Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK)]);
}

/** gzip (RFC 1952) without a time and a name; byte 9, the operating system, is "unknown" wherever it is made. */
export function gzip(content) {
  const compressed = gzipSync(content, { level: 9 });
  compressed[9] = 255;
  return compressed;
}
