import t from 'tap';
import { checkGatewayLink, neededSettings } from '../../src/gateway/check.js';
import type { Gateway } from '../../src/gateway/gateway.js';
import { GATEWAY_LINK_LOCAL, GATEWAY_MAC } from '../../src/gateway/gateway.js';
import type { Ip4 } from '../../src/net/ip.js';
import { parseIp } from '../../src/net/ip.js';
import type { Mac } from '../../src/net/mac.js';
import { hostPrefix } from '../../src/net/prefix.js';
import type { ClientLink } from '../../src/ports.js';

const gateway: Gateway = { mac: GATEWAY_MAC, linkLocal: GATEWAY_LINK_LOCAL, addresses4: ['10.44.0.1' as Ip4] };
const addresses = (...texts: string[]) => texts.map((text) => hostPrefix(parseIp(text)));
const good: ClientLink = {
  network: 'br-client',
  ifindex: 7,
  mac: GATEWAY_MAC,
  mtu: 1500,
  up: true,
  addresses: addresses('10.44.0.1', GATEWAY_LINK_LOCAL, 'fe80::1', '2001:db8::1'),
};

const table: [what: string, link: Partial<ClientLink>, said: RegExp[]][] = [
  ['as it should be', {}, []],
  ['down', { up: false }, [/^br-client is down/]],
  ['its own MAC', { mac: '02:00:00:00:00:01' as Mac }, [/has the MAC 02:00:00:00:00:01, not 00:00:5e:00:52:13/]],
  ['no link-local address of the gateway', { addresses: addresses('10.44.0.1', 'fe80::1') }, [/lacks .* fe80::200:5eff:fe00:5213/]],
  ['none, where the kernel has no IPv6', { addresses: addresses('10.44.0.1'), withoutIp6: true }, []],
  ['no IPv4 address', { addresses: addresses(GATEWAY_LINK_LOCAL) }, [/lacks the address 10\.44\.0\.1/]],
  [
    'a MAC that the bridge below does not know',
    { network: 'br-lan.20', unknownTo: { bridge: 'br-lan', ifindex: 3, vlan: 20 } },
    [/^br-lan does not know the MAC of br-lan\.20: .* VLAN 20 .*bridge fdb add 00:00:5e:00:52:13 dev br-lan self local vlan 20/],
  ],
  ['a tiny MTU', { mtu: 1279 }, [/MTU of 1279/]],
  ['all at once', { up: false, mac: '02:00:00:00:00:01' as Mac, mtu: 576, addresses: [] }, [/down/, /MAC/, /fe80/, /10\.44/, /MTU/]],
];

for (const [what, link, said] of table) {
  t.test(what, async (t) => {
    const problems = checkGatewayLink({ ...good, ...link }, gateway);
    t.equal(problems.length, said.length, problems.join('; '));
    said.forEach((pattern, i) => t.match(problems[i], pattern));
  });
}

t.test('settings', async (t) => {
  const needed = neededSettings('br-client', false);
  const say = (value: (wanted: string) => string) =>
    checkGatewayLink(good, gateway, new Map(needed.map((one) => [one.name, value(one.value)])), needed);
  t.same(say((wanted) => wanted), []);
  t.same(checkGatewayLink(good, gateway, new Map(), needed), [], 'what the kernel does not have is not asked for');
  t.match(say(() => '1'), [
    /^net\/ipv4\/conf\/all\/send_redirects is 1, not 0: two clients/,
    /^net\/ipv4\/conf\/br-client\/send_redirects is 1, not 0/,
    /^net\/ipv4\/conf\/br-client\/proxy_arp is 1, not 0/,
  ]);
  t.match(say(() => '0'), [
    /^net\/ipv4\/conf\/br-client\/forwarding is 0, not 1/,
    /^net\/ipv6\/conf\/all\/forwarding is 0, not 1/,
  ]);
  t.notOk(neededSettings('br-client').some(({ name }) => name.endsWith('send_redirects')), 'the packet filter does that');
});
