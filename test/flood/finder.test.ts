import t from 'tap';
import { HOUR, MINUTE, SECOND } from '../../src/clients/time.js';
import { encodeHello } from '../../src/flood/hello.js';
import { parseIp } from '../../src/net/ip.js';
import { association, nodeId, PORT } from './support.js';
import type { FoundNode } from './found-network.js';
import { FoundNetwork } from './found-network.js';
import { SeededRandom } from '../random.js';
import { nodeRecord } from '../support.js';

t.test('one reachable seed is enough: all find each other, with few sessions, and the seed may die', async (t) => {
  const net = new FoundNetwork();
  const seed = await net.node(1);
  for (let i = 2; i <= 30; i++) {
    await net.node(i, { peers: [seed] });
    net.clock.advance(500);
  }
  net.clock.advance(10 * SECOND);
  for (const node of net.all) t.equal(node.nodesKnown, 30, `n${node.number} knows all`);
  seed.die();
  net.clock.advance(100);
  t.ok(net.isConnected, 'at once');
  net.clock.advance(5 * MINUTE);
  t.ok(net.isConnected, 'and later');
  const sessions = net.alive.map((node) => node.sessions);
  t.ok(Math.max(...sessions) <= 7, `at most ${Math.max(...sessions)} sessions`);
  net.alive[3]!.put(association(1, 4));
  net.clock.advance(8 * net.delay);
  for (const node of net.alive) t.ok(node.db.get(association(1, 4).key), `n${node.number} has learnt`);
});

t.test('any node may die, one after the other, and the rest heals', async (t) => {
  const net = new FoundNetwork();
  const seed = await net.node(1);
  for (let i = 2; i <= 16; i++) await net.node(i, { peers: [seed] });
  net.clock.advance(MINUTE);
  const random = new SeededRandom(5);
  while (net.alive.length > 2) {
    net.alive[random.below(net.alive.length)]!.die();
    net.clock.advance(20);
    t.ok(net.isConnected, `${net.alive.length} are left`);
    net.clock.advance(MINUTE);
    t.ok(net.isConnected, 'a minute later');
  }
});

t.test('a pair dies at one moment', async (t) => {
  for (let seedNumber = 0; seedNumber < 6; seedNumber++) {
    const net = new FoundNetwork();
    const seed = await net.node(1);
    for (let i = 2; i <= 12; i++) await net.node(i, { peers: [seed] });
    net.clock.advance(MINUTE);
    const random = new SeededRandom(seedNumber);
    for (let i = 0; i < 2; i++) net.alive[random.below(net.alive.length)]!.die();
    net.clock.advance(20);
    t.ok(net.isConnected);
  }
});

t.test('four routers in a line find each other without any peer configured', async (t) => {
  for (const addressed of [true, false]) {
    const net = new FoundNetwork();
    const nodes: FoundNode[] = [];
    for (let i = 1; i <= 4; i++) nodes.push(await net.node(i, { addressed }));
    for (let i = 0; i < 3; i++) net.join(`l${i}`, nodes[i]!, nodes[i + 1]!);
    net.clock.advance(12 * SECOND);
    for (const node of nodes) t.equal(node.nodesKnown, 4);
    net.clock.advance(HOUR / 2);
    t.ok(net.isConnected, addressed ? 'by their addresses' : 'by their links alone');
    const sessions = nodes.map((node) => node.sessions);
    t.same(sessions, addressed ? [2, 2, 2, 2] : [1, 2, 2, 1]);
  }
});

t.test('many on one link: few sessions, few hellos', async (t) => {
  const net = new FoundNetwork();
  for (let i = 1; i <= 40; i++) await net.node(i);
  net.join('air', ...net.all);
  net.clock.advance(30 * SECOND);
  t.ok(net.isConnected);
  for (const node of net.all) t.equal(node.nodesKnown, 40);
  net.clock.advance(10 * MINUTE);
  const sessions = net.all.map((node) => node.sessions);
  t.ok(Math.max(...sessions) <= 6 + 2 + 4, `at most ${Math.max(...sessions)} sessions`);
  const before = net.hellos;
  net.clock.advance(MINUTE);
  t.ok(net.hellos - before <= 40 * 6, `${(net.hellos - before) / 40} hellos of a node in a minute`);
});

t.test('two networks that were one: a new link between them heals all, in seconds', async (t) => {
  const net = new FoundNetwork();
  const left: FoundNode[] = [];
  const right: FoundNode[] = [];
  const seed = await net.node(1);
  for (let i = 2; i <= 16; i++) await net.node(i, { peers: [seed] });
  for (const node of net.all) (node.number % 2 === 0 ? left : right).push(node);
  net.clock.advance(MINUTE);
  for (const a of left) for (const b of right) net.cut(a.host, b.host);
  for (const a of left) for (const b of right) net.reset(a.host, b.host);
  net.clock.advance(20 * MINUTE);
  left[0]!.put(association(1, 2, 7));
  t.notOk(net.isConnected);
  for (const a of left) for (const b of right) net.heal(a.host, b.host);
  net.join('new', left[2]!, right[3]!);
  net.clock.advance(10 * SECOND);
  for (const node of net.all) t.equal(node.db.get(association(1, 2).key)?.seqno, 7);
  net.clock.advance(2 * MINUTE);
  net.links.clear();
  net.clock.advance(10 * MINUTE);
  t.ok(net.isConnected, 'without the neighbours too');
});

t.test('addresses that do not answer: others are taken, and the way back is found', async (t) => {
  const net = new FoundNetwork();
  const seed = await net.node(1);
  for (let i = 2; i <= 12; i++) await net.node(i, { peers: [seed] });
  net.clock.advance(MINUTE);
  // Nobody reaches node 5 but node 6, which can reach all.
  const [five, six] = [net.all[4]!, net.all[5]!];
  for (const node of net.all) if (node !== five && node !== six) net.cut(five.host, node.host);
  for (const node of net.all) if (node !== five && node !== six) net.reset(five.host, node.host);
  net.clock.advance(5 * MINUTE);
  t.ok(net.isConnected);
  for (const node of net.all) net.heal(five.host, node.host);
  net.clock.advance(5 * MINUTE);
  six.die();
  net.clock.advance(20);
  t.ok(net.isConnected);
});

t.test('a node rests from dialling one that has not answered until there is a path to it', async (t) => {
  const net = new FoundNetwork();
  const seed = await net.node(1);
  const [two, three] = [await net.node(2, { peers: [seed] }), await net.node(3, { peers: [seed] })];
  for (const host of [seed.host, two.host]) net.cut(host, three.host);
  net.clock.advance(2 * MINUTE);
  t.ok(two.flooder.hasSession(seed.id) && !two.flooder.hasSession(three.id));
  two.db.apply(nodeRecord(two.db, three.id, { hostname: 'n3', addresses: [parseIp(three.host)], port: PORT }, net.clock.now()), net.clock.now());
  two.finder.nodeChanged(three.id);
  net.clock.advance(5 * MINUTE);
  t.notOk(two.flooder.hasSession(three.id));
  net.heal(two.host, three.host);
  two.finder.pathFound(three.id);
  net.clock.advance(6 * SECOND);
  t.ok(two.flooder.hasSession(three.id));
});

t.test('a copy of a hello, from wherever, costs a dial and nothing else', async (t) => {
  const net = new FoundNetwork();
  const [one, two] = [await net.node(1), await net.node(2)];
  net.join('l', one, two);
  net.clock.advance(5 * SECOND);
  t.ok(one.flooder.hasSession(two.id));
  const hello = encodeHello({ node: nodeId(9), instance: 1n, count: 1, port: 4444 });
  for (let i = 0; i < 1000; i++) one.hear(hello, `fe80::${i.toString(16)}%l`);
  net.clock.advance(30 * SECOND);
  t.ok(one.flooder.peers(net.clock.now()).length <= 3, 'sessions and dials stay few');
  one.hear(encodeHello({ node: one.id, instance: 1n, count: 1, port: 4444 }), 'fe80::1%l');
  for (const bad of [new Uint8Array(0), new Uint8Array(22), hello.subarray(0, 21)]) one.hear(bad, 'fe80::1%l');
  t.equal(one.finder.counters['hello_malformed'], 3);
  t.equal(one.log.lines.filter((line) => line.includes('hello of')).length, 1, 'logged once');
  net.clock.advance(HOUR);
  t.ok(net.isConnected);
});

t.test('ten thousand strangers greet: what is remembered is bounded', async (t) => {
  const net = new FoundNetwork();
  const one = await net.node(1);
  for (let i = 0; i < 10_000; i++) {
    one.hear(encodeHello({ node: nodeId(100 + i), instance: 1n, count: 1, port: 4444 }), `fe80::${i.toString(16)}%l`);
  }
  t.equal(one.finder.counters['neighbours'], 256);
  net.clock.advance(5 * SECOND);
  t.ok(one.flooder.peers(net.clock.now()).length <= 12);
  net.clock.advance(5 * MINUTE);
  t.equal(one.finder.counters['neighbours'], 0);
  t.same(one.flooder.peers(net.clock.now()), []);
});

t.test('a seed that is full makes room for newcomers', async (t) => {
  const net = new FoundNetwork();
  const seed = await net.node(1, { flooder: { maxSessions: 4 } });
  for (let i = 2; i <= 25; i++) {
    await net.node(i, { peers: [seed] });
    net.clock.advance(12 * SECOND);
  }
  net.clock.advance(2 * MINUTE);
  for (const node of net.all) t.equal(node.nodesKnown, 25, `n${node.number} knows all`);
  t.ok(net.isConnected);
  const before = net.streams.size;
  net.clock.advance(MINUTE);
  t.ok(Math.abs(net.streams.size - before) < 10, 'and comes to rest');
});

/** Routers in a line, each on a link with the next, that have found each other and have come to rest. */
async function line(count: number): Promise<{ net: FoundNetwork; nodes: FoundNode[] }> {
  const net = new FoundNetwork();
  const nodes: FoundNode[] = [];
  for (let i = 1; i <= count; i++) nodes.push(await net.node(i));
  for (let i = 1; i < count; i++) net.join(`l${i}`, nodes[i - 1]!, nodes[i]!);
  net.clock.advance(10 * MINUTE);
  return { net, nodes };
}

function updates({ all }: FoundNetwork): number {
  return all.reduce((sum, { flooder }) => sum + flooder.counters['flood_sent']!, 0);
}

t.test('in a line changes go from link to link, each once', async (t) => {
  const { net, nodes } = await line(7);
  const before = updates(net);
  nodes[0]!.put(association(1, 1));
  net.clock.advance(6 * net.delay);
  for (const node of nodes) t.ok(node.db.get(association(1, 1).key), `n${node.number} has learnt`);
  net.clock.advance(MINUTE);
  t.equal(updates(net) - before, 6, 'over six links');
  const sessions = nodes.map((node) => node.sessions);
  t.ok(Math.max(...sessions) <= 4, `at most ${Math.max(...sessions)} sessions`);
  t.ok(nodes.some(({ flooder }) => flooder.peers(net.clock.now()).some(({ standby }) => standby)), 'some stand by');
});

t.test('whoever in a line dies, the others still hear of each other at once', async (t) => {
  for (let victim = 1; victim < 6; victim++) {
    const { net, nodes } = await line(7);
    nodes[victim]!.die();
    net.clock.advance(3 * net.delay);
    nodes[0]!.put(association(1, 1));
    nodes[6]!.put(association(2, 7));
    net.clock.advance(8 * net.delay);
    for (const node of net.alive) {
      t.ok(node.db.get(association(1, 1).key), `n${victim + 1} is dead: n${node.number} hears of the one end`);
      t.ok(node.db.get(association(2, 7).key), `n${victim + 1} is dead: n${node.number} hears of the other`);
    }
  }
});

/** Sessions of a line of seven, those that stand by among them, after a router has stopped. */
async function stopped(victim: number): Promise<{ net: FoundNetwork; nodes: FoundNode[]; sessions: () => number }> {
  const { net, nodes } = await line(7);
  const ended = nodes[victim]!.stop();
  net.clock.advance(SECOND);
  await ended;
  return { net, nodes, sessions: () => net.alive.reduce((sum, node) => sum + node.sessions, 0) };
}

t.test('whoever in a line is stopped, nobody dials around it at first, and the others still hear of each other at once', async (t) => {
  for (let victim = 1; victim < 6; victim++) {
    const { net, nodes, sessions } = await stopped(victim);
    nodes[0]!.put(association(1, 1));
    nodes[6]!.put(association(2, 7));
    net.clock.advance(8 * net.delay);
    for (const node of net.alive) {
      for (const n of [1, 2]) t.ok(node.db.get(association(n, 1).key), `n${victim + 1} has stopped: n${node.number} hears`);
    }
    net.clock.advance(10 * SECOND);
    const held = sessions();
    net.clock.advance(20 * SECOND);
    t.ok(sessions() > held, `${held} sessions, and ${sessions()} when it was not back in time`);
  }
});

t.test('a router is stopped, and a few seconds later any other dies: nobody is cut off', async (t) => {
  for (let victim = 1; victim < 6; victim++) {
    for (let second = 0; second < 7; second++) {
      if (second === victim) continue;
      const { net, nodes } = await stopped(victim);
      net.clock.advance(6 * SECOND);
      nodes[second]!.die();
      net.clock.advance(20);
      t.ok(net.isConnected, `n${victim + 1} has stopped, n${second + 1} is dead`);
      const [first] = net.alive;
      first!.put(association(3, first!.number));
      net.clock.advance(SECOND);
      for (const node of net.alive) t.ok(node.db.get(association(3, 1).key), `n${node.number} hears of it`);
    }
  }
});

t.test('what a dying router had in its hands is not lost', async (t) => {
  const { net, nodes } = await line(5);
  nodes[0]!.put(association(1, 1));
  net.clock.advance(net.delay / 2);
  nodes[1]!.die();
  net.clock.advance(SECOND);
  for (const node of net.alive) t.ok(node.db.get(association(1, 1).key), `n${node.number} has learnt`);
});

t.test('of a router that is dead, while its record lives, people are told a few times and no more', async (t) => {
  const net = new FoundNetwork();
  const seed = await net.node(1);
  for (let i = 2; i <= 12; i++) await net.node(i, { peers: [seed] });
  net.clock.advance(MINUTE);
  const dead = net.all[5]!;
  dead.die();
  for (const node of net.alive) node.log.lines.length = 0;
  net.clock.advance(HOUR);
  for (const node of net.alive) {
    const lines = node.log.lines.filter((line) => line.includes(dead.host));
    t.ok(lines.length <= 3, `n${node.number}: ${lines.length} lines, ${lines[0]} ... ${lines.at(-1)}`);
  }
});
