import fc from 'fast-check';
import t from 'tap';
import type { Gateway } from '../../src/gateway/gateway.js';
import { GATEWAY_LINK_LOCAL, GATEWAY_MAC } from '../../src/gateway/gateway.js';
import type { Sighting } from '../../src/gateway/observe.js';
import { observe } from '../../src/gateway/observe.js';
import { arpFrame } from '../../src/net/arp.js';
import { fromHex } from '../../src/net/bytes.js';
import type { Ip, Ip4, Ip6 } from '../../src/net/ip.js';
import { ip4FromNumber } from '../../src/net/ip.js';
import { parseLinkFrame } from '../../src/net/link-frame.js';
import type { Mac } from '../../src/net/mac.js';
import type { NdMessage } from '../../src/net/nd.js';
import { ndFrame } from '../../src/net/nd.js';
import type { NdOption } from '../../src/net/nd-options.js';

const A = '02:00:00:00:00:0a' as Mac;
const B = '02:00:00:00:00:0b' as Mac;
const NOBODY = '00:00:00:00:00:00' as Mac;
const gateway: Gateway = { mac: GATEWAY_MAC, linkLocal: GATEWAY_LINK_LOCAL, addresses4: ['10.44.0.1' as Ip4] };

/** Frames of Linux 6.1 and iputils arping, captured. */
const captured: [what: string, hex: string, sighting: Sighting][] = [
  [
    'request',
    'ffffffffffff02000000000a0806000108000604000102000000000a0a2c00020000000000000a2c0009',
    { mac: A, kind: 'arp', claims: '10.44.0.2' as Ip4 },
  ],
  [
    'gratuitous reply',
    'ffffffffffff02000000000b0806000108000604000202000000000b0a2c000202000000000b0a2c0002',
    { mac: B, kind: 'arp', claims: '10.44.0.2' as Ip4 },
  ],
  [
    'probe',
    'ffffffffffff02000000000b0806000108000604000102000000000b00000000ffffffffffff0a2c0009',
    { mac: B, kind: 'arp-probe', tentative: '10.44.0.9' as Ip4 },
  ],
  [
    'duplicate address detection',
    '3333ff00000b02000000000b86dd6000000000203aff00000000000000000000000000000000ff0200000000000000000001ff00000b' +
      '8700cd9f00000000fe80000000000000000000fffe00000b0e01d1167f35511c',
    { mac: B, kind: 'dad', tentative: 'fe80::ff:fe00:b' as Ip6 },
  ],
  [
    'router solicitation',
    '33330000000202000000000b86dd6000000000103afffe80000000000000000000fffe00000bff020000000000000000000000000002' +
      '85007b1800000000010102000000000b',
    { mac: B, kind: 'rs', claims: 'fe80::ff:fe00:b' as Ip6 },
  ],
  [
    'solicitation of a neighbour',
    '3333ff00000b02000000000a86dd600ef2c800203afffe80000000000000000000fffe00000aff0200000000000000000001ff00000b' +
      '87007c7300000000fe80000000000000000000fffe00000b010102000000000a',
    { mac: A, kind: 'ns', claims: 'fe80::ff:fe00:a' as Ip6 },
  ],
  [
    'unsolicited advertisement',
    '33330000000102000000000b86dd6000000000203aff20010db800000000000000000000000bff020000000000000000000000000001' +
      '8800f90c2000000020010db800000000000000000000000b020102000000000b',
    { mac: B, kind: 'na', claims: '2001:db8::b' as Ip6 },
  ],
];

for (const [what, hex, sighting] of captured) {
  t.test(`captured ${what}`, async (t) => {
    t.same(observe(parseLinkFrame(fromHex(hex))!, gateway), sighting);
  });
}

function arp(from: Mac, senderIp: string, more: { senderMac?: Mac; operation?: number; targetIp?: string } = {}): Uint8Array {
  const { senderMac = from, operation = 1, targetIp = '10.44.0.1' } = more;
  const packet = { operation, senderMac, senderIp: senderIp as Ip4, targetMac: NOBODY, targetIp: targetIp as Ip4 };
  const frame = arpFrame(GATEWAY_MAC, packet);
  frame.set(from.split(':').map((byte) => parseInt(byte, 16)), 6);
  return frame;
}

function nd(from: Mac, source: string, message: NdMessage, destination = 'ff02::1:ff00:d'): Uint8Array {
  return ndFrame(GATEWAY_MAC, from, { source: source as Ip6, destination: destination as Ip6, message });
}

const ns = (target: string, ...options: NdOption[]): NdMessage => ({ type: 'ns', target: target as Ip6, options });
const na = (target: string, ...options: NdOption[]): NdMessage => {
  return { type: 'na', target: target as Ip6, router: false, solicited: false, override: true, options };
};
const slla = (mac: Mac): NdOption => ({ type: 'sourceLinkLayer', mac });
const tlla = (mac: Mac): NdOption => ({ type: 'targetLinkLayer', mac });

const table: [what: string, frame: Uint8Array, sighting: Partial<Sighting> | undefined][] = [
  ['defect 41: ARP for another hardware address', arp(B, '10.44.0.2', { senderMac: A }), undefined],
  ['solicitation with another’s link-layer address', nd(B, 'fe80::b', ns('fe80::d', slla(A))), undefined],
  ['router solicitation with another’s link-layer address', nd(B, 'fe80::b', { type: 'rs', options: [slla(A)] }), undefined],
  ['advertisement with another’s link-layer address', nd(B, 'fe80::b', na('2001:db8::a', tlla(A))), undefined],
  ['from the gateway itself', arp(GATEWAY_MAC, '10.44.0.1'), undefined],
  ['from a group address', arp('03:00:00:00:00:01' as Mac, '10.44.0.2'), undefined],
  ['from the zero address', arp(NOBODY, '10.44.0.2'), undefined],
  ['RARP and its like', arp(B, '10.44.0.2', { operation: 3 }), undefined],
  [
    'a router advertisement by a client',
    nd(B, 'fe80::b', {
      type: 'ra', hopLimit: 64, managed: false, other: false, preference: 'high',
      routerLifetime: 1800, reachableTime: 0, retransTimer: 0, options: [],
    }),
    undefined,
  ],
  ['the gateway’s IPv4 address', arp(B, '10.44.0.1'), { mac: B, kind: 'arp', usurps: '10.44.0.1' as Ip }],
  ['the gateway’s link-local address', nd(B, 'fe80::b', na(GATEWAY_LINK_LOCAL)), { mac: B, kind: 'na', usurps: GATEWAY_LINK_LOCAL }],
  ['advertisement without a link-layer address', nd(B, 'fe80::b', na('2001:db8::b')), { mac: B, kind: 'na', claims: '2001:db8::b' as Ip }],
  ['solicitation without a link-layer address', nd(B, '2001:db8::b', ns('fe80::d')), { mac: B, kind: 'ns', claims: '2001:db8::b' as Ip }],
  ['router solicitation from nowhere', nd(B, '::', { type: 'rs', options: [] }, 'ff02::2'), { mac: B, kind: 'rs' }],
  ['link-local IPv4 (RFC 3927)', arp(B, '169.254.7.7'), { mac: B, kind: 'arp', claims: '169.254.7.7' as Ip }],
  ['probe for an address that no host can have', arp(B, '0.0.0.0', { targetIp: '224.0.0.1' }), { mac: B, kind: 'arp-probe' }],
  ...['127.0.0.1', '0.1.2.3', '224.0.0.1', '240.0.0.1', '255.255.255.255'].map(
    (ip): [string, Uint8Array, Partial<Sighting>] => [`${ip}, which no host can have`, arp(B, ip), { mac: B, kind: 'arp' }],
  ),
  ['::1, which no host can have', nd(B, '::1', ns('fe80::d')), { mac: B, kind: 'ns' }],
];

for (const [what, frame, sighting] of table) {
  t.test(what, async (t) => {
    t.same(observe(parseLinkFrame(frame)!, gateway), sighting);
  });
}

t.test('nothing is learnt of another MAC than the frame’s, nor of the gateway’s addresses, from any ARP', async () => {
  const address = fc.oneof(fc.constantFrom('10.44.0.1', '0.0.0.0'), fc.nat(0xffffffff).map((n) => ip4FromNumber(n) as string));
  const mac = fc.constantFrom(A, B, GATEWAY_MAC);
  fc.assert(
    fc.property(mac, mac, address, address, fc.nat(3), (from, senderMac, senderIp, targetIp, operation) => {
      const seen = observe(parseLinkFrame(arp(from, senderIp, { senderMac, targetIp, operation }))!, gateway);
      if (seen === undefined) return true;
      return seen.mac === from && from === senderMac && from !== GATEWAY_MAC && seen.claims !== '10.44.0.1';
    }),
  );
});
