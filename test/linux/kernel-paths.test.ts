/** Ways to a node as routing protocols, VPNs and people make them: the client's routes follow each, and no other. */
import t from 'tap';
import type { Test } from 'tap';
import { parseIp } from '../../src/net/ip.js';
import { A } from '../routes/helpers.js';
import type { Run } from './kernel-run.js';
import { client, run, table } from './kernel-run.js';
import { inNamespace, ip, ipJson, until } from './namespace.js';

const A4 = parseIp('10.9.0.1');
const A6 = parseIp('2001:db8:9::1');

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
});
