/** Routers find each other: with no peer configured by hellos on their links, with one seed by what it knows. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { onLab, QUICK_BABELD, settles } from './harness.js';
import type { Lab, RouterName } from './lab.js';
import { ROUTERS } from './lab.js';
import { all, ip, until } from './shell.js';
import { loopback4, loopback6 } from './topology.js';

interface Peer {
  readonly node_name: string;
  readonly state: string;
  readonly standby: boolean;
}

async function peersOf(lab: Lab, name: RouterName): Promise<Peer[]> {
  const { peers } = JSON.parse(await lab.routers[name].cli('peers', '--json')) as { peers: Peer[] };
  return peers.filter(({ state }) => state === 'up');
}

/** Routers that a router has sessions with, by name. */
async function sessions(lab: Lab, name: RouterName): Promise<string[]> {
  return (await peersOf(lab, name)).map((peer) => peer.node_name).sort();
}

async function counter(lab: Lab, name: RouterName, counter: string): Promise<number> {
  const status = JSON.parse(await lab.routers[name].cli('status', '--json')) as { counters: { [name: string]: number } };
  return status.counters[counter] ?? 0;
}

/** A link between r1 and r3 that they do not look for neighbours on, by which they and r4 reach each other directly. */
async function addBypass({ net }: Lab): Promise<void> {
  await ip(`link add bypass netns ${net.ns('r1')} type veth peer name bypass netns ${net.ns('r3')}`);
  for (const [here, there, hosts] of [['r1', 3, [3, 4]], ['r3', 1, [1]]] as const) {
    const own = 4 - there;
    // Of other addresses babeld would tell the other end, by way of r2.
    await net.ip(here, `addr add fe80::${own}/64 dev bypass nodad`);
    await net.ip(here, 'link set bypass up');
    for (const host of hosts) {
      await net.ip(here, `-6 route add ${loopback6(host)} via fe80::${there} dev bypass src ${loopback6(own)} metric 1`);
    }
  }
}

/** Waits until each of the routers has a session with each other one; returns the seconds that it took. */
async function allWithAll(lab: Lab, names: readonly RouterName[]): Promise<number> {
  const start = Date.now();
  for (const name of names) {
    const others = names.filter((other) => other !== name);
    await until(`${name} has sessions with ${String(others)}`, 40, async () => {
      const up = await sessions(lab, name);
      return others.every((other) => up.includes(other));
    });
  }
  return (Date.now() - start) / 1000;
}

async function restart(lab: Lab, options: { [name: string]: string | readonly string[] }): Promise<void> {
  await all(ROUTERS.map((name) => lab.routers[name].daemon!.stop()));
  for (const name of ROUTERS) {
    const router = lab.routers[name];
    await rm(join(router.directory, 'state'), { recursive: true, force: true });
    await router.writeConfig(options);
    router.startDaemon();
  }
  await all(ROUTERS.map((name) => lab.routers[name].ready()));
}

await onLab(t, { name: 'tdis', babeld: QUICK_BABELD, options: { peer: [] } }, [
  {
    name: 'four routers in a line, no peer configured: each finds its neighbours, and sessions with others stand by',
    run: async (t, lab) => {
      for (const [i, name] of ROUTERS.entries()) {
        const neighbours = [ROUTERS[i - 1], ROUTERS[i + 1]].filter((other) => other !== undefined);
        await until(`${name} floods to ${String(neighbours)} alone`, 40, async () => {
          const peers = await peersOf(lab, name);
          const isRight = ({ node_name, standby }: Peer) => standby !== (neighbours as readonly string[]).includes(node_name);
          return neighbours.every((other) => peers.some(({ node_name }) => node_name === other)) && peers.every(isRight);
        });
        await settles(t, `${name} knows all`, 4, async () => (JSON.parse(await lab.routers[name].cli('nodes', '--json')) as { nodes: readonly object[] }).nodes.length);
      }
      await settles(t, 'r1 hears r2', 1, () => counter(lab, 'r1', 'neighbours'));
      await settles(t, 'r2 hears r1 and r3', 2, () => counter(lab, 'r2', 'neighbours'));
      t.equal(await counter(lab, 'r2', 'hello_refused'), 0);
    },
  },
  {
    name: 'a client that listens and connects gets nothing',
    programs: ['python3'],
    run: async (t, lab) => {
      const client = await lab.addClient('client', '02:00:00:00:07:01', 'r1');
      await client.startDhcp();
      const address = await client.address(4);
      for (const target of [loopback4(1), loopback4(3)]) {
        const script = `import socket,sys; s=socket.create_connection((sys.argv[1],4444),30); s.settimeout(30); print(len(s.recv(100)))`;
        const answer = await lab.net.exec('client', 'python3', '-c', script, target).catch((error: Error) => error.message);
        t.match(answer, /^0\n|reset by peer/i, `${address} connects to ${target}: closed without a byte`);
      }
      // The lab's stand-ins for the air are interfaces of the router, and not those of clients: on hardware there are none.
      for (const air of ['air0', 'air1']) await lab.net.exec('r1', 'sysctl', '-qw', `net.ipv6.conf.${air}.disable_ipv6=1`);
      const listen = [
        'import socket,struct',
        's=socket.socket(socket.AF_INET6,socket.SOCK_DGRAM); s.bind(("::",4444)); s.settimeout(13)',
        'i=socket.if_nametoindex("eth0")',
        's.setsockopt(socket.IPPROTO_IPV6,socket.IPV6_JOIN_GROUP,socket.inet_pton(socket.AF_INET6,"ff12::8000:115c")+struct.pack("@I",i))',
        'print(len(s.recv(1000)))',
      ].join('\n');
      const heard = await lab.net.exec('client', 'python3', '-c', listen).catch((error: Error) => error.message);
      t.match(heard, /timed out/, 'no hello goes out to clients');
    },
  },
  {
    name: 'another key: neighbours that hear each other and stay apart',
    run: async (t, lab) => {
      const { r1 } = lab.routers;
      await r1.daemon!.stop();
      await r1.writeConfig({ key: 'a key of its own, this one' });
      r1.startDaemon();
      await r1.ready();
      await until('r1 hears hellos that it cannot read', 20, async () => (await counter(lab, 'r1', 'hello_refused')) > 0);
      t.equal(await counter(lab, 'r1', 'neighbours'), 0);
      t.same(await sessions(lab, 'r1'), []);
    },
  },
  {
    name: 'the router between two others loses its power, and no link goes down: what they tell goes another way',
    run: async (t, lab) => {
      await addBypass(lab);
      await restart(lab, { mesh_interface: ROUTERS.map((name) => `to-${name}`) });
      await until('r1 floods to r2 alone, and a session with another stands by', 40, async () => {
        const peers = await peersOf(lab, 'r1');
        return peers.length > 1 && peers.every(({ node_name, standby }) => standby === (node_name !== 'r2'));
      });
      const mute = (on: 0 | 1) => ['r1', 'r3'].map((name) => `net.ipv6.conf.to-${name}.disable_ipv6=${on}`);
      await lab.net.exec('r2', 'sysctl', '-qw', ...mute(1));
      const start = Date.now();
      lab.routers.r1.station({ authorize: '02:00:00:00:07:09' });
      // Keepalives would take 15 s at the least.
      await until('r3 knows the client', 3, async () => (await lab.routers.r3.cli('clients')).includes('02:00:00:00:07:09'));
      t.comment(`known after ${Date.now() - start} ms`);
      await lab.net.exec('r2', 'sysctl', '-qw', ...mute(0));
      await lab.net.ip('r1', 'link del bypass');
    },
  },
  {
    name: 'one seed and no hellos: all find all, and the seed may die',
    run: async (t, lab) => {
      await restart(lab, { discovery: '0', peer: [loopback4(4)] });
      t.comment(`found after ${await allWithAll(lab, ROUTERS)} s`);
      await lab.routers.r4.daemon!.stop('SIGKILL');
      const left = ['r1', 'r2', 'r3'] as const;
      await allWithAll(lab, left);
      const client = lab.routers.r1;
      client.station({ authorize: '02:00:00:00:07:01' });
      for (const name of left) {
        await until(`${name} knows the client`, 5, async () => (await lab.routers[name].cli('clients')).includes('02:00:00:00:07:01'));
      }
      t.pass('what is said at one is known at all that are left');
    },
  },
]);
