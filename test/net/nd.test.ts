import { deepStrictEqual } from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { BadInput, fromHex, ShortInput, toHex } from '../../src/net/bytes.js';
import { EtherType, parseEthernet, writeEthernet } from '../../src/net/ethernet.js';
import { writeIcmp6 } from '../../src/net/icmp6.js';
import type { Ip6 } from '../../src/net/ip.js';
import { ip6FromBytes } from '../../src/net/ip.js';
import { parseIpv6, writeIpv6 } from '../../src/net/ipv6.js';
import { parseLinkFrame } from '../../src/net/link-frame.js';
import type { Mac } from '../../src/net/mac.js';
import type { NdMessage, NdPacket } from '../../src/net/nd.js';
import { ndFrame, parseNd, sourceLinkLayerOf, targetLinkLayerOf, writeNd } from '../../src/net/nd.js';

const A = '02:00:00:00:00:0a' as Mac;
const B = '02:00:00:00:00:0b' as Mac;
const LL_A = 'fe80::ff:fe00:a' as Ip6;
const LL_B = 'fe80::ff:fe00:b' as Ip6;
const ip = (text: string) => text as Ip6;

/** Frames that Linux 6.1 and ndisc6's tools sent on a veth pair. */
const captured: { name: string; hex: string; to: string; from: Mac; packet: NdPacket; flowLabel?: true }[] = [
  {
    name: 'duplicate address detection, with a nonce (RFC 7527)',
    hex:
      '3333ff00000b02000000000b86dd6000000000203aff00000000000000000000000000000000ff0200000000000000000001ff00000b' +
      '8700cd9f00000000fe80000000000000000000fffe00000b0e01d1167f35511c',
    to: '33:33:ff:00:00:0b',
    from: B,
    packet: {
      source: ip('::'),
      destination: ip('ff02::1:ff00:b'),
      message: { type: 'ns', target: LL_B, options: [{ type: 'nonce', nonce: fromHex('d1167f35511c') }] },
    },
  },
  {
    name: 'router solicitation',
    hex:
      '33330000000202000000000b86dd6000000000103afffe80000000000000000000fffe00000bff020000000000000000000000000002' +
      '85007b1800000000010102000000000b',
    to: '33:33:00:00:00:02',
    from: B,
    packet: {
      source: LL_B,
      destination: ip('ff02::2'),
      message: { type: 'rs', options: [{ type: 'sourceLinkLayer', mac: B }] },
    },
  },
  {
    name: 'router solicitation by rdisc6, without a link-layer address',
    hex:
      '33330000000202000000000b86dd6009b4da00083afffe80000000000000000000fffe00000bff020000000000000000000000000002' +
      '85007e2c00000000',
    to: '33:33:00:00:00:02',
    from: B,
    packet: { source: LL_B, destination: ip('ff02::2'), message: { type: 'rs', options: [] } },
    flowLabel: true,
  },
  {
    name: 'neighbour solicitation by ndisc6',
    hex:
      '3333ff00000b02000000000a86dd600ef2c800203afffe80000000000000000000fffe00000aff0200000000000000000001ff00000b' +
      '87007c7300000000fe80000000000000000000fffe00000b010102000000000a',
    to: '33:33:ff:00:00:0b',
    from: A,
    packet: {
      source: LL_A,
      destination: ip('ff02::1:ff00:b'),
      message: { type: 'ns', target: LL_B, options: [{ type: 'sourceLinkLayer', mac: A }] },
    },
    flowLabel: true,
  },
  {
    name: 'solicited neighbour advertisement',
    hex:
      '02000000000a02000000000b86dd6000000000203afffe80000000000000000000fffe00000bfe80000000000000000000fffe00000a' +
      '88001af660000000fe80000000000000000000fffe00000b020102000000000b',
    to: A,
    from: B,
    packet: {
      source: LL_B,
      destination: LL_A,
      message: {
        type: 'na',
        target: LL_B,
        router: false,
        solicited: true,
        override: true,
        options: [{ type: 'targetLinkLayer', mac: B }],
      },
    },
  },
  {
    name: 'unsolicited neighbour advertisement (ndisc_notify)',
    hex:
      '33330000000102000000000b86dd6000000000203aff20010db800000000000000000000000bff020000000000000000000000000001' +
      '8800f90c2000000020010db800000000000000000000000b020102000000000b',
    to: '33:33:00:00:00:01',
    from: B,
    packet: {
      source: ip('2001:db8::b'),
      destination: ip('ff02::1'),
      message: {
        type: 'na',
        target: ip('2001:db8::b'),
        router: false,
        solicited: false,
        override: true,
        options: [{ type: 'targetLinkLayer', mac: B }],
      },
    },
  },
  {
    name: 'advertisement of a router to a unicast probe, without a link-layer address',
    hex:
      '02000000000b02000000000a86dd6000000000183afffe80000000000000000000fffe00000afe80000000000000000000fffe00000b' +
      '8800bf0ac0000000fe80000000000000000000fffe00000a',
    to: B,
    from: A,
    packet: {
      source: LL_A,
      destination: LL_B,
      message: { type: 'na', target: LL_A, router: true, solicited: true, override: false, options: [] },
    },
  },
];

for (const { name, hex, to, from, packet, flowLabel } of captured) {
  t.test(name, async (t) => {
    const frame = fromHex(hex);
    const parsed = parseLinkFrame(frame);
    t.same(parsed, { protocol: 'nd', ethernet: { destination: to, source: from, etherType: EtherType.ipv6 }, packet });
    const written = ndFrame(to as Mac, from, packet);
    // The kernel labels the flow of some packets; ours have none.
    if (flowLabel) frame.fill(0, 15, 18);
    t.equal(toHex(written), toHex(frame));
    for (let length = 0; length < frame.length; length++) {
      t.throws(() => parseLinkFrame(frame.subarray(0, length)), ShortInput, `cut to ${length}`);
    }
  });
}

t.test('the link-layer options are found', async (t) => {
  t.equal(sourceLinkLayerOf(captured[1]!.packet.message), B);
  t.equal(sourceLinkLayerOf(captured[2]!.packet.message), undefined);
  t.equal(targetLinkLayerOf(captured[4]!.packet.message), B);
  t.equal(targetLinkLayerOf(captured[1]!.packet.message), undefined);
});

t.test('messages cut short behind a sound IPv6 header and checksum', async (t) => {
  for (const { name, hex } of captured) {
    const { header, payload } = parseIpv6(parseEthernet(fromHex(hex)).payload);
    // Behind the fixed part an end of the message between two options is an end of the message.
    const fixed = payload[0] === 133 ? 8 : 24;
    for (let length = 1; length < payload.length; length++) {
      if (length === fixed) continue;
      const body = payload.subarray(4, length);
      const cut = writeIcmp6(header.source, header.destination, { type: payload[0]!, code: 0, body });
      t.throws(() => parseNd(writeIpv6(header, cut)), ShortInput, `${name}, ${length} bytes`);
    }
  }
});

const solicitation: NdMessage = { type: 'rs', options: [] };

/** A packet with a sound checksum whose header, code or body is as given. */
function crafted(
  { source = LL_B as string, destination = 'ff02::2', nextHeader = 58, hopLimit = 255 },
  { type = 133, code = 0, body = '00000000' },
): Uint8Array {
  const addresses = [ip(source), ip(destination)] as const;
  const payload = writeIcmp6(...addresses, { type, code, body: fromHex(body) });
  const [from, to] = addresses;
  return writeIpv6({ source: from, destination: to, nextHeader, hopLimit, trafficClass: 0, flowLabel: 0 }, payload);
}

const TARGET = '00000000' + 'fe80000000000000000000fffe00000c';
const SLLA = '010102000000000b';

/** What RFC 4861 section 6.1 and 7.1 has a receiver discard, rule by rule. */
const discarded: [rule: string, packet: Uint8Array][] = [
  ['6.1.1 hop limit 254', crafted({ hopLimit: 254 }, {})],
  ['6.1.1 hop limit 1', crafted({ hopLimit: 1 }, {})],
  ['6.1.1 code not 0', crafted({}, { code: 1 })],
  ['6.1.1 option of length zero', crafted({}, { body: '00000000' + '0100' })],
  ['4.6 option of length zero behind a good one', crafted({}, { body: '00000000' + SLLA + 'fd00000000000000' })],
  ['6.1.1 unspecified source with a link-layer address', crafted({ source: '::' }, { body: '00000000' + SLLA })],
  ['6.1.2 advertisement not from a link-local address', crafted({ source: '2001:db8::1' }, { type: 134, body: '40000708'.padEnd(24, '0') })],
  ['7.1.1 multicast target', crafted({}, { type: 135, body: '00000000' + 'ff02'.padEnd(32, '0') })],
  ['7.1.1 unspecified source, not to a solicited-node address', crafted({ source: '::', destination: 'ff02::1' }, { type: 135, body: TARGET })],
  ['7.1.1 unspecified source with a link-layer address', crafted({ source: '::', destination: 'ff02::1:ff00:c' }, { type: 135, body: TARGET + SLLA })],
  ['7.1.2 multicast target', crafted({}, { type: 136, body: '00000000' + 'ff02'.padEnd(32, '0') })],
  ['7.1.2 solicited, to a multicast address', crafted({ destination: 'ff02::1' }, { type: 136, body: '60' + TARGET.slice(2) })],
  ['advertisement from the unspecified address', crafted({ source: '::' }, { type: 136, body: TARGET })],
  ['from a multicast address', crafted({ source: 'ff02::5' }, {})],
];

for (const [rule, packet] of discarded) {
  t.test(`discarded: ${rule}`, async (t) => {
    t.throws(() => parseNd(packet), BadInput);
  });
}

t.test('the crafted packets are good but for their one fault', async (t) => {
  t.same(parseNd(crafted({}, {}))?.message, solicitation);
  t.equal(parseNd(crafted({ source: '::' }, {}))?.source, '::');
  t.equal(parseNd(crafted({ source: '::', destination: 'ff02::1:ff00:c' }, { type: 135, body: TARGET }))?.message.type, 'ns');
  t.equal(parseNd(crafted({ source: LL_B }, { type: 136, body: TARGET }))?.message.type, 'na');
  t.equal(parseNd(crafted({}, { type: 134, body: '40000708'.padEnd(24, '0') }))?.message.type, 'ra');
});

t.test('what is not neighbour discovery is passed over', async (t) => {
  t.equal(parseNd(crafted({}, { type: 128 })), undefined, 'echo request');
  t.equal(parseNd(crafted({}, { type: 143 })), undefined, 'listener report');
  for (const nextHeader of [0, 6, 17, 43, 44, 60, 59]) {
    t.equal(parseNd(crafted({ nextHeader }, {})), undefined, `next header ${nextHeader}`);
  }
  t.equal(parseNd(writeIpv6(parseIpv6(crafted({}, {})).header, new Uint8Array())), undefined, 'empty');
  t.equal(parseLinkFrame(writeEthernet({ destination: A, source: B, etherType: 0x0800 }, new Uint8Array(40))), undefined);
});

t.test('a wrong checksum is refused', async (t) => {
  const bytes = crafted({}, {});
  bytes[42]! ^= 1;
  t.throws(() => parseNd(bytes), BadInput);
});

t.test('round trip of all messages', async () => {
  const address = fc
    .uint8Array({ minLength: 16, maxLength: 16 })
    .map((bytes): Ip6 => ip6FromBytes(bytes))
    .filter((text) => !text.startsWith('ff') && text !== '::');
  const options = fc.constant([{ type: 'unknown', code: 253, body: fromHex('010203040506') }] as const);
  const message = fc.oneof(
    fc.record({ type: fc.constant('rs' as const), options }),
    fc.record({ type: fc.constant('ns' as const), target: address, options }),
    fc.record({
      type: fc.constant('na' as const),
      target: address,
      router: fc.boolean(),
      solicited: fc.boolean(),
      override: fc.boolean(),
      options,
    }),
    fc.record({
      type: fc.constant('ra' as const),
      hopLimit: fc.nat(255),
      managed: fc.boolean(),
      other: fc.boolean(),
      preference: fc.constantFrom('low' as const, 'medium' as const, 'high' as const),
      routerLifetime: fc.nat(0xffff),
      reachableTime: fc.nat(0xffffffff),
      retransTimer: fc.nat(0xffffffff),
      options,
    }),
  );
  fc.assert(
    fc.property(message, address, (message, destination) => {
      const packet: NdPacket = { source: LL_A, destination, message: { ...message } };
      deepStrictEqual(parseNd(writeNd(packet)), packet);
    }),
    { numRuns: 300 },
  );
});

t.test('nothing but typed errors from any body', async (t) => {
  let parsed = 0;
  fc.assert(
    fc.property(fc.integer({ min: 133, max: 136 }), fc.uint8Array({ maxLength: 120 }), (type, body) => {
      const payload = writeIcmp6(LL_B, LL_A, { type, code: 0, body });
      const header = { source: LL_B, destination: LL_A, nextHeader: 58, hopLimit: 255, trafficClass: 0, flowLabel: 0 };
      try {
        if (parseNd(writeIpv6(header, payload)) !== undefined) parsed++;
      } catch (error) {
        if (!(error instanceof BadInput || error instanceof ShortInput)) throw error;
      }
    }),
    { numRuns: 2000 },
  );
  t.ok(parsed > 0, `${parsed} of them were messages`);
});

t.test('nothing but typed errors from any frame, captured ones with bytes changed', async () => {
  const frames = fc.constantFrom(...captured.map(({ hex }) => fromHex(hex)));
  fc.assert(
    fc.property(frames, fc.array(fc.tuple(fc.nat(200), fc.nat(255)), { maxLength: 4 }), (frame, changes) => {
      const bytes = frame.slice();
      for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
      try {
        parseLinkFrame(bytes);
      } catch (error) {
        if (!(error instanceof BadInput || error instanceof ShortInput)) throw error;
      }
    }),
    { numRuns: 2000 },
  );
});
