import t from 'tap';
import * as claims from '../../src/clients/claims.js';
import { HOUR } from '../../src/clients/time.js';
import { parseIp, parseIp4 } from '../../src/net/ip.js';
import { releases, viewLeases } from '../../src/status/leases.js';
import { viewClients } from '../../src/status/views.js';
import { laptop, makeSource, phone } from './support.js';
import { at } from '../support.js';

const apply = (which: Parameters<typeof releases>[1]) => {
  const { source, clock } = makeSource();
  clock.now = at(1000);
  const records = releases(source.db, which, clock.now);
  for (const record of records) t.equal(source.db.apply(record, clock.now).kind, 'newer');
  const left = viewClients(source).clients.flatMap(({ addresses }) => addresses);
  return { count: records.length, left, leases: viewLeases(source).leases.map(({ address }) => address) };
};

t.test('all of a client', async (t) => {
  t.same(apply({ mac: phone }), { count: 3, left: ['10.44.0.10'], leases: ['10.44.0.10'] });
});

t.test('one address', async (t) => {
  t.same(apply({ address: parseIp('10.44.0.10') }).left, ['10.44.0.9', '2001:db8:44:7::/64', '2001:db8:44:7::9']);
  t.same(apply({ address: parseIp('2001:db8:44:7::9') }), {
    count: 2,
    left: ['10.44.0.9', '10.44.0.10'],
    leases: ['10.44.0.9', '10.44.0.10'],
  }, 'the network that it lies in, and the address itself');
});

t.test('an address that is set aside', async (t) => {
  const { source, clock } = makeSource();
  const address = parseIp4('10.44.0.88');
  source.db.apply(claims.declined(source.db, address, phone, HOUR, clock.now), clock.now);
  for (const record of releases(source.db, { address }, clock.now)) source.db.apply(record, clock.now);
  t.equal(source.db.declined.size, 0);
});

t.test('nothing of anybody else', async (t) => {
  t.equal(apply({ mac: laptop, address: parseIp('10.44.0.9') }).count, 0);
  t.equal(apply({ address: parseIp('10.44.0.77') }).count, 0);
});
