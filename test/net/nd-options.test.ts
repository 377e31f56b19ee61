import { deepStrictEqual } from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { BadInput, fromHex, ShortInput, toHex } from '../../src/net/bytes.js';
import { parseEthernet } from '../../src/net/ethernet.js';
import type { Ip6 } from '../../src/net/ip.js';
import type { Mac } from '../../src/net/mac.js';
import { macFromBytes } from '../../src/net/mac.js';
import { parseNd } from '../../src/net/nd.js';
import type { NdOption } from '../../src/net/nd-options.js';
import { readNdOptions, writeNdOptions } from '../../src/net/nd-options.js';
import { ip6FromBytes } from '../../src/net/ip.js';
import type { Prefix6 } from '../../src/net/prefix.js';
import { parsePrefix, prefixOf } from '../../src/net/prefix.js';

const prefix6 = (text: string) => parsePrefix(text) as Prefix6;

/** A router advertisement as radvd 2.19 sent it to rdisc6. */
const advertisement =
  '02000000000b02000000000a86dd600b12a000a03afffe80000000000000000000fffe00000afe80000000000000000000fffe00000b' +
  '8600c81140001518000000000000000003044040' +
  '00000e10000007080000000020010db8000100020000000000000000' +
  '1803200800000708fd000044000000000000000000000000' +
  '190500000000151820010db800000000000000000000005320010db8000000000000000000000054' +
  '1f04000000001518046d657368076578616d706c6500036c616e000000000000' +
  '0501000000000500010102000000000a';

t.test('an advertisement of radvd', async (t) => {
  const { payload } = parseEthernet(fromHex(advertisement));
  t.same(parseNd(payload), {
    source: 'fe80::ff:fe00:a',
    destination: 'fe80::ff:fe00:b',
    message: {
      type: 'ra',
      hopLimit: 64,
      managed: false,
      other: false,
      preference: 'medium',
      routerLifetime: 5400,
      reachableTime: 0,
      retransTimer: 0,
      options: [
        {
          type: 'prefix',
          prefix: prefix6('2001:db8:1:2::/64'),
          onLink: false,
          autonomous: true,
          validLifetime: 3600,
          preferredLifetime: 1800,
        },
        { type: 'route', prefix: prefix6('fd00:44::/32'), preference: 'high', lifetime: 1800 },
        { type: 'rdnss', lifetime: 5400, servers: ['2001:db8::53', '2001:db8::54'] },
        { type: 'dnssl', lifetime: 5400, domains: ['mesh.example', 'lan'] },
        { type: 'mtu', mtu: 1280 },
        { type: 'sourceLinkLayer', mac: '02:00:00:00:00:0a' },
      ],
    },
  });
});

/** Each option's bytes, by the figures of its RFC, and what they say. */
const golden: [name: string, hex: string, option: NdOption][] = [
  ['source link-layer address', '010102000000000a', { type: 'sourceLinkLayer', mac: '02:00:00:00:00:0a' as Mac }],
  ['target link-layer address', '020100005e005213', { type: 'targetLinkLayer', mac: '00:00:5e:00:52:13' as Mac }],
  [
    'prefix information, /64',
    '0304404000000e10000007080000000020010db8000100020000000000000000',
    { type: 'prefix', prefix: prefix6('2001:db8:1:2::/64'), onLink: false, autonomous: true, validLifetime: 3600, preferredLifetime: 1800 },
  ],
  [
    'prefix information, on link, for ever',
    '03043080ffffffffffffffff0000000020010db8000000000000000000000000',
    { type: 'prefix', prefix: prefix6('2001:db8::/48'), onLink: true, autonomous: false, validLifetime: 0xffffffff, preferredLifetime: 0xffffffff },
  ],
  ['MTU', '0501000000000500', { type: 'mtu', mtu: 1280 }],
  ['nonce', '0e01d1167f35511c', { type: 'nonce', nonce: fromHex('d1167f35511c') }],
  ['route to everywhere', '1801001800000708', { type: 'route', prefix: prefix6('::/0'), preference: 'low', lifetime: 1800 }],
  ['route of 32 bits', '1802200800000708fd00004400000000', { type: 'route', prefix: prefix6('fd00:44::/32'), preference: 'high', lifetime: 1800 }],
  [
    'route of 128 bits',
    '18038000ffffffff20010db8000000000000000000000001',
    { type: 'route', prefix: prefix6('2001:db8::1/128'), preference: 'medium', lifetime: 0xffffffff },
  ],
  [
    'one DNS server',
    '190300000000151820010db8000000000000000000000053',
    { type: 'rdnss', lifetime: 5400, servers: ['2001:db8::53' as Ip6] },
  ],
  ['search list', '1f02000000001518036c616e00000000', { type: 'dnssl', lifetime: 5400, domains: ['lan'] }],
  ['PREF64 /96', '260215180064ff9b0000000000000000', { type: 'pref64', lifetime: 5400, prefix: prefix6('64:ff9b::/96') }],
  ['captive portal', '2504' + '75726e3a696574663a706172616d733a636170706f72743a78'.padEnd(60, '0'), { type: 'captivePortal', uri: 'urn:ietf:params:capport:x' }],
  ['PREF64 /32', '26020a8d20010db80000000000000000', { type: 'pref64', lifetime: 2696, prefix: prefix6('2001:db8::/32') }],
  ['experimental (RFC 4727)', 'fd02000102030405060708090a0b0c0d', { type: 'unknown', code: 253, body: fromHex('000102030405060708090a0b0c0d') }],
];

for (const [name, hex, option] of golden) {
  t.test(name, async (t) => {
    t.same(readNdOptions(fromHex(hex)), [option]);
    t.equal(toHex(writeNdOptions([option])), hex);
    for (let length = 1; length < hex.length / 2; length++) {
      t.throws(() => readNdOptions(fromHex(hex).subarray(0, length)), ShortInput, `cut to ${length}`);
    }
  });
}

t.test('an option of length zero ends the message and no loop begins', async (t) => {
  for (let code = 0; code < 256; code++) {
    t.throws(() => readNdOptions(Uint8Array.of(code, 0, 0, 0, 0, 0, 0, 0)), BadInput, `option ${code}`);
  }
});

/** Known options with contents that their RFC does not allow: passed over, and the next one is read all the same. */
const odd: [what: string, hex: string][] = [
  ['link-layer address of 14 bytes', '010202000000000a0000000000000000'],
  ['prefix length 129', '0304814000000e10000007080000000020010db8000100020000000000000000'],
  ['prefix information of 8 bytes', '0301404000000e10'],
  ['MTU of 16 bytes', '05020000000005000000000000000000'],
  ['route with the reserved preference', '1801001000000708'],
  ['route of 65 bits in two units', '1802410000000708fd00004400000000'],
  ['route of four units', '1804200800000708'.padEnd(64, '0')],
  ['route of 129 bits', '1803810000000708'.padEnd(48, '0')],
  ['DNS servers, none', '1901000000001518'],
  ['DNS servers, one and a half', '1904000000001518'.padEnd(64, '0')],
  ['search list, a label longer than the option', '1f020000000015183f6c616e00000000'],
  ['search list, compressed', '1f02000000001518c00c616e00000000'],
  ['search list without an end', '1f02000000001518076c616e6c616e6c'],
  ['search list with a dot in a label', '1f0200000000151803612e6200000000'],
  ['search list with a name behind the padding', '1f02000000001518036c616e00000361'],
  ['PREF64 with prefix length code 6', '260215060064ff9b0000000000000000'],
  ['PREF64 of three units', '260315180064ff9b'.padEnd(48, '0')],
];

for (const [what, hex] of odd) {
  t.test(`passed over: ${what}`, async (t) => {
    const [first, second, ...more] = readNdOptions(fromHex(hex + '0501000000000500'));
    t.equal(first?.type, 'unknown');
    t.same(second, { type: 'mtu', mtu: 1280 });
    t.same(more, []);
  });
}

t.test('what no option can say is refused by the writer', async (t) => {
  const refused = (option: NdOption) => t.throws(() => writeNdOptions([option]), BadInput);
  refused({ type: 'pref64', lifetime: 600, prefix: prefix6('2001:db8::/60') });
  refused({ type: 'rdnss', lifetime: 600, servers: new Array<Ip6>(128).fill('2001:db8::53' as Ip6) });
  for (const name of ['', '.', 'a..b', 'x'.repeat(64), 'ä.example', new Array(130).fill('a').join('.')]) {
    refused({ type: 'dnssl', lifetime: 600, domains: [name] });
  }
});

t.test('PREF64 lifetimes are told in units of eight seconds, never shorter, and at most 65,528', async (t) => {
  const told = (lifetime: number) =>
    readNdOptions(writeNdOptions([{ type: 'pref64', lifetime, prefix: prefix6('64:ff9b::/96') }]))[0];
  t.match(told(1), { lifetime: 8 });
  t.match(told(600), { lifetime: 600 });
  t.match(told(5401), { lifetime: 5408 });
  t.match(told(1_000_000), { lifetime: 65_528 });
});

t.test('round trip', async () => {
  const address = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => ip6FromBytes(bytes));
  const mac = fc.uint8Array({ minLength: 6, maxLength: 6 }).map((bytes) => macFromBytes(bytes));
  const prefix = fc.tuple(address, fc.nat(128)).map(([ip, length]) => prefixOf(ip, length));
  const lifetime = fc.nat(0xffffffff);
  const label = fc.stringMatching(/^[a-z0-9-]{1,63}$/);
  const domain = fc.array(label, { minLength: 1, maxLength: 3 }).map((labels) => labels.join('.'));
  const option: fc.Arbitrary<NdOption> = fc.oneof(
    fc.record({ type: fc.constantFrom('sourceLinkLayer' as const, 'targetLinkLayer' as const), mac }),
    fc.record({
      type: fc.constant('prefix' as const),
      prefix,
      onLink: fc.boolean(),
      autonomous: fc.boolean(),
      validLifetime: lifetime,
      preferredLifetime: lifetime,
    }),
    fc.record({ type: fc.constant('mtu' as const), mtu: lifetime }),
    fc.record({
      type: fc.constant('route' as const),
      prefix,
      preference: fc.constantFrom('low' as const, 'medium' as const, 'high' as const),
      lifetime,
    }),
    fc.record({
      type: fc.constant('rdnss' as const),
      lifetime,
      servers: fc.array(address, { minLength: 1, maxLength: 5 }),
    }),
    fc.record({
      type: fc.constant('dnssl' as const),
      lifetime,
      domains: fc.array(domain, { minLength: 1, maxLength: 4 }),
    }),
    fc.record({
      type: fc.constant('pref64' as const),
      lifetime: fc.nat(8191).map((units) => units * 8),
      prefix: fc.tuple(address, fc.constantFrom(96, 64, 56, 48, 40, 32)).map(([ip, length]) => prefixOf(ip, length)),
    }),
  );
  fc.assert(
    fc.property(fc.array(option, { maxLength: 6 }), (options) => {
      const expected = options.map((option) => ({ ...option }));
      deepStrictEqual(readNdOptions(writeNdOptions(options)), expected);
    }),
    { numRuns: 300 },
  );
});

t.test('nothing but typed errors from any bytes', async () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        readNdOptions(bytes);
      } catch (error) {
        if (!(error instanceof BadInput || error instanceof ShortInput)) throw error;
      }
    }),
    { numRuns: 2000 },
  );
  const known = fc.tuple(
    fc.constantFrom(1, 2, 3, 5, 14, 24, 25, 31, 38),
    fc.integer({ min: 1, max: 6 }),
    fc.uint8Array({ minLength: 46, maxLength: 46 }),
  );
  fc.assert(
    fc.property(known, ([code, units, body]) => {
      const bytes = Uint8Array.of(code, units, ...body.subarray(0, units * 8 - 2));
      deepStrictEqual(readNdOptions(bytes).length, 1);
    }),
    { numRuns: 1000 },
  );
});
