import t from 'tap';
import type { Instant } from '../../src/clients/time.js';
import { after, HOUR, MINUTE, SECOND } from '../../src/clients/time.js';
import { BadInput, fromHex } from '../../src/net/bytes.js';
import { EtherType, writeEthernet } from '../../src/net/ethernet.js';
import { writeIcmp6 } from '../../src/net/icmp6.js';
import type { Ip6 } from '../../src/net/ip.js';
import { writeIpv6 } from '../../src/net/ipv6.js';
import type { LinkFrame, OutgoingFrame } from '../../src/net/link-frame.js';
import { parseLinkFrame } from '../../src/net/link-frame.js';
import type { Mac } from '../../src/net/mac.js';
import type { NdPacket, RouterAdvertisement } from '../../src/net/nd.js';
import { ndFrame } from '../../src/net/nd.js';
import type { NdOption, PrefixInformation } from '../../src/net/nd-options.js';
import type { Prefix6 } from '../../src/net/prefix.js';
import { formatPrefix, parsePrefix } from '../../src/net/prefix.js';
import type { RaConfig } from '../../src/ra/config.js';
import { DEFAULT_RA_CONFIG } from '../../src/ra/config.js';
import type { RaClient } from '../../src/ra/server.js';
import { RaServer } from '../../src/ra/server.js';
import { SeededRandom } from '../random.js';

const START = 5_000_000 as Instant;
const A = '02:00:00:00:00:0a' as Mac;
const B = '02:00:00:00:00:0b' as Mac;
const LL_B = 'fe80::ff:fe00:b' as Ip6;
const ALL_ROUTERS_MAC = '33:33:00:00:00:02' as Mac;
const gateway = { mac: '00:00:5e:00:52:13' as Mac, linkLocal: 'fe80::200:5eff:fe00:5213' as Ip6 };
const prefix6 = (text: string) => parsePrefix(text) as Prefix6;

function setup(config: Partial<RaConfig> = {}) {
  const clients = new Map<Mac, RaClient>();
  const server = new RaServer({ ...DEFAULT_RA_CONFIG, ...config }, gateway, (mac) => clients.get(mac), new SeededRandom(1));
  return { clients, server };
}

function client(text: string, expires: Instant, linkLocal?: Ip6): RaClient {
  return { network: 'br-client', linkLocal, prefixes: [{ prefix: prefix6(text), expires, deprecated: false }] };
}

interface Told {
  readonly to: Mac;
  readonly destination: Ip6;
  readonly message: RouterAdvertisement;
  /** `prefix valid/preferred`. */
  readonly prefixes: string[];
}

function read({ network, frame }: OutgoingFrame): Told {
  const parsed = parseLinkFrame(frame);
  if (parsed?.protocol !== 'nd' || parsed.packet.message.type !== 'ra') throw new Error('no router advertisement');
  const { message, destination } = parsed.packet;
  const options = message.options.filter((option): option is PrefixInformation => option.type === 'prefix');
  const prefixes = options.map((o) => `${formatPrefix(o.prefix)} ${o.validLifetime}/${o.preferredLifetime}`);
  if (network !== 'br-client' || parsed.ethernet.source !== gateway.mac) throw new Error('not as the gateway');
  return { to: parsed.ethernet.destination, destination, message, prefixes };
}

interface Solicit {
  source?: Ip6;
  destination?: Ip6;
  options?: NdOption[];
}

function solicitation(from: Mac, { source = LL_B, destination = 'ff02::2' as Ip6, options = [] }: Solicit = {}): LinkFrame {
  const packet: NdPacket = { source, destination, message: { type: 'rs', options } };
  return parseLinkFrame(ndFrame(ALL_ROUTERS_MAC, from, packet))!;
}

t.test('defect 30: a client that never speaks keeps its router and its prefix for ten hours', async (t) => {
  const { clients, server } = setup();
  clients.set(B, client('2001:db8:1::/64', after(START, 100 * HOUR), LL_B));
  const first = read(server.advertise(B, START)!);
  t.match(first, { to: B, destination: LL_B });
  const routerUntil = (at: Instant) => after(at, first.message.routerLifetime * SECOND);
  let until = routerUntil(START);
  let count = 0;
  for (let now = START; now < START + 10 * HOUR; ) {
    now = server.nextDeadline!;
    t.ok(now < until, 'told again before the router expires');
    const [frame, ...more] = server.poll(now);
    t.same(more, []);
    t.equal(read(frame!).destination, LL_B);
    t.same(read(frame!).prefixes, ['2001:db8:1::/64 10800/5400']);
    until = routerUntil(now);
    count++;
  }
  t.ok(count >= 20 && count <= 28, `${count} advertisements in 10 h: two may be lost, and phones sleep (RFC 7772: at most 7 an hour)`);
});

t.test('defect 32: each hop limit but 255 is refused, and the option is read by its width', async (t) => {
  const { clients, server } = setup();
  clients.set(B, client('2001:db8:1::/64', after(START, HOUR)));
  const payload = writeIcmp6(LL_B, 'ff02::2' as Ip6, { type: 133, code: 0, body: new Uint8Array(4) });
  for (let hopLimit = 0; hopLimit < 256; hopLimit++) {
    const header = { source: LL_B, destination: 'ff02::2' as Ip6, nextHeader: 58, hopLimit, trafficClass: 0, flowLabel: 0 };
    const ethernet = { destination: ALL_ROUTERS_MAC, source: B, etherType: EtherType.ipv6 };
    const frame = writeEthernet(ethernet, writeIpv6(header, payload));
    if (hopLimit === 255) t.ok(server.receive('br-client', parseLinkFrame(frame)!, START));
    else t.throws(() => parseLinkFrame(frame), BadInput, `hop limit ${hopLimit}`);
  }
});

t.test('defect 31: a solicitation with an option of length zero is dropped', async (t) => {
  const payload = writeIcmp6(LL_B, 'ff02::2' as Ip6, { type: 133, code: 0, body: fromHex('000000000100000000000000') });
  const header = { source: LL_B, destination: 'ff02::2' as Ip6, nextHeader: 58, hopLimit: 255, trafficClass: 0, flowLabel: 0 };
  const ethernet = { destination: ALL_ROUTERS_MAC, source: B, etherType: EtherType.ipv6 };
  t.throws(() => parseLinkFrame(writeEthernet(ethernet, writeIpv6(header, payload))), BadInput);
});

t.test('defect 33: solicitations from :: and without a link-layer address are answered, to the frame’s source', async (t) => {
  const { clients, server } = setup();
  clients.set(B, client('2001:db8:1::/64', after(START, HOUR)));
  const nowhere = read(server.receive('br-client', solicitation(B, { source: '::' as Ip6 }), START)!);
  t.match(nowhere, { to: B, destination: 'ff02::1' });
  const bare = read(server.receive('br-client', solicitation(B), START)!);
  t.match(bare, { to: B, destination: LL_B });
  t.match(read(server.advertise(B, START)!), { to: B, destination: LL_B }, 'its address is remembered');
  t.same(server.counters, { sent: 3, solicited: 2, limited: 0, foreign: 0 });
});

t.test('defect 41: a link-layer address that is not the sender’s own draws nothing to another', async (t) => {
  const { clients, server } = setup();
  clients.set(A, client('2001:db8:a::/64', after(START, HOUR)));
  clients.set(B, client('2001:db8:b::/64', after(START, HOUR)));
  const forged = solicitation(B, { options: [{ type: 'sourceLinkLayer', mac: A }] });
  const told = read(server.receive('br-client', forged, START)!);
  t.equal(told.to, B);
  t.same(told.prefixes, ['2001:db8:b::/64 3600/3600']);
});

t.test('who is no client of that network, or asks another router, gets no answer', async (t) => {
  const { clients, server } = setup();
  t.equal(server.receive('br-client', solicitation(A), START), undefined);
  clients.set(B, client('2001:db8:1::/64', after(START, HOUR)));
  t.equal(server.receive('br-guest', solicitation(B), START), undefined);
  t.equal(server.receive('br-client', solicitation(B, { destination: 'fe80::1' as Ip6 }), START), undefined);
  t.equal(server.counters.foreign, 3);
  t.ok(server.receive('br-client', solicitation(B, { destination: gateway.linkLocal }), START), 'unicast to us (rdisc6)');
});

t.test('other frames are passed over', async (t) => {
  const { clients, server } = setup();
  clients.set(B, client('2001:db8:1::/64', after(START, HOUR)));
  const advertisement = server.advertise(B, START)!.frame;
  t.equal(server.receive('br-client', parseLinkFrame(advertisement)!, START), undefined);
  t.equal(server.counters.solicited, 0);
});

t.test('defect 34: nothing that a router ever says has a router lifetime of 0', async (t) => {
  const { clients, server } = setup();
  clients.set(B, client('2001:db8:1::/64', after(START, HOUR)));
  const lifetimes = [read(server.advertise(B, START)!).message.routerLifetime];
  clients.set(B, client('2001:db8:1::/64', START));
  lifetimes.push(read(server.advertise(B, after(START, SECOND))!).message.routerLifetime);
  server.left(B);
  clients.delete(B);
  t.same(server.poll(after(START, 100 * HOUR)), [], 'no farewell');
  const restarted = setup();
  restarted.clients.set(B, client('2001:db8:1::/64', after(START, HOUR)));
  t.equal(restarted.server.nextDeadline, undefined, 'silent until the client is known to be there');
  lifetimes.push(read(restarted.server.advertise(B, START)!).message.routerLifetime);
  t.same(lifetimes, [5400, 5400, 5400]);
});

t.test('answers are limited for each client, and for it alone', async (t) => {
  const { clients, server } = setup();
  clients.set(A, client('2001:db8:a::/64', after(START, HOUR)));
  clients.set(B, client('2001:db8:b::/64', after(START, HOUR)));
  let answered = 0;
  for (let ms = 0; ms < 60_000; ms += 10) {
    if (server.receive('br-client', solicitation(B), after(START, ms)) !== undefined) answered++;
  }
  t.ok(answered >= 20 && answered <= 24, `${answered} answers to 6000 solicitations in a minute`);
  t.equal(server.counters.limited, 6000 - answered);
  t.ok(server.receive('br-client', solicitation(A), after(START, MINUTE)));
  let usual = 0;
  for (const delay of [0, 4, 8]) if (server.receive('br-client', solicitation(A), after(START, (100 + delay) * SECOND))) usual++;
  t.equal(usual, 3, 'the three of a host that boots are all answered');
});

t.test('lifetimes count down, and refreshes come in time, while nobody extends the record', async (t) => {
  const { clients, server } = setup();
  clients.set(B, client('2001:db8:1::/64', after(START, HOUR)));
  const seen = [read(server.advertise(B, START)!).prefixes[0]];
  for (let now = server.nextDeadline!; now < START + HOUR; now = server.nextDeadline!) {
    const left = Math.floor((START + HOUR - now) / SECOND);
    const [told] = server.poll(now).map(read);
    t.same(told?.prefixes, [`2001:db8:1::/64 ${left}/${left}`]);
    seen.push(told?.prefixes[0]);
  }
  t.ok(seen.length < 40, `${seen.length} advertisements, not ever faster`);
});

t.test('an older prefix is told as deprecated, and a newer one first', async (t) => {
  const { clients, server } = setup();
  clients.set(B, client('2001:db8:1::/64', after(START, HOUR)));
  server.advertise(B, START);
  const both = [
    { prefix: prefix6('2001:db8:1::/64'), expires: after(START, HOUR), deprecated: true },
    { prefix: prefix6('2001:db8:2::/64'), expires: after(START, HOUR), deprecated: false },
  ];
  clients.set(B, { network: 'br-client', linkLocal: undefined, prefixes: both });
  t.same(read(server.advertise(B, START)!).prefixes, ['2001:db8:2::/64 3600/3600', '2001:db8:1::/64 3600/0']);
});

t.test('a prefix that is no longer the client’s is withdrawn until it cannot be valid any more', async (t) => {
  const { clients, server } = setup();
  clients.set(B, client('2001:db8:1::/64', after(START, HOUR)));
  server.advertise(B, START);
  clients.set(B, client('2001:db8:2::/64', after(START, 50 * HOUR)));
  t.same(read(server.advertise(B, START)!).prefixes, ['2001:db8:2::/64 10800/5400', '2001:db8:1::/64 0/0']);
  const later = server.poll(after(START, 50 * MINUTE)).map(read);
  t.same(later[0]?.prefixes, ['2001:db8:2::/64 10800/5400', '2001:db8:1::/64 0/0']);
  t.same(read(server.advertise(B, after(START, HOUR))!).prefixes, ['2001:db8:2::/64 10800/5400']);
});

t.test('a client without a prefix is told nothing until it has one', async (t) => {
  const { clients, server } = setup();
  clients.set(B, { network: 'br-client', linkLocal: LL_B, prefixes: [] });
  t.equal(server.advertise(B, START), undefined);
  t.equal(server.receive('br-client', solicitation(B), START), undefined);
  t.equal(server.nextDeadline, undefined);
  clients.set(B, client('2001:db8:1::/64', after(START, HOUR)));
  t.ok(server.advertise(B, START));
  t.ok(server.nextDeadline);
  t.equal(server.advertise(A, START), undefined, 'nor is one that is not there');
});

t.test('mode host: every client is told the shared prefix', async (t) => {
  const { clients, server } = setup({ mode: 'host', sharedPrefixes: [prefix6('2001:db8:44::/64')] });
  clients.set(B, { network: 'br-client', linkLocal: LL_B, prefixes: [] });
  t.same(read(server.advertise(B, START)!).prefixes, ['2001:db8:44::/64 10800/5400']);
  const old = { prefix: prefix6('2001:db8:1::/64'), expires: after(START, HOUR), deprecated: true };
  clients.set(B, { network: 'br-client', linkLocal: LL_B, prefixes: [old] });
  t.same(read(server.advertise(B, START)!).prefixes, ['2001:db8:44::/64 10800/5400', '2001:db8:1::/64 3600/0'], 'beside what it had before');
});

t.test('who has left is told nothing; who returns is told again, once for each deadline', async (t) => {
  const { clients, server } = setup();
  clients.set(B, client('2001:db8:1::/64', after(START, 100 * HOUR)));
  let now = START;
  for (let i = 0; i < 100; i++) {
    server.advertise(B, now);
    server.left(B);
    now = after(now, SECOND);
  }
  t.same(server.poll(after(now, HOUR)), []);
  t.equal(server.nextDeadline, undefined, 'nothing is kept of it');
  server.advertise(B, now);
  t.equal(server.poll(after(now, HOUR)).length, 1);
});

t.test('an earlier deadline takes the place of a later one', async (t) => {
  const { clients, server } = setup();
  clients.set(B, client('2001:db8:1::/64', after(START, 100 * HOUR)));
  for (let i = 0; i < 10; i++) {
    clients.set(B, client('2001:db8:1::/64', after(START, 100 * HOUR)));
    server.advertise(B, START);
    clients.set(B, client('2001:db8:1::/64', after(START, 10 * MINUTE)));
    server.advertise(B, START);
  }
  clients.set(B, client('2001:db8:1::/64', after(START, 100 * HOUR)));
  let told = 0;
  while (server.nextDeadline! < START + 10 * HOUR) told += server.poll(server.nextDeadline!).length;
  t.ok(told >= 20 && told <= 28, `${told} in ten hours`);
});

t.test('a new configuration reaches all within seconds, and not all at once', async (t) => {
  const { clients, server } = setup();
  const macs = Array.from({ length: 200 }, (_, i) => `02:00:00:00:01:${i.toString(16).padStart(2, '0')}` as Mac);
  for (const mac of macs) {
    clients.set(mac, client('2001:db8:1::/64', after(START, 100 * HOUR)));
    server.advertise(mac, START);
  }
  server.left(macs[0]!);
  t.throws(() => server.reconfigure({ ...DEFAULT_RA_CONFIG, routerLifetime: 0 }, gateway, START), BadInput);
  server.reconfigure({ ...DEFAULT_RA_CONFIG, mtu: 1400 }, gateway, START);
  const instants = new Set<Instant>();
  const told = new Set<Mac>();
  while (server.nextDeadline! <= START + 3 * SECOND) {
    const now = server.nextDeadline!;
    for (const frame of server.poll(now)) {
      instants.add(now);
      const { to, message } = read(frame);
      told.add(to);
      t.ok(message.options.some((option) => option.type === 'mtu' && option.mtu === 1400));
    }
  }
  t.same(told, new Set(macs.slice(1)));
  t.ok(instants.size > 100, `${instants.size} instants`);
});

t.test('what another configuration does not say any more is taken back, for as long as somebody may believe it', async (t) => {
  const mine = { dns: ['2001:db8::53', '2001:db8::54'] as Ip6[], search: ['a.example', 'b.example'], pref64: prefix6('64:ff9b::/96'), routes: [prefix6('2001:db8:98::/48'), prefix6('2001:db8:99::/48')] };
  const { clients, server } = setup(mine);
  clients.set(B, client('2001:db8:1::/64', after(START, 100 * HOUR)));
  const told = (now: Instant) =>
    read(server.advertise(B, now)!).message.options.flatMap((option) => {
      if (option.type === 'rdnss') return option.servers.map((server) => `${server} ${option.lifetime}`);
      if (option.type === 'dnssl') return option.domains.map((domain) => `${domain} ${option.lifetime}`);
      return option.type === 'pref64' || option.type === 'route' ? [`${formatPrefix(option.prefix)} ${option.lifetime}`] : [];
    });
  t.equal(told(START).filter((line) => line.endsWith(' 0')).length, 0);
  const other = { ...DEFAULT_RA_CONFIG, dns: ['2001:db8::54'] as Ip6[], search: ['b.example'], pref64: prefix6('2001:db8:64::/96'), routes: [prefix6('2001:db8:99::/48')] };
  server.reconfigure(other, gateway, START);
  const current = ['2001:db8:99::/48 5400', '2001:db8::54 5400', 'b.example 5400', '2001:db8:64::/96 5400'];
  t.same(told(after(START, MINUTE)), [...current, '64:ff9b::/96 0', '2001:db8::53 0', 'a.example 0', '2001:db8:98::/48 0']);
  t.same(told(after(START, 90 * MINUTE)), current, 'the longest that it was promised is over');
  server.reconfigure({ ...DEFAULT_RA_CONFIG, ...mine }, gateway, after(START, 91 * MINUTE));
  const back = told(after(START, 92 * MINUTE));
  t.ok(back.includes('2001:db8::53 5400') && !back.includes('2001:db8::53 0'), 'what is said again is not taken back');
  t.same(back.filter((line) => line.endsWith(' 0')), ['2001:db8:64::/96 0']);
  const many = Array.from({ length: 20 }, (_, n) => prefix6(`2001:db8:${100 + n}::/48`));
  server.reconfigure({ ...DEFAULT_RA_CONFIG, routes: many, dns: Array.from({ length: 15 }, (_, n) => `2001:db8::${n + 1}` as Ip6) }, gateway, after(START, 93 * MINUTE));
  t.ok(server.advertise(B, after(START, 93 * MINUTE))!.frame.length <= 14 + 1280, 'and never more than fits');
  for (let round = 1; round < 5; round++) {
    const dns = Array.from({ length: 40 }, (_, n) => `2001:db8::${round}:${n + 1}` as Ip6);
    server.reconfigure({ ...DEFAULT_RA_CONFIG, dns }, gateway, after(START, 94 * MINUTE));
    t.ok(server.advertise(B, after(START, 94 * MINUTE))!.frame.length <= 14 + 1280, 'however much there was');
  }
});

t.test('refreshes of clients that arrived together drift apart', async (t) => {
  const { clients, server } = setup();
  for (let i = 0; i < 100; i++) {
    const mac = `02:00:00:00:01:${i.toString(16).padStart(2, '0')}` as Mac;
    clients.set(mac, client('2001:db8:1::/64', after(START, 100 * HOUR)));
    server.advertise(mac, START);
  }
  t.equal(server.poll(after(START, 1350 * SECOND - 1)).length, 0, 'none before a quarter of the lifetime');
  const early = server.poll(after(START, 1575 * SECOND)).length;
  t.ok(early > 30 && early < 70, `${early} of 100 in the first half`);
  t.equal(server.poll(after(START, 1800 * SECOND)).length, 100 - early, 'all by a third');
});

t.test('a configuration that cannot be told is refused at the start', async (t) => {
  t.throws(() => setup({ search: ['..'] }), BadInput);
});
