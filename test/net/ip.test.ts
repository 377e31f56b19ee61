import t from 'tap';
import fc from 'fast-check';
import { BadInput } from '../../src/net/bytes.js';
import {
  ip4FromNumber, ip4ToNumber, ip6FromBytes, ip6ToBytes, isLinkLocal6, isMulticast, linkLocalOf, parseIp, parseIp4,
  parseIp6, readIp, solicitedNodeOf,
} from '../../src/net/ip.js';
import { parseMac } from '../../src/net/mac.js';

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });

t.test('RFC 5952: the canonical form of an IPv6 address', async (t) => {
  const table = [
    ['2001:DB8::0001', '2001:db8::1'],
    ['2001:db8:0:0:0:0:2:1', '2001:db8::2:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['0:0:0:0:0:0:0:0', '::'],
    ['::1', '::1'],
    ['1::', '1::'],
    ['::ffff:192.0.2.1', '::ffff:c000:201'],
    ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
  ] as const;
  for (const [text, canonical] of table) t.equal(parseIp6(text), canonical, text);
});

t.test('what is no address', async (t) => {
  const bad6 = ['', ':', ':::', '1::2::3', '1:2:3:4:5:6:7', '1:2:3:4:5:6:7:8:9', '12345::', 'g::', '1:2:3:4:5:6:7:8::',
    '::1.2.3', '::1.2.3.4:5', 'fe80::1%eth0', ' ::1', '1:2:3:4:5:6:1.2.3.256'];
  for (const text of bad6) t.throws(() => parseIp6(text), BadInput, text);
  for (const text of ['', '1.2.3', '1.2.3.4.5', '256.0.0.1', '01.2.3.4', '1.2.3.-4', '1.2.3.4 ', '0x1.2.3.4']) {
    t.throws(() => parseIp4(text), BadInput, text);
  }
});

t.test('text and bytes are the same address', async () => {
  fc.assert(fc.property(bytes(16), (b) => Buffer.compare(ip6ToBytes(ip6FromBytes(b)), b) === 0));
  fc.assert(fc.property(fc.ipV6(), (text) => parseIp6(parseIp6(text)) === parseIp6(text)));
  fc.assert(fc.property(fc.nat(0xffffffff), (n) => ip4ToNumber(ip4FromNumber(n)) === n));
});

t.test('any text is read or refused, nothing else', async () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'0123456789abcdef:./%g ') }), (text) => {
      try {
        return parseIp(text).length > 0;
      } catch (error) {
        return error instanceof BadInput;
      }
    }),
  );
});

t.test('addresses that follow from others', async (t) => {
  t.equal(linkLocalOf(parseMac('00:00:5e:00:52:13')), 'fe80::200:5eff:fe00:5213', 'RFC 6543 5.1: one makes the other');
  t.equal(solicitedNodeOf(parseIp6('4037::1:800:200e:8c6c')), 'ff02::1:ff0e:8c6c', 'RFC 4291 2.7.1');
});

t.test('kinds of addresses', async (t) => {
  t.ok(isLinkLocal6(parseIp('fe80::1')));
  t.ok(isLinkLocal6(parseIp('febf::1')));
  t.notOk(isLinkLocal6(parseIp('fec0::1')));
  t.notOk(isLinkLocal6(parseIp('169.254.0.1')));
  t.ok(isMulticast(parseIp('ff02::1')));
  t.ok(isMulticast(parseIp('224.0.0.1')));
  t.notOk(isMulticast(parseIp('ff::1')));
  t.notOk(isMulticast(parseIp('192.0.2.1')));
});

t.test('a text that may be an address', async (t) => {
  t.equal(readIp('2001:DB8:0::1'), '2001:db8::1');
  t.equal(readIp('192.0.2.1'), '192.0.2.1');
  for (const text of ['', 'r2.mesh', '192.0.2', '010.0.0.1', 'fe80::1%eth0', '2001:db8::x']) t.equal(readIp(text), undefined, text);
});
