import t from 'tap';
import fc from 'fast-check';
import { BadInput, fromBinary, fromHex, ShortInput, toBinary, toHex } from '../../src/net/bytes.js';
import type { Ip } from '../../src/net/ip.js';
import { parseIp, parseIp4, parseIp6 } from '../../src/net/ip.js';
import { parseMac } from '../../src/net/mac.js';
import { parseNodeId } from '../../src/clients/node-id.js';
import type { RecordKey } from '../../src/clients/record.js';
import {
  adjacenciesKey, adjacenciesValue, associationKey, clientInfoKey, clientInfoValue, declinedKey, hostKey, lease4Key, lease6Key, macValue, meaningOf, meaningOnceDead, nodeInfoValue,
  nodeKey, nodeValue, seekKey, seekValue, textBytes,
} from '../../src/clients/record.js';

const mac = parseMac('02:00:00:00:00:0a');
const node = parseNodeId('0102030405060708');
const key = (hex: string) => toBinary(fromHex(hex)) as RecordKey;
const hex = (binary: string) => toHex(fromBinary(binary));

t.test("sroamd's keys and values", async (t) => {
  t.equal(hex(lease4Key(parseIp4('10.44.1.2'))), '000a2c0102');
  t.equal(hex(lease6Key(parseIp6('2001:db8:44:7::'))), '0120010db800440007');
  t.equal(hex(associationKey(mac)), '0202000000000a');
  t.same(meaningOf(key('000a2c0102'), macValue(mac)), { type: 'lease4', address: '10.44.1.2', mac });
  t.same(meaningOf(key('0120010db800440007'), macValue(mac)), {
    type: 'lease6',
    prefix: { address: '2001:db8:44:7::', length: 64, family: 6, key: '2001:db8:44:7::/64' },
    mac,
  });
  t.same(meaningOf(associationKey(mac), nodeValue(node)), { type: 'association', mac, node });
  t.same(meaningOf(associationKey(mac), ''), { type: 'association', mac, node: undefined });
});

t.test('our own', async (t) => {
  const info = { hostname: 'r1', addresses: [parseIp('10.99.0.1'), parseIp('fd99::1')], port: 4444 };
  t.equal(hex(nodeKey(node)), '800102030405060708');
  t.equal(hex(nodeInfoValue(info)), '01027231' + '02040a630001' + '0210fd99' + '00'.repeat(13) + '01' + '0302115c');
  t.same(meaningOf(nodeKey(node), nodeInfoValue(info)), { type: 'node', node, info });
  t.equal(hex(hostKey(parseIp('10.44.1.2'))), '81' + '00'.repeat(10) + 'ffff0a2c0102');
  for (const address of [parseIp('10.44.1.2'), parseIp('2001:db8::1')]) {
    t.same(meaningOf(hostKey(address), macValue(mac)), { type: 'host', address, mac });
  }
  t.equal(hex(declinedKey(parseIp4('10.44.1.2'))), '840a2c0102');
  t.same(meaningOf(declinedKey(parseIp4('10.44.1.2')), macValue(mac)), { type: 'declined', address: '10.44.1.2', by: mac });
  const client = { hostname: 'phone', ssid: 'mesh' };
  t.same(meaningOf(clientInfoKey(mac), clientInfoValue(client)), { type: 'clientInfo', mac, info: client });
  t.equal(clientInfoValue({ hostname: '', ssid: '' }), '');
});

t.test('a reader passes over items that it does not know', async (t) => {
  const value = toBinary(fromHex('6303aabbcc' + '01027231'));
  t.same(meaningOf(nodeKey(node), value), { type: 'node', node, info: { hostname: 'r1', addresses: [], port: 0 } });
});

t.test('a name is cut to what anybody tells', async (t) => {
  const long = (type: number) => `${String.fromCharCode(type, 240)}${'x'.repeat(240)}`;
  t.match(meaningOf(nodeKey(node), long(1)), { info: { hostname: /^x{63}$/ } });
  t.match(meaningOf(clientInfoKey(mac), long(1)), { info: { hostname: /^x{64}$/ } });
  t.match(meaningOf(clientInfoKey(mac), long(4)), { info: { ssid: /^x{32}$/ } });
});

t.test('every value fits one Update, whatever it holds', async () => {
  const info = fc.record({
    hostname: fc.string({ unit: 'binary' }),
    addresses: fc.array(fc.constantFrom(parseIp('10.0.0.1'), parseIp('fd00::1'))),
    port: fc.nat(65535),
  });
  fc.assert(fc.property(info, (i) => nodeKey(node).length + nodeInfoValue(i).length <= 248));
  const long = fc.string({ unit: 'binary', minLength: 200 });
  fc.assert(fc.property(long, long, (hostname, ssid) => clientInfoValue({ hostname, ssid }).length <= 241));
});

t.test('text is cut at the end of a character', async (t) => {
  t.equal(new TextDecoder('utf-8', { fatal: true }).decode(textBytes('aäöü', 4)), 'aä');
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.nat(20), (text, limit) => {
      const cut = textBytes(text, limit);
      new TextDecoder('utf-8', { fatal: true }).decode(cut);
      return cut.length <= limit;
    }),
  );
});

t.test('content that cannot be is refused', async (t) => {
  const good = macValue(mac);
  const table: [string, string, string][] = [
    ['000a2c01', good, 'a short IPv4 lease key'],
    ['000a2c010203', good, 'a long one'],
    ['000a2c0102', good.slice(1), 'a short MAC'],
    ['000a2c0102', '', 'no MAC'],
    ['000a2c0102', '\xff'.repeat(6), "a broadcast address for a client's"],
    ['0120010db8004400', good, 'a short IPv6 lease key'],
    ['0202000000000a', 'x', 'a node id of one byte'],
    ['02010000000000', '', 'a group address for a client'],
    ['80010203', '', 'a short node id'],
    ['8182', '', 'a short host key'],
    ['840a2c01', good, 'a short key of a declined address'],
    ['840a2c0102', '', 'declined by nobody'],
    ['800102030405060708', '\x02\x03abc', 'an address of three bytes'],
    ['800102030405060708', '\x01\x05ab', 'an item longer than the value'],
  ];
  for (const [k, value, what] of table) {
    t.throws(() => meaningOf(key(k), value), /bytes|no station/, what);
  }
});

t.test('any key and value has a meaning or is refused', async () => {
  fc.assert(
    fc.property(fc.constantFrom(0, 1, 2, 3, 128, 129, 130, 131, 132, 133, 255), fc.uint8Array({ maxLength: 24 }), fc.uint8Array({ maxLength: 60 }), (type, k, v) => {
      try {
        return meaningOf((String.fromCharCode(type) + toBinary(k)) as RecordKey, toBinary(v)).type !== undefined;
      } catch (error) {
        return error instanceof BadInput || error instanceof ShortInput;
      }
    }),
    { numRuns: 2000 },
  );
});

t.test('what a node looks for', async (t) => {
  const addresses = [parseIp('10.44.1.2'), parseIp('2001:db8::1')];
  t.equal(hex(seekKey(node)), '830102030405060708');
  t.equal(hex(seekValue(addresses)), '00'.repeat(10) + 'ffff0a2c0102' + '20010db8' + '00'.repeat(11) + '01');
  t.same(meaningOf(seekKey(node), seekValue(addresses)), { type: 'seek', node, addresses });
  t.same(meaningOf(seekKey(node), ''), { type: 'seek', node, addresses: [] });
  for (let length = 1; length < 32; length++) {
    if (length === 16) continue;
    t.throws(() => meaningOf(seekKey(node), seekValue(addresses).slice(0, length)), BadInput, `${length} bytes`);
  }
});

t.test('the neighbours that a node floods to', async (t) => {
  const others = [parseNodeId('0000000000000001'), parseNodeId('00000000000000ff')];
  t.equal(hex(adjacenciesKey(node)), '850102030405060708');
  t.equal(hex(adjacenciesValue(others)), '0000000000000001' + '00000000000000ff');
  t.same(meaningOf(adjacenciesKey(node), adjacenciesValue(others)), { type: 'adjacencies', node, neighbours: others });
  t.same(meaningOf(adjacenciesKey(node), ''), { type: 'adjacencies', node, neighbours: [] });
  const many = Array.from({ length: 40 }, () => node);
  t.ok(adjacenciesKey(node).length + adjacenciesValue(many).length <= 248, 'fits one Update');
  for (let length = 1; length < 16; length++) {
    if (length === 8) continue;
    t.throws(() => meaningOf(adjacenciesKey(node), adjacenciesValue(others).slice(0, length)), BadInput, `${length} bytes`);
  }
  t.throws(() => meaningOf(key('8501020304050607'), ''), BadInput, 'a short node id');
});

t.test('of many addresses of a node the first eight are told, and of neither family so many that the other has none', async (t) => {
  const four = Array.from({ length: 9 }, (_, i) => parseIp(`10.99.0.${i}`));
  const six = Array.from({ length: 9 }, (_, i) => parseIp(`2001:db8::${i + 1}`));
  const told = (addresses: readonly Ip[]) => {
    const meaning = meaningOf(nodeKey(parseNodeId('0000000000000001')), nodeInfoValue({ hostname: '', addresses, port: 0 }));
    return meaning.type === 'node' ? meaning.info.addresses : [];
  };
  t.strictSame(told([...six, ...four]), [...six.slice(0, 4), ...four.slice(0, 4)]);
  t.strictSame(told([four[0]!, ...six, ...four.slice(1)]), [four[0], ...six.slice(0, 4), ...four.slice(1, 4)], 'in their order');
  t.strictSame(told([...six, four[0]!]), [...six.slice(0, 7), four[0]]);
  t.strictSame(told(four), four.slice(0, 8));
});

t.test('a dead record says only what it was about', async (t) => {
  const dead = (key: RecordKey, value: string) => meaningOnceDead(meaningOf(key, value));
  t.same(dead(associationKey(mac), nodeValue(node)), { type: 'association', mac, node: undefined });
  t.same(dead(hostKey(parseIp('10.44.1.2')), macValue(mac)), { type: 'host', address: '10.44.1.2', mac: undefined });
  t.same(dead(adjacenciesKey(node), adjacenciesValue([node])), { type: 'adjacencies', node, neighbours: [] });
  const info = { hostname: 'r1', addresses: [parseIp('10.99.0.1')], port: 4444 };
  t.same(dead(nodeKey(node), nodeInfoValue(info)), { type: 'node', node, info: { ...info, addresses: [] } });
});
