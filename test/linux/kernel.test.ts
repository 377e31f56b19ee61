/** The Kernel port: rules, what the kernel says of its state, and changes one by one. */
import t from 'tap';
import { execFileSync } from 'node:child_process';
import { parseIp } from '../../src/net/ip.js';
import { parseMac } from '../../src/net/mac.js';
import type { KernelChange } from '../../src/ports.js';
import { A } from '../routes/helpers.js';
import { A4, A6, client, ipBatch, open, topology } from './kernel-run.js';
import { ifindex, inNamespace, ip, ipJson } from './namespace.js';

await inNamespace(t, import.meta.url, async (t) => {
  topology();
  const [up0, up1, bridge] = ['up0', 'up1', 'br-client'].map(ifindex) as [number, number, number];
  const path0 = { ifindex: up0, gateway: parseIp('fe80::1:1') };

  await t.test('rules: ahead of main in both families', async (t) => {
    const ours = (family: number) =>
      ipJson(`-${family} rule show`).filter(({ table }) => table === '44').map(({ priority }) => priority);
    ip('-4 rule add priority 4400 table 44 protocol 44');
    const kernel = await open();
    await kernel.installRules();
    await kernel.installRules();
    t.strictSame([ours(4), ours(6)], [[440], [440]], 'once, an earlier run\'s with another priority is gone');
    await kernel.removeRules();
    t.strictSame([ours(4), ours(6)], [[], []]);
    kernel.stop();
  });

  await t.test('the kernel does not tell of each route when a nexthop object changes; put back when taken away', async (t) => {
    const mode = () => execFileSync('sysctl', ['-n', 'net.ipv4.nexthop_compat_mode'], { encoding: 'utf8' }).trim();
    const kernel = await open();
    t.teardown(() => kernel.stop());
    const before = mode();
    await kernel.installRules();
    t.equal(mode(), '0');
    await kernel.installRules();
    await kernel.removeRules();
    t.equal(mode(), before);
  });

  await t.test('what the kernel resolves, and what not', async (t) => {
    const kernel = await open();
    await kernel.installRules();
    ipBatch([
      'route add unreachable 10.9.0.3',
      'route add blackhole 10.9.0.4',
      'route add prohibit 10.9.0.5',
      'route add unreachable 2001:db8:9::3',
      'route add blackhole 2001:db8:9::4',
      'route add 10.9.0.6 via inet6 fe80::1:1 dev up0',
      'route add 10.9.0.7 dev up0 table 44',
      'route add 2001:db8:9::7 dev up0 table 44',
    ]);
    t.strictSame(await kernel.resolve(A4), { ifindex: up0, gateway: '10.0.0.2' });
    t.strictSame(await kernel.resolve(A6), path0);
    t.strictSame(await kernel.resolve(parseIp('10.0.0.7')), { ifindex: up0, gateway: undefined }, 'on the link');
    t.strictSame(await kernel.resolve(parseIp('10.9.0.6')), path0, 'IPv4 by an IPv6 next hop');
    for (const none of ['10.9.0.3', '10.9.0.4', '10.9.0.5', '2001:db8:9::3', '2001:db8:9::4', '192.0.2.1', '2001:db8:ffff::1']) {
      t.equal(await kernel.resolve(parseIp(none)), undefined, none);
    }
    ipBatch(['route add default via 10.0.0.3 dev up0', 'route add 2000::/3 via fe80::1:3 dev up1', 'route add 10.8.0.0/16 nexthop via 10.0.0.4 dev up0 nexthop via 10.0.0.5 dev up0']);
    t.strictSame(await kernel.resolve(parseIp('192.0.2.1')), { ifindex: up0, gateway: '10.0.0.3', byDefault: true });
    t.strictSame(await kernel.resolve(parseIp('2001:db8:ffff::1')), { ifindex: up1, gateway: 'fe80::1:3', byDefault: true });
    t.strictSame(await kernel.resolve(A4), { ifindex: up0, gateway: '10.0.0.2' }, 'a route of its own');
    t.match((await kernel.resolve(parseIp('10.8.0.1')))!.gateway, /^10\.0\.0\.[45]$/, 'one of several ways');
    ipBatch(['route del default', 'route del 2000::/3', 'route del 10.8.0.0/16']);
    t.equal(await kernel.resolve(parseIp('10.9.0.99')), undefined, 'our own address');
    t.equal(await kernel.resolve(parseIp('10.9.0.7')), undefined, 'a client\'s route');
    t.equal(await kernel.resolve(parseIp('2001:db8:9::7')), undefined, 'a client\'s route');
    await kernel.removeRules();
    ip('-4 route flush table 44');
    ip('-6 route flush table 44');
    kernel.stop();
  });

  await t.test('links and addresses', async (t) => {
    const kernel = await open();
    const [link, ...others] = await kernel.clientLinks(['br-client']);
    t.strictSame(others, []);
    t.match(link, { network: 'br-client', ifindex: bridge, mac: '00:00:5e:00:52:13', mtu: 1500, up: true });
    t.strictSame(
      link!.addresses.map(({ address, length }) => `${address}/${length}`).sort(),
      ['10.44.0.1/32', 'fe80::200:5eff:fe00:5213/128'],
    );
    t.strictSame(
      await kernel.nodeAddresses(['br-client']),
      ['2001:db8:9::99', '10.9.0.99', '2001:db8:1::1', '10.0.0.1'],
      'of the loopback interface first, IPv6 first, none of the client bridge',
    );
    t.strictSame(await kernel.permanentMacs(), [], 'interfaces of software were not made with one');
    kernel.stop();
  });

  await t.test('errors are told one by one, what is gone already is none', async (t) => {
    const kernel = await open();
    const prefix = (text: string) => client(0, A, text).addresses[0]!;
    const results = await kernel.apply([
      { op: 'set', route: { destination: prefix('10.44.9.1/32'), protocol: 45, via: { nexthop: 0x526fffff } } },
      { op: 'set', route: { destination: prefix('10.44.9.2/32'), protocol: 44, via: { ifindex: bridge } } },
      { op: 'set', neighbour: { ifindex: 9999, address: parseIp('10.44.9.1'), mac: parseMac('02:00:00:00:00:01') } },
      { op: 'set', route: { destination: prefix('2001:db8:9:9::/64'), protocol: 45, via: 'unreachable' } },
      { op: 'set', route: { destination: prefix('10.44.9.4/32'), protocol: 45, via: { path: { ifindex: up1, gateway: parseIp('fe80::9') } } } },
    ]);
    t.match(results.map((error) => error?.message), [/\(EINVAL\)|nexthop/i, undefined, /ENODEV/, undefined, undefined]);
    const state = await kernel.state();
    t.strictSame(state.routes.map(({ destination, via }) => [destination.address, via]), [
      ['10.44.9.2', { ifindex: bridge }],
      ['10.44.9.4', { path: { ifindex: up1, gateway: 'fe80::9' } }],
      ['2001:db8:9:9::', 'unreachable'],
    ]);
    const deletions = [
      ...state.routes.map((route): KernelChange => ({ op: 'delete', route })),
      { op: 'delete', nexthop: { id: 0x526fffff, family: 6, path: path0 } } as const,
      { op: 'delete', neighbour: { ifindex: 9999, address: parseIp('10.44.9.1'), mac: parseMac('02:00:00:00:00:01') } } as const,
    ];
    t.strictSame(await kernel.apply(deletions), deletions.map(() => undefined));
    t.strictSame(await kernel.apply(deletions), deletions.map(() => undefined));
    t.strictSame((await kernel.state()).routes, []);
    kernel.stop();
  });
});
