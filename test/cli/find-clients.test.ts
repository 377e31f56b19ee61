import t from 'tap';
import { findClients, isAbout } from '../../src/cli/find-clients.js';

const client = (mac: string, hostname: string, node_name: string, ...addresses: string[]) => ({
  mac,
  hostname,
  ssid: 'mesh',
  addresses,
  node: '0000000000000001',
  node_name,
  here: false,
  since: 0,
  roams: 0,
});
const clients = [
  client('02:00:00:aa:bb:01', 'Pixel', 'roof', '10.44.0.9', '2001:db8:44:7::/64'),
  client('02:00:00:aa:cc:02', 'pixel-2', 'hall', '10.44.0.90'),
  client('02:00:00:dd:cc:03', '', 'hall', '10.44.1.1'),
];
const found = (word: string) => findClients(clients, word).map(({ mac }) => mac.slice(-2));

t.test('what is meant exactly comes before what only resembles it', async (t) => {
  t.same(found('pixel'), ['01'], 'a name, in any case');
  t.same(found('PIX'), ['01', '02']);
  t.same(findClients(clients, 'PIX', true), [], 'not the whole of it');
  t.equal(findClients(clients, 'pixel', true).length, 1);
  t.same(found('10.44.0.9'), ['01'], 'and not 10.44.0.90');
  t.same(found('10.44.0.'), ['01', '02']);
  t.same(found('2001:db8:44:7:1:2:3:4'), ['01'], "an address in a client's network");
});

t.test('a MAC in any manner of writing, and a part of it', async (t) => {
  for (const word of ['02:00:00:AA:BB:01', '02-00-00-aa-bb-01', '0200.00aa.bb01', '020000aabb01']) t.same(found(word), ['01'], word);
  for (const word of ['aa:cc', 'aacc']) t.same(found(word), ['02'], word);
  t.same(found('cc:03'), ['03']);
});

t.test('by router and network', async (t) => {
  t.same(found('hall'), ['02', '03']);
  t.same(found('0000000000000001'), ['01', '02', '03']);
  t.same(found('mesh'), ['01', '02', '03']);
  t.same(found('nothing'), []);
});

t.test('notifications about a client, or about the router that it leaves or comes to', async (t) => {
  const roam = { ...clients[0]!, from: '0000000000000002', from_name: 'hall' };
  for (const word of ['pixel', '10.44.0.9', 'aabb01', 'roof', 'hall', undefined]) t.equal(isAbout(roam, word), true, word ?? 'all');
  t.equal(isAbout(roam, 'cellar'), false);
  t.equal(isAbout({ mac: '02:00:00:aa:bb:01', from: '02', from_name: 'hall' }, 'hall'), true, 'of which no more is known');
  t.equal(isAbout({ remote: '10.99.0.2:4444', node_name: 'hall' }, 'hall'), false, 'a session is no client');
  t.equal(isAbout({ remote: '10.99.0.2:4444' }, undefined), true);
});
