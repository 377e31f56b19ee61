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
	list peer 'fd99::2'
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
    ["list dns 'ff02::1'", "main.dns: expected an IPv4 or IPv6 address, found 'ff02::1'"],
    ["list interface 'br/client'", "main.interface: expected the name of a network interface, such as br-client, found 'br/client'"],
    ["list peer '1.2.3.4:99999'", "main.peer: expected a host name or address, with :port if need be, such as 10.0.0.1:4444 or [fd00::1]:4444, found '1.2.3.4:99999'"],
    ["list peer 'r2'", "main.peer: there is no key, so no peer can be trusted: set option key ('roaming keygen' makes one), or option auth 'none'"],
    ["option gateway '192.0.2.1'", 'main.gateway: 192.0.2.1 lies in none of the IPv4 prefixes'],
    ["option gateway '10.44.0.0'", 'main.gateway: 10.44.0.0 is the network or broadcast address of 10.44.0.0/16'],
    ["option domain '-x'", "main.domain: expected a domain name such as mesh.example.org, found '-x'"],
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
