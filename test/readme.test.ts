/** README's option table is the schema's. `UPDATE_README=1` writes it anew: `make readme`. */
import { readFileSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { optionTable } from '../src/config/config.js';

const BEGIN = '<!-- options: generated from src/config/schema.ts by `make readme` -->\n';
const END = '<!-- end of options -->';

function table(): string {
  const cell = (text: string) => text.replaceAll('|', '\\|');
  const rows = optionTable().map(({ name, list, type, preset, help }) => {
    const kind = list ? `list of ${type}` : type;
    return `| \`${name}\` | ${cell(kind)} | ${preset === '' ? '' : `\`${preset}\``} | ${cell(help)} |\n`;
  });
  return `\n| option | type | default | |\n|---|---|---|---|\n${rows.join('')}\n`;
}

t.test('the option table is that of the schema', async (t) => {
  const readme = readFileSync('README.md', 'utf8');
  const [head, rest] = readme.split(BEGIN) as [string, string];
  const tail = rest.slice(rest.indexOf(END));
  if (process.env['UPDATE_README'] === '1') writeFileSync('README.md', head + BEGIN + table() + tail);
  else t.equal(rest.slice(0, rest.indexOf(END)), table(), 'run `make readme`');
});
