/** The shipped /etc/config/roaming is manual and fixture: it follows the schema, and what it shows can be used. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { parse } from 'uci-parser';
import { formatProblem, readConfig } from '../../src/config/config.js';
import { referenceConfiguration } from '../../src/config/reference.js';
import { hostSchema, schema, uciName } from '../../src/config/schema.js';

const FILE = 'files/etc/config/roaming';
const shipped = readFileSync(FILE, 'utf8');

function read(text: string) {
  const { config, problems } = readConfig(parse(text, { name: 'roaming', file: FILE }), FILE);
  return { config, problems: problems.map(formatProblem) };
}

t.test('the shipped file is what the schema says', async (t) => {
  t.equal(shipped, referenceConfiguration(), 'make reference writes it anew');
});

t.test('as it is, it is valid and does nothing', async (t) => {
  const { config, problems } = read(shipped);
  t.same(problems, []);
  t.equal(config?.enabled, false);
  t.same(config?.interface, []);
});

t.test('with every comment sign before an option taken away it is valid too, and every option is there', async (t) => {
  const all = shipped.replace(/^(\t?)#(\t?)(config|option|list) /gm, '$1$2$3 ');
  const { config, problems } = read(all);
  t.same(problems, []);
  t.ok(config);
  t.equal(config?.hosts.length, 1);
  for (const key of [...Object.keys(schema), ...Object.keys(hostSchema)]) t.match(all, new RegExp(`^\t(option|list) ${uciName(key)} '`, 'm'));
  t.same(shipped.split('\n').filter((line) => line.length > 110), []);
});
