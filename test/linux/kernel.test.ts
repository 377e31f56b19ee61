import { readFile } from 'node:fs/promises';
import t from 'tap';
import { execFileSync } from 'node:child_process';
import type { NativeCallback } from '../../src/linux/addons.js';
import { LinuxKernel } from '../../src/linux/kernel.js';
import { NetlinkMonitor } from '../../src/linux/netlink/monitor.js';
import { parseEvent, RtnetlinkGroup } from '../../src/linux/netlink/rtnetlink.js';
import { NETLINK_ROUTE } from '../../src/linux/netlink/socket.js';
import { setSysctl } from '../../src/linux/sysctl.js';
import { parseIp } from '../../src/net/ip.js';
import { parseMac } from '../../src/net/mac.js';
import { parsePrefix } from '../../src/net/prefix.js';
import type { KernelChange, KernelEvent } from '../../src/ports.js';
import { A, B, client as clientOn9, SELF } from '../routes/helpers.js';
import { client, ipBatch, open, run, table, wait } from './kernel-run.js';
import { addon, ifindex, inNamespace, ip, ipJson, until } from './namespace.js';
import { TestLog } from '../support.js';

const A4 = parseIp('10.9.0.1');
const A6 = parseIp('2001:db8:9::1');
const B6 = parseIp('2001:db8:9::2');

/** Two uplinks to "the mesh", and a client bridge with one port; node A by one uplink, node B by the other. */
function topology(): void {
  ipBatch([
    'link add up0 type veth peer name far0',
    'link add up1 type veth peer name far1',
    'link add br-client address 00:00:5e:00:52:13 type bridge',
    'link add port0 type veth peer name station0',
    'link set port0 master br-client',
    'address add 10.0.0.1/24 dev up0',
    'address add 10.9.0.99/32 dev lo',
    'address add 2001:db8:9::99/128 dev lo nodad',
    'address add 2001:db8:1::1/64 dev up0 nodad',
    'address add 169.254.7.7/16 dev up1',
    'address add 10.44.0.1/16 dev br-client',
    'address add fe80::200:5eff:fe00:5213/64 dev br-client nodad',
    ...['up0', 'far0', 'up1', 'far1', 'br-client', 'port0', 'station0'].map((name) => `link set ${name} up`),
    'route add 10.9.0.1 via 10.0.0.2 dev up0',
    'route add 2001:db8:9::1 via fe80::1:1 dev up0',
    'route add 2001:db8:9::2 via fe80::1:2 dev up1',
  ]);
}

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

  await t.test('a client comes, roams, goes', async (t) => {
    const { routes, log } = await run(t);
    routes.setNode(A, [A6, A4]);
    routes.setNode(B, [B6]);
    const here = client(9, SELF, '10.44.0.9/32', '2001:db8:44:9::/64', '2001:db8:44:9::5/128');
    routes.setClient(here);
    await routes.settled();
    t.strictSame(table(4), [{ dst: '10.44.0.9', dev: 'br-client', protocol: '44' }]);
    t.strictSame(table(6), [{ dst: '2001:db8:44:9::/64', dev: 'br-client', protocol: '44' }]);
    const entries = ipJson('neigh show dev br-client').filter(({ state }) => String(state) === 'PERMANENT');
    t.strictSame(entries.map(({ dst, lladdr }) => [dst, lladdr]).sort(), [
      ['10.44.0.9', here.mac],
      ['2001:db8:44:9::5', here.mac],
    ]);

    const removed: string[] = [];
    const monitor = new NetlinkMonitor(addon(), {
      protocol: NETLINK_ROUTE,
      groups: [RtnetlinkGroup.route4, RtnetlinkGroup.route6],
      onMessages: (messages) => {
        for (const message of messages) {
          const event = parseEvent(message);
          if (event?.kind === 'route' && event.removed && event.route.table === 44) removed.push(event.route.destination.address);
        }
      },
      onOverrun: (code) => t.fail(code),
    });
    t.teardown(() => monitor.close());

    routes.setClient({ ...here, node: A, link: undefined });
    await routes.settled();
    t.match(table(4), [{ dst: '10.44.0.9', protocol: '45', nhid: 0 }]);
    t.match(table(6), [{ dst: '2001:db8:44:9::/64', protocol: '45', nhid: 1 }]);
    t.equal(table(4).length + table(6).length, 2);
    t.match(ipJson('route get 10.44.0.9')[0], { gateway: '10.0.0.2', dev: 'up0' });
    t.match(ipJson('-6 route get 2001:db8:44:9::77')[0], { gateway: 'fe80::1:1', dev: 'up0' });
    t.strictSame(ipJson('neigh show dev br-client nud permanent'), []);

    routes.setClient({ ...here, node: B, link: undefined });
    await routes.settled();
    t.match(ipJson('route get 10.44.0.9')[0], { via: { family: 'inet6', host: 'fe80::1:2' }, dev: 'up1' });
    t.match(ipJson('-6 route get 2001:db8:44:9::77')[0], { gateway: 'fe80::1:2', dev: 'up1' });

    routes.setClient(here);
    await routes.settled();
    t.strictSame(table(4), [{ dst: '10.44.0.9', dev: 'br-client', protocol: '44' }]);
    t.strictSame(table(6), [{ dst: '2001:db8:44:9::/64', dev: 'br-client', protocol: '44' }], 'one, not two');
    await wait(20);
    t.strictSame(removed, [], 'three roams, and at no time without a route');

    await routes.stop();
    t.strictSame([table(4), table(6), ipJson('nexthop show'), ipJson('neigh show nud permanent')], [[], [], [], []]);
    t.notMatch(ip('rule show') + ip('-6 rule show'), /lookup 44/);
    t.strictSame(log.lines, []);
  });

  await t.test('the path to a node changes: one message a family for 1,000 clients', async (t) => {
    const { routes, batches } = await run(t);
    routes.setNode(A, [A4, A6]);
    for (let i = 0; i < 1000; i++) routes.setClient(client(i, A, `10.44.${i >> 8}.${i & 255}/32`, `2001:db8:44:${i.toString(16)}::/64`));
    await routes.settled();
    t.equal(table(4).length + table(6).length, 2000);
    batches.length = 0;
    const before = performance.now();
    ipBatch(['route change 10.9.0.1 via inet6 fe80::2:2 dev up1', 'route change 2001:db8:9::1 via fe80::2:2 dev up1']);
    const changed = performance.now();
    await until(t, 'sent, for both families', () => batches.flat().length >= 2);
    t.comment(`told after ${(performance.now() - changed).toFixed(1)} ms, ip(8) took ${(changed - before).toFixed(1)} ms`);
    await routes.settled();
    t.strictSame(batches.flat().map((change) => 'nexthop' in change && change.op), ['set', 'set']);
    t.match(ipJson('route get 10.44.3.7')[0], { via: { host: 'fe80::2:2' }, dev: 'up1' });
    t.match(ipJson('-6 route get 2001:db8:44:1f::1')[0], { gateway: 'fe80::2:2', dev: 'up1' });

    batches.length = 0;
    ipBatch(['route del 10.9.0.1', 'route del 2001:db8:9::1']);
    await until(t, 'the node is out of reach', () => table(4).length + table(6).length + ipJson('nexthop show').length === 0);
    await routes.settled();
    t.strictSame([table(4), table(6), ipJson('nexthop show')], [[], [], []]);
    ipBatch(['route add 10.9.0.1 via 10.0.0.2 dev up0', 'route add 2001:db8:9::1 via fe80::1:1 dev up0']);
    await routes.settled();
    await until(t, 'and back', () => table(4).length === 1000);
    await routes.settled();
    await routes.stop();
  });

  await t.test('a route to an address that is watched: told as soon as the kernel has it, and again when it is back', async (t) => {
    const { routes, found } = await run(t);
    const address = parseIp('10.98.0.2');
    routes.watch([address]);
    await wait(50);
    t.strictSame(found, []);
    ip('route add 10.98.0.2 via 10.0.0.2 dev up0');
    await until(t, 'a path', () => found.length === 1);
    ip('route del 10.98.0.2');
    ip('route add blackhole 10.98.0.2');
    await wait(100);
    t.strictSame(found, [address], 'none, and one that leads nowhere');
    ip('route replace 10.98.0.2 via 10.0.0.2 dev up0');
    await until(t, 'back', () => found.length === 2);
    ip('route del 10.98.0.2');
    await routes.stop();
  });

  await t.test('a kernel without nexthop objects: the same, with routes that bear the path', async (t) => {
    const { routes, log } = await run(t, { nexthopObjects: false });
    routes.setNode(A, [A4, A6]);
    routes.setNode(B, [B6]);
    const here = client(9, SELF, '10.44.0.9/32', '2001:db8:44:9::/64');
    const places = [here, ...[A, B, A].map((node) => ({ ...here, node, link: undefined })), here];
    for (const view of places) {
      routes.setClient(view);
      await routes.settled();
      t.equal(table(4).length + table(6).length, 2);
      const dev = view.node === SELF ? 'br-client' : view.node === A ? 'up0' : 'up1';
      t.match([table(4)[0], table(6)[0]], [{ dev }, { dev }]);
    }
    routes.setClient(places[2]!);
    await routes.settled();
    t.match(table(4), [{ dst: '10.44.0.9', dev: 'up1', protocol: '45', gateway: 'fe80::1:2' }]);
    ip('-6 route change 2001:db8:9::2 via fe80::2:2 dev up0');
    await until(t, 'rewritten for another path', () => table(4)[0]?.['dev'] === 'up0' && table(6)[0]?.['dev'] === 'up0');
    ip('-6 route change 2001:db8:9::2 via fe80::1:2 dev up1');
    await until(t, 'and back', () => table(4)[0]?.['dev'] === 'up1');
    await routes.stop();
    t.strictSame([table(4), table(6), ipJson('nexthop show'), log.lines], [[], [], [], []]);
  });

  await t.test('killed and started again: what is right is not touched', async (t) => {
    const first = await run(t);
    first.routes.setNode(A, [A6, A4]);
    const views = Array.from({ length: 20 }, (_, i) => client(i, i < 10 ? SELF : A, `10.44.1.${i}/32`, `2001:db8:44:${i}::/64`));
    for (const view of views) first.routes.setClient(view);
    await first.routes.settled();
    await first.routes.stop({ linger: true });
    first.kernel.stop();
    t.equal(table(4).length, 20);

    const second = await run(t);
    second.routes.setNode(A, [A6, A4]);
    for (const view of views.slice(1, 19)) second.routes.setClient(view);
    await second.routes.settled();
    t.strictSame(second.batches, [], 'nothing to do');
    await second.routes.loaded();
    await second.routes.settled();
    t.strictSame(
      second.batches.flat().map((change) => ('route' in change ? `${change.op} ${change.route.destination.address}` : change.op)),
      ['delete 10.44.1.0', 'delete 10.44.1.19', 'delete 2001:db8:44::', 'delete 2001:db8:44:19::', 'delete'],
      'the two clients that are no more, and an entry',
    );
    await second.routes.stop();
    t.strictSame([table(4), table(6), ipJson('nexthop show'), ipJson('neigh show nud permanent')], [[], [], [], []]);
  });

  await t.test('an interface goes down and comes back, someone deletes what is ours', async (t) => {
    const { kernel, routes, events } = await run(t);
    routes.setNode(A, [A6]);
    routes.setClient(client(1, SELF, '10.44.0.1/32', '2001:db8:44:1::/64'));
    routes.setClient(client(2, A, '10.44.0.2/32', '2001:db8:44:2::/64'));
    await routes.settled();
    events.length = 0;
    ip('route del 10.44.0.1 table 44');
    ip('-6 route del 2001:db8:44:1::/64 table 44');
    ip(`nexthop del id ${0x526f0000}`);
    await until(t, 'what someone deleted is back', () => table(4).length + table(6).length === 4);
    t.ok(events.some(({ kind }) => kind === 'lost'));
    const mine = () => [
      ...[4, 6].map((family) => ip(`-${family} rule`).split('\n').filter((line) => line.startsWith('440:')).join()),
      ...table(4), ...table(6), ...ipJson('neigh show nud permanent').map(({ dst }) => dst), ...ipJson('nexthop show').map(({ id }) => id),
    ].map((one) => JSON.stringify(one)).sort().join('\n');
    const whole = mine();
    for (const words of [
      '-4 rule del priority 440',
      '-6 rule del priority 440',
      '-4 route flush table 44',
      '-6 route flush table 44',
      '-4 route replace 10.44.0.2 dev br-client table 44',
      'neigh del 10.44.0.1 dev br-client',
      'neigh flush dev br-client nud all',
      'nexthop flush',
      'link set br-client address 00:00:5e:00:52:14',
    ]) {
      await routes.settled();
      ip(words);
      await until(t, `after ip ${words}`, () => mine() === whole);
    }
    ip('link set br-client address 00:00:5e:00:52:13');
    await routes.settled();

    ip('link set br-client down');
    ip('link set up0 down');
    await until(t, 'nothing without interfaces', () => table(4).length + table(6).length === 0);
    await wait(600);
    t.strictSame([table(4), table(6)], [[], []], 'and so it stays');
    ip('link set br-client up');
    ip('link set up0 up');
    ip('route add 2001:db8:9::1 via fe80::1:1 dev up0');
    await until(t, 'back with the interfaces', () => table(4).length + table(6).length === 4);
    t.equal(ipJson('neigh show dev br-client nud permanent').length, 1);

    await routes.settled();
    events.length = 0;
    ip('link set br-client address 00:00:5e:00:52:14');
    await until(t, 'links are told', () => events.some(({ kind }) => kind === 'links'));
    ip('link set br-client address 00:00:5e:00:52:13');
    t.equal((await kernel.state()).routes.length, 4);
    await wait(100);
    for (const name of ['net.ipv4.conf.br-client.forwarding', 'net.ipv6.conf.all.forwarding']) {
      events.length = 0;
      const before = await readFile(`/proc/sys/${name.replaceAll('.', '/')}`, 'utf8');
      await setSysctl(name, before.trim() === '0' ? '1' : '0');
      await until(t, `${name} is told`, () => events.some(({ kind }) => kind === 'links'));
      await setSysctl(name, before.trim());
    }
    await routes.stop();
  });

  await t.test('the last IPv4 address of a client interface goes, as netifd takes it when the interface is set anew', async (t) => {
    const { routes } = await run(t);
    routes.setClient(client(1, SELF, '10.44.0.1/32', '2001:db8:44:1::/64'));
    await routes.settled();
    // With it the kernel takes the IPv4 routes by that interface, without a word about them.
    ip('address del 10.44.0.1/16 dev br-client');
    await until(t, 'the route is back', () => table(4).length === 1);
    await until(t, 'the neighbour too', () => ipJson('neigh show dev br-client nud permanent').length === 1);
    ip('address add 10.44.0.1/16 dev br-client');
    await routes.stop();
  });

  await t.test('events: the routes of others, not our own; all of them when too many came', async (t) => {
    const { routes, events, log } = await run(t);
    await routes.settled();
    await wait(50);
    events.length = 0;
    routes.setClient(client(1, SELF, '10.44.0.1/32', '2001:db8:44:1::/64'));
    await routes.settled();
    ip('route add 10.77.0.0/16 dev up0');
    ip('-6 route add 2001:db8:77::/48 dev up0');
    // An interface may still be settling.
    const told = () => events.filter(({ kind }) => kind !== 'links');
    await until(t, 'two', () => told().length >= 2);
    t.strictSame(
      told().map((event) => (event.kind === 'routes' ? `${event.destination.address}/${event.destination.length}` : event.kind)),
      ['10.77.0.0/16', '2001:db8:77::/48'],
    );
    const many = Array.from({ length: 30_000 }, (_, i) => `10.${100 + (i >> 13)}.${(i >> 5) & 255}.${(i & 31) << 3}/29`);
    events.length = 0;
    ipBatch(many.map((prefix) => `route add ${prefix} dev up0`));
    await until(t, 'lost is told', () => events.some(({ kind }) => kind === 'lost'));
    t.match(log.lines, [/ENOBUFS/]);
    await routes.settled();
    ip('route flush root 10.100.0.0/14');
    await wait(300);
    await routes.settled();
    await routes.stop();
  });

  await t.test('what the daemon removes itself wakes nobody; what another removes does', async (t) => {
    let heard = 0;
    const { NetlinkSocket, ...rest } = addon();
    class Listener extends NetlinkSocket {
      constructor(protocol: number, buffer: number, callback: NativeCallback) {
        super(protocol, buffer, (...news) => {
          if (this.#filtered) heard++;
          callback(...news);
        });
      }
      #filtered = false;
      override attachFilter(filter: Uint8Array): number {
        this.#filtered = true;
        return super.attachFilter(filter);
      }
    }
    const kernel = await LinuxKernel.open({ addon: { ...rest, NetlinkSocket: Listener }, log: new TestLog() });
    t.teardown(() => kernel.stop());
    const events: KernelEvent[] = [];
    kernel.start((event) => events.push(event));
    const hostRoutes = Array.from({ length: 200 }, (_, n) => ({ destination: parsePrefix(`10.44.1.${n}/32`), protocol: 44, via: { ifindex: up0 } }));
    // An interface may still be settling, which is told.
    for (let tries = 0; tries === 0 || (heard > 0 && tries < 10); tries++) {
      await wait(50 + 500 * tries);
      await kernel.apply(hostRoutes.map((route) => ({ op: 'set', route })));
      await wait(50);
      heard = 0;
      t.same((await kernel.apply(hostRoutes.map((route) => ({ op: 'delete', route })))).filter((error) => error !== undefined), []);
      await wait(50);
    }
    t.equal(heard, 0);
    await kernel.apply([{ op: 'set', route: hostRoutes[7]! }]);
    events.length = 0;
    ip('route del 10.44.1.7 table 44');
    await until(t, 'it is told', () => events.some(({ kind }) => kind === 'lost'));
  });

  await t.test('10,000 clients appear at once, their node vanishes and is back: no notification of our own routes is lost', async (t) => {
    const { kernel, routes, log, events, batches } = await run(t);
    const held = async () => {
      const { routes: there, nexthops } = await kernel.state();
      const objects = new Set(nexthops.map(({ id }) => id));
      return there.filter(({ via }) => typeof via === 'object' && 'nexthop' in via && objects.has(via.nexthop)).length;
    };
    routes.setNode(A, [A6]);
    await routes.loaded();
    await routes.settled();
    events.length = 0;
    for (let i = 0; i < 10_000; i++) routes.setClient(client(i, A, `10.44.${i >> 8}.${i & 255}/32`, `2001:db8:44:${i.toString(16)}::/64`));
    await routes.settled();
    t.equal(await held(), 20_000);
    t.strictSame(events.filter(({ kind }) => kind !== 'links'), [], 'an interface may still be settling');
    for (const [command, count] of [['del', 0], ['add', 20_000]] as const) {
      batches.length = 0;
      ip(`-6 route ${command} 2001:db8:9::1 via fe80::1:1 dev up0`);
      await until(t, 'that is noticed', () => batches.length > 0);
      await routes.settled();
      t.equal(await held(), count, command);
    }
    t.notOk(events.some(({ kind }) => kind === 'lost'), 'nothing had to be read again');
    t.strictSame(log.lines, []);
    await routes.stop();
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

  await t.test('10,000 clients, each with an IPv4 address and a /64', { timeout: 200_000 }, async (t) => {
    const { kernel, routes, batches } = await run(t);
    routes.setNode(A, [A4, A6]);
    routes.setNode(B, [B6]);
    const views = Array.from({ length: 10_000 }, (_, i) =>
      clientOn9(i, i % 2 === 0 ? A : B, `10.45.${i >> 8}.${i & 255}/32`, `2001:db8:44:${i.toString(16)}::/64`),
    );
    await routes.settled();
    const time = async (what: string, work: () => void) => {
      const start = performance.now();
      work();
      await routes.settled();
      t.comment(`${what}: ${(performance.now() - start).toFixed(0)} ms`);
    };
    await time('20,000 routes set', () => views.forEach((view) => routes.setClient(view)));
    const { routes: held, nexthops } = await kernel.state();
    t.equal(held.length, 20_000);
    t.equal(nexthops.length, 4);
    batches.length = 0;
    await time('adopted, nothing to do', () => routes.kernelChanged({ kind: 'lost' }));
    t.strictSame(batches, []);
    await time('half of them roam', () => views.forEach((view) => routes.setClient({ ...view, node: B })));
    const start = performance.now();
    await routes.stop();
    t.comment(`withdrawn: ${(performance.now() - start).toFixed(0)} ms`);
    t.strictSame([(await kernel.state()).routes, ipJson('nexthop show')], [[], []]);
  });
});
