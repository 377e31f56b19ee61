/** The examples of src/status/README.md are what the methods answer. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import * as claims from '../../src/clients/claims.js';
import type { Conflict } from '../../src/status/reporter.js';
import { statusMethods } from '../../src/status/methods.js';
import { laptop, makeSource, other, self } from './support.js';
import { at } from '../support.js';

const readme = readFileSync('src/status/README.md', 'utf8');
const { source, clock, history } = makeSource();
history.tracing = true;
history.authorized(laptop, other, at(2000));
history.moved(laptop, other, self, at(2000.3));
history.step(laptop, 'routed', at(2001.82));

t.test('examples', async (t) => {
  const { db } = source;
  db.apply(claims.claim(db, laptop, self, at(2000)), at(2000));
  clock.now = at(5000);
  const methods = statusMethods(source);
  const examples = [...readme.matchAll(/^```json (\w+) (.*)\n([^]*?)^```$/gm)];
  for (const [, method, args, answer] of examples) {
    t.same(await methods[method!]!.call(JSON.parse(args!) as object as { [name: string]: unknown }), JSON.parse(answer!), method!);
  }
  t.same(new Set(examples.map(([, method]) => method)), new Set(Object.keys(methods)), 'each method has one');
});

t.test('each kind of conflict is told', async (t) => {
  const kinds: { [kind in Conflict['kind']]: true } = { association: true, flap: true, gateway: true, dhcp: true, node: true };
  for (const kind of Object.keys(kinds)) t.match(readme, `\`${kind}\` (`);
});

t.test('the rights of LuCI name every method, once', async (t) => {
  const file = 'openwrt/luci-app-roaming/root/usr/share/rpcd/acl.d/luci-app-roaming.json';
  type Part = { ubus: { roaming: string[] } };
  const { 'luci-app-roaming': group } = JSON.parse(readFileSync(file, 'utf8')) as { 'luci-app-roaming': { read: Part; write: Part } };
  const { read, write } = group;
  const methods = Object.keys(statusMethods(source));
  t.same([...read.ubus.roaming, ...write.ubus.roaming].sort(), methods.sort());
  for (const method of ['disassociate', 'release', 'reload']) t.notOk(read.ubus.roaming.includes(method), method);
});
