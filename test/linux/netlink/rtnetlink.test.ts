import { execFileSync } from 'node:child_process';
import t from 'tap';
import { deleteAddress, replaceAddress } from '../../../src/linux/netlink/address.js';
import { deleteFdbEntry } from '../../../src/linux/netlink/fdb.js';
import { setLinkAddress } from '../../../src/linux/netlink/link.js';
import { NetlinkMonitor } from '../../../src/linux/netlink/monitor.js';
import { deleteNeighbour, replaceNeighbour } from '../../../src/linux/netlink/neighbour.js';
import { deleteNexthop, replaceNexthop } from '../../../src/linux/netlink/nexthop.js';
import type { Route } from '../../../src/linux/netlink/route.js';
import { deleteRoute, replaceRoute, RT_TABLE_MAIN } from '../../../src/linux/netlink/route.js';
import type { RtnetlinkEvent } from '../../../src/linux/netlink/rtnetlink.js';
import { parseEvent, Rtnetlink, RtnetlinkGroup } from '../../../src/linux/netlink/rtnetlink.js';
import { addRule, deleteRule } from '../../../src/linux/netlink/rule.js';
import { NETLINK_ROUTE, NetlinkSocket } from '../../../src/linux/netlink/socket.js';
import { MessageWriter } from '../../../src/linux/netlink/wire.js';
import type { Ip4 } from '../../../src/net/ip.js';
import { ip4FromNumber, parseIp } from '../../../src/net/ip.js';
import { parseMac } from '../../../src/net/mac.js';
import { hostPrefix, parsePrefix } from '../../../src/net/prefix.js';
import { addon, ifindex, inNamespace, ip, ipJson, until } from '../namespace.js';

const MAC = parseMac('02:00:00:00:00:09');
const host = (text: string) => hostPrefix(parseIp(text));

await inNamespace(t, import.meta.url, async (t) => {
  ip('link add br0 type bridge');
  ip('link add port0 type veth peer name client0');
  ip('link set port0 master br0');
  for (const name of ['br0', 'port0', 'client0']) ip(`link set ${name} up`);
  ip('address add 10.0.0.1/24 dev br0');
  ip('address add 2001:db8::1/64 dev br0 nodad');
  const br0 = ifindex('br0');
  const port0 = ifindex('port0');
  const rtnl = new Rtnetlink(addon());
  t.teardown(() => rtnl.close());

  t.test('routes of every shape, as ip(8) sees them', async (t) => {
    const routes: [route: Route, shown: object][] = [
      [{ destination: host('10.44.0.9'), table: 44, protocol: 44, oif: br0 }, { dst: '10.44.0.9', dev: 'br0', scope: 'link' }],
      [
        { destination: host('10.44.0.8'), table: 44, protocol: 45, oif: br0, gateway: parseIp('10.9.9.9'), onlink: true },
        { dst: '10.44.0.8', gateway: '10.9.9.9', flags: ['onlink'] },
      ],
      [
        { destination: host('10.44.0.7'), table: 44, protocol: 45, oif: br0, gateway: parseIp('fe80::7') },
        { dst: '10.44.0.7', via: { family: 'inet6', host: 'fe80::7' } },
      ],
      [
        { destination: parsePrefix('10.44.0.0/16'), table: 44, protocol: 44, type: 'unreachable', priority: 9 },
        { type: 'unreachable', dst: '10.44.0.0/16', metric: 9 },
      ],
      [
        { destination: parsePrefix('2001:db8:44::/64'), table: 44, protocol: 44, oif: br0, priority: 1024 },
        { dst: '2001:db8:44::/64', dev: 'br0', metric: 1024 },
      ],
      [
        { destination: host('2001:db8:44::7'), table: 44, protocol: 45, oif: br0, gateway: parseIp('fe80::7'), priority: 5 },
        { dst: '2001:db8:44::7', gateway: 'fe80::7', metric: 5 },
      ],
    ];
    for (const [route, shown] of routes) {
      await rtnl.apply(replaceRoute(route));
      const { family, address, length } = route.destination;
      const [seen] = ipJson(`-${family} route show table 44 exact ${address}/${length}`);
      t.match(seen, { ...shown, protocol: String(route.protocol) });
      const read = await rtnl.routes({ family, table: 44 });
      t.strictSame(
        read.find(({ destination }) => destination.address === address),
        { type: 'unicast', ...route },
      );
    }
    t.equal((await rtnl.routes({ family: 4, table: 44, protocol: 45 })).length, 2);
    t.equal((await rtnl.routes({ family: 6, table: 44, protocol: 45 })).length, 1);
    t.equal((await rtnl.routes({ family: 4, protocol: 44 })).length, 2);
    t.strictSame(await rtnl.routes({ family: 4, table: 4444 }), [], 'a table that is not there is empty');
    t.strictSame(await rtnl.routes({ family: 6, table: 4444 }), []);
    const results = await rtnl.applyAll(routes.map(([route]) => deleteRoute(route)));
    t.strictSame(results, Array(routes.length).fill(undefined));
    t.strictSame([...(await rtnl.routes({ family: 4, table: 44 })), ...(await rtnl.routes({ family: 6, table: 44 }))], []);
  });

  t.test('deleting is exact', async (t) => {
    const route: Route = { destination: host('10.44.0.9'), table: 44, protocol: 44, oif: br0 };
    await rtnl.apply(replaceRoute(route));
    await t.rejects(rtnl.apply(deleteRoute({ ...route, protocol: 45 })), { name: 'NetlinkError', code: 'ESRCH', errno: 3 }, 'another protocol');
    await t.rejects(rtnl.apply(deleteRoute({ ...route, table: 45 })), { code: 'ESRCH' }, 'another table');
    await t.rejects(rtnl.apply(deleteRoute({ ...route, type: 'blackhole' })), { code: 'ESRCH' }, 'another type');
    await rtnl.apply(deleteRoute(route));
    await rtnl.apply(replaceNexthop({ id: 71, family: 6, protocol: 45, oif: br0, gateway: parseIp('fe80::2') }));
    for (const destination of [host('10.44.0.9'), host('2001:db8:44::9')]) {
      const remote: Route = { destination, table: 44, protocol: 45, nexthopId: 71 };
      await rtnl.apply(replaceRoute(remote));
      await t.rejects(rtnl.apply(deleteRoute({ ...remote, nexthopId: 72 })), 'another nexthop');
      await rtnl.apply(deleteRoute(remote));
      await rtnl.apply(replaceRoute(remote));
      await rtnl.apply(deleteRoute({ destination, table: 44, protocol: 45 }));
    }
    await rtnl.apply(deleteNexthop(71));
  });

  t.test('a route takes the place of any other to the same destination', async (t) => {
    await rtnl.apply(replaceNexthop({ id: 71, family: 4, protocol: 45, oif: br0, gateway: parseIp('10.0.0.2') }));
    await rtnl.apply(replaceNexthop({ id: 72, family: 6, protocol: 45, oif: br0, gateway: parseIp('fe80::2') }));
    for (const [family, destination, gateway, nexthopId] of [
      [4, host('10.44.0.9'), parseIp('10.0.0.3'), 71],
      [6, host('2001:db8:44::9'), parseIp('fe80::3'), 72],
    ] as const) {
      const shapes: Route[] = [
        { destination, table: 44, protocol: 44, oif: br0, priority: 1024 },
        { destination, table: 44, protocol: 45, nexthopId, priority: 1024 },
        { destination, table: 44, protocol: 45, oif: br0, gateway, priority: 1024 },
        { destination, table: 44, protocol: 45, type: 'unreachable', priority: 1024 },
      ];
      for (const from of shapes) {
        for (const to of shapes) {
          await rtnl.apply(replaceRoute(from));
          await rtnl.apply(replaceRoute(to));
          const left = await rtnl.routes({ family, table: 44 });
          t.equal(left.length, 1, `IPv${family}: one route is left`);
          t.match(left[0], { type: 'unicast', ...to });
        }
      }
      await rtnl.apply(deleteRoute(shapes.at(-1)!));
    }
    await rtnl.apply(deleteNexthop(71));
    await rtnl.apply(deleteNexthop(72));
  });

  t.test('nexthop objects', async (t) => {
    t.equal(await rtnl.supportsNexthops(), true);
    const first = { id: 7, family: 4, protocol: 45, oif: br0, gateway: parseIp('10.0.0.2') } as const;
    await rtnl.apply(replaceNexthop(first));
    t.strictSame(await rtnl.nexthops(), [first]);
    t.match(ipJson('nexthop show id 7')[0], { gateway: '10.0.0.2', dev: 'br0', protocol: '45' });
    const destination = host('10.44.0.9');
    await rtnl.apply(replaceRoute({ destination, table: RT_TABLE_MAIN, protocol: 45, nexthopId: 7 }));
    t.match(await rtnl.routeTo({ destination: destination.address }), { gateway: '10.0.0.2', oif: br0 });
    await rtnl.apply(replaceNexthop({ ...first, gateway: parseIp('10.7.7.7'), onlink: true }));
    t.match(await rtnl.routeTo({ destination: destination.address }), { gateway: '10.7.7.7' }, 'the route follows');
    t.match(await rtnl.nexthops(), [{ gateway: '10.7.7.7', onlink: true }]);
    const crossed = { id: 8, family: 6, protocol: 45, oif: br0, gateway: parseIp('fe80::8') } as const;
    await rtnl.apply(replaceNexthop(crossed));
    await rtnl.apply(replaceRoute({ destination, table: RT_TABLE_MAIN, protocol: 45, nexthopId: 8 }));
    t.match(await rtnl.routeTo({ destination: destination.address }), { gateway: 'fe80::8' }, 'IPv4 by way of IPv6');
    await rtnl.apply(deleteNexthop(8));
    t.strictSame(await rtnl.routes({ family: 4, protocol: 45 }), [], 'the route went with its nexthop');
    await t.rejects(rtnl.apply(deleteNexthop(8)), { code: 'ENOENT' });
    await t.rejects(
      rtnl.apply(replaceRoute({ destination, table: 44, protocol: 45, nexthopId: 99 })),
      { code: 'EINVAL', text: 'Nexthop id does not exist' },
      'the kernel says why',
    );
    await rtnl.apply(deleteNexthop(7));
  });

  t.test('where an address is', async (t) => {
    t.match(await rtnl.routeTo({ destination: parseIp('10.0.0.2') }), {
      oif: br0,
      source: '10.0.0.1',
      table: RT_TABLE_MAIN,
      gateway: undefined,
    });
    t.match(await rtnl.routeTo({ destination: parseIp('10.0.0.1') }), { type: 'local' });
    const matched = await rtnl.routeTo({ destination: parseIp('10.0.0.2'), fibMatch: true });
    t.match(matched?.destination, { address: '10.0.0.0', length: 24 }, 'the route, not the address');
    const six = await rtnl.routeTo({ destination: parseIp('2001:db8::2'), fibMatch: true });
    t.match(six, { destination: { address: '2001:db8::', length: 64 }, oif: br0, table: RT_TABLE_MAIN });
    t.match(await rtnl.routeTo({ destination: parseIp('2001:db8::2') }), { oif: br0, source: '2001:db8::1' });
    t.equal(await rtnl.routeTo({ destination: parseIp('192.0.2.1') }), undefined);
    t.equal(await rtnl.routeTo({ destination: parseIp('2001:db9::1') }), undefined);
    for (const type of ['unreachable', 'blackhole', 'prohibit'] as const) {
      for (const text of ['192.0.2.1', '2001:db9::1']) {
        const route = { destination: host(text), table: RT_TABLE_MAIN, protocol: 44, type };
        await rtnl.apply(replaceRoute(route));
        t.equal(await rtnl.routeTo({ destination: parseIp(text) }), undefined, `${type} ${text}`);
        await rtnl.apply(deleteRoute(route));
      }
    }
  });

  t.test('neighbours', async (t) => {
    // Multicast groups have entries as well, which need no ARP.
    const unicast = async () => (await rtnl.neighbours({ ifindex: br0 })).filter(({ state }) => state !== 'noarp');
    for (const text of ['10.0.0.9', '2001:db8::9']) {
      const neighbour = { ip: parseIp(text), ifindex: br0, mac: MAC, state: 'permanent', protocol: 44 } as const;
      await rtnl.apply(replaceNeighbour(neighbour));
      t.strictSame(await unicast(), [neighbour]);
      t.match(ipJson(`neigh show dev br0 to ${text}`)[0], { lladdr: MAC, state: ['PERMANENT'] });
      await rtnl.apply(replaceNeighbour({ ...neighbour, state: 'stale', mac: parseMac('02:00:00:00:00:08') }));
      t.match(await unicast(), [{ state: 'stale', mac: '02:00:00:00:00:08' }]);
      t.match(await rtnl.neighbours({ ifindex: br0, learned: true }), [{ ip: neighbour.ip }]);
      await rtnl.apply(replaceNeighbour({ ...neighbour, state: 'permanent', mac: parseMac('02:00:00:00:00:08') }));
      t.same(await rtnl.neighbours({ ifindex: br0, learned: true }), [], 'a permanent one is not');
      await rtnl.apply(deleteNeighbour(neighbour));
      t.strictSame(await unicast(), []);
      await t.rejects(rtnl.apply(deleteNeighbour(neighbour)), { code: 'ENOENT' });
    }
    await rtnl.apply(replaceNeighbour({ ip: parseIp('2001:db8::5'), ifindex: br0, state: 'none', proxy: true }));
    t.match(await rtnl.neighbours({ family: 6, proxy: true }), [{ ip: '2001:db8::5', proxy: true }]);
    t.strictSame(await unicast(), [], 'a proxy entry is no neighbour');
    await rtnl.apply(deleteNeighbour({ ip: parseIp('2001:db8::5'), ifindex: br0, proxy: true }));
  });

  t.test('forwarding entries of a bridge', async (t) => {
    execFileSync('bridge', ['fdb', 'add', MAC, 'dev', 'port0', 'master', 'dynamic']);
    const entry = (await rtnl.fdb(br0)).find(({ mac }) => mac === MAC);
    t.match(entry, { mac: MAC, port: port0, bridge: br0, learned: true });
    t.same(await rtnl.fdbEntry({ bridge: br0, mac: MAC }), entry);
    t.equal(await rtnl.fdbEntry({ bridge: br0, mac: MAC, vlan: 10 }), undefined, 'a bridge without VLANs has it in none');
    t.equal(await rtnl.fdbEntry({ bridge: br0, mac: parseMac('02:00:00:00:00:aa') }), undefined);
    await t.rejects(rtnl.fdbEntry({ bridge: port0, mac: MAC }), { name: 'NetlinkError' }, 'no bridge');
    t.ok((await rtnl.fdb()).some(({ learned }) => !learned), "the port's own address is not learned");
    await rtnl.apply(deleteFdbEntry({ mac: MAC, port: port0 }));
    t.equal((await rtnl.fdb(br0)).find(({ mac }) => mac === MAC), undefined);
    await t.rejects(rtnl.apply(deleteFdbEntry({ mac: MAC, port: port0 })), { code: 'ENOENT' });
  });

  t.test('rules', async (t) => {
    for (const family of [4, 6] as const) {
      const rule = { family, priority: 100, table: 44, protocol: 44 };
      await rtnl.apply(addRule(rule));
      await t.rejects(rtnl.apply(addRule(rule)), { code: 'EEXIST' });
      t.strictSame((await rtnl.rules(family)).find(({ priority }) => priority === 100), rule);
      t.match(ipJson(`-${family} rule show priority 100`)[0], { table: '44', protocol: '44' });
      await rtnl.apply(deleteRule(rule));
      await t.rejects(rtnl.apply(deleteRule(rule)), { code: 'ENOENT' });
    }
    const narrow = { family: 4, priority: 101, table: 1044, protocol: 44, source: parsePrefix('10.44.0.0/16'), iif: 'br0' } as const;
    await rtnl.apply(addRule(narrow));
    t.strictSame((await rtnl.rules(4)).find(({ priority }) => priority === 101), narrow);
    await rtnl.apply(deleteRule(narrow));
  });

  t.test('a query that leaves out a table', async (t) => {
    for (const [family, text, gateway] of [
      [4, '192.0.2.1', '10.0.0.7'],
      [6, '2001:db9::1', '2001:db8::7'],
    ] as const) {
      const destination = host(text);
      const rule = { family, priority: 100, table: 44, mark: 44, invert: true };
      await rtnl.apply(addRule(rule));
      t.match((await rtnl.rules(family)).find(({ priority }) => priority === 100), rule);
      const ours: Route = { destination, table: 44, protocol: 44, oif: br0 };
      const theirs: Route = { destination, table: RT_TABLE_MAIN, protocol: 42, oif: br0, gateway: parseIp(gateway) };
      await rtnl.apply(replaceRoute(ours));
      await rtnl.apply(replaceRoute(theirs));
      t.match(await rtnl.routeTo({ destination: destination.address }), { table: 44, gateway: undefined });
      t.match(await rtnl.routeTo({ destination: destination.address, mark: 44 }), { table: RT_TABLE_MAIN, gateway });
      for (const route of [ours, theirs]) await rtnl.apply(deleteRoute(route));
      await rtnl.apply(deleteRule(rule));
    }
  });

  t.test('links and addresses', async (t) => {
    const named = async (name: string) => (await rtnl.links()).find((link) => link.name === name);
    t.match(await named('lo'), { loopback: true, up: true, mtu: 65536 });
    t.match(await named('br0'), { index: br0, kind: 'bridge', up: true, running: true });
    t.match(await named('port0'), { index: port0, master: br0, kind: 'veth', mtu: 1500 });
    await rtnl.apply(setLinkAddress(br0, parseMac('00:00:5e:00:52:13')));
    t.equal((await named('br0'))?.mac, '00:00:5e:00:52:13');
    ip('link set client0 down');
    // The kernel has it noticed by a worker of its own; the bridge learns nothing on a port that is down.
    const noticed = (up: boolean) => (ipJson('link show dev port0')[0]!['operstate'] === 'UP') === up;
    await until(t, 'that is noticed', () => noticed(false));
    t.match(await named('port0'), { up: true, running: false }, 'the other end of the cable is down');
    ip('link set client0 up');
    await until(t, 'that it is up again too', () => noticed(true));
    const shared = { ifindex: br0, ip: parseIp('fe80::200:5eff:fe00:5213'), length: 64, noDad: true };
    await rtnl.apply(replaceAddress(shared));
    t.match((await rtnl.addresses(6)).find(({ ip }) => ip === shared.ip), { ...shared, tentative: undefined });
    const four = { ifindex: br0, ip: parseIp('10.44.0.1'), length: 16, noPrefixRoute: true };
    await rtnl.apply(replaceAddress(four));
    t.strictSame((await rtnl.addresses()).find(({ ip }) => ip === four.ip), four);
    t.strictSame(ipJson('route show exact 10.44.0.0/16'), []);
    await rtnl.apply(deleteAddress(four));
    await t.rejects(rtnl.apply(deleteAddress(four)), { code: 'EADDRNOTAVAIL' });
  });

  t.test('events', async (t) => {
    const events: RtnetlinkEvent[] = [];
    const monitor = new NetlinkMonitor(addon(), {
      protocol: NETLINK_ROUTE,
      groups: Object.values(RtnetlinkGroup),
      onMessages: (messages) => events.push(...messages.map(parseEvent).filter((event) => event !== undefined)),
      onOverrun: (code) => t.fail(code),
    });
    t.teardown(() => monitor.close());
    const route: Route = { destination: host('10.44.0.9'), table: 44, protocol: 44, oif: br0 };
    const address = { ifindex: br0, ip: parseIp('10.45.0.1'), length: 16 };
    const neighbour = { ip: parseIp('10.0.0.9'), ifindex: br0, mac: MAC, state: 'permanent' } as const;
    const rule = { family: 4, priority: 100, table: 44 } as const;
    const nexthop = { id: 7, family: 4, protocol: 45, oif: br0 } as const;
    execFileSync('bridge', ['fdb', 'add', MAC, 'dev', 'port0', 'master', 'dynamic']);
    const results = await rtnl.applyAll([
      replaceAddress(address),
      deleteAddress(address),
      replaceNexthop(nexthop),
      deleteNexthop(7),
      replaceRoute(route),
      deleteRoute(route),
      replaceNeighbour(neighbour),
      deleteNeighbour(neighbour),
      addRule(rule),
      deleteRule(rule),
      deleteFdbEntry({ mac: MAC, port: port0 }),
      setLinkAddress(br0, MAC),
    ]);
    t.strictSame(results, Array(12).fill(undefined));
    const wanted = [
      { kind: 'address', removed: false, address },
      { kind: 'address', removed: true, address },
      { kind: 'nexthop', removed: false, nexthop },
      { kind: 'nexthop', removed: true, nexthop },
      { kind: 'route', removed: false, route },
      { kind: 'route', removed: true, route },
      { kind: 'neighbour', removed: false, neighbour },
      { kind: 'neighbour', removed: true, neighbour: { ip: neighbour.ip } },
      { kind: 'rule', removed: false, rule },
      { kind: 'rule', removed: true, rule },
      { kind: 'fdb', removed: false, entry: { mac: MAC, port: port0, bridge: br0 } },
      { kind: 'fdb', removed: true, entry: { mac: MAC, port: port0, bridge: br0 } },
      { kind: 'link', removed: false, link: { index: br0, mac: MAC } },
    ];
    const has = (event: object) => events.some((seen) => contains(seen, event));
    await until(t, 'every event', () => wanted.every(has));
    for (const event of wanted) t.ok(has(event), JSON.stringify(event));
    monitor.close();
    monitor.close();
    t.throws(
      () => new NetlinkMonitor(addon(), { protocol: 0, groups: [9999], onMessages: () => {}, onOverrun: () => {} }),
      { code: 'EINVAL' },
      'no such group',
    );
  });

  t.test('a monitor that does not keep up is told, and goes on', async (t) => {
    const codes: string[] = [];
    let events = 0;
    const monitor = new NetlinkMonitor(addon(), {
      protocol: NETLINK_ROUTE,
      groups: [RtnetlinkGroup.route4],
      receiveBuffer: 4096,
      onMessages: (messages) => (events += messages.length),
      onOverrun: (code) => codes.push(code),
    });
    t.teardown(() => monitor.close());
    const route = (n: number): Route => ({ destination: hostPrefix(ip4FromNumber(0x0a2c0000 + n)), table: 44, protocol: 44, oif: br0 });
    await rtnl.applyAll(Array.from({ length: 200 }, (_, n) => replaceRoute(route(n))));
    await until(t, 'the overrun is reported', () => codes.length > 0);
    t.ok(codes.every((code) => code === 'ENOBUFS'));
    t.ok(events < 200, `${events} events came through`);
    const before = events;
    await rtnl.apply(deleteRoute(route(0)));
    await until(t, 'later events arrive', () => events > before);
    await rtnl.applyAll(Array.from({ length: 200 }, (_, n) => deleteRoute(route(n))));
  });

  t.test('10,000 routes in one batch, each with its own result', async (t) => {
    const COUNT = 10_000;
    const routes = Array.from({ length: COUNT }, (_, n): Route => {
      // Every 100th names an interface that is not there.
      return { destination: hostPrefix<Ip4>(ip4FromNumber(0x0a2c0000 + n)), table: 44, protocol: 44, oif: n % 100 === 99 ? 99999 : br0 };
    });
    const start = performance.now();
    const results = await rtnl.applyAll(routes.map(replaceRoute));
    const added = performance.now();
    t.strictSame(
      results.map((error) => error?.code),
      routes.map(({ oif }) => (oif === br0 ? undefined : 'ENODEV')),
    );
    t.equal(ipJson('route show table 44').length, COUNT - COUNT / 100);
    const beforeDump = performance.now();
    t.equal((await rtnl.routes({ family: 4, table: 44 })).length, COUNT - COUNT / 100);
    const dumped = performance.now();
    const good = routes.filter(({ oif }) => oif === br0);
    t.ok((await rtnl.applyAll(good.map(deleteRoute))).every((error) => error === undefined));
    const removed = performance.now();
    t.strictSame(await rtnl.routes({ family: 4, table: 44 }), []);
    t.comment(
      `added in ${Math.round(added - start)} ms, read in ${Math.round(dumped - beforeDump)} ms,` +
        ` removed in ${Math.round(removed - dumped)} ms`,
    );
  });

  t.test('a batch in which everything fails loses no result', async (t) => {
    const routes = Array.from({ length: 3000 }, (_, n): Route => {
      return { destination: hostPrefix(ip4FromNumber(0x0a2c0000 + n)), table: 44, protocol: 44, oif: 99999 };
    });
    const results = await rtnl.applyAll(routes.map(replaceRoute));
    t.ok(results.every((error) => error?.code === 'ENODEV'), `${new Set(results.map((error) => error?.code))}`);
  });

  t.test('many requests and dumps at once', async (t) => {
    const answers = await Promise.all([
      ...Array.from({ length: 600 }, () => rtnl.routeTo({ destination: parseIp('10.0.0.2') })),
      ...Array.from({ length: 5 }, () => rtnl.links()),
      rtnl.addresses(),
    ]);
    t.ok(answers.slice(0, 600).every((route) => (route as Route).oif === br0));
    t.strictSame(answers[600], answers[604]);
  });

  t.test('no answer is a timeout; an answer that comes too late is nobody’s', async (t) => {
    const pending: (() => void)[] = [];
    const socket = new NetlinkSocket(addon(), NETLINK_ROUTE, {
      after: (ms, callback) => {
        t.equal(ms, 5000);
        pending.push(callback);
        return () => pending.splice(pending.indexOf(callback), 1);
      },
    });
    t.teardown(() => socket.close());
    const links = () => socket.dump(new MessageWriter(18).put(new Uint8Array(16)).done(), (message) => message.type);
    // So many that the event loop has to bring the answer.
    const many = <T>(one: T) => new Array<T>(20).fill(one);
    const late = socket.batch(many(replaceRoute({ destination: host('10.44.0.9'), table: 44, protocol: 44, oif: br0 })));
    pending[0]!();
    t.match(await late, many({ code: 'ETIMEDOUT' }));
    t.ok((await links()).length >= 4, 'the socket is as good as before');
    t.equal(pending.length, 0);
    t.strictSame(await socket.batch([deleteRoute({ destination: host('10.44.0.9'), table: 44, protocol: 44 })]), [undefined]);
    const unanswered = links();
    const batch = socket.batch(many(addRule({ family: 4, priority: 1, table: 44 })));
    socket.close();
    await t.rejects(unanswered, { code: 'ECANCELED' });
    t.match(await batch, many({ code: 'ECANCELED' }));
    await rtnl.applyAll([deleteRule({ family: 4, priority: 1, table: 44 })]);
    await t.rejects(links(), { code: 'ECANCELED' }, 'closed for good');
    t.strictSame(await socket.batch([]), []);
    socket.close();
  });

  t.test('a dump whose parser throws fails, and only it', async (t) => {
    const socket = new NetlinkSocket(addon(), NETLINK_ROUTE);
    t.teardown(() => socket.close());
    const dump = new MessageWriter(18).put(new Uint8Array(16)).done();
    const broken = () => {
      throw new Error('unreadable');
    };
    await t.rejects(socket.dump(dump, broken), { message: 'unreadable' });
    t.ok((await socket.dump(dump, ({ type }) => type)).length >= 4);
    await t.rejects(socket.request(new MessageWriter(250).done()), { code: 'EOPNOTSUPP' });
    await t.rejects(socket.dump(new MessageWriter(250).done(), () => 1), { code: 'EOPNOTSUPP' });
  });
});

function contains(whole: unknown, part: unknown): boolean {
  if (typeof part !== 'object' || part === null) return whole === part;
  if (typeof whole !== 'object' || whole === null) return false;
  return Object.entries(part).every(([key, value]) => contains((whole as Record<string, unknown>)[key], value));
}
