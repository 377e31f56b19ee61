/** What clients see, in one process: real database, frames in and out. */
import t from 'tap';
import { ClientServices } from '../src/client-services.js';
import * as claims from '../src/clients/claims.js';
import { Database } from '../src/clients/database.js';
import type { NodeId } from '../src/clients/node-id.js';
import type { Instant } from '../src/clients/time.js';
import { after, HOUR, MINUTE, SECOND } from '../src/clients/time.js';
import { MessageType, parseDhcp4, writeDhcp4 } from '../src/dhcp4/message.js';
import { OptionCode, optionIp4 } from '../src/dhcp4/options.js';
import { MAX_ACQUAINTANCES } from '../src/gateway/acquaintances.js';
import { GATEWAY_LINK_LOCAL, GATEWAY_MAC } from '../src/gateway/gateway.js';
import { arpFrame, ArpOperation, parseArp, UNKNOWN_MAC } from '../src/net/arp.js';
import { EtherType, parseEthernet } from '../src/net/ethernet.js';
import { parseUdpFrame4, writeUdpFrame4 } from '../src/net/frame4.js';
import type { Family, Ip4, Ip6 } from '../src/net/ip.js';
import { ANY4, BROADCAST4 } from '../src/net/ip.js';
import type { Mac } from '../src/net/mac.js';
import { BROADCAST_MAC } from '../src/net/mac.js';
import { parseLinkFrame } from '../src/net/link-frame.js';
import { ndFrame } from '../src/net/nd.js';
import { formatPrefix } from '../src/net/prefix.js';
import type { Fields } from './dhcp4/helpers.js';
import { client, message } from './dhcp4/helpers.js';
import { configOf, nodeRecord } from './support.js';

const START = (5 * HOUR) as Instant;
const GATEWAY4 = '10.44.0.1' as Ip4;
const NETWORK = 'br-client';

const configFor = (...options: string[]) => configOf(`list interface '${NETWORK}'`, "list prefix '10.44.0.0/24'", ...options);

function start(...options: string[]) {
  const config = configFor(...options);
  const db = new Database();
  const gateway = { mac: GATEWAY_MAC, linkLocal: GATEWAY_LINK_LOCAL, addresses4: [GATEWAY4] };
  const sent: Uint8Array[] = [];
  const rivals: Ip4[] = [];
  const exhausted: Family[] = [];
  const scene = { now: START, db, sent, rivals, exhausted, absent: new Set<Mac>() };
  const services = new ClientServices({
    config,
    db,
    random: { bytes: (n) => new Uint8Array(n), below: () => 0 },
    gateway,
    own: [GATEWAY4],
    station: (mac) => (scene.absent.has(mac) ? undefined : { mac, network: NETWORK, via: 'wlan0', ssid: 'mesh' } as never),
    heard: () => {},
    stray: () => {},
    apply: (record) => void db.apply(record, scene.now),
    send: (_, frame) => void sent.push(frame),
    usurped: () => {},
    rivalled: (server) => void rivals.push(server),
    exhausted: (family) => void exhausted.push(family),
  });
  /** Sends a DHCP message; the answer. */
  const dhcp = (type: keyof typeof MessageType, fields: Fields = {}) => {
    sent.length = 0;
    const request = message(type, fields);
    const frame = writeUdpFrame4({
      sourceMac: request.chaddr,
      destinationMac: BROADCAST_MAC,
      source: request.ciaddr,
      destination: BROADCAST4,
      sourcePort: 68,
      destinationPort: 67,
      payload: writeDhcp4(request),
    });
    services.receive(NETWORK, frame, scene.now);
    const reply = sent.find((one) => one[12] === EtherType.ipv4 >> 8 && one[13] === (EtherType.ipv4 & 0xff));
    return reply === undefined ? undefined : parseDhcp4(parseUdpFrame4(reply).payload);
  };
  const join = (mac: Mac, requested?: Ip4) => {
    const offer = dhcp('discover', { mac, ...(requested === undefined ? {} : { requested }) });
    return offer && dhcp('request', { mac, requested: offer.yiaddr, server: GATEWAY4 })?.yiaddr;
  };
  return Object.assign(scene, { services, gateway, dhcp, join });
}

t.test('a client that is at another router now: those who have dealt with it are told, and nobody else is woken', async (t) => {
  const scene = start();
  const [mover, friend, server, stranger] = [client(1), client(2), client(3), client(4)];
  const addresses = new Map([mover, friend, server, stranger].map((mac) => [mac, scene.join(mac)!]));
  const ask = (from: Mac, to: Mac, senderIp = addresses.get(from)!) => {
    const request = { operation: ArpOperation.request, senderMac: from, senderIp, targetMac: UNKNOWN_MAC, targetIp: addresses.get(to)! };
    scene.services.receive(NETWORK, arpFrame(BROADCAST_MAC, request), scene.now);
  };
  ask(friend, mover);
  ask(mover, server);
  ask(stranger, mover, ANY4);
  ask(stranger, friend);
  scene.sent.length = 0;
  scene.services.movedAway(mover, NETWORK, () => []);
  t.same(scene.sent.map((frame) => parseEthernet(frame).header.destination), [friend, server]);
  t.match(parseArp(parseEthernet(scene.sent[0]!).payload), { senderIp: addresses.get(mover), senderMac: GATEWAY_MAC });
  const crowd = Array.from({ length: MAX_ACQUAINTANCES }, (_, n) => client(100 + n));
  for (const one of crowd) {
    addresses.set(one, scene.join(one)!);
    ask(one, mover);
  }
  scene.sent.length = 0;
  scene.services.movedAway(mover, NETWORK, () => [mover, stranger, ...crowd].map((mac) => ({ mac, network: NETWORK }) as never));
  t.same(scene.sent.map((frame) => parseEthernet(frame).header.destination), [stranger, ...crowd], 'of one whom many know, all but itself');
});

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

t.test('a client with IPv6 alone whose link-local address is not known is told and asked by another that it has', async (t) => {
  const scene = start("list prefix '2001:db8:44::/48'");
  const mac = client(1);
  scene.services.provide(mac, scene.now);
  const network = scene.db.leases6Of(mac)[0]!.address;
  const address = `${network.slice(0, -2)}:2:3:4:5` as Ip6;
  scene.db.apply(claims.host(scene.db, address, mac, HOUR, scene.now), scene.now);
  const destinations = (type: string) =>
    scene.sent.splice(0).flatMap((frame) => {
      const link = parseLinkFrame(frame);
      return link?.protocol === 'nd' && link.packet.message.type === type ? [link.packet.destination] : [];
    });
  scene.services.arrived(mac, NETWORK, scene.now);
  t.same(destinations('na'), [address]);
  scene.services.ask(mac, NETWORK);
  t.same(destinations('ns'), [address]);
});

t.test('a client that takes new privacy addresses day after day: the oldest gives way, for few messages', async (t) => {
  const scene = start("list prefix '2001:db8:44::/48'", "option max_addresses '4'");
  const mac = client(1);
  scene.services.provide(mac, scene.now);
  const network = scene.db.leases6Of(mac)[0]!.address;
  const address = (n: number) => `${network}${n.toString(16)}` as Ip6;
  const use = (n: number) => {
    const options = [{ type: 'sourceLinkLayer', mac }] as const;
    const message = { type: 'ns', target: GATEWAY_LINK_LOCAL, options } as const;
    scene.services.receive(NETWORK, ndFrame(GATEWAY_MAC, mac, { source: address(n), destination: GATEWAY_LINK_LOCAL, message }), scene.now);
  };
  const known = () => scene.db.client(mac)!.addresses.filter(({ length }) => length === 128).map((one) => one.address);
  for (let n = 1; n <= 20; n++) {
    use(n);
    scene.now = after(scene.now, 5 * MINUTE);
  }
  t.same(known(), [17, 18, 19, 20].map(address));
  const before = scene.db.size;
  for (let n = 100; n < 1100; n++) use(n);
  t.equal(known().length, 4);
  t.ok(scene.db.size - before <= 4, 'who takes a thousand at once is not followed');
});

t.test('mode host: a limit and a prefix that are others after a reload', async (t) => {
  const scene = start("option ipv6_mode 'host'", "list prefix '2001:db8:44:1::/64'", "option max_addresses '2'");
  const mac = client(1);
  const use = (n: number, network = 1) => {
    const source = `2001:db8:44:${network}::${n.toString(16)}` as Ip6;
    const message = { type: 'ns', target: GATEWAY_LINK_LOCAL, options: [{ type: 'sourceLinkLayer', mac }] } as const;
    scene.services.receive(NETWORK, ndFrame(GATEWAY_MAC, mac, { source, destination: GATEWAY_LINK_LOCAL, message }), scene.now);
  };
  const known = () => (scene.db.client(mac)?.addresses ?? []).filter(({ length }) => length === 128).length;
  const configure = (...options: string[]) =>
    scene.services.configure(configFor("option ipv6_mode 'host'", ...options), scene.gateway, [GATEWAY4], () => [], scene.now);
  for (let n = 1; n <= 5; n++) use(n);
  t.equal(known(), 2);
  configure("list prefix '2001:db8:44:1::/64'", "list prefix '2001:db8:44:2::/64'", "option max_addresses '4'");
  for (let n = 1; n <= 5; n++) use(n, 2);
  t.equal(known(), 4);
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

/** Prefixes in the router advertisements that were sent: `2001:db8:44::/64 3600/0`, valid and preferred for so long. */
function prefixesTold(frames: readonly Uint8Array[]): string[] {
  return frames.flatMap((frame) => {
    const link = parseLinkFrame(frame);
    if (link?.protocol !== 'nd' || link.packet.message.type !== 'ra') return [];
    const options = link.packet.message.options.filter((option) => option.type === 'prefix');
    return options.map((o) => `${formatPrefix(o.prefix)} ${o.validLifetime}/${o.preferredLifetime}`);
  });
}

t.test('a /64 for which the database had no room is leased once it has', async (t) => {
  const scene = start("list prefix '2001:db8:44::/48'");
  const { apply } = scene.db;
  Object.assign(scene.db, { apply: () => ({ kind: 'refused' }) });
  for (const n of [1, 2]) scene.services.provide(client(n), scene.now);
  scene.now = after(scene.now, MINUTE);
  scene.services.poll(scene.now);
  t.same([1, 2].flatMap((n) => scene.db.leases6Of(client(n))), []);
  Object.assign(scene.db, { apply });
  t.equal(scene.services.nextDeadline, after(scene.now, MINUTE));
  scene.now = after(scene.now, MINUTE);
  scene.services.poll(scene.now);
  t.same([1, 2].map((n) => scene.db.leases6Of(client(n)).length), [1, 1]);
  t.equal(prefixesTold(scene.sent).length, 2);
  t.same(scene.exhausted, [], 'there are enough');
});

t.test('a client for which there was no /64 gets one as soon as another has run out', async (t) => {
  const scene = start("list prefix '2001:db8:44::/62'");
  for (let n = 1; n <= 5; n++) scene.services.provide(client(n), scene.now);
  const holders = () => [1, 2, 3, 4, 5].filter((n) => scene.db.leases6Of(client(n)).length > 0);
  t.same(holders(), [1, 2, 3]);
  const stay = (until: Instant) => {
    for (let at = scene.services.nextDeadline; at !== undefined && at <= until; at = scene.services.nextDeadline) {
      scene.now = at;
      scene.db.expire(scene.now);
      scene.services.poll(scene.now);
    }
    scene.now = until;
  };
  const lifetime = scene.db.leases6Of(client(1))[0]!.expires - scene.now;
  for (const n of [1, 2, 3]) scene.absent.add(client(n));
  scene.sent.length = 0;
  stay(after(scene.now, lifetime));
  t.same(scene.exhausted.length, 2 + lifetime / MINUTE, 'one of the two asks in each minute');
  t.same(prefixesTold(scene.sent), []);
  stay(after(scene.now, 15 * MINUTE));
  t.same(holders(), [4, 5], 'once the old ones have rested');
  t.equal(new Set(prefixesTold(scene.sent).map((line) => line.split(' ')[0])).size, 2, 'and they are told');
  t.equal(scene.services.nextDeadline! > after(scene.now, 10 * MINUTE), true, 'nothing is looked for any more');
});

t.test('an interface changes, and nothing of what clients are told: none is woken', async (t) => {
  const prefix = "list prefix '2001:db8:44::/48'";
  const scene = start(prefix);
  const mac = client(1);
  scene.services.provide(mac, scene.now);
  scene.services.arrived(mac, NETWORK, scene.now);
  scene.now = after(scene.now, MINUTE);
  scene.services.poll(scene.now);
  scene.sent.length = 0;
  const configure = (gateway = scene.gateway, ...options: string[]) => {
    scene.services.configure(configFor(prefix, ...options), gateway, [GATEWAY4, '10.44.0.2' as Ip4], () => [], scene.now);
    scene.now = after(scene.now, 10 * SECOND);
    scene.services.poll(scene.now);
    return scene.sent.splice(0).length;
  };
  t.equal(configure(), 0);
  t.equal(configure(scene.gateway, "option mtu '1400'"), 1, 'something else to say');
  t.equal(configure(scene.gateway, "option mtu '1400'", "option hold_time '6'"), 0, 'an option that clients see nothing of');
  t.equal(configure({ ...scene.gateway, mac: '02:00:5e:00:52:13' as Mac }, "option mtu '1400'"), 1, 'another MAC');
});

t.test('the gateway has another MAC: who is here is told at once, by ARP too', async (t) => {
  const scene = start();
  const mac = client(1);
  const address = scene.join(mac)!;
  scene.services.arrived(mac, NETWORK, scene.now);
  scene.now = after(scene.now, MINUTE);
  scene.services.poll(scene.now);
  scene.sent.length = 0;
  const gateway = { ...scene.gateway, mac: '02:00:5e:00:52:13' as Mac };
  const stations = () => [{ mac, network: NETWORK } as never];
  const configure = () => {
    scene.services.configure(configFor(), gateway, [GATEWAY4], stations, scene.now);
    scene.services.poll(scene.now);
    const frames = scene.sent.splice(0).map((frame) => parseEthernet(frame));
    return frames.filter(({ header }) => header.etherType === EtherType.arp).map(({ payload }) => parseArp(payload));
  };
  t.match(configure(), [{ senderIp: GATEWAY4, senderMac: gateway.mac, targetIp: address }, { senderMac: gateway.mac }]);
  scene.now = after(scene.now, MINUTE);
  scene.services.poll(scene.now);
  scene.sent.length = 0;
  t.same(configure(), [], 'and not again while it is the same');
});

t.test('another IPv6 prefix is configured: the client gets a /64 of it, its old one is deprecated and runs out', async (t) => {
  const scene = start("list prefix '2001:db8:44::/48'");
  const mac = client(1);
  scene.services.provide(mac, scene.now);
  const [old] = scene.db.leases6Of(mac);
  t.match(old?.address, /^2001:db8:44:/);
  scene.services.arrived(mac, NETWORK, scene.now);
  scene.services.poll(scene.now);
  t.same(prefixesTold(scene.sent), [`${old!.address}/64 3600/3600`]);

  scene.sent.length = 0;
  scene.now = after(scene.now, 20 * MINUTE);
  scene.services.configure(configFor("list prefix '2001:db8:55::/48'"), scene.gateway, [GATEWAY4], () => [], scene.now);
  scene.services.lease6(mac, scene.now);
  const [first, second, ...more] = scene.db.leases6Of(mac).map(({ address }) => address);
  t.match([first, second], [/^2001:db8:44:/, /^2001:db8:55:/]);
  t.same(more, []);
  scene.services.poll(scene.now);
  t.same(prefixesTold(scene.sent), [`${second}/64 3600/3600`, `${old!.address}/64 2400/0`]);

  scene.sent.length = 0;
  scene.services.left(mac);
  scene.now = after(scene.now, 10 * MINUTE);
  scene.services.provide(mac, scene.now);
  scene.services.arrived(mac, NETWORK, scene.now);
  scene.services.poll(scene.now);
  t.same(prefixesTold(scene.sent), [`${second}/64 3000/3000`, `${old!.address}/64 1800/0`], 'one that comes back is told the same');
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
