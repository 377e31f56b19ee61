import t from 'tap';
import { BadInput } from '../../src/net/bytes.js';
import type { Ip6 } from '../../src/net/ip.js';
import { parseIp, parseIp4 } from '../../src/net/ip.js';
import type { Prefix4 } from '../../src/net/prefix.js';
import {
  broadcastOf, contains, covers, formatPrefix, hostPrefix, makePrefix, netmask, parsePrefix, prefixOf,
} from '../../src/net/prefix.js';

t.test('reading and writing', async (t) => {
  for (const text of ['10.44.0.0/16', '0.0.0.0/0', '192.0.2.7/32', '2001:db8:44::/48', '::/0', 'fd44::1/128']) {
    t.equal(formatPrefix(parsePrefix(text)), text);
  }
  t.equal(formatPrefix(parsePrefix('2001:DB8:0::/48')), '2001:db8::/48');
  for (const text of ['10.44.0.0', '10.44.0.0/', '10.44.0.0/33', '::/129', '/8', '10.44.0.0/-1', '10.44.0.0/8a']) {
    t.throws(() => parsePrefix(text), BadInput, text);
  }
  t.throws(() => parsePrefix('10.44.0.1/16'), /10\.44\.0\.0\/16 is meant/);
});

t.test('a key stands for one prefix, an address for its host prefix', async (t) => {
  for (const text of ['10.44.0.0/16', '0.0.0.0/0', '2001:db8:44::/48', 'fd44::/127']) t.equal(parsePrefix(text).key, text);
  for (const ip of ['192.0.2.7', 'fd44::1'].map(parseIp)) {
    const prefix = hostPrefix(ip);
    t.equal(prefix.key, ip);
    t.same(makePrefix(ip, prefix.length), prefix);
    t.same(parsePrefix(formatPrefix(prefix)), prefix);
    t.same(prefixOf(ip, prefix.length), prefix);
  }
});

t.test('contains', async (t) => {
  const table: [string, string, boolean][] = [
    ['10.44.0.0/16', '10.44.255.255', true],
    ['10.44.0.0/16', '10.45.0.0', false],
    ['10.44.0.0/17', '10.44.128.0', false],
    ['10.44.0.0/16', '::ffff:10.44.0.1', false],
    ['2001:db8:44::/48', '2001:db8:44:ffff::1', true],
    ['2001:db8:44::/47', '2001:db8:45::1', true],
    ['2001:db8:44::/48', '2001:db8:45::1', false],
    ['0.0.0.0/0', '255.255.255.255', true],
  ];
  for (const [prefix, ip, expected] of table) {
    t.equal(contains(parsePrefix(prefix), parseIp(ip)), expected, `${ip} in ${prefix}`);
  }
  t.ok(covers(parsePrefix('10.0.0.0/8'), parsePrefix('10.44.0.0/16')));
  t.notOk(covers(parsePrefix('10.44.0.0/16'), parsePrefix('10.0.0.0/8')));
});

t.test('parts of a prefix', async (t) => {
  t.equal(netmask(0), '0.0.0.0');
  t.equal(netmask(20), '255.255.240.0');
  t.equal(netmask(32), '255.255.255.255');
  t.equal(broadcastOf(parsePrefix('10.44.16.0/20') as Prefix4), '10.44.31.255');
  t.equal(formatPrefix(hostPrefix(parseIp4('10.44.0.9'))), '10.44.0.9/32');
  t.equal(formatPrefix(prefixOf(parseIp('2001:db8:44:1:2::3') as Ip6, 64)), '2001:db8:44:1::/64');
});
