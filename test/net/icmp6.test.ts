import t from 'tap';
import { BadInput, fromHex, ShortInput, toHex } from '../../src/net/bytes.js';
import { parseIcmp6, writeIcmp6 } from '../../src/net/icmp6.js';
import type { Ip6 } from '../../src/net/ip.js';

/** A router solicitation as Linux 6.1 sent it. */
const source = 'fe80::ff:fe00:b' as Ip6;
const destination = 'ff02::2' as Ip6;
const captured = '85007b1800000000010102000000000b';

t.test('captured message', async (t) => {
  const message = parseIcmp6(source, destination, fromHex(captured));
  t.equal(message.type, 133);
  t.equal(message.code, 0);
  t.equal(toHex(message.body), captured.slice(8));
  t.equal(toHex(writeIcmp6(source, destination, message)), captured);
});

t.test('each flipped bit, and other addresses, fail the checksum', async (t) => {
  const good = fromHex(captured);
  for (let bit = 0; bit < good.length * 8; bit++) {
    const bad = good.slice();
    bad[bit >> 3]! ^= 1 << (bit & 7);
    t.throws(() => parseIcmp6(source, destination, bad), BadInput, `bit ${bit}`);
  }
  t.throws(() => parseIcmp6('fe80::ff:fe00:c' as Ip6, destination, good), BadInput);
});

t.test('every truncation is refused', async (t) => {
  const good = fromHex(captured);
  for (let length = 0; length < 4; length++) {
    t.throws(() => parseIcmp6(source, destination, good.subarray(0, length)), ShortInput, `cut to ${length}`);
  }
  for (let length = 4; length < good.length; length++) {
    t.throws(() => parseIcmp6(source, destination, good.subarray(0, length)), BadInput, `cut to ${length}`);
  }
});
