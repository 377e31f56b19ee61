import { deepStrictEqual } from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import type { ArpPacket } from '../../src/net/arp.js';
import { arpFrame, isArpAnnouncement, isArpProbe, parseArp, writeArp } from '../../src/net/arp.js';
import { BadInput, fromHex, ShortInput, toHex } from '../../src/net/bytes.js';
import { parseEthernet } from '../../src/net/ethernet.js';
import type { Ip4 } from '../../src/net/ip.js';
import type { Mac } from '../../src/net/mac.js';
import { macFromBytes } from '../../src/net/mac.js';

const A = '02:00:00:00:00:0a' as Mac;
const B = '02:00:00:00:00:0b' as Mac;
const BROADCAST = 'ff:ff:ff:ff:ff:ff' as Mac;
const NOBODY = '00:00:00:00:00:00' as Mac;
const ip = (text: string) => text as Ip4;

/** Frames that Linux 6.1 and iputils arping sent on a veth pair. */
const captured: { name: string; hex: string; to: Mac; packet: ArpPacket; probe?: boolean; announcement?: boolean }[] = [
  {
    name: 'request by the kernel',
    hex: 'ffffffffffff02000000000a0806000108000604000102000000000a0a2c00010000000000000a2c0002',
    to: BROADCAST,
    packet: { operation: 1, senderMac: A, senderIp: ip('10.44.0.1'), targetMac: NOBODY, targetIp: ip('10.44.0.2') },
  },
  {
    name: 'reply by the kernel',
    hex: '02000000000a02000000000b0806000108000604000202000000000b0a2c000202000000000a0a2c0001',
    to: A,
    packet: { operation: 2, senderMac: B, senderIp: ip('10.44.0.2'), targetMac: A, targetIp: ip('10.44.0.1') },
  },
  {
    name: 'unicast request, as neighbour unreachability detection sends it',
    hex: '02000000000a02000000000b0806000108000604000102000000000b0a2c00020000000000000a2c0001',
    to: A,
    packet: { operation: 1, senderMac: B, senderIp: ip('10.44.0.2'), targetMac: NOBODY, targetIp: ip('10.44.0.1') },
  },
  {
    name: 'announcement by the kernel (arp_notify)',
    hex: 'ffffffffffff02000000000b0806000108000604000102000000000b0a2c00020000000000000a2c0002',
    to: BROADCAST,
    packet: { operation: 1, senderMac: B, senderIp: ip('10.44.0.2'), targetMac: NOBODY, targetIp: ip('10.44.0.2') },
    announcement: true,
  },
  {
    name: 'gratuitous reply by arping -A',
    hex: 'ffffffffffff02000000000b0806000108000604000202000000000b0a2c000202000000000b0a2c0002',
    to: BROADCAST,
    packet: { operation: 2, senderMac: B, senderIp: ip('10.44.0.2'), targetMac: B, targetIp: ip('10.44.0.2') },
    announcement: true,
  },
  {
    name: 'probe by arping -D, which fills the target hardware address',
    hex: 'ffffffffffff02000000000b0806000108000604000102000000000b00000000ffffffffffff0a2c0009',
    to: BROADCAST,
    packet: { operation: 1, senderMac: B, senderIp: ip('0.0.0.0'), targetMac: BROADCAST, targetIp: ip('10.44.0.9') },
    probe: true,
  },
];

for (const { name, hex, to, packet, probe = false, announcement = false } of captured) {
  t.test(name, async (t) => {
    const { header, payload } = parseEthernet(fromHex(hex));
    t.equal(header.destination, to);
    t.same(parseArp(payload), packet);
    t.equal(toHex(arpFrame(to, packet)), hex);
    t.equal(isArpProbe(packet), probe);
    t.equal(isArpAnnouncement(packet), announcement);
    for (let length = 0; length < payload.length; length++) {
      t.throws(() => parseArp(payload.subarray(0, length)), ShortInput, `cut to ${length}`);
    }
  });
}

t.test('padding to the shortest Ethernet frame is passed over', async (t) => {
  const { packet } = captured[0]!;
  const padded = new Uint8Array(46);
  padded.set(writeArp(packet));
  t.same(parseArp(padded), packet);
});

t.test('other hardware and other protocols are refused', async (t) => {
  const good = writeArp(captured[0]!.packet);
  for (const at of [0, 1, 2, 3, 4, 5]) {
    const bad = good.slice();
    bad[at]! ^= 0x40;
    t.throws(() => parseArp(bad), BadInput, `byte ${at}`);
  }
});

t.test('round trip, and nothing but typed errors from any bytes', async () => {
  const mac = fc.uint8Array({ minLength: 6, maxLength: 6 }).map((bytes) => macFromBytes(bytes));
  const address = fc.ipV4().map((text) => text as Ip4);
  const packets = fc.record({
    operation: fc.nat(0xffff),
    senderMac: mac,
    senderIp: address,
    targetMac: mac,
    targetIp: address,
  });
  fc.assert(fc.property(packets, (packet) => { deepStrictEqual(parseArp(writeArp(packet)), { ...packet }); }), { numRuns: 200 });
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      try {
        parseArp(bytes);
      } catch (error) {
        if (!(error instanceof BadInput || error instanceof ShortInput)) throw error;
      }
    }),
  );
});
