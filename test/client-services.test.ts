/** What clients see as they come, move and stay: gateway announcements, IPv6 networks, and what changes of either. */
import t from 'tap';
import * as claims from '../src/clients/claims.js';
import type { Instant } from '../src/clients/time.js';
import { after, HOUR, MINUTE, SECOND } from '../src/clients/time.js';
import { MAX_ACQUAINTANCES } from '../src/gateway/acquaintances.js';
import { GATEWAY_LINK_LOCAL, GATEWAY_MAC } from '../src/gateway/gateway.js';
import { arpFrame, ArpOperation, parseArp, UNKNOWN_MAC } from '../src/net/arp.js';
import { EtherType, parseEthernet } from '../src/net/ethernet.js';
import type { Ip4, Ip6 } from '../src/net/ip.js';
import { ANY4 } from '../src/net/ip.js';
import type { Mac } from '../src/net/mac.js';
import { BROADCAST_MAC } from '../src/net/mac.js';
import { parseLinkFrame } from '../src/net/link-frame.js';
import { ndFrame } from '../src/net/nd.js';
import { formatPrefix } from '../src/net/prefix.js';
import { configFor, GATEWAY4, NETWORK, start } from './client-services-scene.js';
import { client } from './dhcp4/helpers.js';

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
