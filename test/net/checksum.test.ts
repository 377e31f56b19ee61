import t from 'tap';
import { fromHex, toHex } from '../../src/net/bytes.js';
import { checksum, pseudoHeader } from '../../src/net/checksum.js';
import { parseIp } from '../../src/net/ip.js';

t.test('RFC 1071 section 3: the worked example, and an IPv4 header', async (t) => {
  t.equal(checksum(fromHex('0001 f203 f4f5 f6f7')), ~0xddf2 & 0xffff);
  t.equal(checksum(fromHex('4500 0073 0000 4000 4011 0000 c0a8 0001 c0a8 00c7')), 0xb861);
  t.equal(checksum(fromHex('4500 0073 0000 4000 4011 b861 c0a8 0001 c0a8 00c7')), 0, 'over itself: zero');
});

t.test('an odd last byte counts as if a zero followed', async (t) => {
  t.equal(checksum(fromHex('0102 03')), checksum(fromHex('0102 0300')));
  t.equal(checksum(fromHex('0102'), fromHex('03')), checksum(fromHex('0102 03')), 'in several runs');
});

t.test('pseudo headers', async (t) => {
  t.equal(toHex(pseudoHeader(parseIp('10.0.0.1'), parseIp('10.0.0.2'), 17, 8)), '0a0000010a00000200110008');
  t.equal(
    toHex(pseudoHeader(parseIp('fe80::1'), parseIp('ff02::1'), 58, 32)),
    'fe800000000000000000000000000001ff020000000000000000000000000001000000200000003a',
  );
});
