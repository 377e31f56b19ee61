import t from 'tap';
import type { Instant } from '../../src/clients/time.js';
import { after } from '../../src/clients/time.js';
import { announce, announceDeparture } from '../../src/gateway/announce.js';
import { Announcer } from '../../src/gateway/announcer.js';
import type { Gateway } from '../../src/gateway/gateway.js';
import { GATEWAY_LINK_LOCAL, GATEWAY_MAC, isGatewayAddress } from '../../src/gateway/gateway.js';
import { toHex } from '../../src/net/bytes.js';
import type { Ip, Ip4 } from '../../src/net/ip.js';
import { linkLocalOf } from '../../src/net/ip.js';
import { parseLinkFrame } from '../../src/net/link-frame.js';
import type { Mac } from '../../src/net/mac.js';
import { remarks, tsharkMissing } from '../net/tshark.js';

const CLIENT = '02:00:00:00:00:0b' as Mac;
const gateway: Gateway = { mac: GATEWAY_MAC, linkLocal: GATEWAY_LINK_LOCAL, addresses4: ['10.44.0.1' as Ip4] };
const addresses = (...texts: string[]) => texts as Ip[];

t.test('RFC 6543: the link-local address is the one that the MAC makes', async (t) => {
  t.equal(linkLocalOf(GATEWAY_MAC), GATEWAY_LINK_LOCAL);
  t.ok(isGatewayAddress(gateway, '10.44.0.1'));
  t.ok(isGatewayAddress(gateway, GATEWAY_LINK_LOCAL));
  t.notOk(isGatewayAddress(gateway, '10.44.0.2'));
});

t.test('golden frames', async (t) => {
  const frames = announce({ mac: CLIENT, addresses: addresses('10.44.0.9', 'fe80::ff:fe00:b', '2001:db8::b') }, gateway);
  t.same(frames.map(toHex), [
    '02000000000b00005e0052130806' + '0001080006040001' + '00005e0052130a2c0001' + '0000000000000a2c0009',
    '02000000000b00005e0052130806' + '0001080006040002' + '00005e0052130a2c0001' + '00005e0052130a2c0001',
    '02000000000b00005e00521386dd' +
      '6000000000203aff' + 'fe8000000000000002005efffe005213' + 'fe80000000000000000000fffe00000b' +
      '8800c8daa0000000' + 'fe8000000000000002005efffe005213' + '020100005e005213',
  ]);
});

t.test('defect 36: every frame goes to the client alone, the advertisement to its own address', async (t) => {
  for (const known of [[], ['10.44.0.9'], ['fe80::1'], ['2001:db8::b'], ['10.44.0.9', '10.44.0.10', 'fe80::1']]) {
    for (const frame of announce({ mac: CLIENT, addresses: addresses(...known) }, gateway)) {
      t.match(parseLinkFrame(frame), { ethernet: { destination: CLIENT, source: GATEWAY_MAC } });
    }
  }
});

const destinations: [known: string[], told: string[]][] = [
  [['fe80::ff:fe00:b', '2001:db8::b'], ['fe80::ff:fe00:b']],
  [['2001:db8::b', 'fe80::1'], ['fe80::1']],
  [['10.44.0.9', '2001:db8::b'], ['2001:db8::b']],
  [['10.44.0.9'], ['ff02::1', 'fe80::ff:fe00:b']],
  [[], ['ff02::1', 'fe80::ff:fe00:b']],
];

for (const [known, told] of destinations) {
  t.test(`advertisement to a client with ${known.join(' ') || 'no known address'}`, async (t) => {
    const packets = announce({ mac: CLIENT, addresses: addresses(...known) }, gateway)
      .map((frame) => parseLinkFrame(frame))
      .filter((frame) => frame?.protocol === 'nd')
      .map((frame) => frame.packet);
    t.same(packets.map(({ destination }) => destination), told);
    for (const { message } of packets) {
      t.match(message, { type: 'na', target: GATEWAY_LINK_LOCAL, router: true, solicited: false, override: true });
      t.same(message.options, [{ type: 'targetLinkLayer', mac: GATEWAY_MAC }]);
    }
  });
}

t.test('ARP that is believed: requests for the client’s addresses, replies with tha = sha', async (t) => {
  const several: Gateway = { ...gateway, addresses4: ['10.44.0.1', '10.45.0.1'] as Ip4[] };
  const packets = announce({ mac: CLIENT, addresses: addresses('10.44.0.9') }, several)
    .map((frame) => parseLinkFrame(frame))
    .filter((frame) => frame?.protocol === 'arp')
    .map(({ packet }) => [packet.operation, packet.senderIp, packet.targetIp, packet.targetMac]);
  t.same(packets, [
    [1, '10.44.0.1', '10.44.0.9', '00:00:00:00:00:00'],
    [2, '10.44.0.1', '10.44.0.1', GATEWAY_MAC],
    [1, '10.45.0.1', '10.44.0.9', '00:00:00:00:00:00'],
    [2, '10.45.0.1', '10.45.0.1', GATEWAY_MAC],
  ]);
});

t.test('a departure is told to each of those that stay', async (t) => {
  const stay = ['02:00:00:00:00:0c', '02:00:00:00:00:0d'] as Mac[];
  const frames = announceDeparture('10.44.0.9' as Ip4, stay, gateway).map((frame) => parseLinkFrame(frame)!);
  t.same(frames.map(({ ethernet }) => ethernet.destination), stay);
  for (const { packet } of frames) {
    t.match(packet, { operation: 2, senderMac: GATEWAY_MAC, senderIp: '10.44.0.9', targetMac: GATEWAY_MAC, targetIp: '10.44.0.9' });
  }
});

t.test('tshark', { skip: tsharkMissing() }, async (t) => {
  const known = [[], ['10.44.0.9', 'fe80::ff:fe00:b'], ['2001:db8::b']];
  const frames = known.flatMap((list) => announce({ mac: CLIENT, addresses: addresses(...list) }, gateway));
  frames.push(...announceDeparture('10.44.0.9' as Ip4, [CLIENT], gateway));
  // The two addresses that the gateway's MAC says it has: its own, and that of the client that left.
  const duplicates = /Duplicate IP address configured/;
  t.same(remarks(frames).filter((line) => !duplicates.test(line)), []);
  const bad = frames.map((frame) => frame.slice());
  for (const frame of bad) frame[frame.length - 1]! ^= 1;
  t.ok(remarks(bad).some((line) => line.includes('Bad')), 'and does see a wrong checksum');
});

const START = 1000 as Instant;
const at = (ms: number) => after(START, ms);
const mac = (i: number) => `02:00:00:00:${(i >> 8).toString(16).padStart(2, '0')}:${(i & 255).toString(16).padStart(2, '0')}` as Mac;

t.test('a client is told at 0, 100 and 500 ms', async (t) => {
  const announcer = new Announcer();
  t.equal(announcer.nextDeadline, undefined);
  announcer.arrived(CLIENT, 'br-client', START);
  const told: [number, number][] = [];
  for (let ms = 0; ms <= 2000; ms += 10) {
    for (const { mac, network, round } of announcer.poll(at(ms))) {
      t.equal(mac, CLIENT);
      t.equal(network, 'br-client');
      told.push([ms, round]);
    }
  }
  t.same(told, [[0, 0], [100, 1], [500, 2]]);
  t.equal(announcer.nextDeadline, undefined);
  t.equal(announcer.pending, 0);
});

t.test('the deadline is that of the next round', async (t) => {
  const announcer = new Announcer();
  announcer.arrived(CLIENT, 'br-client', START);
  for (const ms of [0, 100, 500]) {
    t.equal(announcer.nextDeadline, at(ms));
    t.same(announcer.poll(at(ms - 1)), []);
    t.equal(announcer.poll(at(ms)).length, 1);
  }
});

t.test('defect 40: fifty clients that join within half a second are each told at their own times, none waits for another', async (t) => {
  const announcer = new Announcer();
  const late: number[] = [];
  const rounds = new Map<Mac, number>();
  const arrival = new Map<Mac, number>();
  let next = 0;
  for (let ms = 0; ms <= 1100; ms++) {
    while (next < 50 && next * 10 <= ms) {
      announcer.arrived(mac(next), 'br-client', at(ms));
      arrival.set(mac(next++), ms);
    }
    if ((announcer.nextDeadline ?? Infinity) > at(ms)) continue;
    for (const { mac, round } of announcer.poll(at(ms))) {
      late.push(ms - arrival.get(mac)! - [0, 100, 500][round]!);
      rounds.set(mac, (rounds.get(mac) ?? 0) + 1);
    }
  }
  t.equal(late.length, 150);
  t.ok(late.every((ms) => ms === 0), 'p99 and p100: not a millisecond late');
  t.ok([...rounds.values()].every((count) => count === 3));
});

t.test('who has left is told nothing more, and the others are', async (t) => {
  const announcer = new Announcer();
  for (const i of [1, 2, 3]) announcer.arrived(mac(i), 'br-client', START);
  announcer.poll(START);
  announcer.cancel(mac(2));
  announcer.cancel(mac(9));
  t.same(announcer.poll(at(100)).map(({ mac }) => mac), [mac(1), mac(3)]);
  t.same(announcer.poll(at(500)).map(({ mac }) => mac), [mac(1), mac(3)]);
});

t.test('who arrives again begins again, on the network where it is now', async (t) => {
  const announcer = new Announcer();
  announcer.arrived(mac(1), 'br-client', START);
  announcer.arrived(mac(2), 'br-client', START);
  announcer.poll(START);
  announcer.arrived(mac(1), 'br-guest', at(50));
  t.equal(announcer.nextDeadline, at(50));
  t.same(announcer.poll(at(50)), [{ mac: mac(1), network: 'br-guest', round: 0 }]);
  t.same(announcer.poll(at(100)).map(({ mac }) => mac), [mac(2)]);
  t.same(announcer.poll(at(150)), [{ mac: mac(1), network: 'br-guest', round: 1 }]);
  t.equal(announcer.pending, 2);
});

t.test('after a delay of ours a client is told once, not once for each round', async (t) => {
  const announcer = new Announcer();
  announcer.arrived(CLIENT, 'br-client', START);
  t.same(announcer.poll(at(5000)), [{ mac: CLIENT, network: 'br-client', round: 2 }]);
  t.equal(announcer.nextDeadline, undefined);
});

t.test('ten thousand at once', async (t) => {
  const announcer = new Announcer();
  for (let i = 0; i < 10_000; i++) announcer.arrived(mac(i), 'br-client', START);
  for (let i = 0; i < 10_000; i += 2) announcer.cancel(mac(i));
  t.equal(announcer.poll(START).length, 5000);
  t.equal(announcer.poll(at(500)).length, 5000);
  t.equal(announcer.pending, 0);
});
