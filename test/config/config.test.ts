import t from 'tap';
import fc from 'fast-check';
import { parse } from 'uci-parser';
import { formatProblem, optionTable, readConfig } from '../../src/config/config.js';
import { schema } from '../../src/config/schema.js';
import { formatPrefix } from '../../src/net/prefix.js';

const FILE = '/etc/config/roaming';
const GOOD = `
config roaming 'main'
	option enabled '1'
	list interface 'br-client'
	list prefix '10.44.0.0/16'
	list prefix '2001:db8:44::/48'
`;

const read = (text: string) => readConfig(parse(text, { name: 'roaming', file: FILE }), FILE);
const problems = (text: string) => read(text).problems.map(formatProblem);
/** GOOD with one more line; its line number is 7. */
const withLine = (line: string) => problems(`${GOOD}\t${line}\n`);

t.test('a good file, and what follows from it', async (t) => {
  const { config } = read(GOOD);
  if (config === undefined) throw new Error(problems(GOOD).join());
  t.equal(config.enabled, true);
  t.same(config.interface, ['br-client']);
  t.same(config.prefixes4.map(formatPrefix), ['10.44.0.0/16']);
  t.same(config.prefixes6.map(formatPrefix), ['2001:db8:44::/48']);
  t.equal(config.gateway4, '10.44.0.1');
  t.same(config.dns4, ['10.44.0.1'], 'the gateway, where no name server is given');
  t.equal(config.leaseTime, 3600);
  t.equal(config.port, 4444);
});

t.test('lists may be options with blanks, as netifd reads them', async (t) => {
  const { config } = read(GOOD.replace(/\tlist prefix.*\n/, '') + "\toption prefix '10.44.0.0/16 fd44::/48'\n");
  t.same(config?.prefix.map(formatPrefix), ['10.44.0.0/16', 'fd44::/48']);
});

t.test('values of every type', async (t) => {
  const { config } = read(`${GOOD}
	option lease_time '12h'
	option hold_time '0'
	list peer 'r2.mesh'
	list peer '10.99.0.2:5555'
	list peer 'FD99:0::2'
	list peer '[fd99::3]:4445'
	option key 'correct horse'
	list dns '2001:db8::53'
	list dns '192.0.2.53'
	option domain 'Mesh.Example.org.'
	option gateway '10.44.255.254'
	option linger 'on'
`);
  t.equal(config?.leaseTime, 43200);
  t.equal(config?.holdTime, 0);
  t.same(config?.peer, [
    { host: 'r2.mesh', port: 4444 },
    { host: '10.99.0.2', port: 5555 },
    { host: 'fd99::2', port: 4444 },
    { host: 'fd99::3', port: 4445 },
  ]);
  t.same([config?.dns4, config?.dns6], [['192.0.2.53'], ['2001:db8::53']]);
  t.equal(config?.domain, 'mesh.example.org');
  t.equal(config?.gateway4, '10.44.255.254');
  t.equal(config?.linger, true);
});

t.test('each mistake is one line with file, section and option', async (t) => {
  const table: [string, string][] = [
    ["option port 'x'", "main.port: expected a whole number from 1 to 65535, found 'x'"],
    ["option port '70000'", "main.port: expected a whole number from 1 to 65535, found '70000'"],
    ["option enabeld '1'", 'main.enabeld: unknown option; enabled is meant?'],
    ["option quux '1'", 'main.quux: unknown option'],
    ["option linger 'maybe'", "main.linger: expected 0 or 1, found 'maybe'"],
    ["option auth 'tls'", "main.auth: expected 'psk' or 'none', found 'tls'"],
    ["option lease_time '1 h'", "main.lease_time: expected a time from 2m to 1w, such as 90, 30m or 12h, found '1 h'"],
    ["list dns '0.0.0.0'", "main.dns: expected the IPv4 or IPv6 address of one host, found '0.0.0.0'"],
    ["list dns '::'", "main.dns: expected the IPv4 or IPv6 address of one host, found '::'"],
    ["list ntp '0.0.0.0'", "main.ntp: expected the IPv4 address of one host, found '0.0.0.0'"],
    ["list dns 'ff02::1'", "main.dns: expected the IPv4 or IPv6 address of one host, found 'ff02::1'"],
    ["list interface 'br/client'", "main.interface: expected the name of a network interface, such as br-client, found 'br/client'"],
    ["list peer '1.2.3.4:99999'", "main.peer: expected a host name or address, with :port if need be, such as 10.0.0.1:4444 or [fd00::1]:4444, found '1.2.3.4:99999'"],
    ["list peer 'r2'", "main.peer: there is no key, so no peer can be trusted: set option key ('roaming keygen' makes one), or option auth 'none'"],
    ["option gateway '192.0.2.1'", 'main.gateway: 192.0.2.1 lies in none of the IPv4 prefixes'],
    ["option gateway '10.44.0.0'", 'main.gateway: 10.44.0.0 is the network or broadcast address of 10.44.0.0/16'],
    ["option domain '-x'", "main.domain: expected a domain name such as mesh.example.org, found '-x'"],
    ["option netmask '24'", "main.netmask: expected 'prefix' or 'host', found '24'"],
    ["list search 'a b'", "main.search: expected a domain name such as mesh.example.org, found 'a b'"],
    ["list ntp 'fd00::1'", "main.ntp: expected the IPv4 address of one host, found 'fd00::1'"],
    ["option table '253'", "main.table: expected a number from 1 to 4294967294, but not 252 to 255 (the kernel's own, and the one before), found '253'"],
    ["option table '254'", "main.table: expected a number from 1 to 4294967294, but not 252 to 255 (the kernel's own, and the one before), found '254'"],
    ["option table '4294967295'", "main.table: expected a number from 1 to 4294967294, but not 252 to 255 (the kernel's own, and the one before), found '4294967295'"],
    ["option rule_priority '32764'", "main.rule_priority: expected a whole number from 1 to 32763, found '32764'"],
    ["option mtu '576'", "main.mtu: expected a whole number from 1280 to 65535, found '576'"],
    ["list route '10.0.0.0'", "main.route: expected a destination such as 10.0.0.0/8 or 2001:db8::/32, for IPv4 with ,router if it is not the gateway, found '10.0.0.0'"],
    ["list route '2001:db8::/32,10.44.0.2'", "main.route: expected a destination such as 10.0.0.0/8 or 2001:db8::/32, for IPv4 with ,router if it is not the gateway, found '2001:db8::/32,10.44.0.2'"],
    ["list route '10.0.0.0/8,192.0.2.1'", 'main.route: 192.0.2.1 lies in none of the IPv4 prefixes: clients cannot reach it'],
    ["option captive_portal 'http://portal.example'", "main.captive_portal: expected a URI of at most 255 characters that begins with https://, found 'http://portal.example'"],
    ["option ipv6_only_wait '10s'", "main.ipv6_only_wait: expected a time from 5m to 1w, such as 90, 30m or 12h, found '10s'"],
    ["option pref64 '64:ff9b::/90'", "main.pref64: expected an IPv6 prefix such as 64:ff9b::/96, of 32, 40, 48, 56, 64 or 96 bits, found '64:ff9b::/90'"],
    ["option rapid_commit '2'", "main.rapid_commit: expected 0 or 1, found '2'"],
    ["option router_lifetime '1m'", "main.router_lifetime: expected a time from 10m to 65535s, such as 90, 30m or 12h, found '1m'"],
    ["list relay 'fd00::/64'", "main.relay: expected an IPv4 prefix such as 192.0.2.0/24, found 'fd00::/64'"],
    ["list exclude 'all'", "main.exclude: expected the IPv4 address of one host, found 'all'"],
    ["option gateway_mac '01:00:5e:00:00:01'", "main.gateway_mac: expected the MAC address of a device, such as 02:00:5e:00:53:01, found '01:00:5e:00:00:01'"],
    ["option gateway_link_local 'fd00::1'", "main.gateway_link_local: expected an IPv6 link-local address, such as fe80::1, found 'fd00::1'"],
    ["option discover_rate '0'", "main.discover_rate: expected a whole number from 1 to 100000, found '0'"],
    ["option new_lease_rate '-1'", "main.new_lease_rate: expected a whole number from 1 to 100000, found '-1'"],
    ["option decline_time '2d'", "main.decline_time: expected a time from 0s to 1d, such as 90, 30m or 12h, found '2d'"],
    ["option max_addresses '0'", "main.max_addresses: expected a whole number from 1 to 1024, found '0'"],
    ["list port '1'", 'main.port: a list, where a single option is expected'],
  ];
  for (const [line, message] of table) t.same(withLine(line), [`${FILE}:7: ${message}`], line);
});

t.test('prefixes', async (t) => {
  t.match(withLine("list prefix '10.45.0.1/16'")[0], /10\.45\.0\.0\/16 is meant/);
  t.match(withLine("list prefix '10.44.8.0/24'")[0], /10\.44\.8\.0\/24 lies in 10\.44\.0\.0\/16/);
  t.match(withLine("list prefix '192.0.2.0/30'")[0], /from \/8 to \/29/);
  t.match(withLine("list prefix 'fd00::/72'")[0], /from \/32 to \/64/);
});

t.test('what clients are told', async (t) => {
  const { config } = read(`${GOOD}
	option netmask 'host'
	list search 'mesh.example.org'
	list search 'example.org'
	list ntp '10.44.0.1'
	list route '10.0.0.0/8'
	list route '192.0.2.0/24,10.44.0.2'
	list route '2001:db8::/32'
	option mtu '1400'
	option captive_portal 'https://portal.example.org/api'
	option ipv6_only_wait '30m'
	option pref64 '64:ff9b::/96'
	option rapid_commit '0'
	option router_lifetime '2h'
	list exclude '10.44.0.2'
	option gateway_mac 'AA:AA:AA:AA:AA:AA'
`);
  t.match(config, {
    netmask: 'host',
    search: ['mesh.example.org', 'example.org'],
    ntp: ['10.44.0.1'],
    route: [
      { destination: { address: '10.0.0.0', length: 8 }, via: undefined },
      { destination: { address: '192.0.2.0', length: 24 }, via: '10.44.0.2' },
      { destination: { address: '2001:db8::', length: 32 }, via: undefined },
    ],
    mtu: 1400,
    captivePortal: 'https://portal.example.org/api',
    ipv6OnlyWait: 1800,
    pref64: { address: '64:ff9b::', length: 96 },
    rapidCommit: false,
    routerLifetime: 7200,
    exclude: ['10.44.0.2'],
    gatewayMac: 'aa:aa:aa:aa:aa:aa',
    gatewayLinkLocal: 'fe80::a8aa:aaff:feaa:aaaa',
  });
  t.equal(read(GOOD).config?.gatewayLinkLocal, 'fe80::200:5eff:fe00:5213', "RFC 6543's, by default");
});

t.test('an IPv4 route needs IPv4', async (t) => {
  const file = "config roaming 'main'\n\tlist prefix 'fd44::/48'\n\tlist route '10.0.0.0/8'\n";
  t.same(problems(file), [`${FILE}:3: main.route: 10.0.0.0/8: there is no IPv4 prefix, so clients have no IPv4`]);
});

/** A section of type host; its first line is 8. */
const host = (...lines: string[]) => `\nconfig host\n${lines.map((line) => `\t${line}\n`).join('')}`;

t.test('config host, as dnsmasq users know it', async (t) => {
  const { config } = read(
    GOOD +
      host("option name 'Printer'", "option mac '02:00:5E:00:53:01'", "option ip '10.44.0.7'") +
      host("list mac '02-00-5e-00-53-02'", "option ip '10.44.0.8'"),
  );
  t.same(config?.hosts, [
    { mac: '02:00:5e:00:53:01', address: '10.44.0.7', name: 'printer' },
    { mac: '02:00:5e:00:53:02', address: '10.44.0.8' },
  ]);
  const mac = "option mac '02:00:5e:00:53:01'";
  const ip = "option ip '10.44.0.7'";
  const table: [lines: string[], message: string][] = [
    [[ip], '8: @host[0].mac: missing: which client is it?'],
    [[mac], '8: @host[0].ip: missing: which address shall the client have?'],
    [["option mac '02:00:5e:00:53:01 02:00:5e:00:53:02'", ip], '9: @host[0].mac: more than one: an address belongs to one client, so each needs a section'],
    [["option mac 'printer'", ip], "9: @host[0].mac: expected the MAC address of a device, such as 02:00:5e:00:53:01, found 'printer'"],
    [[mac, "option ip 'ignore'"], "10: @host[0].ip: expected the IPv4 address of one host, found 'ignore'"],
    [[mac, ip, "option name 'a printer'"], "11: @host[0].name: expected a domain name such as mesh.example.org, found 'a printer'"],
    [[mac, ip, "option leasetime '12h'"], '11: @host[0].leasetime: unknown option'],
    [[mac, ip, "option nmae 'x'"], '11: @host[0].nmae: unknown option; name is meant?'],
    [[mac, "option ip '192.0.2.7'"], '10: @host[0].ip: 192.0.2.7 lies in none of the IPv4 prefixes'],
    [[mac, "option ip '10.44.255.255'"], '10: @host[0].ip: 10.44.255.255 is the network or broadcast address of 10.44.0.0/16'],
    [[mac, "option ip '10.44.0.1'"], "10: @host[0].ip: 10.44.0.1 is the gateway's"],
  ];
  for (const [lines, message] of table) t.same(problems(GOOD + host(...lines)), [`${FILE}:${message}`], lines.join(' '));
});

t.test('config host: each client and each address once', async (t) => {
  const first = host("option mac '02:00:5e:00:53:01'", "option ip '10.44.0.7'", "option name 'a'");
  const twice = (mac: string, ip: string, name: string) =>
    problems(GOOD + first + host(`option mac '02:00:5e:00:53:0${mac}'`, `option ip '10.44.0.${ip}'`, `option name '${name}'`));
  t.same(twice('2', '8', 'b'), []);
  t.same(twice('1', '8', 'b'), [`${FILE}:14: @host[1].mac: 02:00:5e:00:53:01 is that of another section of type host`]);
  t.same(twice('2', '7', 'b'), [`${FILE}:15: @host[1].ip: 10.44.0.7 is that of another section of type host`]);
  t.same(twice('2', '8', 'a'), [`${FILE}:16: @host[1].name: a is that of another section of type host`]);
  t.same(problems(`${GOOD}\tlist exclude '10.44.0.7'\n` + first), [`${FILE}:11: @host[0].ip: 10.44.0.7 is excluded by option exclude`]);
});

t.test('a key is never shown', async (t) => {
  t.same(withLine("option key 'short'"), [`${FILE}:7: main.key: expected 8 to 128 printable characters`]);
});

t.test('sections', async (t) => {
  t.same(problems(''), [`${FILE}: there is no section: config roaming 'main' is needed`]);
  t.match(problems(`${GOOD}\nconfig roaming 'again'\n`), [/a second section of type roaming/]);
  t.match(problems(`${GOOD}\nconfig wifi\n`), [/:8: @wifi\[0\]: unknown section type 'wifi'/]);
  t.same(problems("config roaming 'main'\n"), [], 'a transit node needs no more');
  t.match(problems("config roaming 'main'\n\tlist interface 'br-lan'\n"), [/main\.prefix: missing/]);
});

t.test('all mistakes are told at once', async (t) => {
  t.equal(problems(`${GOOD}\toption port 'x'\n\toption auth 'y'\n\toption zzzzz '1'\n`).length, 3);
});

t.test('the presets are valid, and the table names every option', async (t) => {
  for (const row of optionTable()) t.match(row, { name: /^[a-z0-9_]+$/, help: /\.$/ });
  t.equal(optionTable().length, Object.keys(schema).length);
});

t.test('any value is read or refused with a message', async () => {
  const names = optionTable().map((row) => row.name);
  fc.assert(
    fc.property(fc.constantFrom(...names), fc.string({ unit: 'grapheme-ascii' }), (name, value) => {
      const quoted = value.replaceAll("'", "'\\''");
      const result = read(`${GOOD}\toption ${name} '${quoted}'\n`);
      return result.config !== undefined || result.problems.length > 0;
    }),
  );
});
