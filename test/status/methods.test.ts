import t from 'tap';
import * as claims from '../../src/clients/claims.js';
import { Database } from '../../src/clients/database.js';
import { parseNodeId } from '../../src/clients/node-id.js';
import type { Instant } from '../../src/clients/time.js';
import { HOUR } from '../../src/clients/time.js';
import { BadInput } from '../../src/net/bytes.js';
import { parseIp4, parseIp6 } from '../../src/net/ip.js';
import { parseMac } from '../../src/net/mac.js';
import { statusMethods } from '../../src/status/methods.js';
import type { ClientView } from '../../src/status/views.js';

const self = parseNodeId('0000000000000001');
const other = parseNodeId('0000000000000002');
const [phone, laptop] = [parseMac('02:00:00:00:00:01'), parseMac('02:00:00:00:00:02')];
const now = 0 as Instant;

function source() {
  const db = new Database();
  for (const [node, hostname] of [[self, 'r1'], [other, 'r2']] as const) {
    db.apply(claims.nodeRecord(db, node, { hostname, addresses: [], port: 4444 }, now), now);
  }
  db.apply(claims.claim(db, phone, self, now), now);
  db.apply(claims.lease4(db, parseIp4('10.44.0.9'), phone, HOUR, now), now);
  db.apply(claims.lease6(db, parseIp6('2001:db8:44:7::'), phone, HOUR, now), now);
  db.apply(claims.claim(db, laptop, other, now), now);
  db.apply(claims.lease4(db, parseIp4('10.44.0.10'), laptop, HOUR, now), now);
  return {
    version: '1',
    self,
    hostname: 'r1',
    db,
    uptime: () => 12.7,
    clientsHere: () => 1,
    peers: () => [{ remote: '[::1]:4444', node: other, state: 'up', since: 3.9, rtt: undefined, error: undefined }],
    routes: () => ({ installed: 2, pending: 0 }),
    counters: () => ({ roams: 1 }),
    trace: (enable: boolean | undefined) => (enable ? [{ mac: phone, age: 1, steps: { station: 0 } }] : undefined),
  };
}

const methods = statusMethods(source());
const clients = async (args: { [name: string]: unknown }) =>
  ((await methods['clients']!.call(args)) as { clients: ClientView[] }).clients;

t.test('clients', async (t) => {
  t.same(await clients({}), [
    {
      mac: phone,
      hostname: '',
      ssid: '',
      addresses: ['10.44.0.9', '2001:db8:44:7::/64'],
      node: self,
      node_name: 'r1',
      here: true,
    },
    { mac: laptop, hostname: '', ssid: '', addresses: ['10.44.0.10'], node: other, node_name: 'r2', here: false },
  ]);
});

t.test('filters', async (t) => {
  const macs = async (args: { [name: string]: unknown }) => (await clients(args)).map(({ mac }) => mac);
  t.same(await macs({ mac: '02-00-00-00-00-01' }), [phone]);
  t.same(await macs({ address: '10.44.0.10' }), [laptop]);
  t.same(await macs({ address: '2001:db8:44:7::abcd' }), [phone], 'any address of its network');
  t.same(await macs({ node: 'r2' }), [laptop]);
  t.same(await macs({ node: '0000000000000001' }), [phone]);
  t.same(await macs({ node: 'r2', mac: phone }), []);
  t.same(await macs({ mac: '' }), [phone, laptop], 'an empty argument is none');
});

t.test('trace', async (t) => {
  const trace = methods['trace']!;
  t.same(await trace.call({}), { enabled: false, roams: [] });
  t.same(await trace.call({ enable: true }), { enabled: true, roams: [{ mac: phone, age: 1, steps: { station: 0 } }] });
  t.throws(() => trace.call({ enable: 'yes' }), BadInput);
});

t.test('arguments that cannot be', async (t) => {
  for (const args of [{ mac: 'x' }, { address: 'x' }, { node: 'nobody' }, { mac: 5 }]) {
    await t.rejects(clients(args), BadInput, JSON.stringify(args));
  }
});

t.test('peers and status', async (t) => {
  t.same(await methods['peers']!.call({}), {
    peers: [{ remote: '[::1]:4444', node: other, node_name: 'r2', state: 'up', since: 3 }],
  });
  t.same(await methods['status']!.call({}), {
    version: '1',
    node: self,
    hostname: 'r1',
    uptime: 12,
    clients_here: 1,
    clients: 2,
    nodes: 2,
    peers: 1,
    records: 7,
    routes: { installed: 2, pending: 0 },
    counters: { roams: 1 },
  });
});
