import t from 'tap';
import { parse } from 'uci-parser';
import { checkBabel, sharedRouterId } from '../../src/cli/doctor/babel.js';
import { checkDhcp } from '../../src/cli/doctor/dhcp.js';
import type { Finding } from '../../src/cli/doctor/finding.js';
import { formatFindings, hasErrors } from '../../src/cli/doctor/finding.js';
import { checkLinks } from '../../src/cli/doctor/gateway.js';
import { checkAccessPoints, checkClock, checkIp6, checkMtu, checkNodes, checkPeers, checkPrefixes, checkProblems, checkReach, leasesOfPresent } from '../../src/cli/doctor/network.js';
import { networksOf } from '../../src/cli/doctor/uci.js';
import { NO_IP6 } from '../../src/config/without-ip6.js';
import { COLOURED, PLAIN } from '../../src/cli/style.js';
import { parsePrefix } from '../../src/net/prefix.js';
import { GATEWAY_MAC } from '../../src/gateway/gateway.js';
import { EPOCH } from '../status/support.js';

const levels = (findings: readonly Finding[]) => findings.map(({ level }) => level);
const uci = (name: string, text: string) => parse(new TextEncoder().encode(text), { name, file: `/etc/config/${name}` });

t.test('babeld', async (t) => {
  const good = { version: 'babeld-1.13.1', routerId: undefined, configuredId: '02:11:22:33:44:55:66:77', running: true };
  const check = (facts: Partial<Parameters<typeof checkBabel>[0]>) => checkBabel({ ...good, ...facts }, GATEWAY_MAC, 'opkg');
  t.same(levels(check({})), ['good', 'good']);
  t.same(check({ version: undefined }), [], 'another routing protocol is as good');
  for (const old of ['babeld-1.12.1', 'babeld-1.9', 'babeld-0.99.7']) t.same(levels(check({ version: old })), ['warning', 'good'], old);
  for (const late of ['1.12.2', 'babeld-1.12.10', '2.0']) t.same(levels(check({ version: late })), ['good', 'good'], late);
  t.match(checkBabel({ ...good, version: '1.12.1' }, GATEWAY_MAC, 'apk')[0]!.fix, ['apk update && apk upgrade babeld']);
  t.same(levels(check({ version: 'babeld from git' })), ['unknown', 'good']);
  t.equal(sharedRouterId(GATEWAY_MAC), '02:00:5e:ff:fe:00:52:13');
  t.same(levels(check({ routerId: '02:00:5E:FF:FE:00:52:13' })), ['good', 'error']);
  t.same(levels(check({ configuredId: '02:00:5e:ff:fe:00:52:13' })), ['good', 'error']);
  t.same(levels(check({ configuredId: undefined })), ['good', 'warning'], 'it may choose the shared MAC at the next start');
  t.same(levels(checkBabel({ ...good, configuredId: undefined }, undefined, 'opkg')), ['good'], 'no router without clients has that MAC');
  t.match(check({ running: false })[1], { level: 'warning', message: /does not run/, fix: [/service babeld start/] });
});

t.test('other servers of DHCP', async (t) => {
  const network = uci(
    'network',
    `
config interface 'lan'
	option device 'br-lan'
config interface 'client'
	option device 'br-client'
config interface 'old'
	option ifname 'br-old'
`,
  );
  t.same(networksOf(network, ['br-client', 'br-old']), [
    { network: 'client', device: 'br-client' },
    { network: 'old', device: 'br-old' },
  ]);
  t.same(networksOf(network, ['client']), [{ network: 'client', device: 'br-client' }], 'named by the network');
  const check = (text: string) => checkDhcp(uci('dhcp', text), [{ network: 'client', device: 'br-client' }]);
  t.same(levels(check("config dhcp 'lan'\n\toption interface 'lan'\n")), ['good']);
  t.same(levels(check("config dhcp 'x'\n\toption interface 'client'\n\toption ignore '1'\n")), ['good']);
  t.same(levels(check("config dhcp 'x'\n\toption interface 'client'\n\toption dhcpv4 'disabled'\n\toption ra 'disabled'\n")), ['good']);
  const [both] = check("config dhcp\n\toption interface 'client'\n\toption ra 'server'\n");
  t.match(both, { level: 'error', message: /^br-client: dnsmasq gives addresses and odhcpd does ra too/ });
  t.ok(both!.fix!.includes('uci set dhcp.@dhcp[0].ignore=1'));
});

t.test('client interfaces: what fixes them stands once, below the last', async (t) => {
  const reports = [
    { device: 'br-a', problems: [] },
    { device: 'br-b', problems: ['br-b is down', 'br-b has the MAC x'] },
    { device: 'br-c', problems: undefined },
  ];
  t.same(levels(checkLinks(reports, false)), ['good', 'error', 'error', 'error']);
  t.match(checkLinks(reports, false)[2], { fix: ['uci set roaming.main.setup=1', /restart/] });
  t.equal(checkLinks(reports, false)[1]!.fix, undefined);
  t.match(checkLinks(reports, true)[2], { fix: [/^service roaming restart/] });
});

t.test('clock', async (t) => {
  t.equal(checkClock(EPOCH).level, 'good');
  t.match(checkClock(86400), { level: 'warning', message: /1970-01-02/ });
  t.same(checkIp6(true), []);
  t.match(checkIp6(false), [{ level: 'warning', message: /no IPv6/ }]);
  t.same(checkProblems([NO_IP6], checkIp6(false)), [], 'the daemon says the same');
});

t.test('access points', async (t) => {
  t.same(checkAccessPoints([], [], 'opkg'), [], 'a transit node has none');
  t.same(levels(checkAccessPoints(undefined, ['br-client'], 'opkg')), ['error']);
  t.same(levels(checkAccessPoints([], ['br-client'], 'opkg')), ['warning']);
  t.match(checkAccessPoints(['hostapd.phy0-ap0'], ['br-client'], 'opkg'), [{ level: 'good', message: /hostapd\.phy0-ap0/ }]);
});

t.test('routers to which there is no way', async (t) => {
  const node = { node: '0000000000000002', name: 'r2', addresses: ['fd99::2', '10.99.0.2'], port: 4444, clients: 1, self: false, peer: true, adjacencies: [] };
  t.same(checkReach([]), []);
  t.match(checkReach([node]), [{ level: 'warning', message: /no route to router r2 \(fd99::2, 10\.99\.0\.2\)/, fix: [/^ip route get fd99::2/] }]);
});

t.test('leases in other prefixes than ours', async (t) => {
  const prefixes = [parsePrefix('10.44.0.0/16'), parsePrefix('2001:db8:44::/48')];
  const lease = (address: string) => ({ address, family: 4 as const, mac: '02:00:00:00:00:01', hostname: '', expires: 0, remaining: 0 });
  t.same(checkPrefixes([lease('10.44.0.9'), lease('2001:db8:44:7::/64')], prefixes), []);
  t.same(checkPrefixes([lease('10.46.0.9')], []), [], 'a router without clients need not know them');
  t.match(checkPrefixes([lease('10.44.0.9'), lease('10.46.0.9')], prefixes), [{ level: 'error', message: /10\.46\.0\.9.*another option prefix/ }]);
  t.match(checkPrefixes([lease('10.46.0.9'), lease('2001:db8:45::/64')], prefixes), [{ message: /and so have 1 more/ }]);

  const strange = [lease('10.46.0.9'), { ...lease('10.46.0.10'), mac: '02:00:00:00:00:02' }, { ...lease('10.46.0.11'), mac: '02:00:00:00:00:03' }];
  const clients = [{ mac: '02:00:00:00:00:01', node: '0000000000000002' }, { mac: '02:00:00:00:00:02', node: '' }];
  t.same(leasesOfPresent(strange, clients), [strange[0]], 'of who has gone none count: they only wait for their end');
});

t.test('what the daemon says, where it has not been found already', async (t) => {
  const found = checkLinks([{ device: 'br-c', problems: undefined }], false);
  const problems = ['there is no interface br-c: its clients are not served', 'two routers have one id'];
  t.same(checkProblems(problems, found), [{ level: 'warning', message: 'two routers have one id', fix: [] }]);
  for (const [problem, fix] of [
    ['02:00:00:00:00:01 flaps between here and r2: do two devices', /^roaming history 02:00:00:00:00:01 /],
    ["02:00:00:00:00:01 says that it has the gateway's address 10.44.0.1", /^roaming disassociate 02:00:00:00:00:01 /],
    ['another DHCP server, 10.44.66.1, gives addresses on br-c', /^tcpdump -eni br-c udp src port 67 /],
    ['peer 10.99.0.2:1 has the same node id as this node, 11197d21582f9c18: each', /^grep -r 11197d21582f9c18 /],
  ] as const) {
    t.match(checkProblems([problem], []), [{ level: 'warning', fix: [fix] }], problem);
  }
});

t.test('peers', async (t) => {
  const peer = {
    remote: '[fd99::2]:4444',
    direction: 'out',
    state: 'up', standby: false, unresponsive: false,
    kind: 'roaming',
    node: '02',
    node_name: 'r2',
    since: 1,
    bytes_in: 0,
    bytes_out: 0,
    records_in: 0,
    records_out: 0,
  };
  t.same(levels(checkPeers(undefined)), ['unknown'], 'a daemon that does not run is no fault of the configuration');
  t.same(levels(checkPeers([])), ['warning']);
  t.same(levels(checkPeers([peer])), ['good']);
  const refused = { ...peer, state: 'waiting', standby: false, error: 'connection refused' };
  t.match(checkPeers([peer, refused]), [{ level: 'good' }, { level: 'warning', fix: ['ping fd99::2'] }]);
  const mute = { ...peer, unresponsive: true };
  t.match(checkPeers([peer, mute]), [{ level: 'good', message: 'peers: 1 up' }, { level: 'warning', message: /does not acknowledge/, fix: ['ping fd99::2'] }]);
  t.match(checkPeers([mute])[0], { message: /^no peer is up/ });
  t.match(checkPeers([refused])[0], { message: /^no peer is up/, fix: undefined }, 'one is configured');
  t.match(checkPeers([{ ...refused, error: 'TLS alert: decrypt error' }])[1], { fix: [/^uci get roaming\.main\.key/] });
});

t.test('MTU', async (t) => {
  const client = [{ device: 'br-client', mtu: 1500 }];
  t.same(levels(checkMtu(client, [{ device: 'eth0', mtu: 1500 }], undefined)), ['good']);
  t.match(checkMtu(client, [{ device: 'wg0', mtu: 1420 }, { device: 'eth0', mtu: 1500 }], undefined), [
    { level: 'warning', message: /1500 bytes, and there is less on wg0 \(1420\)/, fix: ['uci set roaming.main.mtu=1420', /reload/] },
  ]);
  t.same(levels(checkMtu(client, [{ device: 'wg0', mtu: 1420 }], 1420)), ['good'], 'what clients are told counts');
});

t.test('routers', async (t) => {
  const node = (name: string, addresses: string[]) => ({ node: `0${name}`, name, addresses, port: 1, clients: 0, self: false, peer: true, adjacencies: [] });
  t.same(checkNodes(undefined), []);
  t.same(checkNodes([node('r1', ['10.99.0.1']), node('r2', ['10.99.0.2'])]), []);
  t.match(checkNodes([node('OpenWrt', ['10.99.0.1']), node('OpenWrt', ['10.99.0.2'])]), [{ message: 'several routers call themselves OpenWrt' }]);
  t.same(checkNodes([node('r1', ['fd99::1', '10.99.0.1']), node('r1', ['10.99.0.1'])]), [], 'one router, which had another id before');
  t.match(checkNodes([node('old', [])]), [{ level: 'warning', message: /^router old has told no address/ }]);
});

t.test('how it is said', async (t) => {
  const findings: Finding[] = [
    { level: 'good', message: 'the clock is set' },
    { level: 'error', message: 'br-client is down', fix: ['ifup client'] },
  ];
  t.equal(formatFindings(findings, PLAIN), 'good     the clock is set\nERROR    br-client is down\n         fix: ifup client\n');
  t.match(formatFindings(findings, COLOURED), '\x1b[31mERROR  \x1b[39m');
  t.equal(hasErrors(findings), true);
  t.equal(hasErrors(findings.slice(0, 1)), false);
});
