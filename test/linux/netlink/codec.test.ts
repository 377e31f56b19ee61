import fc from 'fast-check';
import t from 'tap';
import { deleteAddress, dumpAddresses, parseAddress, replaceAddress } from '../../../src/linux/netlink/address.js';
import { dumpBridgePorts } from '../../../src/linux/netlink/bridge-port.js';
import { NetlinkError, parseStatus } from '../../../src/linux/netlink/error.js';
import { addBridgeMac, deleteBridgeMac, deleteFdbEntry, dumpFdb, getFdbEntry, parseFdbEntry } from '../../../src/linux/netlink/fdb.js';
import { dumpLinks, parseLink, setLinkAddress } from '../../../src/linux/netlink/link.js';
import {
  deleteNeighbour,
  dumpNeighbours,
  matchesNeighbour,
  parseNeighbour,
  replaceNeighbour,
} from '../../../src/linux/netlink/neighbour.js';
import { deleteNexthop, dumpNexthops, parseNexthop, replaceNexthop } from '../../../src/linux/netlink/nexthop.js';
import type { Route } from '../../../src/linux/netlink/route.js';
import {
  deleteRoute,
  dumpRoutes,
  getRoute,
  matchesFilter,
  parseRoute,
  replaceRoute,
} from '../../../src/linux/netlink/route.js';
import { parseEvent } from '../../../src/linux/netlink/rtnetlink.js';
import { addRule, deleteRule, dumpRules, parseRule } from '../../../src/linux/netlink/rule.js';
import type { NetlinkMessage } from '../../../src/linux/netlink/wire.js';
import {
  MessageWriter,
  NLM_F_ACK_TLVS,
  NLM_F_CAPPED,
  parseArray,
  parseAttributes,
  parseMessages,
  readString,
} from '../../../src/linux/netlink/wire.js';
import { BadInput, fromHex, ShortInput, toHex } from '../../../src/net/bytes.js';
import { parseIp } from '../../../src/net/ip.js';
import { parseMac } from '../../../src/net/mac.js';
import { hostPrefix, parsePrefix } from '../../../src/net/prefix.js';

const ip = parseIp;
const host = (text: string) => hostPrefix(parseIp(text));
const MAC = parseMac('02:00:00:00:00:09');

/** What we send as ip(8) and bridge(8) of iproute2 6.1 do: their bytes, without sequence number and NLM_F_ACK. */
function asSent(hex: string): string {
  const bytes = fromHex(hex);
  bytes[6]! &= ~4;
  bytes.fill(0, 8, 12);
  return toHex(bytes);
}

const only = (bytes: Uint8Array): NetlinkMessage => parseMessages(bytes)[0]!;

const local: Route = { destination: host('10.44.0.9'), table: 44, protocol: 44, oif: 2 };
const full: Route = {
  destination: host('10.44.0.12'),
  table: 44,
  protocol: 44,
  oif: 2,
  gateway: ip('10.0.0.2'),
  source: ip('10.0.0.1'),
  priority: 7,
  onlink: true,
};
const remote: Route = { destination: host('10.44.0.10'), table: 1044, protocol: 45, nexthopId: 7 };
const subnet: Route = { destination: parsePrefix('2001:db8:1:2::/64'), table: 44, protocol: 44, priority: 5, oif: 2 };
const crossed: Route = { destination: host('10.44.0.11'), table: 44, protocol: 45, gateway: ip('fe80::1'), oif: 2 };
const hole: Route = { destination: parsePrefix('10.44.0.0/16'), table: 44, protocol: 44, type: 'blackhole' };

t.test('requests have the bytes that iproute2 sends', async (t) => {
  const golden: [what: string, ours: Uint8Array, theirs: string][] = [
    [
      'ip route replace 10.44.0.9/32 dev br0 table 44 proto 44',
      replaceRoute(local),
      '2c00000018000505bf4b016b00000000022000002c2cfd0100000000080001000a2c00090800040002000000',
    ],
    [
      'ip route replace 10.44.0.12 via 10.0.0.2 dev br0 src 10.0.0.1 metric 7 onlink table 44 proto 44',
      replaceRoute(full),
      '4400000018000505fb4b016b00000000022000002c2c000104000000080001000a2c000c080005000a000002080007000a00000108000600070000000800040002000000',
    ],
    [
      'ip route replace 10.44.0.10/32 nhid 7 table 1044 proto 45',
      replaceRoute(remote),
      '3400000018000505bf4b016b0000000002200000002d000100000000080001000a2c000a08001e000700000008000f0014040000',
    ],
    [
      'ip -6 route replace 2001:db8:1:2::/64 dev br0 table 44 proto 44 metric 5',
      replaceRoute(subnet),
      '4000000018000505bf4b016b000000000a4000002c2c0001000000001400010020010db800010002000000000000000008000600050000000800040002000000',
    ],
    [
      'ip route replace 10.44.0.11/32 via inet6 fe80::1 dev br0 table 44 proto 45',
      replaceRoute(crossed),
      '4400000018000505bf4b016b00000000022000002c2d000100000000080001000a2c000b160012000a00fe80000000000000000000000000000100000800040002000000',
    ],
    [
      'ip route replace blackhole 10.44.0.0/16 table 44 proto 44',
      replaceRoute(hole),
      '2400000018000505fb4b016b00000000021000002c2c000600000000080001000a2c0000',
    ],
    [
      'ip route del unicast 10.44.0.9/32 dev br0 table 44 proto 44',
      deleteRoute(local),
      '2c00000019000500fb4b016b00000000022000002c2cff0100000000080001000a2c00090800040002000000',
    ],
    [
      'ip route get 10.0.0.2',
      getRoute({ destination: ip('10.0.0.2') }),
      '240000001a000100bf4b016b00000000022000000000000000100000080001000a000002',
    ],
    [
      'ip -6 route get 2001:db8::1 from fe80::1 oif br0 fibmatch',
      getRoute({ destination: ip('2001:db8::1'), source: ip('fe80::1'), oif: 2, fibMatch: true }),
      '4c0000001a000100fb4b016b000000000a80800000000000002000001400010020010db800000000000000000000000114000200fe8000000000000000000000000000010800040002000000',
    ],
    [
      'ip nexthop replace id 7 via 10.0.0.2 dev br0 onlink protocol 45',
      replaceNexthop({ id: 7, family: 4, protocol: 45, gateway: ip('10.0.0.2'), oif: 2, onlink: true }),
      '3000000068000505bf4b016b0000000002002d00040000000800010007000000080006000a0000020800050002000000',
    ],
    [
      'ip -6 nexthop replace id 8 via fe80::1 dev br0 protocol 45',
      replaceNexthop({ id: 8, family: 6, protocol: 45, gateway: ip('fe80::1'), oif: 2 }),
      '3c00000068000505bf4b016b000000000a002d0000000000080001000800000014000600fe8000000000000000000000000000010800050002000000',
    ],
    [
      'ip nexthop replace id 9 blackhole protocol 45',
      replaceNexthop({ id: 9, family: 4, protocol: 45, blackhole: true }),
      '2400000068000505fb4b016b0000000002002d0000000000080001000900000004000400',
    ],
    [
      'ip nexthop del id 8',
      deleteNexthop(8),
      '2000000069000500bf4b016b0000000000000000000000000800010008000000',
    ],
    [
      'ip neigh replace 10.44.0.9 lladdr 02:00:00:00:00:09 dev br0 nud permanent',
      replaceNeighbour({ ip: ip('10.44.0.9'), mac: MAC, ifindex: 2, state: 'permanent' }),
      '300000001c000505c04b016b00000000020000000200000080000000080001000a2c00090a0002000200000000090000',
    ],
    [
      'ip rule add priority 100 table 44 protocol 44',
      addRule({ family: 4, priority: 100, table: 44, protocol: 44 }),
      '2c00000020000506bf4b016b00000000020000002c000001000000000800060064000000050015002c000000',
    ],
    [
      'ip rule add from 10.44.0.0/16 iif br0 priority 101 table 1044',
      addRule({ family: 4, source: parsePrefix('10.44.0.0/16'), iif: 'br0', priority: 101, table: 1044 }),
      '3c00000020000506bf4b016b00000000020010000000000100000000080002000a2c00000800030062723000080006006500000008000f0014040000',
    ],
    [
      'ip rule add to 10.44.0.0/16 priority 99 table 44',
      addRule({ family: 4, destination: parsePrefix('10.44.0.0/16'), priority: 99, table: 44 }),
      '2c00000020000506fb4b016b00000000021000002c00000100000000080001000a2c00000800060063000000',
    ],
    [
      'ip rule add not fwmark 44 priority 98 table 44',
      addRule({ family: 4, mark: 44, invert: true, priority: 98, table: 44 }),
      '2c00000020000506674e016b00000000020000002c0000010200000008000a002c0000000800060062000000',
    ],
    [
      'ip link set br0 address 00:00:5e:00:52:13',
      setLinkAddress(2, parseMac('00:00:5e:00:52:13')),
      '2c00000010000500c04b016b00000000000000000200000000000000000000000a00010000005e0052130000',
    ],
    [
      'ip addr replace 10.44.0.1/16 dev br0',
      replaceAddress({ ifindex: 2, ip: ip('10.44.0.1'), length: 16 }),
      '2800000014000505bf4b016b000000000210000002000000080002000a2c0001080001000a2c0001',
    ],
    [
      'ip -6 addr replace fe80::200:5eff:fe00:5213/64 dev br0 nodad',
      replaceAddress({ ifindex: 2, ip: ip('fe80::200:5eff:fe00:5213'), length: 64, noDad: true }),
      '4000000014000505bf4b016b000000000a4002000200000014000200fe8000000000000002005efffe00521314000100fe8000000000000002005efffe005213',
    ],
  ];
  for (const [what, ours, theirs] of golden) t.equal(toHex(ours), asSent(theirs), what);
});

t.test('requests that iproute2 words differently', async (t) => {
  const golden: [what: string, ours: Uint8Array, bytes: string][] = [
    [
      'ip neigh del 10.44.0.9 dev br0',
      deleteNeighbour({ ip: ip('10.44.0.9'), ifindex: 2 }),
      '240000001d0001000000000000000000020000000200000000000000080001000a2c0009',
    ],
    [
      'ip neigh del proxy 10.44.0.9 dev br0',
      deleteNeighbour({ ip: ip('10.44.0.9'), ifindex: 2, proxy: true }),
      '240000001d0001000000000000000000020000000200000000000800080001000a2c0009',
    ],
    [
      'bridge fdb del 02:00:00:00:00:09 dev v0 vlan 10 master',
      deleteFdbEntry({ mac: MAC, port: 4, vlan: 10 }),
      '300000001d00010000000000000000000700000004000000000004000a000200020000000009000006000500 0a000000',
    ],
    [
      'bridge fdb get 02:00:00:00:00:09 br br0',
      getFdbEntry({ mac: MAC, bridge: 2 }),
      '300000001e00010000000000000000000700000000000000000000000a000200020000000009000008000900 02000000',
    ],
    [
      'bridge fdb get 02:00:00:00:00:09 br br0 vlan 10',
      getFdbEntry({ mac: MAC, bridge: 2, vlan: 10 }),
      '380000001e00010000000000000000000700000000000000000000000a000200020000000009000006000500 0a0000000800090002000000',
    ],
    [
      'bridge fdb replace 00:00:5e:00:52:13 dev br0 vlan 20 self local',
      addBridgeMac({ mac: parseMac('00:00:5e:00:52:13'), port: 2, vlan: 20 }),
      '300000001c00010500000000000000000700000002000000800002000a00020000005e0052130000 0600050014000000',
    ],
    [
      'bridge fdb del 00:00:5e:00:52:13 dev br0 vlan 20 self',
      deleteBridgeMac({ mac: parseMac('00:00:5e:00:52:13'), port: 2, vlan: 20 }),
      '300000001d00010000000000000000000700000002000000000002000a00020000005e0052130000 0600050014000000',
    ],
    [
      'ip -6 rule del priority 100 table 44',
      deleteRule({ family: 6, priority: 100, table: 44 }),
      '240000002100010000000000000000000a0000002c000001000000000800060064000000',
    ],
    [
      'ip addr del 10.44.0.1/16 dev br0',
      deleteAddress({ ifindex: 2, ip: ip('10.44.0.1'), length: 16 }),
      '2800000015000100000000000000000002100000 02000000080002000a2c0001080001000a2c0001',
    ],
    [
      'ip addr replace 10.44.0.1/16 dev br0 noprefixroute',
      replaceAddress({ ifindex: 2, ip: ip('10.44.0.1'), length: 16, noPrefixRoute: true }),
      '3000000014000105000000000000000002100000 02000000080002000a2c0001080001000a2c00010800080000020000',
    ],
    ['links', dumpLinks(), '280000001200010000000000000000000000000000000000000000000000000008001d0008000000'],
    ['ports of bridges', dumpBridgePorts(), '280000001200010000000000000000000700000000000000000000000000000008001d0004000000'],
    ['addresses', dumpAddresses(6), '18000000160001000000000000000000 0a00000000000000'],
    ['nexthops', dumpNexthops(), '180000006a0001000000000000000000 0000000000000000'],
    ['rules', dumpRules(4), '1c000000220001000000000000000000 020000000000000000000000'],
    ['routes', dumpRoutes({ family: 4 }), '1c0000001a0001000000000000000000 020000000000000000000000'],
    [
      'routes of one table and protocol',
      dumpRoutes({ family: 6, table: 44, protocol: 45 }),
      '240000001a0001000000000000000000 0a000000002d00000000000008000f002c000000',
    ],
    ['neighbours', dumpNeighbours(), '1c0000001e0001000000000000000000 000000000000000000000000'],
    [
      'proxy entries of one link',
      dumpNeighbours({ family: 6, ifindex: 2, proxy: true }),
      '240000001e0001000000000000000000 0a00000000000000000008000800080002000000',
    ],
    ['all bridges', dumpFdb(), '1c0000001e0001000000000000000000 070000000000000000000000'],
    ['one bridge', dumpFdb(2), '240000001e0001000000000000000000 0700000000000000000000000800090002000000'],
    [
      'route get by mark',
      getRoute({ destination: ip('10.0.0.2'), mark: 5 }),
      '2c0000001a0001000000000000000000 022000000000000000100000080001000a0000020800100005000000',
    ],
  ];
  for (const [what, ours, bytes] of golden) t.equal(toHex(ours), bytes.replaceAll(' ', ''), what);
});

t.test('what is written is read again', async (t) => {
  for (const route of [local, full, remote, subnet, crossed, hole]) {
    t.strictSame(parseRoute(only(replaceRoute(route))), { type: 'unicast', ...route });
  }
  const nexthop = { id: 7, family: 4, protocol: 45, gateway: ip('10.0.0.2'), oif: 2, onlink: true } as const;
  t.strictSame(parseNexthop(only(replaceNexthop(nexthop))), nexthop);
  const blackhole = { id: 9, family: 6, protocol: 45, blackhole: true } as const;
  t.strictSame(parseNexthop(only(replaceNexthop(blackhole))), blackhole);
  const neighbour = { ip: ip('2001:db8::9'), ifindex: 2, state: 'stale', mac: MAC, router: true, protocol: 44 } as const;
  t.strictSame(parseNeighbour(only(replaceNeighbour(neighbour))), neighbour);
  const proxy = { ip: ip('2001:db8::9'), ifindex: 2, state: 'none', proxy: true } as const;
  t.strictSame(parseNeighbour(only(replaceNeighbour(proxy))), proxy);
  const rule = {
    family: 6,
    priority: 100,
    table: 1044,
    protocol: 44,
    source: parsePrefix('2001:db8::/32'),
    destination: parsePrefix('2001:db8:44::/48'),
    iif: 'br-clients',
    mark: 7,
    invert: true,
  } as const;
  t.strictSame(parseRule(only(addRule(rule))), rule);
  const address = { ifindex: 2, ip: ip('fe80::1'), length: 64, noPrefixRoute: true, noDad: true };
  t.strictSame(parseAddress(only(replaceAddress(address))), address);
  t.strictSame(parseFdbEntry(only(deleteFdbEntry({ mac: MAC, port: 4, vlan: 10 }))), {
    mac: MAC,
    port: 4,
    vlan: 10,
    learned: true,
  });
});

t.test('what is not for us is left out', async (t) => {
  const edited = (bytes: Uint8Array, offset: number, value: number) => {
    const copy = bytes.slice();
    copy[16 + offset] = value;
    return only(copy);
  };
  const MPLS = 28;
  t.equal(parseRoute(edited(replaceRoute(local), 0, MPLS)), undefined, 'route of another family');
  t.equal(parseEvent(edited(replaceRoute(local), 9, 2)), undefined, 'cache entry');
  t.equal(parseRoute(edited(replaceRoute(local), 7, 99))?.type, 'unspec', 'type from the future');
  t.equal(parseNexthop(edited(replaceNexthop({ id: 7, family: 4, protocol: 45 }), 0, MPLS)), undefined);
  t.equal(parseNexthop(only(new MessageWriter(104).u8(2, 0, 0, 0).u32(0).done())), undefined, 'nexthop without an id');
  t.equal(parseNeighbour(edited(replaceNeighbour({ ip: ip('10.0.0.1'), ifindex: 1, state: 'stale' }), 0, 7)), undefined);
  t.equal(parseRule(edited(addRule({ family: 4, priority: 1, table: 44 }), 7, 6)), undefined, 'blackhole rule');
  t.equal(parseEvent(only(new MessageWriter(68).done())), undefined, 'a message of some other kind');
  t.equal(matchesFilter(local, { family: 4, table: 44, protocol: 44 }), true);
  t.equal(matchesFilter(local, { family: 6 }), false);
  t.equal(matchesFilter(local, { family: 4, table: 254 }), false);
  t.equal(matchesFilter(local, { family: 4, protocol: 45 }), false);
  const neighbour = only(replaceNeighbour({ ip: ip('10.0.0.1'), ifindex: 1, state: 'stale' }));
  const permanent = only(replaceNeighbour({ ip: ip('10.0.0.1'), ifindex: 1, state: 'permanent' }));
  t.equal(matchesNeighbour(neighbour, { family: 4, ifindex: 1 }), true);
  t.equal(matchesNeighbour(neighbour, { family: 6 }), false);
  t.equal(matchesNeighbour(neighbour, { ifindex: 2 }), false);
  t.equal(matchesNeighbour(neighbour, { proxy: true }), false);
  t.same([neighbour, permanent].map((message) => matchesNeighbour(message, { learned: true })), [true, false]);
  t.same([neighbour, permanent].map((message) => matchesNeighbour(message, {})), [true, true]);
  t.throws(() => matchesNeighbour({ ...neighbour, payload: neighbour.payload.subarray(0, 11) }, {}), ShortInput);
});

t.test('a multipath route', async (t) => {
  const hops =
    // 16 bytes: flags onlink, ifindex 3, RTA_GATEWAY; then 28 bytes: ifindex 4, RTA_VIA.
    `1000 04 00 03000000 0800 0500 0a000002` + `2000 00 00 04000000 1600 1200 0a00 fe800000000000000000000000000001 0000`;
  const message = new MessageWriter(24).u8(2, 16, 0, 0, 254, 3, 0, 1).u32(0).attribute(9, fromHex(hops)).done();
  t.strictSame(parseRoute(only(message))?.hops, [
    { gateway: ip('10.0.0.2'), onlink: true, oif: 3 },
    { gateway: ip('fe80::1'), oif: 4 },
  ]);
  for (let length = 1; length < 48; length++) {
    const cut = fromHex(hops).subarray(0, length);
    const short = new MessageWriter(24).u8(2, 16, 0, 0, 254, 3, 0, 1).u32(0).attribute(9, cut).done();
    try {
      parseRoute(only(short));
    } catch (error) {
      t.ok(error instanceof ShortInput || error instanceof BadInput, `${length}: ${String(error)}`);
    }
  }
  const endless = new MessageWriter(24).u8(2, 16, 0, 0, 254, 3, 0, 1).u32(0).attribute(9, new Uint8Array(8)).done();
  t.throws(() => parseRoute(only(endless)), BadInput, 'a hop of no length does not loop');
});

t.test('a link as the kernel tells it', async (t) => {
  const writer = new MessageWriter(16).u8(0, 0, 1, 0).u32(7).u32(0x11043).u32(0);
  writer.attributeString(3, 'wlan0').attributeU32(4, 1500).attribute(1, fromHex('020000000009')).attributeU32(10, 2);
  writer.nested(18, () => writer.attributeString(1, 'veth').attributeString(4, 'bridge'));
  writer.attribute(54, fromHex('a42bb0000001'));
  t.strictSame(parseLink(only(writer.done())), {
    index: 7,
    name: 'wlan0',
    mac: MAC,
    permanentMac: 'a4:2b:b0:00:00:01',
    mtu: 1500,
    up: true,
    running: true,
    loopback: false,
    master: 2,
    kind: 'veth',
  });
});

t.test('errors of the kernel', async (t) => {
  const error = (payload: string, flags = 0, type = 2): NetlinkMessage => ({
    type,
    flags,
    sequence: 1,
    payload: fromHex(payload),
  });
  const header = '2c00000018000505 01000000 00000000';
  const text = '0900 0100 4e6f70652e 000000'.replace('0900', '0a00').replace('2e 000000', '2e 00 0000');
  t.equal(parseStatus(error(`00000000 ${header}`)), undefined);
  t.match(parseStatus(error(`efffffff ${header} ${'00'.repeat(28)}`)), { errno: 17, code: 'EEXIST', text: undefined });
  const capped = parseStatus(error(`efffffff ${header} ${text}`, NLM_F_CAPPED | NLM_F_ACK_TLVS));
  t.ok(capped instanceof NetlinkError);
  t.match(capped, { errno: 17, text: 'Nope.', message: 'Nope. (EEXIST)' });
  const whole = parseStatus(error(`efffffff ${header} ${'00'.repeat(28)} ${text}`, NLM_F_ACK_TLVS));
  t.match(whole, { text: 'Nope.' });
  t.match(parseStatus(error(`fcffffff ${text}`, NLM_F_ACK_TLVS, 3)), { code: 'EINTR', text: 'Nope.' });
  t.equal(parseStatus(error('', 0, 3)), undefined);
  t.throws(() => parseStatus(error('ffff')), ShortInput);
});

t.test('messages and attributes', async (t) => {
  const two = new Uint8Array([...dumpLinks(), ...dumpAddresses()]);
  t.equal(parseMessages(two).length, 2);
  t.strictSame(parseMessages(new Uint8Array(0)), []);
  t.throws(() => parseMessages(fromHex('00000000 00000000 00000000 00000000')), BadInput, 'length 0 does not loop');
  t.throws(() => parseAttributes(fromHex('0000 0100')), BadInput, 'length 0 does not loop');
  t.throws(() => parseAttributes(fromHex('0800 0100 00')), ShortInput);
  t.throws(() => parseAttributes(fromHex('0800'), 4), ShortInput);
  t.strictSame(parseArray(fromHex('0500 0100 aa000000 0500 0200 bb')).map(toHex), ['aa', 'bb']);
  t.equal(parseAttributes(fromHex('0400 0180')).get(1)?.length, 0, 'the nested bit is not part of the type');
  t.equal(readString(fromHex('6c6f')), 'lo');
  t.equal(readString(fromHex('6c6f0061')), 'lo');
  const long = new MessageWriter(16).put(new Uint8Array(1000)).attributeString(3, 'x').done();
  t.equal(only(long).payload.length, 1008, 'the buffer grows');
});

const samples = [
  replaceRoute(local),
  replaceRoute(full),
  replaceRoute(remote),
  replaceRoute(crossed),
  replaceNexthop({ id: 8, family: 6, protocol: 45, gateway: ip('fe80::1'), oif: 2 }),
  replaceNeighbour({ ip: ip('10.44.0.9'), mac: MAC, ifindex: 2, state: 'permanent', protocol: 44 }),
  deleteFdbEntry({ mac: MAC, port: 4, vlan: 10 }),
  addRule({ family: 4, source: parsePrefix('10.44.0.0/16'), iif: 'br0', priority: 101, table: 1044 }),
  setLinkAddress(2, MAC),
  replaceAddress({ ifindex: 2, ip: ip('fe80::1'), length: 64, noPrefixRoute: true }),
];

/** Whatever comes, either something is read or the error says that it is malformed. */
function survives(bytes: Uint8Array): boolean {
  try {
    for (const message of parseMessages(bytes)) {
      parseEvent(message);
      parseStatus(message);
    }
  } catch (error) {
    if (!(error instanceof ShortInput) && !(error instanceof BadInput)) throw error;
  }
  return true;
}

t.test('every truncation', async (t) => {
  for (const sample of samples) {
    for (let length = 1; length < sample.length; length++) {
      t.throws(() => parseMessages(sample.subarray(0, length)), ShortInput);
      if (length < 16) continue;
      // The same with a length that fits: the payload ends early.
      const shorter = sample.slice(0, length);
      new DataView(shorter.buffer).setUint32(0, length, true);
      t.ok(survives(shorter));
    }
  }
});

t.test('arbitrary and damaged bytes', async () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), survives));
  fc.assert(
    fc.property(
      fc.constantFrom(...samples),
      fc.array(fc.tuple(fc.nat(100), fc.nat(255)), { minLength: 1, maxLength: 4 }),
      (sample, edits) => {
        const damaged = sample.slice();
        for (const [at, value] of edits) damaged[at % damaged.length] = value;
        return survives(damaged);
      },
    ),
    { numRuns: 3000 },
  );
});
