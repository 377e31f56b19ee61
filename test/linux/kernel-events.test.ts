/** What the kernel tells: others take away what is ours, interfaces go down, and our own changes wake nobody. */
import { readFile } from 'node:fs/promises';
import t from 'tap';
import type { NativeCallback } from '../../src/linux/addons.js';
import { LinuxKernel } from '../../src/linux/kernel.js';
import { setSysctl } from '../../src/linux/sysctl.js';
import { parsePrefix } from '../../src/net/prefix.js';
import type { KernelEvent } from '../../src/ports.js';
import { A, SELF } from '../routes/helpers.js';
import { A6, client, ipBatch, run, table, topology, wait } from './kernel-run.js';
import { addon, ifindex, inNamespace, ip, ipJson, until } from './namespace.js';
import { TestLog } from '../support.js';

await inNamespace(t, import.meta.url, async (t) => {
  topology();
  const up0 = ifindex('up0');

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
});
