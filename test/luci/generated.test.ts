/** The LuCI app's generated files are those of the sources. `UPDATE_LUCI=1` writes them anew: `make luci`. */
import { readFileSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { formOptions } from '../../src/config/web.js';
import { generateSchema, generateTemplate, SCHEMA, TEMPLATE } from './generate.js';

const schema = await generateSchema();
const template = generateTemplate(schema);

if (process.env['UPDATE_LUCI'] === '1') {
  writeFileSync(SCHEMA, schema);
  writeFileSync(TEMPLATE, template);
}

t.test('the options and their checks', async (t) => {
  t.equal(readFileSync(SCHEMA, 'utf8'), schema, 'run `make luci`');
  t.ok(schema.length < 60_000, `${schema.length} bytes`);
});

t.test('the template of translations has every text', async (t) => {
  t.equal(readFileSync(TEMPLATE, 'utf8'), template, 'run `make luci`');
  for (const { help } of formOptions('roaming')) t.ok(template.includes(`msgid ${JSON.stringify(help)}\n`), help);
  for (const text of ['Roaming clients', 'Recent roams', 'Make a new key', 'Configuration']) t.match(template, `msgid "${text}"\n`);
  t.match(template, 'msgid "%d client"\nmsgid_plural "%d clients"\n');
});
