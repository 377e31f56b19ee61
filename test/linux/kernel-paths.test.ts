/** Ways to a node as routing protocols, VPNs and people make them: the client's routes follow each, and no other. */
import t from 'tap';
import type { Test } from 'tap';
import { parseIp } from '../../src/net/ip.js';
import { A } from '../routes/helpers.js';
import type { Run } from './kernel-run.js';
import { A4, A6, client, ipBatch, run, table, wait } from './kernel-run.js';
import { inNamespace, ip, ipJson, until } from './namespace.js';

/** Where the kernel sends packets for the client of {@link withClient}: interface, and gateway if any. */
function way(family: 4 | 6): string {
  try {
    const [route] = ipJson(`-${family} route get ${family === 4 ? '10.44.0.2' : '2001:db8:44:2::7'}`);
    const gateway = route?.['gateway'] ?? (route?.['via'] as { host: string } | undefined)?.host ?? '';
    return `${route!['dev'] as string} ${gateway as string}`.trim();
  } catch {
    return 'none';
  }
}

/** A client at node A, which has these addresses. */
async function withClient(t: Test, addresses = [A4, A6], options: Parameters<typeof run>[1] = {}): Promise<Run> {
  const running = await run(t, options);
  running.routes.setNode(A, addresses);
  running.routes.setClient(client(2, A, '10.44.0.2/32', '2001:db8:44:2::/64'));
  await running.routes.settled();
  return running;
}

/** One after the other, each by an ip(8) of its own. */
const each = (lines: string[]) => lines.forEach((line) => ip(line));

async function follows(t: Test, why: string, four: string, six: string): Promise<void> {
  await until(t, why, () => way(4) === four && way(6) === six);
  t.strictSame([way(4), way(6)], [four, six], why);
}

await inNamespace(t, import.meta.url, async (t) => {
  each([
    'link add up0 type veth peer name far0',
    'link add up1 type veth peer name far1',
    'link add br-client type bridge',
    'address add 10.0.0.1/24 dev up0',
    'address add 10.0.1.1/24 dev up1',
    'address add 2001:db8:1::1/64 dev up0 nodad',
    ...['up0', 'far0', 'up1', 'far1', 'br-client'].map((name) => `link set ${name} up`),
  ]);
  const clean = async ({ routes, log }: Run, t: Test, lines: (string | RegExp)[] = []) => {
    await routes.stop();
    t.match(log.lines, lines);
    t.strictSame([table(4), table(6), ipJson('nexthop show')], [[], [], []]);
  };

  for (const nexthopObjects of [true, false]) {
    await t.test(`an IPv6 gateway that the main table has by another interface${nexthopObjects ? '' : ', without nexthop objects'}`, async (t) => {
      ip('-6 route add 2001:db8:9::1 via 2001:db8:1::2 dev up0');
      const running = await withClient(t, [A6], { nexthopObjects });
      await follows(t, 'on the link', 'up0 2001:db8:1::2', 'up0 2001:db8:1::2');
      ip('-6 route add 2001:db8:1::3 via fe80::9 dev up1');
      ip('-6 route change 2001:db8:9::1 via 2001:db8:1::3 dev up0');
      await follows(t, 'a gateway that a routing protocol carries by another link', 'up0 2001:db8:1::3', 'up0 2001:db8:1::3');
      ip('-6 route del 2001:db8:9::1');
      await follows(t, 'no way', 'none', 'none');
      ip('-6 route add 2001:db8:9::1 via 2001:db8:1::3 dev up0');
      await follows(t, 'made anew', 'up0 2001:db8:1::3', 'up0 2001:db8:1::3');
      ip('-6 route del 2001:db8:9::1');
      // As a VPN does that sends some addresses its own way.
      each(['-6 route add 2001:db8:9::1 dev up1 table 100', '-6 rule add to 2001:db8:9::1 lookup 100 priority 500', '-6 route add 2001:db8:9::/64 dev up0']);
      await follows(t, 'a node on the link by a table that a rule names', 'up1 2001:db8:9::1', 'up1 2001:db8:9::1');
      each(['-6 rule del priority 500', '-6 route flush table 100', '-6 route del 2001:db8:9::/64', '-6 route del 2001:db8:1::3']);
      await clean(running, t);
    });
  }

  await t.test('ways of equal cost', async (t) => {
    ip('route add 10.9.0.1 nexthop via 10.0.0.2 dev up0 nexthop via 10.0.1.2 dev up1');
    ip('-6 route add 2001:db8:9::1 nexthop via fe80::2 dev up0 nexthop via fe80::3 dev up1');
    const running = await withClient(t);
    t.match([way(4), way(6)], [/^up[01] 10.0.[01].2$/, /^up[01] fe80::[23]$/]);
    ip('link set far0 down');
    await follows(t, 'one loses its carrier', 'up1 10.0.1.2', 'up1 fe80::3');
    ip('link set far0 up');
    ip('link set far1 down');
    ip('-6 route replace 2001:db8:9::1 via fe80::2 dev up0');
    await follows(t, 'and the other', 'up0 10.0.0.2', 'up0 fe80::2');
    ip('link set far1 up');
    each(['route del 10.9.0.1', '-6 route del 2001:db8:9::1']);
    await clean(running, t);
  });

  await t.test('no way, said in so many words: the client\'s packets do not take a default route', async (t) => {
    const running = await withClient(t);
    each(['route add default via 10.0.1.9 dev up1', '-6 route add default via fe80::9 dev up1']);
    for (const type of ['unreachable', 'blackhole', 'prohibit', 'throw']) {
      each(['route replace 10.9.0.1 via 10.0.0.2 dev up0', '-6 route replace 2001:db8:9::1 via fe80::2 dev up0']);
      await follows(t, 'a way', 'up0 10.0.0.2', 'up0 fe80::2');
      each([`route replace ${type} 10.9.0.1`, '-6 route del 2001:db8:9::1', `-6 route add ${type} 2001:db8:9::1`]);
      await until(t, `${type}: no route`, () => table(4).length + table(6).length === 0);
      each([`route del ${type} 10.9.0.1`, `-6 route del ${type} 2001:db8:9::1`]);
    }
    each(['route del default', '-6 route del default']);
    await clean(running, t);
  });

  await t.test('routes by nexthop objects of others, and by groups of them', async (t) => {
    const running = await withClient(t);
    each([
      'nexthop add id 1 via 10.0.0.2 dev up0', 'nexthop add id 2 via 10.0.1.2 dev up1', 'nexthop add id 5 group 1',
      'nexthop add id 3 via fe80::2 dev up0', 'nexthop add id 4 via fe80::3 dev up1', 'nexthop add id 6 group 3',
      'route add 10.9.0.1 nhid 1', '-6 route add 2001:db8:9::1 nhid 3',
    ]);
    await follows(t, 'an object', 'up0 10.0.0.2', 'up0 fe80::2');
    each(['nexthop replace id 1 via 10.0.1.7 dev up1', 'nexthop replace id 3 via fe80::7 dev up1']);
    await follows(t, 'it leads elsewhere', 'up1 10.0.1.7', 'up1 fe80::7');
    each(['nexthop replace id 1 via 10.0.0.2 dev up0', 'nexthop replace id 3 via fe80::2 dev up0', 'route replace 10.9.0.1 nhid 5', '-6 route replace 2001:db8:9::1 nhid 6']);
    await follows(t, 'a group', 'up0 10.0.0.2', 'up0 fe80::2');
    await running.routes.settled();
    // While interfaces are still settling, all paths are looked up anew anyway.
    for (let before = -1; before !== running.events.length; await wait(1000)) before = running.events.length;
    each(['nexthop replace id 5 group 2', 'nexthop replace id 6 group 4']);
    await follows(t, 'the group has another member', 'up1 10.0.1.2', 'up1 fe80::3');
    each(['nexthop replace id 5 group 1/2', 'nexthop replace id 6 group 3/4']);
    await running.routes.settled();
    each(['nexthop del id 2', 'nexthop del id 4']);
    await follows(t, 'a member goes', 'up0 10.0.0.2', 'up0 fe80::2');
    each(['nexthop add id 8 blackhole', '-6 nexthop add id 9 blackhole', 'route replace 10.9.0.1 nhid 8']);
    await follows(t, 'what drops everything is no way: IPv4 by the one of IPv6', 'up0 fe80::2', 'up0 fe80::2');
    each(['-6 route replace 2001:db8:9::1 nhid 9']);
    await until(t, 'nor in IPv6', () => table(4).length + table(6).length === 0);
    each(['nexthop del id 1', 'nexthop del id 3', 'nexthop del id 8', 'nexthop del id 9']);
    await running.routes.settled();
    await clean(running, t);
  });

  await t.test('rules of others: what is for marked packets, or for those from elsewhere, is not the way to a node', async (t) => {
    each(['route add 10.9.0.1 via 10.0.0.2 dev up0', '-6 route add 2001:db8:9::1 via fe80::2 dev up0']);
    const running = await withClient(t);
    for (const family of [4, 6]) {
      each([
        `-${family} route add default dev up1 table 7`,
        `-${family} rule add fwmark 0x100/0x3f00 lookup 7 priority 2001`,
        `-${family} rule add iif br-client lookup 7 priority 1001`,
        `-${family} rule add from ${family === 4 ? '10.44.0.0/16' : '2001:db8:44::/48'} lookup 7 priority 300`,
      ]);
    }
    await running.routes.settled();
    await follows(t, 'as before', 'up0 10.0.0.2', 'up0 fe80::2');
    const [marked] = ipJson('route get 10.44.0.2 mark 0x100');
    t.equal(marked?.['dev'], 'up0', 'nor do they divert what is for a client');
    each(['route add 10.9.0.1 via 10.0.1.5 dev up1 table 8', '-6 route add 2001:db8:9::1 via fe80::5 dev up1 table 8']);
    each(['-4 rule add lookup 8 priority 1500', '-6 rule add lookup 8 priority 1500']);
    await follows(t, 'a table that is for all, as that of another routing protocol', 'up1 10.0.1.5', 'up1 fe80::5');
    each(['route replace 10.9.0.1 via 10.0.0.6 dev up0 table 8', '-6 route replace 2001:db8:9::1 via fe80::6 dev up0 table 8']);
    await follows(t, 'it changes', 'up0 10.0.0.6', 'up0 fe80::6');
    for (const family of [4, 6]) {
      each([300, 1001, 1500, 2001].map((priority) => `-${family} rule del priority ${priority}`));
      each([7, 8].map((number) => `-${family} route flush table ${number}`));
    }
    await follows(t, 'main again', 'up0 10.0.0.2', 'up0 fe80::2');
    each(['route del 10.9.0.1', '-6 route del 2001:db8:9::1']);
    await clean(running, t);
  });

  await t.test('a link without addresses on which the node is all there is: wireguard, tunnels', async (t) => {
    each(['link add wg0 type veth peer name peer0', 'link set peer0 up', 'link set wg0 arp off up', 'route add 10.9.0.1 dev wg0', '-6 route add 2001:db8:9::1 dev wg0']);
    const running = await withClient(t);
    await follows(t, 'by that link', 'wg0 10.9.0.1', 'wg0 2001:db8:9::1');
    ip('link del wg0');
    await follows(t, 'the link is gone', 'none', 'none');
    await clean(running, t);
  });

  await t.test('interfaces under nexthop objects: another name, gone and made anew', async (t) => {
    const roads = ['address replace 10.0.0.1/24 dev up0', 'link set up0 up', 'link set far0 up', 'route replace 10.9.0.1 via 10.0.0.2 dev up0', 'route replace 2001:db8:9::1 via fe80::2 dev up0'];
    each(roads);
    const running = await withClient(t);
    running.batches.length = 0;
    ip('link set up0 down');
    await follows(t, 'down', 'none', 'none');
    ip('link set up0 name lan4');
    each(roads.map((words) => words.replaceAll('up0', 'lan4')));
    await follows(t, 'by its new name', 'lan4 10.0.0.2', 'lan4 fe80::2');
    ip('link del lan4');
    await follows(t, 'gone, with the kernel\'s objects', 'none', 'none');
    ip('link add up0 type veth peer name far0');
    each(roads);
    await follows(t, 'another of that name', 'up0 10.0.0.2', 'up0 fe80::2');
    await running.routes.settled();
    // Gone and back before anybody looks.
    ipBatch(['link del up0', 'link add up0 type veth peer name far0', ...roads]);
    await follows(t, 'at once', 'up0 10.0.0.2', 'up0 fe80::2');
    await running.routes.settled();
    ipBatch(['link set up0 down', ...roads]);
    await follows(t, 'down and up', 'up0 10.0.0.2', 'up0 fe80::2');
    each(['route del 10.9.0.1', '-6 route del 2001:db8:9::1']);
    await clean(running, t);
  });

  for (const nexthopObjects of [true, false]) {
    await t.test(`the address of the link to a node is set anew${nexthopObjects ? '' : ', without nexthop objects'}`, async (t) => {
      const roads = ['address replace 10.0.0.1/24 dev up0', 'route replace 10.9.0.1 via 10.0.0.2 dev up0'];
      each(roads);
      const running = await withClient(t, [A4], { nexthopObjects });
      await until(t, 'a way', () => way(4) === 'up0 10.0.0.2');
      // With the last IPv4 address the kernel takes the IPv4 routes by that interface, without a word about them.
      ipBatch(['address del 10.0.0.1/24 dev up0', ...roads]);
      await wait(50);
      await until(t, 'the same', () => way(4) === 'up0 10.0.0.2');
      t.equal(table(4).length, 1);
      ip('route del 10.9.0.1');
      await clean(running, t);
    });
  }

  await t.test('a way without a carrier, to one of a node\'s addresses: it is reached by another', async (t) => {
    const running = await withClient(t, [parseIp('10.0.0.2'), parseIp('10.0.1.2')]);
    await until(t, 'by the first', () => way(4) === 'up0 10.0.0.2');
    ip('link set far0 down');
    await until(t, 'by the second', () => way(4) === 'up1 10.0.1.2');
    ip('link set far1 down');
    await until(t, 'by none', () => table(4).length === 0);
    ip('link set far0 up');
    await until(t, 'by the first again', () => way(4) === 'up0 10.0.0.2');
    ip('link set far1 up');
    await clean(running, t);
  });
});
