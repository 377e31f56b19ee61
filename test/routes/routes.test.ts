import t from 'tap';
import type { Ip } from '../../src/net/ip.js';
import { parseIp } from '../../src/net/ip.js';
import type { Mac } from '../../src/net/mac.js';
import { hostPrefix } from '../../src/net/prefix.js';
import type { NodeId } from '../../src/clients/node-id.js';
import { Routes } from '../../src/routes/routes.js';
import { A, brief, client, path, SELF } from './helpers.js';
import { ModelKernel } from './model-kernel.js';
import { TestClock, TestLog, turn } from '../support.js';

const A6 = parseIp('2001:db8:a::1');

function setup(kernel = new ModelKernel()) {
  const clock = new TestClock();
  const log = new TestLog();
  const installed: Mac[] = [];
  const told: [node: NodeId, exists: boolean][] = [];
  const found: Ip[] = [];
  const routes = new Routes({
    self: SELF,
    kernel,
    clock,
    log,
    installed: (mac) => installed.push(mac),
    pathChanged: (node, exists) => told.push([node, exists]),
    pathFound: (address) => found.push(address),
  });
  return { kernel, clock, log, installed, told, found, routes };
}

t.test('changes of one turn are one batch, at once', async (t) => {
  const { kernel, clock, installed, routes } = setup();
  routes.setClient(client(1, SELF, '10.44.0.1/32'));
  await clock.pass(10);
  t.strictSame(kernel.batches, [], 'nothing before the kernel has said what it holds');
  await routes.start();
  t.ok(kernel.rules);
  await clock.pass(0);
  t.equal(kernel.batches.length, 1);
  routes.setClient(client(2, SELF, '10.44.0.2/32'));
  routes.setClient(client(3, SELF, '10.44.0.3/32'));
  routes.removeClient(client(1, SELF).mac);
  await turn();
  t.equal(kernel.batches.length, 2);
  t.equal(kernel.routes.size, 2);
  t.strictSame(installed, [1, 2, 3].map((i) => client(i, SELF).mac));
  t.ok(routes.isInstalled(client(2, SELF).mac));
});

t.test('a kernel without IPv6 is given IPv4 alone, and all is installed then', async (t) => {
  const { kernel, installed, routes } = setup(Object.assign(new ModelKernel(), { withoutIp6: true }));
  await routes.start();
  const view = client(1, SELF, '10.44.0.1/32', '2001:db8:44:1::/64', '2001:db8:44:1::5/128');
  t.ok(routes.setClient(view));
  await turn();
  t.strictSame(kernel.batches.flat().map(brief).sort(), ['set 10.44.0.1/32 44 dev 9', 'set neighbour 10.44.0.1']);
  t.strictSame(installed, [view.mac]);
});

t.test('flushed: the kernel has it before the turn ends; what comes after goes with the next batch', async (t) => {
  const { kernel, installed, routes } = setup();
  await routes.start();
  await turn();
  routes.flush();
  t.strictSame(kernel.batches, [], 'nothing to do');
  routes.setClient(client(1, SELF, '10.44.0.1/32'));
  routes.flush();
  t.equal(kernel.batches.length, 1);
  routes.setClient(client(2, SELF, '10.44.0.2/32'));
  routes.flush();
  t.equal(kernel.batches.length, 1, 'one batch at a time');
  await turn();
  t.equal(kernel.batches.length, 2);
  t.strictSame(installed, [1, 2].map((i) => client(i, SELF).mac));
});

t.test('a node\'s path comes from the kernel and follows its routes', async (t) => {
  const { kernel, clock, told, routes } = setup();
  kernel.paths.set(A6, path(2, 'fe80::1'));
  await routes.start();
  routes.setNode(A, [A6]);
  routes.setNode(SELF, [parseIp('2001:db8:c::1')]);
  routes.setClient(client(1, A, '10.44.0.1/32'));
  await clock.pass(0);
  t.strictSame(kernel.batches.flat().map(brief), ['set nexthop 0 v6 fe80::1 dev 2', 'set 10.44.0.1/32 45 nexthop 0']);
  t.strictSame(kernel.queries, [A6], 'not asked for this node');
  kernel.paths.set(A6, path(3, 'fe80::2'));
  routes.kernelChanged({ kind: 'routes', destination: hostPrefix(A6) });
  await clock.pass(5);
  t.strictSame(kernel.batches.at(-1)!.map(brief), ['set nexthop 0 v6 fe80::2 dev 3']);
  kernel.paths.delete(A6);
  routes.kernelChanged({ kind: 'links' });
  await clock.pass(5);
  t.equal(kernel.routes.size + kernel.nexthops.size, 0);
  t.strictSame(told, [[A, true], [A, true], [A, false]]);
});

t.test('lost events: a dump, then what is missing; many of them: few dumps', async (t) => {
  const { kernel, clock, routes } = setup();
  await routes.start();
  routes.setClient(client(1, SELF, '10.44.0.1/32'));
  await clock.pass(1000);
  kernel.linkDown(9);
  routes.kernelChanged({ kind: 'lost' });
  await clock.pass(0);
  t.equal(kernel.routes.size, 1);
  for (let i = 0; i < 100; i++) {
    routes.kernelChanged({ kind: 'lost' });
    await clock.pass(10);
  }
  await clock.pass(500);
  t.ok(kernel.stateCalls <= 7, `${kernel.stateCalls} dumps`);
});

t.test('another program that takes away what is ours for ever: it is put back, ever more slowly, and told of once', async (t) => {
  const { kernel, clock, log, routes } = setup();
  await routes.start();
  routes.setClient(client(1, SELF, '10.44.0.1/32'));
  await clock.pass(1000);
  for (let i = 0; i < 6000; i++) {
    kernel.linkDown(9);
    kernel.rules = false;
    routes.kernelChanged({ kind: 'lost' });
    await clock.pass(10);
  }
  t.ok(kernel.stateCalls < 45, `${kernel.stateCalls} dumps in a minute`);
  t.strictSame(log.lines.filter((line) => line.includes('again and again')).length, 1, log.lines.join('\n'));
  await clock.pass(2000);
  t.ok(kernel.routes.size === 1 && kernel.rules);
  await clock.pass(60_000);
  kernel.linkDown(9);
  routes.kernelChanged({ kind: 'lost' });
  await clock.pass(1);
  t.equal(kernel.routes.size, 1, 'at once again');
});

t.test('addresses that are watched: it is told when there is a path, or another one, and nothing of it is put in the kernel', async (t) => {
  const { kernel, clock, told, found, routes } = setup();
  const [one, two] = [parseIp('10.99.0.2'), parseIp('fd99::3')];
  await routes.start();
  routes.watch([one, two]);
  await clock.pass(100);
  t.strictSame(found, []);
  kernel.paths.set(one, path(2, '10.0.0.2'));
  routes.kernelChanged({ kind: 'routes', destination: hostPrefix(one) });
  await clock.pass(5);
  t.strictSame(found, [one], 'after the few milliseconds that a burst is waited for');
  routes.kernelChanged({ kind: 'links' });
  await clock.pass(100);
  t.strictSame(found, [one], 'the same path is no news');
  kernel.paths.set(one, path(3, '10.0.0.3'));
  kernel.paths.set(two, { ...path(3, 'fe80::3'), byDefault: true });
  routes.kernelChanged({ kind: 'lost' });
  await clock.pass(100);
  t.strictSame(found.slice(1).sort(), [one, two], 'a default route is a path');
  kernel.paths.clear();
  routes.kernelChanged({ kind: 'links' });
  await clock.pass(100);
  t.equal(found.length, 3, 'a path that is lost is not told');
  routes.watch([two]);
  kernel.paths.set(one, path(2, '10.0.0.2'));
  kernel.paths.set(two, path(2, 'fe80::2'));
  routes.kernelChanged({ kind: 'links' });
  await clock.pass(100);
  t.strictSame(found.slice(3), [two], 'the other one is not watched any more');
  await routes.stop();
  t.strictSame([told, kernel.batches], [[], []]);
});

t.test('a kernel that loses the answers, or cannot dump, is asked again', async (t) => {
  const { kernel, clock, log, installed, routes } = setup();
  await routes.start();
  kernel.loseAnswers = true;
  const state = kernel.state.bind(kernel);
  kernel.state = () => Promise.reject(new Error('EBUSY'));
  routes.setClient(client(1, SELF, '10.44.0.1/32'));
  await clock.pass(600);
  kernel.state = state;
  await clock.pass(1000);
  t.ok(installed.length === 1 && kernel.routes.size === 1);
  t.match(log.lines.join('\n'), /cannot read the kernel's routes or set its rules: EBUSY/);
});

t.test('after a restart: nothing unknown is removed before the database is loaded and the paths are known', async (t) => {
  const first = setup();
  first.kernel.paths.set(A6, path(2, 'fe80::1'));
  await first.routes.start();
  first.routes.setNode(A, [A6]);
  for (let i = 1; i <= 3; i++) first.routes.setClient(client(i, A, `10.44.0.${i}/32`));
  await first.clock.pass(10);
  await first.routes.stop({ linger: true });
  t.equal(first.kernel.routes.size, 3);
  t.ok(first.kernel.rules);
  first.kernel.batches.length = 0;

  const { kernel, clock, routes } = setup(first.kernel);
  await routes.start();
  routes.setClient(client(1, A, '10.44.0.1/32'));
  routes.setClient(client(2, A, '10.44.0.2/32'));
  await clock.pass(1000);
  routes.setNode(A, [A6]);
  const loaded = routes.loaded();
  await clock.pass(1000);
  await loaded;
  await clock.pass(1000);
  t.strictSame(kernel.batches.flat().map(brief), ['delete 10.44.0.3/32 45 nexthop 0']);
});

t.test('a clean stop leaves nothing; one that cannot says so and ends', async (t) => {
  const { kernel, clock, routes } = setup();
  kernel.paths.set(A6, path(2, 'fe80::1'));
  await routes.start();
  routes.setNode(A, [A6]);
  routes.setClient(client(1, A, '10.44.0.1/32'));
  routes.setClient(client(2, SELF, '10.44.0.2/32'));
  await clock.pass(10);
  const stopped = routes.stop();
  await clock.pass(100);
  await stopped;
  t.equal(kernel.routes.size + kernel.nexthops.size + kernel.neighbours.size, 0);
  t.notOk(kernel.rules);

  const stuck = setup();
  await stuck.routes.start();
  stuck.routes.setClient(client(2, SELF, '10.44.0.2/32'));
  await stuck.clock.pass(10);
  stuck.kernel.failing = () => true;
  const ended = stuck.routes.stop();
  await stuck.clock.pass(10_000);
  await ended;
  t.match(stuck.log.lines.join('\n'), /some routes could not be removed/);
});
