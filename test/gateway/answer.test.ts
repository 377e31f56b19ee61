import fc from 'fast-check';
import t from 'tap';
import { answer } from '../../src/gateway/answer.js';
import type { AddressBook, Gateway } from '../../src/gateway/gateway.js';
import { GATEWAY_LINK_LOCAL, GATEWAY_MAC } from '../../src/gateway/gateway.js';
import { arpFrame } from '../../src/net/arp.js';
import { equalBytes, toHex } from '../../src/net/bytes.js';
import type { Ip, Ip4, Ip6 } from '../../src/net/ip.js';
import { ANY6, solicitedNodeOf } from '../../src/net/ip.js';
import { parseLinkFrame } from '../../src/net/link-frame.js';
import type { Mac } from '../../src/net/mac.js';
import { ndFrame } from '../../src/net/nd.js';
import type { NdOption } from '../../src/net/nd-options.js';
import { contains, parsePrefix } from '../../src/net/prefix.js';
import { remarks, tshark, tsharkMissing } from '../net/tshark.js';

/** Here, on br-client. */
const HERE = '02:00:00:00:00:0a' as Mac;
const NEIGHBOUR = '02:00:00:00:00:0b' as Mac;
/** Here too, on br-guest. */
const GUEST = '02:00:00:00:00:0c' as Mac;
/** At another node. */
const AWAY = '02:00:00:00:00:0d' as Mac;
/** Nowhere at the moment; its lease runs on. */
const ASLEEP = '02:00:00:00:00:0e' as Mac;
const BROADCAST = 'ff:ff:ff:ff:ff:ff' as Mac;
const NOBODY = '00:00:00:00:00:00' as Mac;

const gateway: Gateway = { mac: GATEWAY_MAC, linkLocal: GATEWAY_LINK_LOCAL, addresses4: ['10.44.0.1' as Ip4] };

const owners = new Map<string, Mac>([
  ['10.44.0.10', HERE],
  ['10.44.0.11', NEIGHBOUR],
  ['10.44.0.12', GUEST],
  ['10.44.0.13', AWAY],
  ['10.44.0.14', ASLEEP],
  ['192.0.2.13', AWAY],
  ['2001:db8:44::a', HERE],
  ['2001:db8:44::b', NEIGHBOUR],
  ['2001:db8:44::c', GUEST],
  ['2001:db8:44::d', AWAY],
  ['fe80::a', HERE],
  ['fe80::b', NEIGHBOUR],
  ['fe80::d', AWAY],
  // A record that a hostile node might have made.
  ['10.44.0.1', AWAY],
  [GATEWAY_LINK_LOCAL, AWAY],
]);
const prefixes = ['10.44.0.0/16', '2001:db8:44::/64'].map(parsePrefix);
const book: AddressBook = {
  owner: (address) => owners.get(address),
  isLocal: (mac, network) =>
    network === 'br-client' ? mac === HERE || mac === NEIGHBOUR : network === 'br-guest' && mac === GUEST,
  inOurPrefixes: (address: Ip) => prefixes.some((prefix) => contains(prefix, address)),
};

interface Ask {
  from?: Mac;
  senderMac?: Mac;
  to?: Mac;
  operation?: number;
}

function askArp(senderIp: string, targetIp: string, ask: Ask = {}): Uint8Array {
  const { from = HERE, senderMac = from, to = BROADCAST, operation = 1 } = ask;
  const packet = { operation, senderMac, senderIp: senderIp as Ip4, targetMac: NOBODY, targetIp: targetIp as Ip4 };
  const frame = arpFrame(to, packet);
  frame.set(from.split(':').map((byte) => parseInt(byte, 16)), 6);
  return frame;
}

function respond(frame: Uint8Array): Uint8Array | undefined {
  return answer('br-client', parseLinkFrame(frame)!, book, gateway);
}

const arpTable: [what: string, frame: Uint8Array, answered: boolean][] = [
  ['a client at another node', askArp('10.44.0.10', '10.44.0.13'), true],
  ['a client at another node, asked by unicast (reachability probe to the gateway)', askArp('10.44.0.10', '10.44.0.13', { to: GATEWAY_MAC }), true],
  ['a client on another network of this node', askArp('10.44.0.10', '10.44.0.12'), true],
  ['a client that is nowhere just now', askArp('10.44.0.10', '10.44.0.14'), true],
  ['asked by a client whose address is none of ours', askArp('192.0.2.9', '10.44.0.13'), true],
  ['probe (RFC 5227) for what a client elsewhere has: a conflict', askArp('0.0.0.0', '10.44.0.13'), true],
  ['probe for what a sleeping client has a lease of', askArp('0.0.0.0', '10.44.0.14'), true],
  ['probe for its own address', askArp('0.0.0.0', '10.44.0.10'), false],
  ['probe for a free address', askArp('0.0.0.0', '10.44.0.99'), false],
  ['probe for what a neighbour on the link has, who says so himself', askArp('0.0.0.0', '10.44.0.11'), false],
  ['probe for the gateway’s address: the kernel answers', askArp('0.0.0.0', '10.44.0.1'), false],
  ['its own address', askArp('10.44.0.77', '10.44.0.10'), false],
  ['announcement of its own address', askArp('10.44.0.10', '10.44.0.10'), false],
  ['announcement of another’s address', askArp('10.44.0.13', '10.44.0.13'), false],
  ['a neighbour on the same link', askArp('10.44.0.10', '10.44.0.11'), false],
  ['an address that nobody has', askArp('10.44.0.10', '10.44.0.99'), false],
  ['the gateway’s own address: the kernel answers', askArp('10.44.0.10', '10.44.0.1'), false],
  ['an address outside of our prefixes', askArp('10.44.0.10', '192.0.2.13'), false],
  ['a reply', askArp('10.44.0.10', '10.44.0.13', { operation: 2 }), false],
  ['an unknown operation', askArp('10.44.0.10', '10.44.0.13', { operation: 8 }), false],
  ['a forged sender hardware address', askArp('10.44.0.11', '10.44.0.13', { senderMac: NEIGHBOUR }), false],
  ['our own question, come back', askArp('10.44.0.1', '10.44.0.13', { from: GATEWAY_MAC }), false],
  ['a group address as source', askArp('10.44.0.10', '10.44.0.13', { from: '03:00:00:00:00:01' as Mac }), false],
];

for (const [what, frame, answered] of arpTable) {
  t.test(`ARP: ${what}`, async (t) => {
    const reply = respond(frame);
    t.equal(reply !== undefined, answered);
    if (reply === undefined) return;
    const { packet: asked } = parseLinkFrame(frame) as { packet: { senderIp: Ip4; targetIp: Ip4 } };
    t.match(parseLinkFrame(reply), {
      ethernet: { destination: HERE, source: GATEWAY_MAC },
      packet: { operation: 2, senderMac: GATEWAY_MAC, senderIp: asked.targetIp, targetMac: HERE, targetIp: asked.senderIp },
    });
  });
}

t.test('golden answer to a probe, as Linux would give it', async (t) => {
  t.equal(
    toHex(respond(askArp('0.0.0.0', '10.44.0.13'))!),
    '02000000000a00005e0052130806' + '0001080006040002' + '00005e0052130a2c000d' + '02000000000a00000000',
  );
});

t.test('defects of DECLINE loops: a client that probes what it was just given hears nothing, at any node', async (t) => {
  const nodes: AddressBook[] = [
    book,
    { ...book, isLocal: () => false },
    { ...book, isLocal: () => true },
  ];
  for (const node of nodes) {
    const probe = parseLinkFrame(askArp('0.0.0.0', '10.44.0.10'))!;
    t.equal(answer('br-client', probe, node, gateway), undefined);
  }
});

t.test('stations kept from each other by their access point are answered for', async (t) => {
  const isolated: AddressBook = { ...book, isLocal: () => false };
  t.ok(answer('br-client', parseLinkFrame(askArp('10.44.0.10', '10.44.0.11'))!, isolated, gateway));
});

function askNd(source: string, target: string, from = HERE, options?: NdOption[]): Uint8Array {
  const own: NdOption[] = source === ANY6 ? [] : [{ type: 'sourceLinkLayer', mac: from }];
  return ndFrame('33:33:ff:00:00:0d' as Mac, from, {
    source: source as Ip6,
    destination: solicitedNodeOf(target as Ip6),
    message: { type: 'ns', target: target as Ip6, options: options ?? own },
  });
}

const nonce: NdOption = { type: 'nonce', nonce: Uint8Array.of(1, 2, 3, 4, 5, 6) };

const ndTable: [what: string, frame: Uint8Array, answered: boolean][] = [
  ['probe (RFC 4862) for what a client elsewhere has', askNd('::', '2001:db8:44::d'), true],
  ['probe with a nonce (RFC 7527)', askNd('::', '2001:db8:44::d', HERE, [nonce]), true],
  ['probe for the link-local address of a client elsewhere', askNd('::', 'fe80::d'), true],
  ['probe for its own address, after a roam', askNd('::', '2001:db8:44::a'), false],
  ['probe for a free address', askNd('::', '2001:db8:44::99'), false],
  ['probe for what a neighbour has, who may not hear it', askNd('::', '2001:db8:44::b'), true],
  ['probe for the link-local address of a neighbour', askNd('::', 'fe80::b'), true],
  ['probe for its own link-local address', askNd('::', 'fe80::a'), false],
  ['probe for the gateway’s address: the kernel defends it', askNd('::', GATEWAY_LINK_LOCAL), false],
  ['solicitation for a client elsewhere', askNd('fe80::a', '2001:db8:44::d'), true],
  ['solicitation without a link-layer address', askNd('fe80::a', '2001:db8:44::d', HERE, []), true],
  ['solicitation for a client on another network of this node', askNd('2001:db8:44::a', '2001:db8:44::c'), true],
  ['solicitation for a neighbour', askNd('fe80::a', '2001:db8:44::b'), false],
  ['solicitation for a free address', askNd('fe80::a', '2001:db8:44::99'), false],
  ['solicitation for a link-local address elsewhere, which no route leads to', askNd('fe80::a', 'fe80::d'), false],
  ['solicitation for the gateway: the kernel answers', askNd('fe80::a', GATEWAY_LINK_LOCAL), false],
  ['solicitation with a forged link-layer address', askNd('fe80::a', '2001:db8:44::d', HERE, [{ type: 'sourceLinkLayer', mac: NEIGHBOUR }]), false],
  ['our own solicitation, come back', askNd(GATEWAY_LINK_LOCAL, '2001:db8:44::d', GATEWAY_MAC), false],
];

for (const [what, frame, answered] of ndTable) {
  t.test(`ND: ${what}`, async (t) => {
    const reply = respond(frame);
    t.equal(reply !== undefined, answered);
    if (reply === undefined) return;
    const asked = parseLinkFrame(frame) as { packet: { source: Ip6; message: { target: Ip6 } } };
    const probe = asked.packet.source === ANY6;
    t.match(parseLinkFrame(reply), {
      ethernet: { destination: HERE, source: GATEWAY_MAC },
      packet: {
        source: GATEWAY_LINK_LOCAL,
        destination: probe ? 'ff02::1' : asked.packet.source,
        message: {
          type: 'na',
          target: asked.packet.message.target,
          router: true,
          solicited: !probe,
          override: false,
          options: [{ type: 'targetLinkLayer', mac: GATEWAY_MAC }],
        },
      },
    });
  });
}

t.test('other messages draw no answer', async (t) => {
  const frames = [
    ndFrame('33:33:00:00:00:02' as Mac, HERE, {
      source: 'fe80::a' as Ip6,
      destination: 'ff02::2' as Ip6,
      message: { type: 'rs', options: [] },
    }),
    ndFrame(GATEWAY_MAC, HERE, {
      source: 'fe80::a' as Ip6,
      destination: GATEWAY_LINK_LOCAL,
      message: { type: 'na', target: '2001:db8:44::d' as Ip6, router: false, solicited: true, override: true, options: [] },
    }),
  ];
  for (const frame of frames) t.equal(respond(frame), undefined);
});

t.test('for no question whatever is a client told that its own address, or a free one, is another’s', async () => {
  const address = fc.constantFrom('0.0.0.0', '10.44.0.1', '10.44.0.10', '10.44.0.11', '10.44.0.13', '10.44.0.99', '192.0.2.13');
  const target6 = fc.constantFrom('2001:db8:44::a', '2001:db8:44::b', '2001:db8:44::d', 'fe80::a', 'fe80::b', 'fe80::d', '2001:db8:44::99');
  const asker = fc.constantFrom(HERE, NEIGHBOUR, AWAY, ASLEEP);
  const check = (from: Mac, target: Ip, frame: Uint8Array, isProbe = false) => {
    const reply = respond(frame);
    if (reply === undefined) return true;
    const owner = owners.get(target);
    return owner !== undefined && owner !== from && (isProbe || !book.isLocal(owner, 'br-client')) && equalBytes(reply.subarray(0, 6), frame.subarray(6, 12));
  };
  fc.assert(fc.property(asker, address, address, (from, a, b) => check(from, b as Ip, askArp(a, b, { from }))));
  fc.assert(
    fc.property(asker, fc.constantFrom('::', 'fe80::a', '2001:db8:44::a'), target6, (from, source, target) =>
      check(from, target as Ip, askNd(source, target, from), source === '::'),
    ),
  );
});

t.test('tshark', { skip: tsharkMissing() }, async (t) => {
  const frames = [...arpTable, ...ndTable].flatMap(([, frame]) => respond(frame) ?? []);
  t.ok(frames.length > 10);
  // One MAC answers for several addresses: that is what a proxy does, and tshark says it of one.
  t.same(remarks(frames).filter((line) => !/Duplicate IP address configured/.test(line)), []);
  t.ok(tshark(frames, 'arp.opcode == 2 || icmpv6.type == 136', 'frame.number').length === frames.length);
});
