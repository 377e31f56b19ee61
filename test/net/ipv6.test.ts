import { deepStrictEqual } from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { BadInput, fromHex, ShortInput, toHex } from '../../src/net/bytes.js';
import type { Ip6 } from '../../src/net/ip.js';
import { ip6FromBytes } from '../../src/net/ip.js';
import { parseIpv6, writeIpv6 } from '../../src/net/ipv6.js';

/** An ndisc6 neighbour solicitation with a flow label, without its Ethernet header. */
const captured =
  '600ef2c800203afffe80000000000000000000fffe00000aff0200000000000000000001ff00000b' +
  '87007c7300000000fe80000000000000000000fffe00000b010102000000000a';

t.test('captured header', async (t) => {
  const { header, payload } = parseIpv6(fromHex(captured));
  t.same(header, {
    source: 'fe80::ff:fe00:a',
    destination: 'ff02::1:ff00:b',
    nextHeader: 58,
    hopLimit: 255,
    trafficClass: 0,
    flowLabel: 0xef2c8,
  });
  t.equal(payload.length, 32);
  t.equal(toHex(writeIpv6(header, payload)), captured);
});

t.test('the frame may be longer than the packet, never shorter', async (t) => {
  const bytes = fromHex(captured);
  t.equal(parseIpv6(fromHex(captured + '000000')).payload.length, 32);
  for (let length = 0; length < bytes.length; length++) {
    t.throws(() => parseIpv6(bytes.subarray(0, length)), ShortInput, `cut to ${length}`);
  }
});

t.test('another version is refused', async (t) => {
  const bytes = fromHex(captured);
  for (const version of [0, 4, 5, 7, 15]) {
    bytes[0] = version << 4;
    t.throws(() => parseIpv6(bytes), BadInput, `version ${version}`);
  }
});

t.test('round trip', async () => {
  const address = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes): Ip6 => ip6FromBytes(bytes));
  const headers = fc.record({
    source: address,
    destination: address,
    nextHeader: fc.nat(255),
    hopLimit: fc.nat(255),
    trafficClass: fc.nat(255),
    flowLabel: fc.nat(0xfffff),
  });
  fc.assert(
    fc.property(headers, fc.uint8Array({ maxLength: 100 }), (header, payload) => {
      deepStrictEqual(parseIpv6(writeIpv6(header, payload)), { header: { ...header }, payload });
    }),
    { numRuns: 200 },
  );
});
