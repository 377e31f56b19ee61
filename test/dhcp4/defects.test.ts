/** What went wrong in sroamd's DHCPv4 server and addresses, by the numbers of its review, each with its test. */
import t from 'tap';
import { fromHex, toHex } from '../../src/net/bytes.js';
import { ANY4, ip4ToNumber } from '../../src/net/ip.js';
import { parseDhcp4, writeDhcp4 } from '../../src/dhcp4/message.js';
import { OptionCode } from '../../src/dhcp4/options.js';
import { client, GATEWAY, ip, MemoryLeases, message, option, optionNumber, p4, Router, typeOf } from './helpers.js';

t.test('21: 200 clients of a /24 all get different addresses', async (t) => {
  const router = new Router();
  const addresses = Array.from({ length: 200 }, (_, i) => router.join(client(i)));
  t.notOk(addresses.includes(undefined));
  t.equal(new Set(addresses).size, 200);
});

t.test('22: two routers that cannot hear each other give a client the same address', async (t) => {
  const prefixes = [p4('10.44.0.0/16')];
  const east = new Router({ prefixes });
  const west = new Router({ prefixes });
  for (let i = 0; i < 50; i++) t.equal(east.join(client(i)), west.join(client(i)), client(i));

  const crowded = [new Router({ prefixes }), new Router({ prefixes })];
  const given = crowded.map((router, side) =>
    Array.from({ length: 200 }, (_, i) => router.join(client(1000 * side + i))),
  );
  const [first, second] = given.map((addresses) => new Set(addresses));
  const clashes = [...first!].filter((address) => second!.has(address)).length;
  t.ok(clashes <= 4, `${clashes} clashes of 200 and 200 clients in a /16`);
});

t.test('23: a /28 is used up without network, broadcast, gateway or doubles', async (t) => {
  const router = new Router({ prefixes: [p4('10.44.0.0/28')] });
  const addresses = Array.from({ length: 13 }, (_, i) => router.join(client(i)) ?? ANY4);
  t.same(
    addresses.map(ip4ToNumber).sort((a, b) => a - b),
    Array.from({ length: 13 }, (_, i) => ip4ToNumber(ip('10.44.0.2')) + i),
  );
  t.equal(router.send('discover', { mac: client(99) }).dropped, 'no address left');
  t.notOk(router.join(client(99)));
  router.wait(3601);
  t.ok(router.join(client(99)), 'for want of others one that rests');
});

t.test("23: the routers' own addresses are given to nobody", async (t) => {
  const router = new Router({ prefixes: [p4('10.44.0.0/29')], excluded: [ip('10.44.0.2'), ip('10.44.0.3')] });
  const addresses = Array.from({ length: 3 }, (_, i) => router.join(client(i)) ?? ANY4);
  t.same([...addresses].sort(), ['10.44.0.4', '10.44.0.5', '10.44.0.6']);
  t.notOk(router.join(client(9)));
});

t.test('24: after a power cut of all routers everybody keeps the address', async (t) => {
  const before = new Router();
  const addresses = Array.from({ length: 60 }, (_, i) => before.join(client(i))!);
  const after = new Router();
  addresses.forEach((address, i) => {
    // In the worst order: newcomers ask before those who have an address are back.
    after.send('discover', { mac: client(500 + i) });
    const ack = after.send('request', { mac: client(i), requested: address });
    t.equal(typeOf(ack), 'ack');
    t.equal(ack.reply?.message.yiaddr, address);
  });
});

t.test('24: an INIT-REBOOT that is refused leaves nothing behind', async (t) => {
  const router = new Router();
  const nak = router.send('request', { requested: ip('192.168.1.5') });
  t.equal(typeOf(nak), 'nak');
  t.same(nak.effects, []);
  t.equal(router.leases.held.size + router.server.pendingOffers, 0);
});

t.test('25: DISCOVER alone makes no lease: see also the flood of hostile.test.ts', async (t) => {
  const router = new Router();
  for (let i = 0; i < 100; i++) t.same(router.send('discover', { mac: client(i) }).effects, []);
  t.equal(router.leases.held.size, 0);
});

t.test('26: of two leases of one client every node picks the same', async (t) => {
  const addresses = ['10.44.0.9', '10.44.0.10', '10.44.0.200'];
  const orders = [addresses, [...addresses].reverse()];
  const offers = orders.map((order) => {
    const leases = new MemoryLeases();
    for (const address of order) leases.give(client(1), address);
    return new Router({}, {}, leases).send('discover').reply?.message.yiaddr;
  });
  t.same(offers, ['10.44.0.9', '10.44.0.9'], 'the lowest as numbers go, not as text');
});

t.test('27: after a DECLINE the next offer differs; a RELEASE is heard', async (t) => {
  const router = new Router();
  const address = router.join(client(1))!;
  router.send('decline', { requested: address, server: GATEWAY });
  const next = router.join(client(1))!;
  t.not(next, address);
  t.equal(router.leases.owner(address), undefined);
  router.send('release', { ciaddr: next, server: GATEWAY });
  t.equal(router.leases.owner(next), undefined);
});

t.test('28: T1 and T2 are 0.5 and 0.875 of the lease', async (t) => {
  for (const [leaseTime, t1, t2] of [[1800, 900, 1575], [601, 300, 525]] as const) {
    const offer = new Router({ leaseTime }).send('discover');
    t.equal(optionNumber(offer, OptionCode.renewalTime), t1);
    t.equal(optionNumber(offer, OptionCode.rebindingTime), t2);
  }
});

t.test('28: a NAK carries no router and no name servers', async (t) => {
  const nak = new Router().send('request', { requested: ip('192.168.1.5'), ask: [1, 3, 6] });
  t.same([...nak.reply!.message.options.keys()], [53, 54, 56]);
});

t.test('28: golden: a relayed OFFER, to port 67, with giaddr, flags and option 82', async (t) => {
  const router = new Router({ relays: [p4('10.99.0.0/16')], prefixes: [p4('10.44.0.0/24')] });
  const circuit = fromHex('0101 07');
  const fields = { giaddr: ip('10.99.0.7'), broadcast: true, requested: ip('10.44.0.77'), ask: [1], options: [[82, circuit]] as const };
  const { reply } = router.send('discover', fields, { sourceIp: ip('10.99.0.7'), destinationIp: GATEWAY });
  t.equal(reply?.to.port, 67);
  const expected =
    '02010600 12345678 0000 8000 00000000 0a2c004d 00000000 0a630007 02005e000001' +
    '00'.repeat(10 + 192) +
    '63825363 350102 36040a2c0001 330400000e10 3a0400000708 3b0400000c4e 0104ffffff00 5203010107 ff';
  t.equal(toHex(writeDhcp4(reply!.message, reply!.limit)), toHex(fromHex(expected)).padEnd(600, '0'));
});

t.test('28: golden: an ACK to a renewal, with ciaddr', async (t) => {
  const router = new Router();
  const { reply } = router.send('request', { ciaddr: ip('10.44.0.77'), ask: [3] });
  const expected =
    '02010600 12345678 0000 0000 0a2c004d 0a2c004d 00000000 00000000 02005e000001' +
    '00'.repeat(10 + 192) +
    '63825363 350105 36040a2c0001 330400000e10 3a0400000708 3b0400000c4e 03040a2c0001 0104ffffff00 ff';
  t.equal(toHex(writeDhcp4(reply!.message, reply!.limit)), toHex(fromHex(expected)).padEnd(600, '0'));
});

t.test('28: the parameter request list is heeded', async (t) => {
  const offer = new Router({ mtu: 1400, captivePortal: 'https://p.example/', ipv6OnlyWait: 300, netmask: 'host' }).send(
    'discover',
    { ask: [26, 108, 114, 121] },
  );
  for (const code of [26, 108, 114, 121]) t.ok(option(offer, code), `option ${code}`);
  t.notOk(option(offer, 3));
});

t.test('28: option overload and long options are read', async (t) => {
  const bytes = writeDhcp4(message('request', { options: [[12, new TextEncoder().encode('phone')]] })).slice();
  // 53, then overload of the file field, which names the requested address.
  bytes.set(fromHex('350103 340101 ff'), 240);
  bytes.set(fromHex('3204 0a2c004d ff'), 108);
  const meta = { network: 'br-lan', sourceMac: client(1), sourceIp: ANY4, destinationIp: ip('255.255.255.255') };
  const router = new Router();
  const result = router.server.handle(parseDhcp4(bytes), meta, router.now);
  t.equal(result.reply?.message.yiaddr, '10.44.0.77');
});

t.test('28: a client identifier sent twice is no reason to say nothing', async (t) => {
  const bytes = writeDhcp4(message('discover')).slice();
  bytes.set(fromHex('350101 3d0701020000000001 3d0701020000000001 ff'), 240);
  const meta = { network: 'br-lan', sourceMac: client(1), sourceIp: ANY4, destinationIp: ip('255.255.255.255') };
  const router = new Router();
  const offer = router.server.handle(parseDhcp4(bytes), meta, router.now);
  t.equal(typeOf(offer), 'offer');
  t.equal(toHex(option(offer, 61)!), '01020000000001', 'and it goes back as the client knows it');
});

t.test('28: 300 bytes at least', async (t) => {
  const { reply } = new Router().send('discover', { ask: [1] });
  t.equal(writeDhcp4(reply!.message, reply!.limit).length, 300);
});
