import t from 'tap';
import fc from 'fast-check';
import {
  chooseAddress4,
  chooseNetwork6,
  countHostAddresses,
  identityHashes,
  identityOf,
  isHostAddress,
  MAX_PROBES,
} from '../../src/clients/allocation.js';
import { fromHex } from '../../src/net/bytes.js';
import type { Ip4 } from '../../src/net/ip.js';
import { ip4FromNumber, ip4ToNumber, parseIp4 } from '../../src/net/ip.js';
import { macFromBytes, parseMac } from '../../src/net/mac.js';
import type { Prefix4, Prefix6 } from '../../src/net/prefix.js';
import { contains, formatPrefix, parsePrefix } from '../../src/net/prefix.js';

const p4 = (text: string) => parsePrefix(text) as Prefix4;
const p6 = (text: string) => parsePrefix(text) as Prefix6;
const mac = parseMac('02:00:5e:00:53:01');
const identity = identityOf(mac);
const free = () => false;

t.test('golden hashes: computed apart from this code, and the same for ever', async (t) => {
  t.same(identityHashes(fromHex('')), [0xab3e7c0b, 0x92ca2f0e]);
  t.same(identityHashes(fromHex('01 02005e005301')), [0x4e5c618b, 0x910f583b]);
  t.same(identityHashes(fromHex('01 02005e0053c1')), [0x4501a099, 0x05204fa3]);
  t.same(identityHashes(new Uint8Array(20).fill(0xff)), [0x2e751a4d, 0x103d52ab]);
});

t.test('golden choices', async (t) => {
  t.equal(chooseAddress4(identity, [p4('10.44.0.0/16')], free), '10.44.254.68', 'number 65091');
  t.equal(chooseAddress4(identity, [p4('10.44.0.0/28')], free), '10.44.0.6', 'number 5');
  const taken = new Set(['10.44.0.6', '10.44.0.9']);
  t.equal(chooseAddress4(identity, [p4('10.44.0.0/28')], (a) => taken.has(a)), '10.44.0.12', 'strides of 3');
  const network = chooseNetwork6(mac, p6('2001:db8:44::/48'), free);
  t.equal(network && formatPrefix(network), '2001:db8:44:afe8::/64', 'number 45031, after the routers\' own');
});

t.test('the identity is the client identifier, else what most clients would give', async (t) => {
  t.same(identityOf(mac), fromHex('01 02005e005301'));
  t.same(identityOf(mac, fromHex('ff00112233')), fromHex('ff00112233'));
});

t.test('a /28 is used up without network, broadcast or doubles', async (t) => {
  const prefix = p4('10.44.0.0/28');
  const taken = new Set<Ip4>();
  for (let i = 0; i < 14; i++) {
    const address = chooseAddress4(Uint8Array.of(i), [prefix], (a) => taken.has(a));
    t.notOk(address === undefined || taken.has(address), `${address} for client ${i}`);
    taken.add(address!);
  }
  t.equal(chooseAddress4(Uint8Array.of(99), [prefix], (a) => taken.has(a)), undefined);
  t.same([...taken].map(ip4ToNumber).sort((a, b) => a - b), Array.from({ length: 14 }, (_, i) => 0x0a2c0001 + i));
});

t.test('several prefixes are one row of addresses', async (t) => {
  const prefixes = [p4('10.44.0.0/29'), p4('10.45.0.0/30'), p4('10.46.0.7/32'), p4('10.47.0.0/31')];
  t.equal(countHostAddresses(prefixes), 6 + 2 + 1 + 2);
  const taken = new Set<Ip4>();
  for (let i = 0; i < 11; i++) taken.add(chooseAddress4(identity, prefixes, (a) => taken.has(a))!);
  t.equal(taken.size, 11);
  for (const address of ['10.44.0.1', '10.44.0.6', '10.45.0.2', '10.46.0.7', '10.47.0.0', '10.47.0.1']) {
    t.ok(taken.has(parseIp4(address)), address);
  }
});

t.test('what a client can have', async (t) => {
  const prefixes = [p4('10.44.0.0/24'), p4('10.45.0.0/31')];
  const yes = ['10.44.0.1', '10.44.0.254', '10.45.0.0', '10.45.0.1'];
  const no = ['10.44.0.0', '10.44.0.255', '10.44.1.1', '10.45.0.2', '0.0.0.0', '255.255.255.255'];
  for (const address of yes) t.ok(isHostAddress(prefixes, parseIp4(address)), address);
  for (const address of no) t.notOk(isHostAddress(prefixes, parseIp4(address)), address);
});

t.test('a requested address', async (t) => {
  const prefixes = [p4('10.44.0.0/24')];
  const hashed = chooseAddress4(identity, prefixes, free);
  const ask = (address: string, isTaken: (a: Ip4) => boolean = free) =>
    chooseAddress4(identity, prefixes, isTaken, parseIp4(address));
  t.equal(ask('10.44.0.77'), '10.44.0.77');
  t.equal(ask('10.44.0.77', (a) => a === '10.44.0.77'), hashed, 'taken');
  t.equal(ask('10.44.0.0'), hashed, 'the network address');
  t.equal(ask('10.44.0.255'), hashed, 'the broadcast address');
  t.equal(ask('192.168.1.5'), hashed, 'another network');
});

t.test('no prefix, no address', async (t) => {
  t.equal(chooseAddress4(identity, [], free), undefined);
});

t.test('the walk visits every address of a small prefix once, and never more than its bound', async () => {
  const identities = fc.uint8Array({ maxLength: 24 });
  fc.assert(
    fc.property(identities, fc.integer({ min: 18, max: 32 }), (identity, length) => {
      const prefix = p4(`10.0.0.0/${length}`);
      const seen = new Set<Ip4>();
      let probes = 0;
      chooseAddress4(identity, [prefix], (address) => {
        probes++;
        seen.add(address);
        return true;
      });
      const inside = [...seen].every((address) => isHostAddress([prefix], address));
      return inside && seen.size === probes && probes === Math.min(countHostAddresses([prefix]), MAX_PROBES);
    }),
    { numRuns: 50 },
  );
});

t.test('choices are even: 64 clients of a /24 seldom want the same', async (t) => {
  const chosen = Array.from({ length: 64 }, (_, i) =>
    chooseAddress4(identityOf(macFromBytes(Uint8Array.of(2, 0, 0x5e, 0, 0x53, i))), [p4('10.44.0.0/24')], free),
  );
  // 64 balls in 254 boxes fill 56.6 on average, with a deviation of 2.5.
  t.ok(new Set(chosen).size >= 48, `${new Set(chosen).size} of 64 apart`);
});

t.test('IPv6 networks', async (t) => {
  const prefix = p6('2001:db8:44::/60');
  const taken = new Set<string>();
  for (let i = 0; i < 15; i++) taken.add(formatPrefix(chooseNetwork6(mac, prefix, (n) => taken.has(formatPrefix(n)))!));
  t.equal(taken.size, 15);
  t.notOk(taken.has('2001:db8:44::/64'), 'the first is the routers\' own');
  t.ok(taken.has('2001:db8:44:f::/64'));
  t.equal(chooseNetwork6(mac, prefix, (n) => taken.has(formatPrefix(n))), undefined, 'used up');
  t.equal(chooseNetwork6(mac, p6('2001:db8:44::/64'), free), undefined, 'a /64 has none to give');
});

t.test('IPv6 networks lie in their prefix whatever its length', async () => {
  const macs = fc.uint8Array({ minLength: 6, maxLength: 6 }).map((bytes) => macFromBytes(bytes));
  fc.assert(
    fc.property(macs, fc.integer({ min: 16, max: 63 }), (mac, length) => {
      const prefix = p6(`2000::/${length}`);
      const network = chooseNetwork6(mac, prefix, free);
      return (
        network !== undefined &&
        network.length === 64 &&
        contains(prefix, network.address) &&
        network.address !== prefix.address
      );
    }),
  );
});

t.test('numbers and addresses agree', async (t) => {
  t.equal(ip4FromNumber(ip4ToNumber(parseIp4('10.44.0.1')) + 65091), '10.44.254.68');
});
