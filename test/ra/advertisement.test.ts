import t from 'tap';
import type { Instant } from '../../src/clients/time.js';
import { after, SECOND } from '../../src/clients/time.js';
import { BadInput, toHex } from '../../src/net/bytes.js';
import type { Ip6 } from '../../src/net/ip.js';
import { parseLinkFrame } from '../../src/net/link-frame.js';
import type { Mac } from '../../src/net/mac.js';
import type { RouterAdvertisement } from '../../src/net/nd.js';
import type { Prefix6 } from '../../src/net/prefix.js';
import { formatPrefix, parsePrefix } from '../../src/net/prefix.js';
import type { ClientPrefix } from '../../src/ra/advertisement.js';
import { buildRa, MAX_PREFIXES, raFrame } from '../../src/ra/advertisement.js';
import type { RaConfig } from '../../src/ra/config.js';
import { checkRaConfig, DEFAULT_RA_CONFIG } from '../../src/ra/config.js';
import { remarks, tshark, tsharkMissing } from '../net/tshark.js';

const NOW = 1_000_000 as Instant;
const CLIENT = '02:00:00:00:00:0b' as Mac;
const CLIENT_LL = 'fe80::ff:fe00:b' as Ip6;
const gateway = { mac: '00:00:5e:00:52:13' as Mac, linkLocal: 'fe80::200:5eff:fe00:5213' as Ip6 };
const prefix6 = (text: string) => parsePrefix(text) as Prefix6;
const ip = (text: string) => text as Ip6;

const full: RaConfig = {
  ...DEFAULT_RA_CONFIG,
  dns: [ip('2001:db8::53'), ip('2001:db8::54')],
  search: ['mesh.example', 'lan'],
  mtu: 1420,
  pref64: prefix6('64:ff9b::/96'),
  routes: [prefix6('fd44::/32')],
};

function own(text: string, seconds: number, deprecated = false): ClientPrefix {
  return { prefix: prefix6(text), expires: after(NOW, seconds * SECOND), deprecated };
}

/** `prefix valid/preferred` of each prefix information option. */
function prefixesOf(message: RouterAdvertisement): string[] {
  return message.options
    .filter((option) => option.type === 'prefix')
    .map((option) => `${formatPrefix(option.prefix)} ${option.validLifetime}/${option.preferredLifetime}`);
}

t.test('golden frame with every option', async (t) => {
  const message = buildRa([own('2001:db8:1:2::/64', 3600)], [], full, gateway, NOW);
  const frame = raFrame(CLIENT, CLIENT_LL, gateway, message);
  t.equal(
    toHex(frame),
    '02000000000b00005e00521386dd' +
      '6000000000a83aff' + 'fe8000000000000002005efffe005213' + 'fe80000000000000000000fffe00000b' +
      '8600174140001518' + '0000000000000000' +
      '010100005e005213' +
      '0304404000000e1000000e100000000020010db8000100020000000000000000' +
      '050100000000058c' +
      '1802200000001518fd44000000000000' +
      '190500000000151820010db800000000000000000000005320010db8000000000000000000000054' +
      '1f04000000001518046d657368076578616d706c6500036c616e000000000000' +
      '260215180064ff9b0000000000000000',
  );
  t.same(parseLinkFrame(frame), {
    protocol: 'nd',
    ethernet: { destination: CLIENT, source: gateway.mac, etherType: 0x86dd },
    packet: { source: gateway.linkLocal, destination: CLIENT_LL, message },
  });
});

t.test('a client without a known link-local address: all nodes, in a frame to it alone', async (t) => {
  const frame = raFrame(CLIENT, undefined, gateway, buildRa([], [], full, gateway, NOW));
  t.match(parseLinkFrame(frame), { ethernet: { destination: CLIENT }, packet: { destination: 'ff02::1' } });
});

t.test('RFC 8273 section 4, flag by flag', async (t) => {
  const message = buildRa([own('2001:db8:1:2::/64', 3600)], [], full, gateway, NOW);
  t.match(message, { managed: false, other: false, hopLimit: 64, preference: 'medium', reachableTime: 0 });
  t.match(message.options[1], { type: 'prefix', onLink: false, autonomous: true });
});

t.test('defect 35: DNS lifetimes are seconds, no prefix is on link', async (t) => {
  const { options } = buildRa([own('2001:db8:1:2::/64', 3600)], [], full, gateway, NOW);
  t.match(options.find(({ type }) => type === 'rdnss'), { lifetime: 5400 });
  t.match(options.find(({ type }) => type === 'dnssl'), { lifetime: 5400 });
  t.notOk(options.some((option) => option.type === 'prefix' && option.onLink));
});

t.test('the default router lifetime is within 45 to 90 minutes (RFC 7772 section 4)', async (t) => {
  const { routerLifetime } = buildRa([], [], DEFAULT_RA_CONFIG, gateway, NOW);
  t.ok(routerLifetime >= 45 * 60 && routerLifetime <= 90 * 60, `${routerLifetime} s`);
});

const lifetimes: [what: string, prefixes: ClientPrefix[], told: string[]][] = [
  ['less than the limits', [own('2001:db8:1::/64', 600)], ['2001:db8:1::/64 600/600']],
  ['between the limits', [own('2001:db8:1::/64', 9000)], ['2001:db8:1::/64 9000/5400']],
  ['beyond the limits', [own('2001:db8:1::/64', 90_000)], ['2001:db8:1::/64 10800/5400']],
  ['beyond 32 bits', [own('2001:db8:1::/64', 1e12)], ['2001:db8:1::/64 10800/5400']],
  ['expired', [own('2001:db8:1::/64', -5)], ['2001:db8:1::/64 0/0']],
  [
    'an older prefix, deprecated, comes last',
    [own('2001:db8:1::/64', 1800, true), own('2001:db8:2::/64', 3600)],
    ['2001:db8:2::/64 3600/3600', '2001:db8:1::/64 1800/0'],
  ],
];

for (const [what, prefixes, told] of lifetimes) {
  t.test(`lifetimes: ${what}`, async (t) => {
    t.same(prefixesOf(buildRa(prefixes, [], DEFAULT_RA_CONFIG, gateway, NOW)), told);
  });
}

t.test('lifetimes count down as the record does', async (t) => {
  const prefixes = [own('2001:db8:1::/64', 3600)];
  for (const passed of [0, 1, 60, 1800, 3599, 3600, 5000]) {
    const left = Math.max(0, 3600 - passed);
    const told = prefixesOf(buildRa(prefixes, [], DEFAULT_RA_CONFIG, gateway, after(NOW, passed * SECOND)));
    t.same(told, [`2001:db8:1::/64 ${left}/${left}`], `after ${passed} s`);
  }
});

t.test('withdrawn prefixes are told with lifetimes of 0, unless the client has them again', async (t) => {
  const withdrawn = [prefix6('2001:db8:1::/64'), prefix6('2001:db8:9::/64')];
  const message = buildRa([own('2001:db8:1::/64', 600)], withdrawn, DEFAULT_RA_CONFIG, gateway, NOW);
  t.same(prefixesOf(message), ['2001:db8:1::/64 600/600', '2001:db8:9::/64 0/0']);
});

t.test('of too many prefixes the old ones are left out', async (t) => {
  const many = Array.from({ length: 20 }, (_, i) => own(`2001:db8:${i + 1}::/64`, 600, i < 15));
  const told = prefixesOf(buildRa(many, [], DEFAULT_RA_CONFIG, gateway, NOW));
  t.equal(told.length, MAX_PREFIXES);
  t.equal(told.filter((line) => line.endsWith('600/600')).length, 5);
});

t.test('mode host: the shared prefix, A and not L, and deprecated what the client has of a time before', async (t) => {
  const shared: RaConfig = { ...DEFAULT_RA_CONFIG, mode: 'host', sharedPrefixes: [prefix6('2001:db8:44::/64')] };
  const message = buildRa([{ ...own('2001:db8:1::/64', 600), deprecated: true }], [], shared, gateway, NOW);
  t.same(prefixesOf(message), ['2001:db8:44::/64 10800/5400', '2001:db8:1::/64 600/0']);
  t.match(message.options[1], { onLink: false, autonomous: true });
  t.same(prefixesOf(buildRa([], [], shared, gateway, NOW)), ['2001:db8:44::/64 10800/5400']);
});

const refused: [why: RegExp, config: Partial<RaConfig>][] = [
  [/router lifetime 0/, { routerLifetime: 0 }],
  [/router lifetime 65536/, { routerLifetime: 65536 }],
  [/router lifetime NaN/, { routerLifetime: NaN }],
  [/preferred lifetime 7200/, { preferredLifetime: 7200, validLifetime: 3600 }],
  [/preferred lifetime 0/, { preferredLifetime: 0 }],
  [/MTU 1279/, { mtu: 1279 }],
  [/no shared prefix/, { mode: 'host' }],
  [/64 bits, not 56/, { mode: 'host', sharedPrefixes: [prefix6('2001:db8::/56')] }],
  [/more than 12 shared/, { mode: 'host', sharedPrefixes: new Array<Prefix6>(13).fill(prefix6('2001:db8::/64')) }],
  [/PREF64 knows no prefix length 60/, { pref64: prefix6('2001:db8::/60') }],
  [/not a domain name/, { search: ['a..b'] }],
  [/take \d+ bytes/, { dns: new Array<Ip6>(80).fill(ip('2001:db8::53')) }],
];

t.test('configurations that no advertisement can tell', async (t) => {
  checkRaConfig(full);
  for (const [message, config] of refused) {
    t.throws(() => checkRaConfig({ ...DEFAULT_RA_CONFIG, ...config }), { name: BadInput.name, message }, String(message));
  }
});

t.test('the largest advertisement fits the smallest MTU', async (t) => {
  const servers = Array.from({ length: 60 }, (_, i) => ip(`2001:db8::${(i + 1).toString(16)}`));
  const most = servers.findLastIndex((_, i) => {
    try {
      checkRaConfig({ ...DEFAULT_RA_CONFIG, dns: servers.slice(0, i) });
      return true;
    } catch {
      return false;
    }
  });
  const config = { ...DEFAULT_RA_CONFIG, dns: servers.slice(0, most) };
  const many = Array.from({ length: 20 }, (_, i) => own(`2001:db8:${i + 1}::/64`, 600));
  const frame = raFrame(CLIENT, CLIENT_LL, gateway, buildRa(many, [], config, gateway, NOW));
  t.ok(frame.length - 14 <= 1280, `${frame.length - 14} bytes`);
  t.ok(frame.length - 14 > 1280 - 16, 'and uses it');
});

t.test('tshark', { skip: tsharkMissing() }, async (t) => {
  const shared: RaConfig = { ...full, mode: 'host', sharedPrefixes: [prefix6('2001:db8:44::/64')] };
  const prefixes = [own('2001:db8:1:2::/64', 3600), own('2001:db8:1:1::/64', 1800, true)];
  const frames = [full, DEFAULT_RA_CONFIG, shared].flatMap((config) => {
    const message = buildRa(prefixes, [prefix6('2001:db8:9::/64')], config, gateway, NOW);
    return [raFrame(CLIENT, CLIENT_LL, gateway, message), raFrame(CLIENT, undefined, gateway, message)];
  });
  t.same(remarks(frames), []);
  const fields = ['icmpv6.nd.ra.router_lifetime', 'icmpv6.opt.prefix.valid_lifetime', 'icmpv6.opt.rdnss', 'icmpv6.opt.pref64.prefix'];
  t.equal(
    tshark(frames, 'icmpv6.type == 134', ...fields)[0],
    '5400|3600,1800,0|2001:db8::53,2001:db8::54|64:ff9b::',
  );
});
