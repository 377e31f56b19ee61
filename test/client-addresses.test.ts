/** IPv4 addresses, leased by DHCP or used without: whose they are, and who gets none. */
import t from 'tap';
import * as claims from '../src/clients/claims.js';
import type { NodeId } from '../src/clients/node-id.js';
import { after, HOUR, MINUTE, SECOND } from '../src/clients/time.js';
import { MessageType, parseDhcp4, writeDhcp4 } from '../src/dhcp4/message.js';
import { OptionCode, optionIp4 } from '../src/dhcp4/options.js';
import { GATEWAY_MAC } from '../src/gateway/gateway.js';
import { arpFrame, ArpOperation, parseArp } from '../src/net/arp.js';
import { EtherType, parseEthernet } from '../src/net/ethernet.js';
import { parseUdpFrame4, writeUdpFrame4 } from '../src/net/frame4.js';
import type { Ip4 } from '../src/net/ip.js';
import { ANY4 } from '../src/net/ip.js';
import type { Mac } from '../src/net/mac.js';
import { BROADCAST_MAC } from '../src/net/mac.js';
import { GATEWAY4, NETWORK, start, START } from './client-services-scene.js';
import { client, message } from './dhcp4/helpers.js';
import { nodeRecord } from './support.js';

t.test('a client that asks before its access point says that it is here is answered as soon as that does', async (t) => {
  const scene = start();
  const mac = client(1);
  scene.absent.add(mac);
  t.equal(scene.dhcp('discover', { mac }), undefined);
  scene.services.came(mac, NETWORK, scene.now);
  t.same(scene.sent, [], 'not before');
  scene.dhcp('discover', { mac });
  scene.absent.delete(mac);
  scene.services.came(mac, NETWORK, after(scene.now, 50));
  const [offer] = scene.sent.filter((frame) => frame[13] === (EtherType.ipv4 & 0xff));
  t.match(parseDhcp4(parseUdpFrame4(offer!).payload), { chaddr: mac, yiaddr: /^10\.44\.0\./ });
});

t.test('that no address is left is said, of either family', async (t) => {
  const scene = start("list prefix '2001:db8:44::/62'");
  for (let n = 1; n <= 4; n++) scene.services.provide(client(n), scene.now);
  t.same(scene.exhausted, [6], 'of four /64s the first is the routers\'');
  t.same([1, 2, 3, 4].map((n) => scene.db.leases6Of(client(n)).length), [1, 1, 1, 0]);
  for (let n = 2; n < 255; n++) scene.db.apply(claims.lease4(scene.db, `10.44.0.${n}` as Ip4, client(1000 + n), HOUR, scene.now), scene.now);
  t.equal(scene.dhcp('discover', { mac: client(5) }), undefined);
  t.same(scene.exhausted, [6, 4]);
});

t.test('DECLINE: the lease ends, all are asked who has the address, and who answers has it from then on', async (t) => {
  const scene = start();
  const [mac, squatter] = [client(1), client(2)];
  const address = scene.join(mac)!;
  t.equal(scene.db.owner(address), mac);
  scene.dhcp('decline', { mac, requested: address, server: GATEWAY4 });
  t.equal(scene.db.owner(address), undefined, 'told to all nodes');
  t.equal(scene.db.holder(address), mac, 'where it rests');
  const question = parseArp(parseEthernet(scene.sent[0]!).payload);
  t.match(question, { operation: ArpOperation.request, senderIp: GATEWAY4, senderMac: GATEWAY_MAC, targetIp: address });
  t.not(scene.join(mac), address, 'not offered again');
  const elsewhere = start();
  const declined = [...scene.db.records()].filter(({ key }) => scene.db.live(key)?.type === 'declined');
  t.match(declined, [{ expires: after(START, 10 * MINUTE) }]);
  for (const record of declined) elsewhere.db.apply(record, START);
  t.not(elsewhere.join(client(4), address), address, 'nor by a router that has heard of it');
  t.equal(elsewhere.services.statistics['addresses_set_aside'], 1);
  elsewhere.now = after(START, 11 * MINUTE);
  elsewhere.db.expire(elsewhere.now);
  t.equal(elsewhere.join(client(5), address), address, 'until its time is over');
  const answer = { operation: ArpOperation.reply, senderMac: squatter, senderIp: address, targetMac: GATEWAY_MAC, targetIp: GATEWAY4 };
  scene.services.receive(NETWORK, arpFrame(GATEWAY_MAC, answer), scene.now);
  t.equal(scene.db.owner(address), squatter);
  t.equal(scene.join(client(3), address) === address, false);
});

t.test('who answers for a resting address that nobody declined does not get it', async (t) => {
  const scene = start();
  const address = scene.join(client(1))!;
  scene.dhcp('release', { mac: client(1), ciaddr: address, server: GATEWAY4 });
  const claim = { operation: ArpOperation.reply, senderMac: client(2), senderIp: address, targetMac: GATEWAY_MAC, targetIp: GATEWAY4 };
  scene.services.receive(NETWORK, arpFrame(GATEWAY_MAC, claim), scene.now);
  t.equal(scene.db.owner(address), undefined);
});

t.test('an expired address rests before another gets it', async (t) => {
  const scene = start();
  const address = scene.join(client(1))!;
  scene.now = after(scene.now, HOUR + MINUTE);
  scene.db.expire(scene.now);
  t.not(scene.join(client(2), address), address);
  scene.now = after(scene.now, 10 * MINUTE);
  scene.db.expire(scene.now);
  t.equal(scene.join(client(3), address), address, 'ten minutes later it is free');
});

/** An ARP request for the gateway: the client says that it has `address`. */
function speaks(mac: Mac, address: Ip4): Uint8Array {
  const request = { operation: ArpOperation.request, senderMac: mac, senderIp: address, targetMac: '00:00:00:00:00:00' as Mac, targetIp: GATEWAY4 };
  return arpFrame(BROADCAST_MAC, request);
}

t.test('a fixed address of a client that was away for longer than its record lived is known again with its first frame', async (t) => {
  const scene = start();
  const address = '10.44.0.77' as Ip4;
  scene.services.receive(NETWORK, speaks(client(1), address), scene.now);
  t.equal(scene.db.owner(address), client(1));
  scene.now = after(scene.now, HOUR + MINUTE);
  scene.db.expire(scene.now);
  t.equal(scene.db.owner(address), undefined);
  scene.services.receive(NETWORK, speaks(client(2), address), scene.now);
  t.equal(scene.db.owner(address), undefined, 'it rests: another does not get it');
  scene.services.receive(NETWORK, speaks(client(1), address), scene.now);
  t.equal(scene.db.owner(address), client(1));
});

t.test('a client that says it has every address gets few of them, and the others keep theirs', async (t) => {
  const scene = start('option max_addresses 4');
  const own = scene.join(client(1))!;
  for (let host = 2; host < 255; host++) scene.services.receive(NETWORK, speaks(client(2), `10.44.0.${host}` as Ip4), scene.now);
  t.equal(scene.db.leases4Of(client(2)).length, 4);
  t.equal(scene.services.statistics['addresses_refused'], 253 - 4 - 1);
  t.equal(scene.db.owner(own), client(1));
  t.ok(scene.join(client(3)), 'there is room for others');
});

const RELAY = { mac: client(9), ip: '10.44.0.250' as Ip4 };

/** A datagram from the relay to the gateway, with the addresses given. */
function relayed(source: Ip4, request: ReturnType<typeof message>, sourceMac = RELAY.mac): Uint8Array {
  return writeUdpFrame4({
    sourceMac,
    destinationMac: GATEWAY_MAC,
    source,
    destination: GATEWAY4,
    sourcePort: 68,
    destinationPort: 67,
    payload: writeDhcp4(request),
  });
}

function startRelayed() {
  const scene = start(`list relay '${RELAY.ip}/32'`);
  scene.services.receive(NETWORK, speaks(RELAY.mac, RELAY.ip), scene.now);
  /** What the daemon answers to a frame: the message and where it goes. */
  const hand = (frame: Uint8Array) => {
    scene.sent.length = 0;
    scene.services.receive(NETWORK, frame, scene.now);
    const reply = scene.sent.find((one) => one[12] === EtherType.ipv4 >> 8 && one[13] === (EtherType.ipv4 & 0xff));
    if (reply === undefined) return undefined;
    const { destination, destinationMac, destinationPort, payload } = parseUdpFrame4(reply);
    return { ...parseDhcp4(payload), destination, destinationMac, destinationPort };
  };
  const lease = (mac: Mac) => {
    const offer = hand(relayed(RELAY.ip, message('discover', { mac, giaddr: RELAY.ip })))!;
    hand(relayed(RELAY.ip, message('request', { mac, giaddr: RELAY.ip, requested: offer.yiaddr, server: GATEWAY4 })));
    return offer.yiaddr;
  };
  return { ...scene, scene, hand, lease };
}

t.test('a client behind a relay agent renews by unicast, which comes through the relay, and releases', async (t) => {
  const { scene, hand, lease, db } = startRelayed();
  const address = lease(client(1));
  t.equal(db.owner(address), client(1));
  scene.now = after(scene.now, HOUR / 2);
  const renewal = message('request', { mac: client(1), ciaddr: address });
  const ack = hand(relayed(address, renewal));
  t.match(ack, { yiaddr: address, destination: address, destinationMac: RELAY.mac, destinationPort: 68 });
  t.equal(ack?.options.get(OptionCode.messageType)?.[0], MessageType.ack);
  t.equal(db.leases4Of(client(1))[0]?.expires, after(scene.now, HOUR), 'it lives on');
  t.equal(hand(relayed(address, renewal, client(2))), undefined, 'from anybody else it is a forgery');
  t.equal(hand(relayed('10.44.0.99' as Ip4, renewal)), undefined, 'so it is from another address');
  t.equal(hand(relayed(address, message('request', { mac: client(3), ciaddr: address }))), undefined, 'and in the name of whose address it is not');
  hand(relayed(address, message('release', { mac: client(1), ciaddr: address, server: GATEWAY4 }), client(2)));
  t.equal(db.owner(address), client(1));
  hand(relayed(address, message('release', { mac: client(1), ciaddr: address, server: GATEWAY4 })));
  t.equal(db.owner(address), undefined);
});

t.test('a client that says it is the relay agent, whose address is another\'s, is not heard', async (t) => {
  const { hand, lease, db } = startRelayed();
  const address = lease(client(1));
  const release = message('release', { mac: client(1), giaddr: RELAY.ip, ciaddr: address, server: GATEWAY4 });
  hand(relayed(RELAY.ip, release, client(2)));
  t.equal(db.owner(address), client(1));
  t.equal(hand(relayed(RELAY.ip, message('discover', { mac: client(5), giaddr: RELAY.ip }), client(2))), undefined);
  hand(relayed(RELAY.ip, release));
  t.equal(db.owner(address), undefined, 'the relay itself is');
});

t.test('addresses of routers, and excluded ones, are no client’s; not even by using them', async (t) => {
  const scene = start("list exclude '10.44.0.2'");
  const router = '10.44.0.3' as Ip4;
  const node = '0000000000000001' as NodeId;
  t.equal(scene.join(client(1), '10.44.0.2' as Ip4) === '10.44.0.2', false, 'excluded');
  scene.db.apply(nodeRecord(scene.db, node, { hostname: 'r3', addresses: [router], port: 4444 }, scene.now), scene.now);
  scene.services.nodeChanged([router]);
  t.equal(scene.join(client(2), router) === router, false, 'a router told that it has it');
  const claim = { operation: ArpOperation.request, senderMac: client(3), senderIp: router, targetMac: '00:00:00:00:00:00' as Mac, targetIp: GATEWAY4 };
  scene.services.receive(NETWORK, arpFrame(BROADCAST_MAC, claim), scene.now);
  t.equal(scene.db.owner(router), undefined);
  scene.now = after(scene.now, 2 * HOUR);
  scene.db.expire(scene.now);
  scene.services.nodeChanged([router]);
  t.equal(scene.join(client(4), router), router, 'it is gone: the address is one like others');
});

t.test('a reservation is given to whom it is for, with the name', async (t) => {
  const scene = start('config host', `option mac '${client(7)}'`, "option ip '10.44.0.77'", "option name 'printer'");
  const offer = scene.dhcp('discover', { mac: client(7), ask: [OptionCode.hostName] });
  t.equal(offer?.yiaddr, '10.44.0.77');
  t.equal(new TextDecoder().decode(offer?.options.get(OptionCode.hostName)), 'printer');
  t.equal(optionIp4(offer!.options, OptionCode.serverIdentifier), GATEWAY4);
  t.not(scene.join(client(8), '10.44.0.77' as Ip4), '10.44.0.77');
});

t.test('an address for which the database has no room is not given', async (t) => {
  const scene = start();
  const offer = scene.dhcp('discover', { mac: client(1) })!;
  const { apply } = scene.db;
  Object.assign(scene.db, { apply: () => ({ kind: 'refused' }) });
  const request = () => scene.dhcp('request', { mac: client(1), requested: offer.yiaddr, server: GATEWAY4 });
  t.equal(request(), undefined);
  Object.assign(scene.db, { apply });
  t.equal(request()?.yiaddr, offer.yiaddr, 'it asks again');
});

t.test('the rate of DISCOVERs is that of the option', async (t) => {
  const scene = start("option discover_rate '2'");
  const answers = Array.from({ length: 10 }, (_, i) => scene.dhcp('discover', { mac: client(i) })).filter((answer) => answer !== undefined);
  t.equal(answers.length, 4, 'two seconds’ worth at once');
  t.equal(scene.dhcp('discover', { mac: client(1), ciaddr: ANY4 }), undefined);
});

t.test('a client that takes what another server offers tells of that server, however many names are made up', async (t) => {
  const scene = start();
  const { dhcp } = scene;
  t.equal(dhcp('request', { requested: '10.44.0.9' as Ip4, server: '10.44.0.66' as Ip4 }), undefined);
  t.same(scene.rivals, ['10.44.0.66']);
  for (let i = 1; i < 100; i++) {
    scene.now = after(scene.now, SECOND);
    dhcp('request', { requested: '10.44.0.9' as Ip4, server: `10.9.0.${i}` as Ip4 });
  }
  t.equal(new Set(scene.rivals).size, 8);
});
