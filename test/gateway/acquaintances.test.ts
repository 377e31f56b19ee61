import t from 'tap';
import { Acquaintances } from '../../src/gateway/acquaintances.js';
import type { Mac } from '../../src/net/mac.js';

const mac = (n: number) => `02:00:00:00:${(n >> 8).toString(16).padStart(2, '0')}:${(n & 255).toString(16).padStart(2, '0')}` as Mac;
const known = (acquaintances: Acquaintances, of: Mac) => {
  const all = acquaintances.of(of);
  return all === 'everybody' ? all : [...all];
};

t.test('who asks for whom is known to both, and to nobody else', async (t) => {
  const acquaintances = new Acquaintances();
  acquaintances.met(mac(1), mac(2));
  acquaintances.met(mac(3), mac(2));
  acquaintances.met(mac(4), mac(4));
  t.same(known(acquaintances, mac(1)), [mac(2)]);
  t.same(known(acquaintances, mac(2)), [mac(1), mac(3)]);
  t.same(known(acquaintances, mac(4)), []);
});

t.test('whom many ask for is known to everybody; who asks for many is one more to each', async (t) => {
  const acquaintances = new Acquaintances(100, 5);
  for (let n = 1; n <= 6; n++) acquaintances.met(mac(n), mac(99));
  t.equal(known(acquaintances, mac(99)), 'everybody');
  acquaintances.met(mac(7), mac(99));
  t.equal(known(acquaintances, mac(99)), 'everybody');
  t.same(known(acquaintances, mac(1)), [mac(99)]);
});

t.test('of those that come and go the latest are remembered', async (t) => {
  const acquaintances = new Acquaintances(8);
  for (let n = 0; n < 1000; n += 2) acquaintances.met(mac(n), mac(n + 1));
  t.equal(acquaintances.size, 8);
  t.same(known(acquaintances, mac(998)), [mac(999)]);
  t.same(known(acquaintances, mac(0)), []);
});
