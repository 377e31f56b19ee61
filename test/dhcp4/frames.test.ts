/** From the frame of a real client to the frame that answers it. */
import t from 'tap';
import fc from 'fast-check';
import { toHex } from '../../src/net/bytes.js';
import { parseUdpFrame4, writeUdpFrame4 } from '../../src/net/frame4.js';
import { parseMac } from '../../src/net/mac.js';
import { prefixOf } from '../../src/net/prefix.js';
import { parseDhcp4, writeDhcp4 } from '../../src/dhcp4/message.js';
import { parseRequestFrame } from '../../src/dhcp4/frames.js';
import * as captures from './captures.js';
import { GATEWAY_MAC, ip, Router } from './helpers.js';

const phone = parseMac('02:00:5e:00:53:c1');

/** The answer to a recorded frame, read back. */
function answer(router: Router, frame: Uint8Array) {
  const result = router.server.handleFrame('br-lan', frame, GATEWAY_MAC, router.now);
  router.leases.apply(result.effects);
  if (result.frame === undefined) return { ...result, datagram: undefined, message: undefined };
  const datagram = parseUdpFrame4(result.frame);
  return { ...result, datagram, message: parseDhcp4(datagram.payload) };
}

t.test('udhcpc from DISCOVER to RELEASE', async (t) => {
  const router = new Router();
  const offer = answer(router, captures.udhcpcDiscover);
  t.equal(offer.message?.options.get(53)?.[0], 2);
  t.match(offer.datagram, {
    sourceMac: GATEWAY_MAC,
    destinationMac: phone,
    source: '10.44.0.1',
    destination: offer.message?.yiaddr,
    sourcePort: 67,
    destinationPort: 68,
  });
  const ack = answer(router, captures.udhcpcRequest);
  t.equal(ack.message?.options.get(53)?.[0], 5);
  t.equal(ack.message?.xid, 0xe5ed2438);
  t.match(ack.effects, [{ kind: 'lease', address: '10.44.0.19', mac: phone }, { kind: 'hostname', name: 'phone' }]);

  router.wait(1800);
  const renewed = answer(router, captures.udhcpcRenew);
  t.equal(renewed.message?.options.get(53)?.[0], 5);
  t.match(renewed.datagram, { destination: '10.44.0.19', destinationMac: phone });
  t.match(renewed.effects, [{ kind: 'lease', address: '10.44.0.19' }, { kind: 'hostname' }]);

  const released = answer(router, captures.udhcpcRelease);
  t.match(released, { frame: undefined, effects: [{ kind: 'release', address: '10.44.0.19', mac: phone }] });
});

t.test('dhclient after a restart keeps its address', async (t) => {
  const ack = answer(new Router(), captures.dhclientReboot);
  t.equal(ack.message?.options.get(53)?.[0], 5);
  t.equal(ack.message?.yiaddr, '10.44.0.19');
});

t.test('dhclient: offers with and without a parameter request list', async (t) => {
  const listed = answer(new Router({ mtu: 1400 }), captures.dhclientDiscover);
  t.same([...listed.message!.options.keys()], [53, 54, 51, 58, 59, 1, 3, 6, 26]);
  const bare = answer(new Router(), captures.dhclientBareDiscover);
  t.same([...bare.message!.options.keys()], [53, 54, 51, 58, 59, 1, 3, 6, 28]);
  t.equal(bare.message?.yiaddr, listed.message?.yiaddr);
});

t.test('dhcpcd: rapid commit, its client identifier returned; and after a restart', async (t) => {
  const router = new Router();
  const ack = answer(router, captures.dhcpcdDiscover);
  t.equal(ack.message?.options.get(53)?.[0], 5);
  t.ok(ack.message?.options.has(80));
  const asked = parseDhcp4(parseUdpFrame4(captures.dhcpcdDiscover).payload);
  t.same(ack.message?.options.get(61), asked.options.get(61));
  const reboot = answer(new Router(), captures.dhcpcdReboot);
  t.match(reboot.effects, [{ kind: 'lease', address: '10.44.0.19', mac: phone }]);
});

t.test('golden: the ACK to udhcpc, whole', async (t) => {
  const { frame } = answer(new Router(), captures.udhcpcRequest);
  const expected =
    '02005e0053c1' + '00005e005213' + '0800' +
    '45c0014d' + '00004000' + '40112475' + '0a2c0001' + '0a2c0013' +
    '00430044' + '01390122' +
    '02010600' + 'e5ed2438' + '00000000' + '00000000' + '0a2c0013' + '00000000' + '00000000' +
    '02005e0053c1' + '00'.repeat(10 + 192) + '63825363' +
    '350105' + '36040a2c0001' + '330400000e10' + '3a0400000708' + '3b0400000c4e' +
    '0104ffffff00' + '03040a2c0001' + '06080a2c00010a2c0002' + '1c040a2c00ff' + '3d070102005e0053c1' + 'ff';
  t.equal(toHex(frame!), expected);
});

t.test('what is not DHCP to a server is counted and dropped', async (t) => {
  const router = new Router();
  t.match(answer(router, captures.dnsmasqOffer), { effects: [], dropped: 'malformed' }, 'to port 68');
  t.match(answer(router, captures.udhcpcDiscover.subarray(0, 200)), { dropped: 'malformed' });
  t.match(answer(router, new Uint8Array(0)), { dropped: 'malformed' });
  t.equal(router.server.counters.dropped.get('malformed'), 3);
  const datagram = parseUdpFrame4(captures.udhcpcDiscover);
  const elsewhere = writeUdpFrame4({ ...datagram, destination: ip('192.0.2.1') });
  t.match(answer(router, elsewhere), { dropped: 'other destination' });
});

t.test('a frame of a real client says how it came', async (t) => {
  const { meta } = parseRequestFrame('br-lan', captures.udhcpcRenew);
  t.same(meta, { network: 'br-lan', sourceMac: phone, sourceIp: '10.44.0.19', destinationIp: '10.44.0.1' });
});

t.test('whatever a client puts into a message, the server neither throws nor answers with something malformed', async () => {
  const frames = Object.values(captures);
  const changes = fc.array(fc.tuple(fc.nat(299), fc.nat(255)), { maxLength: 12 });
  const router = new Router({ relays: [prefixOf(ip('0.0.0.0'), 0)], netmask: 'host' });
  fc.assert(
    fc.property(fc.constantFrom(...frames), changes, (frame, changes) => {
      const datagram = parseUdpFrame4(frame);
      const payload = datagram.payload.slice();
      for (const [at, value] of changes) payload[at] = value;
      const { message } = answer(router, writeUdpFrame4({ ...datagram, payload }));
      router.wait(0.02);
      return message === undefined || (message.op === 2 && writeDhcp4(message).length >= 300);
    }),
    { numRuns: 3000 },
  );
});
