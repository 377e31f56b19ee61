import t from 'tap';
import type { Test } from 'tap';
import { encodeFields, toFields } from 'ubus-ts';
import * as claims from '../../src/clients/claims.js';
import { parseNodeId } from '../../src/clients/node-id.js';
import { adjacenciesKey, adjacenciesValue, clientInfoKey, nodeInfoValue, nodeKey } from '../../src/clients/record.js';
import { HOUR } from '../../src/clients/time.js';
import { BadInput } from '../../src/net/bytes.js';
import { parseIp4, parseIp6 } from '../../src/net/ip.js';
import { macFromBytes } from '../../src/net/mac.js';
import type { StatusSource } from '../../src/status/methods.js';
import { statusMethods } from '../../src/status/methods.js';
import { History, HISTORY_LIMIT } from '../../src/status/history.js';
import type { NodeView, PeerStatus } from '../../src/status/peers.js';
import type { ClientView } from '../../src/status/views.js';
import { EPOCH, laptop, makeSource, other, peer, phone, self } from './support.js';
import { at } from '../support.js';

type Arguments = { [name: string]: unknown };

const { source, clock, done, history } = makeSource();
const methods = statusMethods(source);
const call = async (method: string, args: Arguments = {}) => methods[method]!.call(args);
const clients = async (args: Arguments) => ((await call('clients', args)) as { clients: ClientView[] }).clients;

t.test('clients', async (t) => {
  t.same(await clients({}), [
    {
      mac: phone,
      hostname: '',
      ssid: '',
      addresses: ['10.44.0.9', '2001:db8:44:7::/64', '2001:db8:44:7::9'],
      node: self,
      node_name: 'r1',
      here: true,
      since: EPOCH,
      roams: 0,
    },
    {
      mac: laptop,
      hostname: '',
      ssid: '',
      addresses: ['10.44.0.10'],
      node: other,
      node_name: 'r2',
      here: false,
      since: EPOCH,
      roams: 0,
    },
  ]);
});

t.test('filters', async (t) => {
  const macs = async (args: Arguments) => (await clients(args)).map(({ mac }) => mac);
  t.same(await macs({ mac: '02-00-00-00-00-01' }), [phone]);
  t.same(await macs({ address: '10.44.0.10' }), [laptop]);
  t.same(await macs({ address: '2001:db8:44:7::abcd' }), [phone], 'any address of its network');
  t.same(await macs({ node: 'r2' }), [laptop]);
  t.same(await macs({ node: '0000000000000001' }), [phone]);
  t.same(await macs({ node: 'r2', mac: phone }), []);
  t.same(await macs({ mac: '' }), [phone, laptop], 'an empty argument is none');
});

t.test('a large network is told in parts, each of which ubus can carry', async (t) => {
  const big = makeSource();
  const { db } = big.source;
  const hostname = 'é'.repeat(32);
  for (let n = 0; n < 3000; n++) {
    const mac = macFromBytes(Uint8Array.of(6, 0, 0, n >> 16, (n >> 8) & 255, n & 255));
    const records = [
      claims.claim(db, mac, other, at(0)),
      claims.clientInfo(db, mac, { hostname, ssid: 'x'.repeat(32) }, at(0))!,
      claims.lease4(db, parseIp4(`10.${50 + (n >> 16)}.${(n >> 8) & 255}.${n & 255}`), mac, HOUR, at(0)),
      claims.lease6(db, parseIp6(`2001:db8:44:${(0x100 + n).toString(16)}::`), mac, HOUR, at(0)),
      ...Array.from({ length: n % 100 === 0 ? 60 : 2 }, (_, i) =>
        claims.host(db, parseIp6(`2001:db8:44:${(0x100 + n).toString(16)}:abcd:abcd:abcd:${(0xa000 + i).toString(16)}`), mac, HOUR, at(0)),
      ),
    ];
    for (const record of records) db.apply(record, at(0));
  }
  for (const method of ['clients', 'leases']) {
    const parts = askedInParts<{ mac: string }>(t, big.source, method);
    const told = parts.flatMap((part) => [...new Set(part.map(({ mac }) => mac))]);
    t.same(told, [...db.clients()].map(({ mac }) => mac).sort(), `${method}: each client once, by MAC`);
  }
});

/** The parts of an answer, none of which is too large; fails where there are few or many. */
function askedInParts<T>(t: Test, source: StatusSource, method: string): T[][] {
  const parts: T[][] = [];
  for (let after: string | undefined = ''; after !== undefined; ) {
    const answer = statusMethods(source)[method]!.call({ after }) as { next?: string } & { [field: string]: T[] };
    const { length } = encodeFields(toFields(answer as never));
    if (length > 300_000) t.fail(`a part of ${method} has ${length} bytes`);
    parts.push(answer[method]!);
    after = answer.next;
  }
  t.ok(parts.length > 5 && parts.length < 50, `${method}: ${parts.length} parts`);
  return parts;
}

t.test('so are many routers, whatever they say of themselves', async (t) => {
  const { source } = makeSource();
  const { db } = source;
  const id = (n: number) => parseNodeId((0x1000 + n).toString(16).padStart(16, '0'));
  const addresses = Array.from({ length: 8 }, (_, i) => parseIp6(`2001:db8:aaaa:aaaa:aaaa:aaaa:aaaa:aaa${i}`));
  const told = (n: number) => nodeInfoValue({ hostname: `${'é'.repeat(29)}${5000 - n}`, addresses, port: 4444 });
  // More than any of ours tells: a name that is no text, or forty addresses.
  const lies = [`\x01\xf0${'\xff'.repeat(240)}`, '\x02\x04\xff\xff\xff\xff'.repeat(40)];
  for (let n = 0; n < 2000; n++) {
    const group = Array.from({ length: 30 }, (_, i) => id(n - (n % 30) + i));
    const values = [told(n), ...lies];
    for (const record of [
      { key: nodeKey(id(n)), value: values[n < 1500 ? 0 : n % 3]! },
      { key: adjacenciesKey(id(n)), value: adjacenciesValue(group.filter((other) => other !== id(n))) },
    ]) {
      db.apply({ ...record, seqno: 1, expires: at(HOUR) }, at(0));
    }
  }
  const parts = askedInParts<NodeView>(t, source, 'nodes');
  t.same(parts.flatMap((part) => part.map(({ node }) => node).sort()), [...db.nodes()].map(([node]) => node).sort(), 'each once');
  const names = parts[1]!.map(({ name }) => name);
  t.same(names, names.toSorted(), 'a part by name');
  t.throws(() => statusMethods(source)['nodes']!.call({ after: 'r1' }), /^after: /);
});

t.test('what has no parts fits a message of ubus, with the longest names', async (t) => {
  const { source } = makeSource();
  const { db } = source;
  const name = `\x01\x40${'\xff'.repeat(64)}`;
  for (const node of [self, other]) db.apply({ key: nodeKey(node), value: name, seqno: 9, expires: at(HOUR) }, at(0));
  const history = new History(self);
  history.tracing = true;
  for (let n = 0; n < HISTORY_LIMIT; n++) {
    const mac = macFromBytes(Uint8Array.of(6, 0, 0, 0, n >> 8, n & 255));
    db.apply({ key: clientInfoKey(mac), value: name, seqno: 1, expires: at(HOUR) }, at(0));
    history.authorized(mac, other, at(n));
    history.moved(mac, other, self, at(n + 0.1));
    for (const step of ['flooded', 'routed', 'announced'] as const) history.step(mac, step, at(n + 0.2));
  }
  // Twice as many as are accepted.
  const peers = Array<PeerStatus>(512).fill({ ...peer, remote: `[${'ffff:'.repeat(7)}ffff%br-client]:65535`, error: 'x'.repeat(100) });
  const methods = statusMethods({ ...source, history, peers: () => peers });
  for (const [method, field, count] of [['history', 'roams', HISTORY_LIMIT], ['trace', 'roams', HISTORY_LIMIT], ['peers', 'peers', peers.length]] as const) {
    const answer = methods[method]!.call({}) as { [field: string]: unknown[] };
    t.equal(answer[field]!.length, count);
    const { length } = encodeFields(toFields(answer as never));
    t.ok(length < 2 ** 20 - 1024, `${method}: ${length} bytes`);
  }
});

t.test('trace', async (t) => {
  t.same(await call('trace'), { enabled: false, roams: [] });
  t.same(await call('trace', { enable: true }), { enabled: true, roams: [] });
  history.authorized(phone, self, at(0));
  t.same(await call('trace'), { enabled: true, roams: [{ mac: phone, age: 0, steps: { station: 0 } }] });
  t.same(await call('trace', { enable: false }), { enabled: false, roams: [] });
  await t.rejects(call('trace', { enable: 'yes' }), BadInput);
});

t.test('arguments that cannot be, each named', async (t) => {
  const cases: [string, Arguments, RegExp][] = [
    ['clients', { mac: 'x' }, /^mac: not a MAC address: x$/],
    ['clients', { address: 'x' }, /^address: not an IPv4 address: x$/],
    ['clients', { node: 'nobody' }, /^node: no node is called 'nobody', and it is no node id either$/],
    ['clients', { mac: 5 }, /^mac: a string is expected$/],
    ['client', {}, /^mac: the MAC address of a client is needed$/],
    ['client', { mac: '02:00:00:00:00:99' }, /^mac: no client 02:00:00:00:00:99 is known$/],
    ['history', { limit: 0 }, /^limit: a whole number from 1 on is expected$/],
    ['history', { limit: 1.5 }, /^limit: /],
    ['leases', { address: '::x' }, /^address: not an IPv6 address/],
    ['disassociate', {}, /^mac: /],
    ['disassociate', { mac: laptop }, /^mac: .* is not at this router$/],
    ['probe', { mac: 'nobody' }, /^mac: /],
    ['release', {}, /^mac or address: /],
  ];
  for (const [method, args, message] of cases) {
    const error = await call(method, args).then(() => undefined, (error: unknown) => error);
    t.ok(error instanceof BadInput, `${method} ${JSON.stringify(args)}`);
    t.match((error as Error).message, message);
  }
});

t.test('leases', async (t) => {
  clock.now = at(1_800_500);
  const one = { mac: phone, hostname: '', expires: EPOCH + 3600, remaining: 1799 };
  t.same(await call('leases'), {
    leases: [
      { ...one, address: '10.44.0.9', family: 4 },
      { ...one, address: '10.44.0.10', family: 4, mac: laptop },
      { ...one, address: '2001:db8:44:7::/64', family: 6 },
    ],
  });
  t.match(await call('leases', { address: '2001:db8:44:7::1' }), { leases: [{ family: 6 }] });
  t.match(await call('leases', { mac: laptop }), { leases: [{ mac: laptop }] });
  clock.now = at(0);
});

t.test('nodes and peers', async (t) => {
  const node = { addresses: ['10.99.0.1'], port: 4444, clients: 1 };
  t.same(await call('nodes'), {
    nodes: [
      { ...node, node: self, name: 'r1', self: true, peer: false, adjacencies: [other] },
      { ...node, node: other, name: 'r2', self: false, peer: true, adjacencies: [self] },
    ],
  });
  t.same(await call('peers'), {
    peers: [
      {
        remote: '[::1]:4444',
        direction: 'out',
        state: 'up',
        standby: false,
        unresponsive: false,
        kind: 'roaming',
        node: other,
        node_name: 'r2',
        since: 3,
        rtt: 1.2,
        bytes_in: 100,
        bytes_out: 200,
        records_in: 3,
        records_out: 4,
      },
    ],
  });
});

t.test('status', async (t) => {
  t.same(await call('status'), {
    version: '1',
    node: self,
    hostname: 'r1',
    time: EPOCH,
    uptime: 12,
    clients_here: 1,
    clients: 2,
    nodes: 2,
    peers: 1,
    records: 10,
    routes: { installed: 2, pending: 0 },
    problems: ['br-client is down'],
    counters: { roams: 1 },
  });
});

t.test('history, and one client with its own', async (t) => {
  history.authorized(laptop, other, at(2000));
  history.moved(laptop, other, self, at(2000.3));
  history.step(laptop, 'routed', at(2001.82));
  const roam = {
    time: EPOCH + 2,
    mac: laptop,
    hostname: '',
    from: other,
    from_name: 'r2',
    to: self,
    to_name: 'r1',
    gap: 1.8,
    steps: { authorized: 0, known: 0.3, routed: 1.8 },
  };
  t.same(await call('history'), { roams: [roam] });
  t.same(await call('history', { mac: phone }), { roams: [] });
  t.match(await call('client', { mac: laptop }), {
    mac: laptop,
    since: EPOCH + 2,
    roams: 1,
    leases: [{ address: '10.44.0.10' }],
    history: [roam],
  });
});

t.test('what a caller can have done', async (t) => {
  t.same(await call('disassociate', { mac: phone }), {});
  t.same(await call('probe', { mac: phone }), { answered: true, address: '10.44.0.9', time: 3.1 });
  t.same(await call('probe', { mac: laptop }), { answered: false });
  t.same(await call('release', { mac: phone }), { released: 2 });
  t.same(await call('release', { address: '10.44.0.9' }), { released: 2 });
  t.same(await call('reload'), {
    reloaded: false,
    problems: ['/etc/config/roaming:3: main.port: expected a whole number'],
  });
  t.same(done, [`disassociate ${phone}`, `release ${phone} undefined`, 'release undefined 10.44.0.9']);
});
