/** What of the LuCI app is made from the sources. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { generateSchema, generateTemplate, TEMPLATE } from '../../openwrt/luci.js';
import { formOptions } from '../../src/config/web.js';

const schema = await generateSchema();

/** The module as LuCI loads it: a function's body that returns what it gives to baseclass.extend(). */
const evaluate = new Function('baseclass', '_', schema) as (baseclass: object, translate: (text: string) => string) => {
  options(type: string): { name: string; help: string }[];
  checkValue(type: string, name: string, text: string): string | undefined;
  checkSections(sections: object[]): string[];
};
const module = evaluate({ extend: (members: object) => members }, (text) => `[${text}]`);

t.test('the module has all options, their help translated, and the checks of the daemon', async (t) => {
  for (const type of ['roaming', 'host']) {
    const expected = formOptions(type).map(({ type: _, preset = null, ...option }) => ({ ...option, preset, help: `[${option.help}]` }));
    t.same(module.options(type), expected);
  }
  t.equal(module.checkValue('roaming', 'port', '0'), 'expected a whole number from 1 to 65535');
  t.equal(module.checkValue('roaming', 'port', '1'), undefined);
  t.match(module.checkSections([{ '.type': 'roaming', '.name': 'main', colour: 'red' }]), [/^main\.colour: unknown option/]);
  t.match(schema, /^'use strict';\n'require baseclass';\n/);
  t.ok(schema.length < 60_000, `${schema.length} bytes`);
  t.notMatch(schema, /(?<!\b(class|extends) )\$\{/, 'no template, which LuCI’s minifier would change; $ may be the name of a class');
});

t.test('the template of translations has every text', async (t) => {
  const template = generateTemplate(schema);
  t.equal(readFileSync(TEMPLATE, 'utf8'), template, 'run `make luci`');
  for (const { help } of formOptions('roaming')) t.ok(template.includes(`msgid ${JSON.stringify(help)}\n`), help);
  for (const text of ['Roaming clients', 'Recent roams', 'Make a new key', 'Configuration']) t.match(template, `msgid "${text}"\n`);
  t.match(template, 'msgid "%d client"\nmsgid_plural "%d clients"\n');
});
