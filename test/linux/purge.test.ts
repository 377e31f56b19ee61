import { execFileSync } from 'node:child_process';
import t from 'tap';
import type { FdbEntry, FdbQuery } from '../../src/linux/netlink/fdb.js';
import { deleteFdbEntry } from '../../src/linux/netlink/fdb.js';
import type { Link } from '../../src/linux/netlink/link.js';
import type { Neighbour } from '../../src/linux/netlink/neighbour.js';
import { deleteNeighbour } from '../../src/linux/netlink/neighbour.js';
import { Rtnetlink } from '../../src/linux/netlink/rtnetlink.js';
import { Purge } from '../../src/linux/purge.js';
import { toHex } from '../../src/net/bytes.js';
import { parseIp } from '../../src/net/ip.js';
import type { Mac } from '../../src/net/mac.js';
import { parseMac } from '../../src/net/mac.js';
import { TestLog, turn } from '../support.js';
import { addon, inNamespace, ip, ipJson, until } from './namespace.js';

const [BRIDGE, VLAN, ETH, TAGGED, PORT] = [1, 2, 3, 4, 5];
const MAC = parseMac('02:00:00:00:77:01');
const OTHER = parseMac('02:00:00:00:77:02');

const link = (index: number, name: string, more: Partial<Link> = {}): Link => ({ index, name, mtu: 1500, up: true, running: true, loopback: false, ...more });

const links = (filtersVlans?: true): Link[] => [
  link(BRIDGE, 'br-lan', { kind: 'bridge', ...(filtersVlans && { filtersVlans }) }),
  link(VLAN, 'br-lan.20', { kind: 'vlan', vlan: { id: 20, lower: BRIDGE } }),
  link(ETH, 'eth1'),
  link(TAGGED, 'eth1.20', { kind: 'vlan', vlan: { id: 20, lower: ETH } }),
];

const learnt = (mac: Mac, more: Partial<FdbEntry> = {}): FdbEntry => ({ mac, port: PORT, bridge: BRIDGE, learned: true, ...more });

/** A kernel that has these entries and neighbours, and notes what it is asked for and told to remove. */
function kernelWith(all: readonly Link[], entries: readonly FdbEntry[], neighbours: readonly Neighbour[] = []) {
  const asked: string[] = [];
  const removed: string[] = [];
  const log = new TestLog();
  const rtnl = {
    links: async () => {
      asked.push('links');
      return all;
    },
    fdb: async (bridge: number) => {
      asked.push(`fdb ${bridge}`);
      return entries;
    },
    fdbEntry: async ({ bridge, mac, vlan }: FdbQuery) => {
      asked.push(`entry ${mac} of ${bridge}${vlan === undefined ? '' : ` in ${vlan}`}`);
      return entries.find((entry) => entry.mac === mac && entry.vlan === vlan);
    },
    neighbours: async ({ ifindex }: { ifindex: number }) => {
      asked.push(`neighbours ${ifindex}`);
      return neighbours;
    },
    applyAll: async (messages: Uint8Array[]) => {
      removed.push(...messages.map(toHex));
      return [];
    },
  };
  const purge = new Purge({ rtnl: rtnl as never, log, links: () => all });
  return { purge, rtnl, asked, removed, log };
}

t.test('a bridge is asked for the one entry, in the VLAN of the interface where it tells VLANs apart', async (t) => {
  const cases: [network: string, filters: true | undefined, asked: string[], gone: FdbEntry | undefined][] = [
    ['br-lan', undefined, [`entry ${MAC} of 1`, 'neighbours 1'], learnt(MAC)],
    ['br-lan.20', undefined, [`entry ${MAC} of 1`, 'neighbours 2'], learnt(MAC)],
    ['br-lan.20', true, [`entry ${MAC} of 1 in 20`, 'neighbours 2'], learnt(MAC, { vlan: 20 })],
    ['eth1', undefined, ['neighbours 3'], undefined],
    ['eth1.20', undefined, ['neighbours 4'], undefined],
    ['wlan7', undefined, ['links'], undefined],
  ];
  for (const [network, filters, asked, gone] of cases) {
    const kernel = kernelWith(links(filters), [learnt(MAC), learnt(MAC, { vlan: 20 }), learnt(OTHER)]);
    kernel.purge.all(MAC, network);
    await turn();
    t.same(kernel.asked, asked, network);
    t.same(kernel.removed, gone === undefined ? [] : [toHex(deleteFdbEntry(gone))], network);
  }
});

t.test('of a bridge with VLANs that is a client interface itself, all VLANs', async (t) => {
  const kernel = kernelWith(links(true), [learnt(MAC, { vlan: 1 }), learnt(MAC, { vlan: 20 }), learnt(OTHER, { vlan: 1 })]);
  kernel.purge.all(MAC, 'br-lan');
  await turn();
  t.same(kernel.asked, ['fdb 1', 'neighbours 1']);
  t.same(kernel.removed, [1, 20].map((vlan) => toHex(deleteFdbEntry(learnt(MAC, { vlan })))));
});

t.test('of a host behind another port the neighbours stay, and are not read', async (t) => {
  const neighbour: Neighbour = { ip: parseIp('10.44.0.1'), ifindex: BRIDGE, state: 'reachable', mac: MAC };
  const kernel = kernelWith(links(), [learnt(MAC)], [neighbour]);
  kernel.purge.port(MAC, 'br-lan');
  await turn();
  t.same(kernel.asked, [`entry ${MAC} of 1`]);
  t.same(kernel.removed, [toHex(deleteFdbEntry(learnt(MAC)))]);
});

t.test('hosts that go together: the interface is read once for all that wait', async (t) => {
  const macs = Array.from({ length: 200 }, (_, i) => parseMac(`02:00:00:00:78:${i.toString(16).padStart(2, '0')}`));
  const neighbours = macs.map((mac, i): Neighbour => ({ ip: parseIp(`10.44.0.${i}`), ifindex: BRIDGE, state: 'stale', mac }));
  const kernel = kernelWith(links(), [...macs, OTHER].map((mac) => learnt(mac)), neighbours);
  for (const mac of macs) kernel.purge.all(mac, 'br-lan');
  await turn();
  t.same(kernel.asked, [`entry ${macs[0]} of 1`, 'neighbours 1', 'fdb 1', 'neighbours 1']);
  const expected = [...macs.map((mac) => toHex(deleteFdbEntry(learnt(mac)))), ...neighbours.map((one) => toHex(deleteNeighbour(one)))];
  t.same([...kernel.removed].sort(), expected.sort());
});

t.test('one interface fails: it is said, and the next has its turn', async (t) => {
  const kernel = kernelWith(links(), [learnt(MAC)]);
  const { fdbEntry } = kernel.rtnl;
  kernel.rtnl.fdbEntry = () => Promise.reject(new Error('answers were lost (ENOBUFS)'));
  kernel.purge.all(OTHER, 'br-lan');
  kernel.purge.all(MAC, 'br-lan.20');
  await turn();
  t.match(kernel.log.lines, [/br-lan: cannot purge .* 02:00:00:00:77:02: answers were lost/, /br-lan\.20: cannot purge .* 02:00:00:00:77:01/]);
  kernel.rtnl.fdbEntry = fdbEntry;
  kernel.purge.all(MAC, 'br-lan');
  await turn();
  t.same(kernel.removed, [toHex(deleteFdbEntry(learnt(MAC)))]);
});

await inNamespace(t, import.meta.url, async (t) => {
  await t.test('where the host was learned, and nothing else', async (t) => {
    const log = new TestLog();
    const rtnl = new Rtnetlink(addon());
    t.teardown(() => rtnl.close());
    const purge = new Purge({ rtnl, log, links: () => [] });
    const bridgeTool = (command: string) => execFileSync('bridge', command.split(' '), { encoding: 'utf8' });
    ip('link add br-client type bridge');
    ip('link add port0 type veth peer name station0');
    ip('link set port0 master br-client');
    ip('link add up0 type veth peer name far0');
    for (const name of ['br-client', 'port0', 'station0', 'up0', 'far0']) ip(`link set ${name} up`);
    for (const address of [MAC, OTHER]) bridgeTool(`fdb add ${address} dev port0 master dynamic`);
    bridgeTool('fdb add 02:00:00:00:77:03 dev port0 master static');
    ip(`neigh add 10.44.7.1 lladdr ${MAC} dev br-client nud reachable`);
    ip(`neigh add 2001:db8:44:7::1 lladdr ${MAC} dev br-client nud stale`);
    ip(`neigh add 10.44.7.3 lladdr ${MAC} dev br-client nud permanent`);
    ip(`neigh add 10.44.7.2 lladdr ${OTHER} dev br-client nud reachable`);
    ip(`neigh add 10.0.0.77 lladdr ${MAC} dev up0 nud reachable`);
    purge.all(MAC, 'br-client');
    purge.all(parseMac('02:00:00:00:77:03'), 'br-client');
    purge.all(MAC, 'no-such-interface');
    await until(t, 'out of the bridge', () => !bridgeTool('fdb show br br-client').includes(MAC));
    await until(t, 'out of the neighbours', () => !ip('neigh show dev br-client').includes('10.44.7.1 '));
    t.match(bridgeTool('fdb show br br-client'), OTHER);
    t.match(bridgeTool('fdb show br br-client'), '02:00:00:00:77:03', 'which a person has set');
    t.strictSame(
      ipJson('neigh show dev br-client').map(({ dst }) => dst).filter((dst) => /^10\.44\.7|44:7/.test(String(dst))).sort(),
      ['10.44.7.2', '10.44.7.3'],
    );
    t.match(ip('neigh show dev up0'), '10.0.0.77');
    t.same(log.lines, []);
  });
});
