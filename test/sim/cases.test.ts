/** Single stories, each with its own end: what chaos runs have found, and the defects of sroamd that take several nodes. */
import t from 'tap';
import type { Test } from 'tap';
import { HOUR, MINUTE, SECOND } from '../../src/clients/time.js';
import { arpFrame, ArpOperation, UNKNOWN_MAC } from '../../src/net/arp.js';
import { parseIp4 } from '../../src/net/ip.js';
import { BROADCAST_MAC } from '../../src/net/mac.js';
import { Client } from './client.js';
import type { WorldOptions } from './world.js';
import { World } from './world.js';

async function setUp(options: Partial<WorldOptions> = {}): Promise<World> {
  const world = new World({ seed: 1, nodes: 3, clients: 1, ...options });
  world.start();
  await world.run(3 * SECOND);
  return world;
}

async function allIsWell(t: Test, world: World): Promise<void> {
  t.same(await world.settle(2 * MINUTE), []);
}

const placesOf = (world: World, client: number) => {
  const { mac } = world.clients[client]!;
  return world.nodes.map((node) => {
    const id = node.clients().find((view) => view.mac === mac)?.node;
    return world.nodes.find((one) => one.id === id)?.name ?? id ?? '';
  });
};

t.test('a roam is known everywhere at once, though the old access point has not missed the client', async (t) => {
  const world = await setUp();
  world.join(0, 0);
  await world.run(5 * SECOND);
  const before = world.clients[0]!.addresses;
  world.join(0, 2);
  await world.run(40);
  t.same(placesOf(world, 0), ['n2', 'n2', 'n2'], 'after 20 ms of the access point and two links of 2 to 4 ms');
  t.same([...world.nodes[0]!.ap.table.keys()].length, 1, 'the old station is asked first');
  await world.run(2 * SECOND);
  t.same([...world.nodes[0]!.ap.table.keys()], [], 'and then the access point has it forget');
  t.same(world.clients[0]!.addresses, before);
  t.equal(world.clients[0]!.deauthenticated, 0);
  await allIsWell(t, world);
});

t.test('the ordinary roam race: the old node says "gone" as the new one claims, with one number (sroamd defects 1 and 2)', async (t) => {
  const world = await setUp();
  world.join(0, 0);
  await world.run(5 * SECOND);
  world.network.links.forEach((link) => world.cut(link));
  world.join(0, 2, { goodbye: true });
  await world.run(10 * SECOND);
  t.same(placesOf(world, 0), ['', 'n0', 'n2'], 'three nodes, three views');
  world.network.links.forEach((link) => world.heal(link));
  await world.run(2 * SECOND);
  t.same(placesOf(world, 0), ['n2', 'n2', 'n2']);
  t.equal(world.clients[0]!.deauthenticated, 0);
  await allIsWell(t, world);
});

t.test('two nodes claim with one number while they are apart: the one that has the client gets it, whichever wins', async (t) => {
  for (const [first, second] of [[0, 2], [2, 0]] as const) {
    const world = await setUp();
    world.join(0, 1);
    await world.run(5 * SECOND);
    world.network.links.forEach((link) => world.cut(link));
    world.join(0, first);
    await world.run(SECOND);
    world.join(0, second);
    await world.run(SECOND);
    world.network.links.forEach((link) => world.heal(link));
    await allIsWell(t, world);
    t.equal(world.clients[0]!.deauthenticated, 0);
  }
});

t.test('another access point believes that it has the client, which answers here (sroamd defect 3)', async (t) => {
  const world = await setUp();
  world.join(0, 0);
  await world.run(5 * SECOND);
  world.nodes[2]!.ap.add(world.clients[0]!.mac, 'wlan0');
  await world.run(2 * SECOND);
  t.same(placesOf(world, 0), ['n0', 'n0', 'n0']);
  t.equal(world.clients[0]!.deauthenticated, 0);
  t.same([...world.nodes[2]!.ap.table.keys()], [], 'the other one was asked, was silent, and is forgotten');
  t.same(world.clients[0]!.lost, [], 'and it was not told that its own address is elsewhere (RFC 5227 2.4)');
  t.match(world.nodes[0]!.notifications.filter(({ type }) => type === 'conflict'), [{ data: { kind: 'association' } }]);
  await allIsWell(t, world);
});

t.test('a restart with the client attached: nobody is thrown out, with and without what was stored (sroamd defect 5)', async (t) => {
  for (const forget of [false, true]) {
    const world = await setUp();
    world.join(0, 0);
    await world.run(2 * MINUTE);
    world.nodes[0]!.kill();
    if (forget) for (const name of world.nodes[0]!.files.keys()) if (name !== 'node-id') world.nodes[0]!.files.delete(name);
    await world.run(5 * SECOND);
    world.nodes[0]!.start();
    await world.run(5 * SECOND);
    t.same(placesOf(world, 0), ['n0', 'n0', 'n0']);
    t.equal(world.clients[0]!.deauthenticated, 0);
    await allIsWell(t, world);
  }
});

t.test('a restart with the client attached: it is claimed as soon as a peer has told what was missed', async (t) => {
  for (let seed = 1; seed <= 10; seed++) {
    const world = await setUp({ seed });
    world.join(0, 0);
    await world.run(2 * MINUTE);
    world.nodes[1]!.kill();
    await world.run(seed * 300);
    world.join(0, 1);
    await world.run(SECOND);
    world.nodes[1]!.start();
    const { log } = world.nodes[1]!;
    const claimedAt = () => log.some((line) => line.includes(world.clients[0]!.mac) && line.includes('is here'));
    log.length = 0;
    let waited = 0;
    for (; !claimedAt() && waited < 5 * SECOND; waited += 20) await world.run(20);
    t.ok(waited < 1.5 * SECOND, `seed ${seed}: after ${waited} ms`);
    t.same(placesOf(world, 0)[1], 'n1');
    await allIsWell(t, world);
  }
});

t.test('triangle: records do not go round (sroamd defect 8)', async (t) => {
  const world = await setUp({ links: [[0, 1, 2], [1, 2, 3], [0, 2, 4]], settings: (i) => ({ clockRate: 1 + i / 100 }) });
  world.join(0, 0);
  await world.run(10 * SECOND);
  const sent = () => world.nodes.reduce((sum, node) => sum + (node.status()['counters'] as { flood_sent: number }).flood_sent, 0);
  const before = sent();
  await world.run(20 * MINUTE);
  // Each extension of a lease or an association is passed over each of the three sessions twice at the most.
  const rounds = (20 * MINUTE) / (30 * SECOND);
  t.ok(sent() - before < rounds * 2 * 6, `${sent() - before} updates in twenty minutes`);
  await allIsWell(t, world);
});

t.test('a copy of the database that was cut off keeps nobody here (seed 193)', async (t) => {
  const world = await setUp();
  world.join(0, 2);
  await world.run(5 * SECOND);
  world.cut(world.network.links[1]!);
  world.nodes[2]!.powerOff();
  await world.run(SECOND);
  world.nodes[2]!.powerOn();
  await world.run(30 * SECOND);
  world.heal(world.network.links[1]!);
  await allIsWell(t, world);
  t.same(placesOf(world, 0), ['', '', '']);
});

t.test('two radios of one router list a client, the stale one last (seed 60)', async (t) => {
  const world = await setUp();
  world.join(0, 0, { via: 'wlan1' });
  world.nodes[0]!.ap.add(world.clients[0]!.mac, 'wlan0');
  await allIsWell(t, world);
  t.same(placesOf(world, 0), ['n0', 'n0', 'n0']);
});

t.test('an access point whose interface is gone has lost its stations, whatever bridge it was a port of', async (t) => {
  const world = await setUp();
  world.join(0, 0);
  await world.run(5 * SECOND);
  world.nodes[0]!.ap.removeRadio('wlan0');
  await world.run(10 * SECOND);
  t.same(placesOf(world, 0), ['', '', ''], 'nothing is left of it');
  world.join(0, 1);
  await allIsWell(t, world);
});

t.test('all lose their power and what they stored: clients keep their addresses (sroamd defect 24)', async (t) => {
  const world = await setUp({ clients: 8, settings: () => ({ flash: false }) });
  world.clients.forEach(({ number }) => world.join(number, number % 3));
  await world.run(10 * SECOND);
  const before = world.clients.map(({ addresses }) => addresses);
  const [id] = world.nodes.map(({ id }) => id);
  for (const node of world.nodes) node.powerOff();
  await world.run(20 * SECOND);
  for (const node of world.nodes) node.powerOn();
  world.clients.forEach(({ number }) => world.join(number, (number + 1) % 3));
  await allIsWell(t, world);
  t.same(world.clients.map(({ addresses }) => addresses), before);
  t.equal(world.nodes[0]!.id, id, 'a router with hardware has the id that follows from it');
});

t.test('with what they stored they need no client to tell them', async (t) => {
  const world = await setUp({ clients: 4 });
  world.clients.forEach(({ number }) => world.join(number, number % 3));
  await world.run(90 * SECOND);
  for (const node of world.nodes) node.powerOff();
  await world.run(20 * SECOND);
  for (const node of world.nodes) node.powerOn();
  await world.run(3 * SECOND);
  for (const node of world.nodes) t.equal(node.clients().length, 4, `${node.name} knows all clients before any has come`);
});

t.test('a router that is alone crashes while it still waits for others to speak: what it had stored is not lost', async (t) => {
  const world = await setUp({ nodes: 1, clients: 4, settings: () => ({ options: " option state_interval '10s'\n option lease_time '1h'\n list peer '192.0.2.9'" }) });
  const [node] = world.nodes as [(typeof world.nodes)[number]];
  for (const number of [0, 1, 2]) world.join(number, 0);
  await world.run(30 * SECOND);
  const leases = () => node.clients().filter(({ mac }) => mac !== world.clients[3]!.mac).flatMap(({ mac, addresses }) => addresses.map((address) => `${mac} ${address}`)).sort();
  const before = leases();
  t.equal(before.length, 6);
  for (const number of [0, 1, 2]) world.leave(number);
  await world.run(20 * SECOND);
  node.powerOff();
  await world.run(SECOND);
  node.powerOn();
  world.join(3, 0);
  await world.run(28 * SECOND);
  t.same(leases(), [], 'they do not count yet');
  node.kill();
  node.start();
  await world.run(40 * SECOND);
  t.same(leases(), before);
});

t.test('a router comes back after an hour and thinks it is 1970: addresses are by now those of others, and remain so', async (t) => {
  const prefixes = ['10.44.0.0/29', 'fd44::/48'];
  const settings = () => ({ prefixes, options: " option state_interval '10s'\n option lease_time '10m'" });
  const world = await setUp({ clients: 15, settings });
  const [first, early, late] = [0, 5, 10].map((from) => world.clients.slice(from, from + 5)) as [Client[], Client[], Client[]];
  for (const { number } of first) world.join(number, 0);
  await world.run(MINUTE);
  for (const { number } of first) world.leave(number);
  await world.run(11 * MINUTE);
  for (const { number } of early) world.join(number, 0);
  await world.run(MINUTE);
  world.nodes[0]!.powerOff();
  for (const { number } of early) world.leave(number);
  await world.run(HOUR);
  for (const { number } of late) world.join(number, 1);
  await world.run(10 * SECOND);
  const addresses = () => late.map(({ addresses }) => addresses.map(String).sort());
  const before = addresses();
  t.ok(before.every((all) => all.some((one) => one.startsWith('10.44.0.'))));
  world.nodes[0]!.powerOn();
  await world.run(30 * SECOND);
  t.same(addresses(), before);
  const lost = world.nodes[1]!.clients().filter(({ mac }) => early.some((client) => client.mac === mac));
  t.same(lost.flatMap(({ addresses }) => addresses).filter((one) => one.startsWith('10.44')), []);
  await allIsWell(t, world);
});

t.test('clocks that were slow by days are set, and all daemons crash before the next write is due: leases are known', async (t) => {
  const world = await setUp({ clients: 4, settings: () => ({ options: " option state_interval '1h'\n option lease_time '1h'" }) });
  for (const node of world.nodes) node.wallError = -5 * 86_400;
  world.clients.forEach(({ number }) => world.join(number, number % 3));
  await world.run(10 * SECOND);
  await Promise.all([...world.nodes.map((node) => node.stop()), world.run(SECOND)]);
  for (const node of world.nodes) node.start();
  await world.run(5 * SECOND);
  const addresses = () => world.nodes.map((node) => node.clients().map(({ mac, addresses }) => [mac, addresses]));
  const before = addresses();
  for (const node of world.nodes) node.wallError = 0;
  await world.run(61 * SECOND);
  for (const node of world.nodes) node.kill();
  for (const node of world.nodes) node.start();
  await world.run(50);
  t.same(addresses(), before, 'before any client has said a word');
  await allIsWell(t, world);
});

t.test('a database cut short is set aside, and the rest is learnt from the others', async (t) => {
  const world = await setUp();
  world.join(0, 0);
  await world.run(90 * SECOND);
  const node = world.nodes[1]!;
  node.kill();
  node.files.set('database', node.files.get('database')!.subarray(0, 30));
  node.start();
  await world.run(2 * SECOND);
  t.match(node.log.filter((line) => line.startsWith('error')), [/the stored database is unusable.*kept as database.bad/]);
  t.same(placesOf(world, 0), ['n0', 'n0', 'n0']);
  await allIsWell(t, world);
});

t.test('two devices with one address at two routers: moves get rare, and it is said', async (t) => {
  const world = await setUp();
  world.clients.push(new Client(0, world.scheduler, world.random, { dualStack: true }));
  world.join(0, 0);
  await world.run(SECOND);
  world.join(1, 2);
  await world.run(10 * MINUTE);
  const moves = world.nodes[1]!.notifications.filter(({ type }) => type === 'roam').length;
  t.ok(moves >= 5 && moves <= 80, `${moves} moves in ten minutes`);
  const flaps = world.nodes.flatMap(({ notifications }) => notifications).filter(({ data }) => data['kind'] === 'flap');
  t.ok(flaps.length >= 1 && flaps.length <= 10, `said ${flaps.length} times`);
  t.ok(world.nodes[0]!.log.some((line) => line.includes('flaps between here and')));
});

t.test('a roam back within 100 ms of the last is known everywhere as fast as any', async (t) => {
  for (const stay of [1, 5, 10, 20, 40, 60, 80, 100]) {
    for (const goodbye of [false, true]) {
      const world = await setUp();
      world.join(0, 0);
      await world.run(5 * SECOND);
      const before = world.clients[0]!.addresses;
      world.join(0, 2, { goodbye });
      await world.run(stay);
      world.join(0, 0, { goodbye });
      await world.run(100);
      const late = placesOf(world, 0).some((place) => place !== 'n0');
      // Told of the other router last, since access points tell up to 20 ms late, it has to be asked where it is first.
      if (late) t.ok(stay <= 20, `${stay} ms`);
      await world.run(500);
      t.same(placesOf(world, 0), ['n0', 'n0', 'n0'], `after ${stay} ms${goodbye ? ', saying goodbye' : ''}`);
      t.same(world.clients[0]!.addresses, before);
      t.equal(world.clients[0]!.deauthenticated, 0);
      await allIsWell(t, world);
    }
  }
});

t.test('a client that flaps is where it stays within seconds of its last move', async (t) => {
  const world = await setUp();
  for (let i = 0; i < 60; i++) {
    world.join(0, i % 3, { goodbye: i % 4 === 0 });
    await world.run(150);
  }
  world.join(0, 1);
  await world.run(3 * SECOND);
  t.same(placesOf(world, 0), ['n1', 'n1', 'n1']);
  t.equal(world.clients[0]!.deauthenticated, 0);
  await allIsWell(t, world);
});

t.test('a change of band long ago is no beginning of a roam', async (t) => {
  const world = await setUp();
  world.join(0, 0, { via: 'wlan0' });
  await world.run(5 * SECOND);
  world.join(0, 0, { via: 'wlan1' });
  await world.run(MINUTE);
  t.same([...world.nodes[0]!.ap.table.values()].map(({ via }) => via), ['wlan1'], 'the first radio has missed it long since');
  world.join(0, 2);
  await world.run(SECOND);
  const { roams } = world.nodes[0]!.process!.methods['history']!.call({}) as { roams: { gap?: number }[] };
  t.equal(roams.length, 1);
  t.ok(roams[0]!.gap === undefined || roams[0]!.gap < 1000, `a gap of ${roams[0]!.gap} ms`);
});

t.test('a client that goes back and forth at the edge of two cells is followed each time, and is not damped', async (t) => {
  for (const stay of [0.6 * SECOND, 2 * SECOND, 5 * SECOND]) {
    for (const goodbye of [false, true]) {
      const world = await setUp();
      world.join(0, 0);
      await world.run(5 * SECOND);
      const late: number[] = [];
      for (let roam = 1; roam <= 40; roam++) {
        const to = 2 * (roam % 2);
        world.join(0, to, { goodbye });
        await world.run(50);
        if (placesOf(world, 0).some((place) => place !== `n${to}`)) late.push(roam);
        await world.run(stay - 50);
      }
      t.same(late, [], `every ${stay} ms${goodbye ? ', saying goodbye' : ''}`);
      const flaps = world.nodes.flatMap(({ notifications }) => notifications).filter(({ data }) => data['kind'] === 'flap');
      t.same(flaps, []);
      t.equal(world.clients[0]!.deauthenticated, 0);
      await allIsWell(t, world);
    }
  }
});

t.test('a stolen node id is detected and said, does not flood the mesh, and the others go on', async (t) => {
  const world = await setUp({ nodes: 4, clients: 2 });
  world.join(0, 1);
  world.join(1, 3);
  await world.run(5 * SECOND);
  const [thief, owner] = [world.nodes[3]!, world.nodes[0]!];
  thief.kill();
  thief.files.set('node-id', owner.files.get('node-id')!);
  thief.files.delete('database');
  thief.start();
  const bytes = () => world.network.links.reduce((sum, link) => sum + link.bytes, 0);
  const before = bytes();
  await world.run(2 * MINUTE);
  t.equal(thief.id, owner.id);
  const said = world.nodes.flatMap(({ notifications }) => notifications).filter(({ data }) => data['kind'] === 'node');
  t.ok(said.length > 0, 'notified');
  t.ok(world.nodes.some(({ log }) => log.some((line) => line.includes('has the same node id'))), 'logged');
  t.ok(bytes() - before < 200_000, `${bytes() - before} bytes in two minutes`);
  t.same(placesOf(world, 0).slice(0, 3), ['n1', 'n1', 'n1'], 'a client of another node is not concerned');
});

t.test('where a node is reached is corrected: another had its id for a while (seed 49)', async (t) => {
  const world = await setUp({ nodes: 4 });
  world.join(0, 1);
  await world.run(5 * SECOND);
  const [thief, owner] = [world.nodes[3]!, world.nodes[1]!];
  const own = thief.files.get('node-id')!;
  for (const id of [owner.files.get('node-id')!, own]) {
    thief.kill();
    thief.files.set('node-id', id);
    thief.files.delete('database');
    thief.start();
    await world.run(5 * SECOND);
  }
  await allIsWell(t, world);
});

t.test('a peer whose id was another node\'s for a while is dialled again, though that one has a session (seed 100408)', async (t) => {
  // n0 is found by n2 alone, which goes on dialling it: the two others cannot.
  const world = await setUp({ links: [[0, 2, 2], [1, 2, 2]], settings: (i) => ({ peers: i === 2 ? [0, 1] : [], options: " option max_peers '0'" }) });
  const [thief, owner] = [world.nodes[0]!, world.nodes[1]!];
  const own = thief.files.get('node-id')!;
  const startAs = async (id: Uint8Array) => {
    thief.kill();
    thief.files.set('node-id', id);
    thief.files.delete('database');
    thief.start();
    await world.run(20 * SECOND);
  };
  owner.kill();
  await startAs(owner.files.get('node-id')!);
  thief.kill();
  owner.start();
  await world.run(20 * SECOND);
  await startAs(own);
  world.join(0, 0);
  await allIsWell(t, world);
});

t.test('IPv6 only, addresses chosen by clients: the prefix is told to a newcomer that asks nothing (seed 56)', async (t) => {
  const prefixes = ['10.44.0.0/16', 'fd44:0:0:1::/64'];
  const settings = () => ({ prefixes, options: " option ipv6_mode 'host'" });
  const world = await setUp({ settings, client: () => ({ dualStack: false, autoconfigures: true }) });
  world.join(0, 0);
  await world.run(3 * SECOND);
  const before = world.clients[0]!.addresses;
  t.match(before, [/^fd44::1:/]);
  world.join(0, 2);
  await allIsWell(t, world);
  t.same(world.clients[0]!.addresses, before);
});

t.test('a client with a fixed address that says nothing is found when a packet comes for it', async (t) => {
  const fixed = parseIp4('10.44.255.9');
  const world = await setUp({ client: () => ({ dualStack: true, fixed, silent: true }) });
  world.join(0, 2);
  await world.run(5 * SECOND);
  t.notOk(world.nodes[0]!.forward(fixed), 'nobody knows the address yet');
  await world.run(SECOND);
  t.ok(world.nodes[0]!.forward(fixed));
  await allIsWell(t, world);
  world.join(0, 1);
  await allIsWell(t, world);
});

/** Numbers of two clients that any node gives the same address and the same network, where it knows of no other. */
async function rivals(prefixes: string[]): Promise<[number, number]> {
  const world = await setUp({ nodes: 1, clients: 16, settings: () => ({ prefixes, options: '' }) });
  const [node] = world.nodes;
  const chosen = new Map<string, number>();
  for (const { number } of world.clients) {
    world.join(number, 0);
    await world.run(SECOND);
    const address = world.clients[number]!.addresses.join(' ');
    const other = chosen.get(address);
    if (other !== undefined) return [other, number];
    chosen.set(address, number);
    // Forgotten, so that the next chooses as freely.
    world.leave(number);
    node!.kill();
    node!.files.clear();
    node!.start();
    await world.run(3 * SECOND);
  }
  throw new Error('no two clients are alike');
}

t.test('two nodes that were apart gave one address and one network to two clients: it is not theirs together for long', async (t) => {
  const prefixes = ['10.44.0.0/29', 'fd44::/62'];
  const [one, other] = await rivals(prefixes);
  const world = await setUp({ nodes: 2, clients: 16, settings: () => ({ prefixes, options: '' }) });
  world.cut(world.network.links[0]!);
  world.join(one, 0);
  world.join(other, 1);
  await world.run(10 * SECOND);
  t.not(world.sharedAddresses().length, 0, 'while they are apart');
  world.heal(world.network.links[0]!);
  await world.run(30 * SECOND);
  t.same(world.violations(), [], 'and not only when the lease of an hour is renewed');
});

t.test('a router that starts with nothing stored, and no peer configured, hears its neighbours before it gives addresses', async (t) => {
  const prefixes = ['10.44.0.0/29', 'fd44::/62'];
  const [one, other] = await rivals(prefixes);
  const settings = () => ({ prefixes, peers: [], discovers: true, flash: false, options: '' });
  const world = await setUp({ nodes: 2, clients: 16, settings });
  world.join(one, 0);
  await world.run(10 * SECOND);
  world.nodes[1]!.powerOff();
  await world.run(5 * SECOND);
  world.nodes[1]!.powerOn();
  world.join(other, 1);
  await world.run(SECOND / 2);
  t.same(world.sharedAddresses(), []);
  await allIsWell(t, world);
  t.same(world.clients.map(({ deauthenticated }) => deauthenticated).filter((times) => times > 0), [], 'nor had anybody to give one back');
});

t.test('what a dead record says of a client is nothing: nobody is asked, nobody is thrown out', async (t) => {
  const world = await setUp({ settings: () => ({ options: '' }) });
  const [client] = world.clients;
  world.join(0, 0);
  await world.run(10 * SECOND);
  world.cut(world.network.links[0]!);
  world.join(0, 1);
  await world.run(5 * SECOND);
  world.nodes[1]!.powerOff();
  world.join(0, 0);
  await world.run(MINUTE);
  client!.receive = () => {}; // asleep for longer than anybody asks
  await world.run(63 * MINUTE);
  world.nodes[1]!.powerOn();
  world.heal(world.network.links[0]!);
  await world.run(MINUTE);
  t.equal(client!.deauthenticated, 0);
  t.same(placesOf(world, 0), ['n0', 'n0', 'n0']);
});

t.test('an interface is no client interface any more: who is on it is gone from this router, and nothing is left', async (t) => {
  const world = await setUp();
  world.join(0, 0);
  await world.run(10 * SECOND);
  t.same(placesOf(world, 0), ['n0', 'n0', 'n0']);
  world.nodes[0]!.reload({ transit: true, options: " list interface 'br-other'" });
  await world.run(30 * SECOND);
  t.same(placesOf(world, 0), ['', '', '']);
  world.nodes[0]!.reload({});
  await world.run(SECOND);
  world.join(0, 0);
  await allIsWell(t, world);
});

t.test('a Wi-Fi network that was left alone is not any more: who is on it is here, without a word of the access point', async (t) => {
  const world = await setUp({ settings: () => ({ options: " list ignore_ssid 'mesh'" }) });
  world.join(0, 0);
  await world.run(5 * SECOND);
  t.same(placesOf(world, 0), ['', '', '']);
  world.nodes[0]!.reload({ options: '' });
  await world.run(5 * SECOND);
  t.same(placesOf(world, 0), ['n0', 'n0', 'n0']);
  await allIsWell(t, world);
  world.nodes[0]!.reload({});
  await world.run(5 * SECOND);
  t.same(placesOf(world, 0), ['', '', ''], 'and left alone again');
});

t.test('a station that is put on a VLAN of another bridge is no client any more, and is not waited for', async (t) => {
  const world = await setUp();
  world.join(0, 0);
  await world.run(5 * SECOND);
  const [{ mac }, { ap }] = [world.clients[0]!, world.nodes[0]!];
  const before = world.clients[0]!.addresses;
  ap.putOn('br-other', mac, 'wlan0');
  await world.run(200);
  t.same(placesOf(world, 0), ['', '', ''], 'the hold time is for those who roam');
  await world.run(10 * SECOND);
  t.same(placesOf(world, 0), ['', '', '']);
  ap.putOn('br-client', mac, 'wlan0');
  await world.run(SECOND);
  t.same(placesOf(world, 0), ['n0', 'n0', 'n0']);
  t.same(world.clients[0]!.addresses, before);
  world.nodes[0]!.reload({ options: " option hold_time '6'" });
  await world.run(SECOND);
  t.same(placesOf(world, 0), ['n0', 'n0', 'n0']);
  await allIsWell(t, world);
});

t.test('a database full of what others tell has room for the clients that are here', async (t) => {
  const world = await setUp({ nodes: 2, clients: 60, settings: () => ({ options: " option max_records '100'" }) });
  for (let client = 0; client < 50; client++) world.join(client, 0);
  await world.run(20 * SECOND);
  for (let client = 50; client < 60; client++) world.join(client, 1);
  await world.run(20 * SECOND);
  t.same(world.sharedAddresses(), []);
  for (const [index, range] of [[0, [0, 50]], [1, [50, 60]]] as const) {
    const node = world.nodes[index]!;
    const here = node.clients().filter((view) => view.node === node.id);
    for (const client of world.clients.slice(...range)) {
      const known = here.find(({ mac }) => mac === client.mac)?.addresses ?? [];
      t.ok(client.addresses.length === 2 && client.addresses.every((address) => known.includes(address)), `client ${client.number}`);
    }
  }
});

t.test('interfaces and addresses that the kernel does not tell of at the start are read again', async (t) => {
  const world = new World({ seed: 1, nodes: 2, clients: 1 });
  world.start();
  const { kernel } = world.nodes[1]!.process!;
  const lost = async () => {
    throw new Error('answers were lost (ENOBUFS)');
  };
  Object.assign(kernel, { clientLinks: lost, nodeAddresses: lost });
  await world.run(1500);
  Reflect.deleteProperty(kernel, 'clientLinks');
  await world.run(1500);
  Reflect.deleteProperty(kernel, 'nodeAddresses');
  world.join(0, 1);
  await allIsWell(t, world);
});

t.test('traffic of a client is no claim before the node has caught up', async (t) => {
  const options = " list presence 'hostapd'\n list presence 'traffic'";
  const world = await setUp({ nodes: 2, settings: () => ({ options }) });
  const [client] = world.clients;
  world.join(0, 1);
  await world.run(10 * SECOND);
  world.nodes[1]!.powerOff();
  world.nodes[1]!.files.clear();
  world.cut(world.network.links[0]!);
  await world.run(SECOND);
  world.nodes[1]!.powerOn();
  world.join(0, 1);
  await world.run(200);
  client!.at!.uplink(client!, arpFrame(BROADCAST_MAC, { operation: ArpOperation.request, senderMac: client!.mac, senderIp: parseIp4('10.44.3.4'), targetMac: UNKNOWN_MAC, targetIp: parseIp4('10.44.0.1') }));
  await world.run(SECOND);
  t.same(world.nodes[1]!.clients(), [], 'it waits for its peer');
  await world.run(2 * SECOND);
  t.equal(world.nodes[1]!.clients()[0]?.node, world.nodes[1]!.id, 'but not for ever');
});

t.test('routing converges long after the daemons have started: peers have their session as soon as there is a path', async (t) => {
  for (let seed = 1; seed <= 10; seed++) {
    const world = new World({ seed, nodes: 3, clients: 1 });
    for (const link of world.network.links) world.cut(link);
    world.start();
    world.join(0, 0);
    await world.run(3 * MINUTE + seed * 3 * SECOND);
    t.same(placesOf(world, 0), ['n0', '', '']);
    for (const link of world.network.links) world.heal(link);
    // Routes follow within 200 ms, and what was dialled half a second before is not dialled again at once.
    await world.run(900);
    t.same(placesOf(world, 0), ['n0', 'n0', 'n0'], `seed ${seed}`);
    await allIsWell(t, world);
  }
});

t.test('neighbours that find each other need no peers', async (t) => {
  const world = await setUp({ nodes: 5, settings: () => ({ peers: [], discovers: true }) });
  await world.run(10 * SECOND);
  world.join(0, 0);
  await allIsWell(t, world);
  world.nodes[2]!.powerOff();
  await world.run(60 * SECOND);
  world.nodes[2]!.powerOn();
  world.join(0, 4);
  await allIsWell(t, world);
});

/**
 * n1 is the neighbour of n0 and of n2, which hear no hellos of each other though a link leads from one to the other: their
 * session stands by.
 */
async function heldTogether(seed: number): Promise<World> {
  const links = [[0, 1, 5], [1, 2, 5], [0, 2, 8, false]] as const;
  const world = await setUp({ seed, links, settings: () => ({ peers: [], discovers: true }) });
  await world.run(10 * SECOND);
  world.join(0, 0);
  await world.run(2 * MINUTE);
  return world;
}

/** Milliseconds until a node has the client where it is now; undefined: not within `limit`. */
async function newsAfter(world: World, node: number, place: number, limit: number): Promise<number | undefined> {
  for (let waited = 0; waited <= limit; waited += 50) {
    if (placesOf(world, 0)[node] === `n${place}`) return waited;
    await world.run(50);
  }
  return undefined;
}

/** What n2 is told of who is adjacent to whom. */
function adjacencies({ nodes }: World): string {
  const { call } = nodes[2]!.process!.methods['nodes']!;
  const views = (call({}) as { nodes: readonly { node: string; adjacencies: readonly string[] }[] }).nodes;
  const nameOf = (id: string) => nodes.find((node) => node.id === id)?.name;
  return views
    .flatMap(({ node, adjacencies }) => adjacencies.filter((other) => nameOf(node)! < nameOf(other)!).map((other) => `${nameOf(node)}-${nameOf(other)}`))
    .sort()
    .join(' ');
}

t.test('the router that held two others together loses its power: within two seconds they tell each other', async (t) => {
  for (let seed = 1; seed <= 5; seed++) {
    const world = await heldTogether(seed);
    world.nodes[1]!.powerOff();
    world.join(0, 2);
    const first = await newsAfter(world, 0, 2, 2 * SECOND);
    t.not(first, undefined, `after ${first} ms`);
    world.join(0, 0);
    const second = await newsAfter(world, 2, 0, 100);
    t.not(second, undefined, `at once from then on: after ${second} ms`);
    await world.run(MINUTE);
    world.nodes[1]!.powerOn();
    await allIsWell(t, world);
  }
});

t.test('the same where links take all and deliver nothing, and nobody is told; it ends when they deliver again', async (t) => {
  for (const eaten of [[0], [1], [0, 1]]) {
    const world = await heldTogether(1);
    for (const link of eaten) world.eat(world.network.links[link]!);
    world.join(0, 2);
    const after = await newsAfter(world, 0, 2, 2 * SECOND);
    t.not(after, undefined, `links ${String(eaten)}: after ${after} ms`);
    await world.run(3 * SECOND);
    t.not(adjacencies(world), 'n0-n1 n1-n2');
    for (const link of eaten) world.heal(world.network.links[link]!);
    await world.run(SECOND);
    t.not(adjacencies(world), 'n0-n1 n1-n2', 'not at once');
    await world.run(20 * SECOND);
    t.equal(adjacencies(world), 'n0-n1 n1-n2');
    await allIsWell(t, world);
  }
});

t.test('a link that takes all for three seconds and is well for three, again and again, is not told of again and again', async (t) => {
  const world = await heldTogether(1);
  const [link] = world.network.links;
  const seen: string[] = [];
  for (let i = 0; i < 50; i++) {
    world.eat(link!);
    world.join(0, i % 3);
    await world.run(3 * SECOND);
    seen.push(adjacencies(world));
    world.heal(link!);
    await world.run(3 * SECOND);
    seen.push(adjacencies(world));
  }
  const changes = seen.filter((now, i) => now !== (seen[i - 1] ?? 'n0-n1 n1-n2'));
  t.ok(changes.length >= 1 && changes.length <= 6, `${changes.length} changes in five minutes`);
  await allIsWell(t, world);
});

t.test('a transit node follows, and has clients of its own nowhere', async (t) => {
  const world = await setUp({ settings: (i) => ({ transit: i === 1 }) });
  world.join(0, 0);
  await world.run(5 * SECOND);
  world.join(0, 2);
  await allIsWell(t, world);
});

t.test('leases of a client that is here are ended by hand: it has what it goes on to use', async (t) => {
  const world = await setUp();
  world.join(0, 0);
  await world.run(10 * SECOND);
  const [client] = world.clients;
  const { addresses } = client!;
  for (const at of [0, 2]) {
    t.match(world.nodes[at]!.process!.methods['release']!.call({ mac: client!.mac }), { released: 2 });
    await world.run(100);
    const known = world.nodes[2]!.clients().find(({ mac }) => mac === client!.mac)?.addresses ?? [];
    t.same(known, addresses.filter((address) => address.includes('/')), 'the network that it was told is its again at once');
    await allIsWell(t, world);
    t.same(client!.addresses, addresses);
  }
});
