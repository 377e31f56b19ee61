import t from 'tap';
import { dhcp4Config, dhcp4Limits, raConfig, serviceProblem } from '../src/service-config.js';
import { configOf } from './support.js';

const configFor = (...options: string[]) => configOf("list interface 'br-client'", ...options);
const BOTH = ["list prefix '10.44.0.0/16'", "list prefix '2001:db8:44::/48'"];

t.test('every option reaches the DHCPv4 server', async (t) => {
  const config = configFor(
    ...BOTH,
    "option netmask 'host'",
    "option lease_time '2h'",
    "list dns '192.0.2.53'",
    "list dns '2001:db8::53'",
    "option domain 'mesh.example'",
    "list search 'a.example'",
    "list ntp '192.0.2.123'",
    "list route '10.0.0.0/8'",
    "list route '192.0.2.0/24,10.44.0.9'",
    "list route '2001:db8::/32'",
    "option mtu '1400'",
    "option captive_portal 'https://portal.example'",
    "option ipv6_only_wait '1h'",
    "option rapid_commit '0'",
    "list exclude '10.44.0.2'",
    "list relay '192.0.2.0/24'",
    "option dhcp_rate '9'",
    "option discover_rate '7'",
    "option new_lease_rate '5'",
    "option decline_time '1m'",
    "option decline_rate '3'",
    "config host",
    "option mac '02:00:5e:00:53:01'",
    "option ip '10.44.0.7'",
    "option name 'printer'",
  );
  t.match(dhcp4Config(config, ['10.44.0.3' as never]), {
    gateway: '10.44.0.1',
    netmask: 'host',
    leaseTime: 7200,
    dns: ['192.0.2.53'],
    domain: 'mesh.example',
    search: ['a.example'],
    ntp: ['192.0.2.123'],
    routes: [
      { destination: { address: '10.0.0.0', length: 8 }, via: '10.44.0.1' },
      { destination: { address: '192.0.2.0', length: 24 }, via: '10.44.0.9' },
    ],
    mtu: 1400,
    captivePortal: 'https://portal.example',
    ipv6OnlyWait: 3600,
    rapidCommit: false,
    excluded: ['10.44.0.2', '10.44.0.3'],
    relays: [{ address: '192.0.2.0', length: 24 }],
    reservations: [{ mac: '02:00:5e:00:53:01', address: '10.44.0.7', name: 'printer' }],
  });
  t.match(dhcp4Limits(config), {
    messagesPerSecond: 9,
    messageBurst: 36,
    discoversPerSecond: 7,
    discoverBurst: 14,
    newLeasesPerSecond: 5,
    newLeaseBurst: 20,
    declineTime: 60_000,
    declinesPerSecond: 3,
    declineBurst: 24,
  });
  t.match(raConfig(config), {
    routerLifetime: 5400,
    preferredLifetime: 5400,
    validLifetime: 10_800,
    dns: ['2001:db8::53'],
    search: ['a.example'],
    mtu: 1400,
    captivePortal: 'https://portal.example',
    routes: [{ address: '2001:db8::', length: 32 }],
  });
});

t.test('without IPv4 there is no DHCPv4', async (t) => {
  const config = configFor("list prefix 'fd44::/48'", "option domain 'mesh.example'", "option pref64 '64:ff9b::/96'", "option router_lifetime '3h'");
  t.equal(dhcp4Config(config), undefined);
  t.match(raConfig(config), { search: ['mesh.example'], pref64: { length: 96 }, routerLifetime: 10_800, preferredLifetime: 10_800, validLifetime: 21_600 });
});

t.test('more than one advertisement holds is told when the configuration is read', async (t) => {
  t.equal(serviceProblem(configFor(...BOTH)), undefined);
  const many = Array.from({ length: 60 }, (_, i) => `list dns 'fd00::${(i + 1).toString(16)}'`);
  t.match(serviceProblem(configFor(...BOTH, ...many)), /DNS servers, search list, routes and captive portal take \d+ bytes/);
});
