/** The routes of clients on the real kernel: they come, roam and go, by nexthop objects and without. */
import t from 'tap';
import { NetlinkMonitor } from '../../src/linux/netlink/monitor.js';
import { parseEvent, RtnetlinkGroup } from '../../src/linux/netlink/rtnetlink.js';
import { NETLINK_ROUTE } from '../../src/linux/netlink/socket.js';
import { parseIp } from '../../src/net/ip.js';
import { A, B, client as clientOn9, SELF } from '../routes/helpers.js';
import { A4, A6, B6, client, ipBatch, run, table, topology, wait } from './kernel-run.js';
import { addon, inNamespace, ip, ipJson, until } from './namespace.js';

await inNamespace(t, import.meta.url, async (t) => {
  topology();

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
