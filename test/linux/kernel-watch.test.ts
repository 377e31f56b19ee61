import t from 'tap';
import { eventIn, KernelWatch } from '../../src/linux/kernel-watch.js';
import { RTM_DELADDR, replaceAddress } from '../../src/linux/netlink/address.js';
import { RTM_DELLINK, RTM_NEWLINK } from '../../src/linux/netlink/link.js';
import { deleteNeighbour } from '../../src/linux/netlink/neighbour.js';
import { RTM_DELNEXTHOP, RTM_NEWNEXTHOP, replaceNexthop } from '../../src/linux/netlink/nexthop.js';
import { replaceRoute, RTM_DELROUTE } from '../../src/linux/netlink/route.js';
import { addRule, RTM_DELRULE } from '../../src/linux/netlink/rule.js';
import { RTM_NEWNETCONF } from '../../src/linux/netlink/rtnetlink.js';
import type { NetlinkMessage } from '../../src/linux/netlink/wire.js';
import { MessageWriter, parseMessages } from '../../src/linux/netlink/wire.js';
import { parseIp } from '../../src/net/ip.js';
import { parseMac } from '../../src/net/mac.js';
import { parsePrefix } from '../../src/net/prefix.js';
import type { HostRoute, KernelChange, NexthopObject } from '../../src/ports.js';

/** A request read as news: the kernel's messages have the same form. */
function news(request: Uint8Array, type?: number): NetlinkMessage {
  const message = parseMessages(request)[0]!;
  return { ...message, type: type ?? message.type };
}

function link(index: number, { up = true, running = true, mtu = 1500 } = {}, type = RTM_NEWLINK): NetlinkMessage {
  const flags = (up ? 1 : 0) | (running ? 0x40 : 0);
  const request = new MessageWriter(type).u8(0, 0, 0, 0).u32(index).u32(flags).u32(0).attributeString(3, `if${index}`);
  return news(request.attributeU32(4, mtu).done());
}

const destination = parsePrefix('10.44.0.1/32');
const route: HostRoute = { destination, protocol: 44, via: { ifindex: 9 } };
const nexthop: NexthopObject = { id: 0x526f0000, family: 6, path: { ifindex: 2, gateway: parseIp('fe80::1') } };
const kinds = (watch: KernelWatch, ...messages: NetlinkMessage[]) =>
  watch.tell(messages.flatMap((message) => eventIn(message) ?? [])).map((event) =>
    event.kind === 'routes' ? `${event.destination.address}/${event.destination.length}` : event.kind,
  );
const routeNews = (table: number, protocol: number, type?: number, prefix = destination) =>
  news(replaceRoute({ destination: prefix, table, protocol, oif: 9 }), type);
const nexthopNews = (protocol: number, type?: number) =>
  news(replaceNexthop({ id: nexthop.id, family: 6, protocol, oif: 2, gateway: parseIp('fe80::1') }), type);

t.test('routes of others, each destination once; not ours, not the local table\'s', async (t) => {
  const watch = new KernelWatch(44);
  const babel = parsePrefix('2001:db8::/64');
  t.strictSame(
    kinds(watch, routeNews(254, 42), routeNews(254, 42, RTM_DELROUTE), routeNews(1001, 42, undefined, babel)),
    ['10.44.0.1/32', '2001:db8::/64'],
  );
  t.strictSame(kinds(watch, routeNews(44, 44), routeNews(44, 45), routeNews(255, 2)), []);
});

t.test('ours, when another removes it', async (t) => {
  const watch = new KernelWatch(44);
  watch.changing({ op: 'set', route });
  watch.changing({ op: 'set', nexthop });
  t.strictSame(kinds(watch, routeNews(44, 44, RTM_DELROUTE)), ['lost']);
  t.strictSame(kinds(watch, nexthopNews(45, RTM_DELNEXTHOP)), ['lost']);
  t.strictSame(kinds(watch, routeNews(44, 44, RTM_DELROUTE), nexthopNews(45, RTM_DELNEXTHOP)), [], 'once');
  watch.adopt({ routes: [route], nexthops: [nexthop], neighbours: [] });
  const own: KernelChange[] = [{ op: 'delete', route }, { op: 'delete', nexthop }];
  own.forEach((change) => watch.changing(change));
  t.strictSame(kinds(watch, routeNews(44, 44, RTM_DELROUTE), nexthopNews(45, RTM_DELNEXTHOP)), [], 'we did it');
});

t.test('ours, when another puts its own in the place', async (t) => {
  const watch = new KernelWatch(44);
  t.strictSame(kinds(watch, routeNews(44, 3)), [], 'none of ours');
  watch.changing({ op: 'set', route });
  t.strictSame(kinds(watch, routeNews(44, 44), routeNews(44, 3)), ['lost']);
});

t.test('neighbour entries of ours, when another removes them', async (t) => {
  const watch = new KernelWatch(44);
  const neighbour = { ifindex: 9, address: parseIp('10.44.0.1'), mac: parseMac('02:00:00:00:00:01') };
  const gone = (ip: string, ifindex = 9) => news(deleteNeighbour({ ip: parseIp(ip), ifindex }));
  watch.changing({ op: 'set', neighbour });
  t.strictSame(kinds(watch, gone('10.44.0.2'), gone('10.44.0.1', 8)), [], 'those of others');
  t.strictSame(kinds(watch, gone('10.44.0.1')), ['lost']);
  watch.adopt({ routes: [], nexthops: [], neighbours: [neighbour] });
  watch.changing({ op: 'delete', neighbour });
  t.strictSame(kinds(watch, gone('10.44.0.1')), [], 'we did it');
});

t.test('another\'s nexthop object or rule may change any path', async (t) => {
  const watch = new KernelWatch(44);
  t.strictSame(kinds(watch, nexthopNews(11)), ['0.0.0.0/0', '::/0']);
  t.strictSame(kinds(watch, news(addRule({ family: 4, priority: 100, table: 7 }))), ['0.0.0.0/0', '::/0']);
  // NHA_ID, NHA_GROUP: a struct nexthop_grp for each member.
  const group = new MessageWriter(RTM_NEWNEXTHOP).u8(0, 0, 11, 0).u32(0).attributeU32(1, 9).attribute(2, new Uint8Array(8)).done();
  t.strictSame(kinds(watch, news(group)), ['0.0.0.0/0', '::/0']);
  t.strictSame(kinds(watch, news(group, RTM_DELNEXTHOP)), ['0.0.0.0/0', '::/0']);
});

t.test('our rule', async (t) => {
  const watch = new KernelWatch(44);
  const rule = addRule({ family: 4, priority: 440, table: 44, protocol: 44 });
  t.strictSame(kinds(watch, news(rule)), []);
  t.strictSame(kinds(watch, news(rule, RTM_DELRULE)), ['lost']);
});

t.test('interfaces: only real changes, and lost where something of ours was on it', async (t) => {
  const watch = new KernelWatch(44);
  watch.changing({ op: 'set', route });
  t.strictSame(kinds(watch, link(9), link(5)), ['links', 'lost']);
  t.strictSame(kinds(watch, link(9), link(5)), [], 'the same again');
  t.strictSame(kinds(watch, link(9, { mtu: 1400 })), ['links']);
  t.strictSame(kinds(watch, link(5, { up: false })), ['links'], 'none of ours');
  t.strictSame(kinds(watch, link(9, { running: false })), ['links', 'lost']);
  t.strictSame(kinds(watch, link(9)), ['links', 'lost'], 'what failed can be done now');
  t.strictSame(kinds(watch, link(9, {}, RTM_DELLINK)), ['links', 'lost']);
});

t.test('addresses: not those that are only renewed', async (t) => {
  const watch = new KernelWatch(44);
  const address = { ifindex: 2, ip: parseIp('2001:db8::2'), length: 64 };
  watch.learn([], [address]);
  t.strictSame(kinds(watch, news(replaceAddress(address))), []);
  t.strictSame(kinds(watch, news(replaceAddress({ ...address, noDad: true }))), ['links']);
  t.strictSame(kinds(watch, news(replaceAddress(address), RTM_DELADDR)), ['links']);
  watch.forgetLinks();
  t.strictSame(kinds(watch, news(replaceAddress(address))), ['links']);
  watch.changing({ op: 'set', route });
  const last = { ifindex: 9, ip: parseIp('10.44.0.1'), length: 16 };
  t.strictSame(kinds(watch, news(replaceAddress(last)), news(replaceAddress(last), RTM_DELADDR)), ['links', 'lost'], 'IPv4 routes go with the last');
});

t.test('settings of interfaces', async (t) => {
  const settings = news(new MessageWriter(RTM_NEWNETCONF).u8(2, 0, 0, 0).attributeU32(1, 9).done());
  t.strictSame(kinds(new KernelWatch(44), settings, settings), ['links']);
});

t.test('what cannot be read is passed over', async (t) => {
  const watch = new KernelWatch(44);
  const message = routeNews(254, 42);
  t.equal(eventIn({ ...message, payload: message.payload.subarray(0, 5) }), undefined);
  for (let length = 0; length < message.payload.length; length++) {
    t.ok(kinds(watch, { ...message, payload: message.payload.subarray(0, length) }).length <= 1);
  }
});
