import { writeFileSync } from 'node:fs';
import t from 'tap';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { LinuxKernel } from '../../src/linux/kernel.js';
import { destinationOf, LinuxStrays, SINK } from '../../src/linux/strays.js';
import { parseIp } from '../../src/net/ip.js';
import { parsePrefix } from '../../src/net/prefix.js';
import { addon, inNamespace, ip, until } from './namespace.js';
import { TestLog } from '../support.js';

const ping = (address: string) =>
  new Promise<string>((resolve) => execFile('ping', ['-c', '1', '-W', '1', address], (_, stdout, stderr) => resolve(stdout + stderr)));

t.test('where a packet goes, by its first bytes', async (t) => {
  const frame = (...bytes: number[]) => Uint8Array.from([...new Array(14).fill(0), ...bytes]);
  const four = [0x45, ...new Array(15).fill(0), 10, 44, 0, 9];
  t.equal(destinationOf(frame(...four)), '10.44.0.9');
  t.equal(destinationOf(frame(0x60, ...new Array(23).fill(0), 0x20, 1, 0xd, 0xb8, ...new Array(11).fill(0), 9)), '2001:db8::9');
  for (let length = 0; length < 14 + 20; length++) t.equal(destinationOf(frame(...four).subarray(0, length)), undefined);
  t.equal(destinationOf(frame(...new Array(60).fill(0))), undefined);
});

await inNamespace(t, import.meta.url, async (t) => {
  await t.test('where the kernel does no IPv6, packets are caught by IPv4 alone, and that is said once', async (t) => {
    const setting = '/proc/sys/net/ipv6/conf/default/disable_ipv6';
    writeFileSync(setting, '1');
    t.teardown(() => writeFileSync(setting, '0'));
    const log = new TestLog();
    const strays = new LinuxStrays({ addon: addon(), log, table: 44, rulePriority: 440 });
    const seen: string[] = [];
    const prefixes = { caught: [parsePrefix('2001:db8:44:1::/64'), parsePrefix('10.44.0.0/16')], unreachable: [] };
    await strays.start(prefixes, (address) => seen.push(address));
    await ping('10.44.0.9');
    await until(t, 'the packet', () => seen.includes('10.44.0.9'));
    strays.overrun();
    await strays.start(prefixes, (address) => seen.push(address));
    t.match(log.lines, [/^warn packets for unknown clients are not caught by IPv6: /]);
    t.equal(log.lines.length, 1);
    const only6 = strays.start({ ...prefixes, caught: [parsePrefix('2001:db8:44:1::/64')] }, () => undefined);
    await t.rejects(only6, 'where there is nothing else it is an error');
    await strays.stop();
  });

  ip('link add br-client type bridge');
  ip('link add port0 type veth peer name station0');
  for (const words of ['set port0 master br-client', 'set port0 up', 'set station0 up', 'set br-client up']) ip(`link ${words}`);
  ip('addr add 10.44.0.1/16 dev br-client');
  ip('addr add 2001:db8:99::1/64 dev br-client nodad');
  ip('route add default dev br-client');
  ip('route add 10.44.7.7 dev br-client proto 42');
  const table45 = () => ip('route show table all').split('\n').filter((line) => line.includes('table 45')).join('\n');
  const before = () => [ip('-4 rule'), ip('-6 rule'), table45(), ip('-o link').split('\n').length].join('\n');
  const clean = before();
  const options = { addon: addon(), log: new TestLog(), table: 44, rulePriority: 440 };
  const strays = new LinuxStrays(options);
  const kernel = await LinuxKernel.open({ ...options, strays });
  kernel.start(() => undefined);
  t.teardown(() => kernel.stop());
  const seen: string[] = [];
  const prefixes = {
    caught: [parsePrefix('10.44.0.0/16'), parsePrefix('2001:db8:44:1::/64')],
    unreachable: [parsePrefix('2001:db8:45::/48')],
  };
  await strays.start(prefixes, (address) => seen.push(address));

  await t.test('packets for unknown clients are caught, in both families; nobody asks for them by ARP', async (t) => {
    const both = () => seen.includes('10.44.0.9') && seen.includes('2001:db8:44:1::9');
    for (let i = 0; i < 20 && !both(); i++) await Promise.all([ping('10.44.0.9'), ping('2001:db8:44:1::9')]);
    await until(t, 'both', both);
    t.notMatch(ip('neigh'), /10\.44\.0\.9|2001:db8:44:1::9/);
  });

  await t.test('a route of a routing protocol that is longer than the prefix still counts; so do own addresses', async (t) => {
    t.match(ip('route get 10.44.7.7'), /dev br-client/);
    t.match(await kernel.resolve(parseIp('10.44.7.7')), { gateway: undefined });
    for (const unknown of ['10.44.0.5', '2001:db8:44:1::5']) {
      t.equal(await kernel.resolve(parseIp(unknown)), undefined, 'a router with such an address is not looked for among the clients');
    }
    t.match(ip('route get 10.44.0.1'), /local/);
    t.match(ip('route get 10.44.0.9'), new RegExp(SINK));
    t.match(ip('route get 192.0.2.1'), /dev br-client/, 'what is not ours is not touched');
  });

  await t.test('refused: the kernel says unreachable at once', async (t) => {
    strays.refuse(parseIp('10.44.0.9'), true);
    await until(t, 'the route', () => table45().includes('unreachable 10.44.0.9'));
    // Who is not told gives up after a second without a word.
    t.match(await ping('10.44.0.9'), /No route to host|Unreachable/i);
    strays.refuse(parseIp('10.44.0.9'), false);
    await until(t, 'no route', () => !table45().includes('10.44.0.9'));
  });

  await t.test('a prefix of which nothing can be found is refused as a whole', async (t) => {
    t.match(await ping('2001:db8:45::1'), /No route to host|Unreachable/i);
  });

  await t.test('a scan makes no neighbour entries', async (t) => {
    const script = 'for i in $(seq 1 250); do echo x > /dev/udp/10.44.3.$i/9 2>/dev/null; done; true';
    await promisify(execFile)('bash', ['-c', script]);
    await until(t, 'all are seen', () => seen.filter((one) => one.startsWith('10.44.3.')).length >= 250);
    t.notMatch(ip(`neigh show dev ${SINK} nud all`), /10\.44\./);
    t.notMatch(ip('neigh show nud all'), /10\.44\.3\./);
  });

  await t.test('what is sent to the interface itself, as multicast is, looks for nobody', async (t) => {
    seen.length = 0;
    for (const group of ['ff02::fb', 'ff12::8000:115c']) await ping(`${group}%${SINK}`);
    await ping('10.44.0.10');
    await until(t, 'what is sent after it', () => seen.includes('10.44.0.10'));
    t.same([...new Set(seen)], ['10.44.0.10']);
  });

  await t.test('others take the rules or the interface away: both are put back', async (t) => {
    const rules = () => [ip('-4 rule'), ip('-6 rule')].join('\n').split('\n').sort().join('\n');
    const whole = rules();
    for (const words of ['-4 rule del priority 441', '-4 rule del priority 442', '-6 rule del priority 442']) ip(words);
    await until(t, 'the rules', () => rules() === whole);
    ip(`link del ${SINK}`);
    await until(t, 'the interface', () => ip('-o link').includes(SINK) && rules() === whole && table45().includes(SINK));
    strays.refuse(parseIp('10.44.0.8'), true);
    await until(t, 'the refusal', () => table45().includes('unreachable 10.44.0.8'));
    const routes = table45().replace(/ (metric|pref) \S+/g, '');
    for (const words of ['-4 route flush table 45', '-6 route flush table 45', `link set ${SINK} down`]) {
      ip(words);
      await until(t, `after ip ${words}`, () => rules() === whole && table45().replace(/ (metric|pref) \S+/g, '') === routes);
    }
    strays.refuse(parseIp('10.44.0.8'), false);
    await until(t, 'no refusal', () => !table45().includes('10.44.0.8'));
    seen.length = 0;
    for (let i = 0; i < 20 && !seen.includes('10.44.0.9'); i++) await ping('10.44.0.9');
    await until(t, 'packets are caught', () => seen.includes('10.44.0.9'));
  });

  await t.test('other prefixes; then what an earlier run left is taken over, and all is taken back', async (t) => {
    await strays.start({ ...prefixes, unreachable: [] }, () => undefined);
    t.notMatch(ip('-6 rule'), /2001:db8:45/);
    await strays.stop();
    t.equal(before(), clean);
    for (const words of [
      `link add ${SINK} type bridge`,
      '-4 rule add priority 441 to 10.44.0.0/16 lookup main suppress_prefixlength 16 protocol 44',
      '-4 rule add priority 442 to 10.44.0.0/16 lookup 45 protocol 44',
      '-4 route add unreachable 10.44.9.9 table 45 protocol 44',
    ]) ip(words);
    const next = new LinuxStrays(options);
    await next.start(prefixes, () => undefined);
    t.equal(ip('-4 rule').split('\n').filter((line) => line.startsWith('442:')).length, 1);
    t.notMatch(table45(), /10\.44\.9\.9/);
    await next.stop();
    t.equal(before(), clean);
  });
});
