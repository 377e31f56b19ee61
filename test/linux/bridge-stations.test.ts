import t from 'tap';
import { execFileSync } from 'node:child_process';
import { BridgeStations, MAX_HOSTS } from '../../src/linux/bridge-stations.js';
import { CurrentVlans } from '../../src/linux/bridge-vlans.js';
import { NetlinkMonitor } from '../../src/linux/netlink/monitor.js';
import { parseEvent, Rtnetlink, RtnetlinkGroup } from '../../src/linux/netlink/rtnetlink.js';
import { NETLINK_ROUTE } from '../../src/linux/netlink/socket.js';
import type { StationEvent } from '../../src/ports.js';
import { addon, inNamespace, ip, ipJson, until } from './namespace.js';
import { TestLog } from '../support.js';

const MAC = '02:00:00:00:00:77';

const bridge = (command: string) => execFileSync('bridge', command.split(' '), { stdio: ['ignore', 'pipe', 'pipe'] });

const say = (event: StationEvent) => {
  if (event.kind === 'neighbour') return `${event.state} ${event.mac} ${event.address}`;
  const where = event.kind === 'left' ? event.via : `${event.network} ${event.via}`;
  return `${event.kind} ${event.mac} ${where} ${event.source}`;
};

/** Interfaces on a router whose bridges have no VLANs. */
const vlansOf = (...links: object[]) => new CurrentVlans({ links: async () => links as never, bridgePorts: async () => [] });

t.test('what the kernel does not say is asked again', async (t) => {
  const port = { index: 2, name: 'eth1', mac: undefined, mtu: 1500, up: true, running: true, master: 1 };
  const network = { ...port, index: 1, name: 'br-client', master: undefined };
  let failing = true;
  const tasks: (() => void)[] = [];
  const stations = new BridgeStations({
    vlans: vlansOf(network, port),
    rtnl: {
      fdb: async () => {
        if (failing) throw new Error('answers were lost (ENOBUFS)');
        return [{ port: 2, mac: MAC, learned: true }] as never;
      },
      neighbours: async () => [],
    },
    log: new TestLog(),
    networks: () => ['br-client'],
    isAccessPoint: () => false,
    after: (_, task) => tasks.push(task),
  });
  const events: string[] = [];
  stations.start((event) => events.push(say(event)));
  await new Promise((resolve) => setImmediate(resolve));
  t.same([events, tasks.length], [[], 1]);
  failing = false;
  tasks[0]!();
  await new Promise((resolve) => setImmediate(resolve));
  t.same(events, [`authorized ${MAC} br-client eth1 fdb`]);
});

t.test('of invented hosts behind a port only so many are told, and others once some have gone', async (t) => {
  const port = { index: 2, name: 'eth1', mac: undefined, mtu: 1500, up: true, running: true, master: 1 };
  const network = { ...port, index: 1, name: 'br-client', master: undefined };
  const host = (n: number) => ({ port: 2, mac: `02:00:00:01:${(n >> 8).toString(16).padStart(2, '0')}:${(n & 255).toString(16).padStart(2, '0')}`, learned: true }) as never;
  let learnt = Array.from({ length: MAX_HOSTS + 1000 }, (_, n) => host(n));
  const tasks: (() => void)[] = [];
  const stations = new BridgeStations({
    vlans: vlansOf(network, port),
    rtnl: { fdb: async () => learnt, neighbours: async () => [] },
    log: new TestLog(),
    networks: () => ['br-client'],
    isAccessPoint: () => false,
    after: (_, task) => tasks.push(task),
  });
  const here = new Set<string>();
  stations.start((event) => (event.kind === 'authorized' ? here.add(event.mac) : here.delete(event.mac)));
  const settled = () => new Promise((resolve) => setImmediate(resolve));
  await settled();
  t.same([here.size, tasks.length], [MAX_HOSTS, 1]);
  learnt = learnt.slice(-10);
  tasks[0]!();
  await settled();
  t.equal(here.size, 0, 'first those go that are gone');
  t.equal(tasks.length, 2);
  tasks[1]!();
  await settled();
  t.equal(here.size, 10);
});

t.test('who had an address is forgotten with an entry of the daemon itself, and with its interface', async (t) => {
  const bridge = { index: 1, name: 'br-client', mac: undefined, mtu: 1500, up: true, running: true, master: undefined };
  const stations = new BridgeStations({
    vlans: vlansOf(bridge),
    rtnl: { fdb: async () => [], neighbours: async () => [] },
    log: new TestLog(),
    networks: () => ['br-client'],
    isAccessPoint: () => false,
  });
  const events: string[] = [];
  stations.start((event) => events.push(say(event)));
  await new Promise((resolve) => setImmediate(resolve));
  const hear = (neighbour: object, removed = false) =>
    stations.take({ kind: 'neighbour', neighbour: { ip: '10.44.0.9', ifindex: 1, ...neighbour }, removed } as never);
  hear({ mac: MAC, state: 'stale', protocol: 0 });
  t.same(events.splice(0), [`resolved ${MAC} 10.44.0.9`]);
  hear({ mac: MAC, state: 'permanent', protocol: 44 });
  hear({ mac: MAC, state: 'permanent', protocol: 44 }, true);
  hear({ state: 'failed', protocol: 0 });
  t.same(events, [], 'another may have it by now');
  hear({ mac: MAC, state: 'stale', protocol: 0 });
  stations.take({ kind: 'link', link: bridge, removed: true } as never);
  stations.take({ kind: 'link', link: bridge, removed: false } as never);
  hear({ state: 'failed', protocol: 0 });
  t.same(events, [`resolved ${MAC} 10.44.0.9`]);
});

await inNamespace(t, import.meta.url, async (t) => {
  ip('link add br-client type bridge');
  ip('link add br-other type bridge');
  for (const [port, master] of [['eth1', 'br-client'], ['eth2', 'br-client'], ['wlan0', 'br-client'], ['eth9', 'br-other']]) {
    ip(`link add ${port} type veth peer name far-${port}`);
    // The bridge learns who the far end is when that says anything of its own accord.
    ip(`link set far-${port} addrgenmode none arp off`);
    ip(`link set ${port} master ${master} up`);
    ip(`link set far-${port} up`);
  }
  ip('link set br-client up');
  ip('link set br-other up');
  ip('addr add 10.44.0.1/16 dev br-client');
  const stateOf = (port: string) => (ipJson(`link show dev ${port}`)[0]!['linkinfo'] as { info_slave_data: { state: string } }).info_slave_data.state;
  // A bridge takes no entries for a port whose carrier it has not noticed yet.
  await until(t, 'all ports forward', () => ['eth1', 'eth2', 'wlan0', 'eth9'].every((port) => stateOf(port) === 'forwarding'));

  const rtnl = new Rtnetlink(addon());
  const accessPoints = new Set(['wlan0']);
  const events: string[] = [];
  const vlans = new CurrentVlans(rtnl);
  const stations = new BridgeStations({
    rtnl,
    vlans,
    log: new TestLog(),
    networks: () => ['br-client'],
    isAccessPoint: (device) => accessPoints.has(device),
  });
  const monitor = new NetlinkMonitor(addon(), {
    protocol: NETLINK_ROUTE,
    groups: [RtnetlinkGroup.link, RtnetlinkGroup.neighbour],
    onMessages: (messages) => {
      for (const message of messages) {
        const event = parseEvent(message);
        if (event?.kind === 'link' || event?.kind === 'port') vlans.changed();
        if (event !== undefined) stations.take(event);
      }
    },
    onOverrun: () => stations.refresh(),
  });
  t.teardown(() => {
    monitor.close();
    rtnl.close();
  });
  const saw = (t: Parameters<typeof until>[0], ...wanted: string[]) =>
    until(t, wanted.join(', '), () => wanted.every((one) => events.includes(one)));

  bridge(`fdb add 02:00:00:00:00:01 dev eth1 master dynamic`);
  stations.start((event) => events.push(say(event)));

  await t.test('what was learnt before the start', async (t) => {
    await saw(t, 'authorized 02:00:00:00:00:01 br-client eth1 fdb');
    t.equal(events.length, 1, 'and neither the own addresses of ports nor those of the bridge');
  });

  await t.test('learnt, moved to another port, forgotten', async (t) => {
    events.length = 0;
    bridge(`fdb add ${MAC} dev eth1 master dynamic`);
    await saw(t, `authorized ${MAC} br-client eth1 fdb`);
    bridge(`fdb replace ${MAC} dev eth2 master dynamic`);
    await saw(t, `authorized ${MAC} br-client eth2 fdb`, `left ${MAC} eth1 fdb`);
    bridge(`fdb del ${MAC} dev eth2 master`);
    await saw(t, `left ${MAC} eth2 fdb`);
    t.equal(events.length, 4, events.join("; "));
  });

  await t.test('a host that goes over to an access point of ours is not wired any more', async (t) => {
    events.length = 0;
    bridge(`fdb add ${MAC} dev eth1 master dynamic`);
    await saw(t, `authorized ${MAC} br-client eth1 fdb`);
    events.length = 0;
    bridge(`fdb replace ${MAC} dev wlan0 master dynamic`);
    await saw(t, `left ${MAC} eth1 fdb`);
    bridge(`fdb del ${MAC} dev wlan0 master`);
    bridge(`fdb add 02:00:00:00:00:78 dev wlan0 master dynamic`);
    bridge(`fdb add 02:00:00:00:00:79 dev eth9 master dynamic`);
    bridge(`fdb add 02:00:00:00:00:7a dev eth2 master dynamic`);
    await saw(t, 'authorized 02:00:00:00:00:7a br-client eth2 fdb');
    t.same(events, [`left ${MAC} eth1 fdb`, 'authorized 02:00:00:00:00:7a br-client eth2 fdb'], 'no station, and no other bridge');
  });

  await t.test('the cable is pulled', async (t) => {
    events.length = 0;
    ip('link set eth2 nomaster');
    await saw(t, 'left 02:00:00:00:00:7a eth2 fdb');
  });

  await t.test('an access point that turns out to be one only later', async (t) => {
    events.length = 0;
    accessPoints.add('eth1');
    stations.refresh();
    await saw(t, 'left 02:00:00:00:00:01 eth1 fdb');
    t.equal(events.length, 1);
  });

  await t.test('the neighbour cache: resolved, failed; entries of the daemon itself say nothing', async (t) => {
    events.length = 0;
    ip(`neigh add 10.44.0.9 lladdr ${MAC} dev br-client nud stale`);
    await saw(t, `resolved ${MAC} 10.44.0.9`);
    events.length = 0;
    ip(`neigh replace 10.44.0.9 lladdr ${MAC} dev br-client nud permanent protocol 44`);
    ip('neigh replace 10.44.0.10 lladdr 02:00:00:00:00:7b dev br-client nud permanent protocol 44');
    ip(`neigh add 10.44.0.11 lladdr ${MAC} dev br-client nud reachable`);
    await saw(t, `resolved ${MAC} 10.44.0.11`);
    t.same(events, [`resolved ${MAC} 10.44.0.11`]);
    ip('neigh change 10.44.0.11 dev br-client nud failed');
    await saw(t, `failed ${MAC} 10.44.0.11`);
  });
});
