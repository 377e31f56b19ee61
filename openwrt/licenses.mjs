/** The licences of all that is in the bundle: node openwrt/licenses.mjs METAFILE, where the bundler listed its inputs. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const TOP = dirname(dirname(fileURLToPath(import.meta.url)));
const { inputs } = JSON.parse(readFileSync(process.argv[2], 'utf8'));

const folders = new Set(['.']);
for (const path of Object.keys(inputs)) {
  const [, folder] = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path) ?? [];
  if (folder !== undefined) folders.add(folder);
}

for (const folder of [...folders].sort()) {
  const { name, version, license } = JSON.parse(readFileSync(join(TOP, folder, 'package.json'), 'utf8'));
  const file = readdirSync(join(TOP, folder)).find((entry) => /^licen[cs]e(-mit|\.|$)/i.test(entry));
  if (file === undefined || !existsSync(join(TOP, folder, file))) throw new Error(`${name}: no licence text in ${folder}`);
  console.log(`${name} ${version} (${license})\n\n${readFileSync(join(TOP, folder, file), 'utf8').trim()}\n\n${'-'.repeat(79)}\n`);
}
