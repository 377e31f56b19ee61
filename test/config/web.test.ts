import t from 'tap';
import type { FormSection } from '../../src/config/web.js';
import { checkSections, checkValue, formOptions } from '../../src/config/web.js';

t.test('every option has its widget', async (t) => {
  const options = formOptions('roaming');
  const byName = new Map(options.map((option) => [option.name, option]));
  t.match(byName.get('enabled'), { widget: 'flag', preset: '0', list: false });
  t.match(byName.get('auth'), { widget: 'choice', choices: ['psk', 'none'], preset: 'psk' });
  t.match(byName.get('key'), { widget: 'secret', preset: undefined });
  t.match(byName.get('peer'), { widget: 'text', list: true });
  t.match(byName.get('lease_time'), { widget: 'text', preset: '1h' });
  t.ok(options.every(({ help }) => help !== ''));
  t.same(formOptions('host').map(({ name }) => name), ['name', 'mac', 'ip']);
  t.same(formOptions('nonsense'), []);
});

t.test('presets pass their own check', async (t) => {
  for (const { name, preset } of formOptions('roaming')) {
    if (preset !== undefined) t.equal(checkValue('roaming', name, preset), undefined, name);
  }
});

t.test("a value's mistake, in the daemon's words", async (t) => {
  t.equal(checkValue('roaming', 'port', '70000'), 'expected a whole number from 1 to 65535');
  t.equal(checkValue('roaming', 'port', '4444'), undefined);
  t.match(checkValue('host', 'mac', 'x'), /^expected /);
  t.equal(checkValue('roaming', 'colour', 'red'), 'unknown option');
});

t.test('mistakes of the whole', async (t) => {
  const main: FormSection = { '.type': 'roaming', '.name': 'main', prefix: ['10.44.0.0/16'], interface: ['br-client'] };
  t.same(checkSections([main]), []);
  t.match(checkSections([{ ...main, peer: ['10.99.0.2'] }]), [/^main\.peer: there is no key/]);
  t.match(checkSections([{ ...main, gateway: '10.45.0.1' }]), [/^main\.gateway: 10\.45\.0\.1 lies in none/]);
  t.same(checkSections([{ ...main, key: "it's a secret", peer: ['10.99.0.2'] }]), [], 'quotes are quoted');
  const host = { '.type': 'host', '.name': 'cfg01', '.anonymous': true, mac: ['02:00:00:00:00:01'], ip: '10.45.0.9' };
  t.match(checkSections([main, host]), [/^@host\[0\]\.ip: 10\.45\.0\.9 lies in none/]);
});
