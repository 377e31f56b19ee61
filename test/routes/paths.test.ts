import t from 'tap';
import { parseIp } from '../../src/net/ip.js';
import { hostPrefix, parsePrefix } from '../../src/net/prefix.js';
import { DEBOUNCE, Paths } from '../../src/routes/paths.js';
import { A, B, path } from './helpers.js';
import { ModelKernel } from './model-kernel.js';
import { TestClock, turn } from '../support.js';

const [A4, A4b, A6, B6] = ['10.9.0.1', '10.9.1.1', '2001:db8:a::1', '2001:db8:b::1'].map(parseIp) as [
  ReturnType<typeof parseIp>, ReturnType<typeof parseIp>, ReturnType<typeof parseIp>, ReturnType<typeof parseIp>,
];

function setup() {
  const kernel = new ModelKernel();
  const clock = new TestClock();
  const changes: unknown[] = [];
  const failures: string[] = [];
  const paths = new Paths({
    kernel,
    clock,
    changed: (node, paths) => changes.push([node, paths]),
    failed: (message) => failures.push(message),
  });
  return { kernel, clock, changes, failures, paths };
}

t.test('addresses are tried in their order, each family by itself', async (t) => {
  const { kernel, clock, changes, paths } = setup();
  kernel.paths.set(A4b, path(3, '10.0.0.2'));
  kernel.paths.set(A6, { ifindex: 2, gateway: undefined });
  paths.setNode(A, [A4, A6, A4b]);
  await clock.pass(0);
  t.strictSame(
    changes,
    [[A, { 4: path(3, '10.0.0.2'), 6: { ifindex: 2, gateway: A6 } }]],
    'a node on the link is itself the gateway',
  );
  kernel.paths.set(A4, path(4, 'fe80::4'));
  paths.routesChanged(hostPrefix(A4));
  await clock.pass(DEBOUNCE);
  t.strictSame(changes[1], [A, { 4: path(4, 'fe80::4'), 6: { ifindex: 2, gateway: A6 } }]);
});

t.test('a default route counts only where no other leads to the node, by either family', async (t) => {
  const { kernel, clock, changes, paths } = setup();
  const uplink = { ...path(9, '192.168.178.1'), byDefault: true };
  kernel.paths.set(A4, uplink);
  kernel.paths.set(A4b, path(3, '10.0.0.2'));
  paths.setNode(A, [A4, A6, A4b]);
  await clock.pass(0);
  t.strictSame(changes.at(-1), [A, { 4: path(3, '10.0.0.2'), 6: undefined }], 'the address of its uplink comes first in its record');
  kernel.paths.set(A4b, uplink);
  kernel.paths.set(A6, path(2, 'fe80::1'));
  paths.refresh();
  await clock.pass(DEBOUNCE);
  t.strictSame(changes.at(-1), [A, { 4: undefined, 6: path(2, 'fe80::1') }], 'IPv4 by the IPv6 next hop');
  kernel.paths.delete(A6);
  paths.refresh();
  await clock.pass(DEBOUNCE);
  t.strictSame(changes.at(-1), [A, { 4: path(9, '192.168.178.1'), 6: undefined }], 'a router that has nothing but a default route');
  t.equal(changes.length, 3);
});

t.test('a burst of changes is one pass, over the nodes that they concern', async (t) => {
  const { kernel, clock, changes, paths } = setup();
  kernel.paths.set(A6, path(2, 'fe80::1'));
  kernel.paths.set(B6, path(2, 'fe80::1'));
  paths.setNode(A, [A6]);
  paths.setNode(B, [B6]);
  await clock.pass(0);
  kernel.queries.length = 0;
  for (let i = 0; i < 50; i++) paths.routesChanged(parsePrefix('2001:db8:a::/48'));
  paths.routesChanged(parsePrefix('2001:db8:77::/48'));
  await clock.pass(DEBOUNCE - 1);
  t.strictSame(kernel.queries, []);
  await clock.pass(1);
  t.strictSame(kernel.queries, [A6]);
  t.equal(changes.length, 2, 'no change, nothing told');
  paths.routesChanged(parsePrefix('::/0'));
  await clock.pass(DEBOUNCE);
  t.strictSame(kernel.queries, [A6, A6, B6], 'the default route concerns all');
});

t.test('changes during a pass make another', async (t) => {
  const { kernel, clock, changes, paths } = setup();
  kernel.paths.set(A6, path(2, 'fe80::1'));
  const resolve = kernel.resolve.bind(kernel);
  kernel.resolve = async (address) => {
    const answer = await resolve(address);
    if (kernel.queries.length === 1) {
      kernel.paths.set(A6, path(3, 'fe80::2'));
      paths.routesChanged(hostPrefix(A6));
    }
    return answer;
  };
  paths.setNode(A, [A6]);
  await clock.pass(DEBOUNCE);
  t.strictSame(changes, [
    [A, { 4: undefined, 6: path(2, 'fe80::1') }],
    [A, { 4: undefined, 6: path(3, 'fe80::2') }],
  ]);
});

t.test('a node that cannot be reached, or is gone, has no path', async (t) => {
  const { kernel, clock, changes, paths } = setup();
  kernel.paths.set(A6, path(2, 'fe80::1'));
  paths.setNode(A, [A6]);
  await clock.pass(0);
  kernel.paths.delete(A6);
  paths.refresh();
  await clock.pass(DEBOUNCE);
  t.strictSame(changes[1], [A, undefined]);
  paths.setNode(A, []);
  t.equal(changes.length, 2);
  kernel.paths.set(A6, path(2, 'fe80::1'));
  paths.setNode(A, [A6]);
  await clock.pass(0);
  paths.setNode(A, []);
  t.strictSame(changes[3], [A, undefined]);
  paths.routesChanged(hostPrefix(A6));
  await clock.pass(1000);
  t.equal(changes.length, 4);
});

t.test('an answer for addresses that are no longer the node\'s is not used', async (t) => {
  const { kernel, clock, changes, paths } = setup();
  kernel.paths.set(A6, path(2, 'fe80::1'));
  kernel.paths.set(B6, path(3, 'fe80::2'));
  let release = () => {};
  const resolve = kernel.resolve.bind(kernel);
  kernel.resolve = async (address) => {
    if (address === A6) await new Promise<void>((done) => (release = done));
    return resolve(address);
  };
  paths.setNode(A, [A6]);
  await clock.pass(0);
  paths.setNode(A, [B6]);
  release();
  await clock.pass(DEBOUNCE);
  t.strictSame(changes, [[A, { 4: undefined, 6: path(3, 'fe80::2') }]]);
});

t.test('a failed query keeps the path, is said once and asked again', async (t) => {
  const { kernel, clock, changes, failures, paths } = setup();
  kernel.paths.set(A6, path(2, 'fe80::1'));
  paths.setNode(A, [A6]);
  await clock.pass(0);
  kernel.paths.set(A6, new Error('ENOBUFS'));
  paths.refresh();
  await clock.pass(3500);
  t.equal(failures.length, 1);
  t.equal(changes.length, 1);
  kernel.paths.set(A6, path(2, 'fe80::9'));
  await clock.pass(1000);
  t.strictSame(changes[1], [A, { 4: undefined, 6: path(2, 'fe80::9') }]);
  t.equal(kernel.queries.length, 6, 'once a second');
});

t.test('what fails is asked for again once a second, however often routes have changed meanwhile', async (t) => {
  const { kernel, clock, paths } = setup();
  kernel.paths.set(A6, new Error('ENOBUFS'));
  paths.setNode(A, [A6]);
  for (let i = 0; i < 10; i++) {
    paths.refresh();
    await clock.pass(DEBOUNCE);
  }
  const { length } = kernel.queries;
  await clock.pass(3000);
  t.equal(kernel.queries.length - length, 3);
  paths.setNode(A, []);
  await clock.pass(3000);
  t.equal(kernel.queries.length - length, 3, 'and not at all once the node is gone');
});

t.test('settled() waits for what is open; nothing is told after stop()', async (t) => {
  const { kernel, changes, clock, paths } = setup();
  kernel.paths.set(A6, path(2, 'fe80::1'));
  paths.setNode(A, [A6]);
  await paths.settled();
  t.equal(changes.length, 1);
  kernel.paths.delete(A6);
  paths.refresh();
  paths.stop();
  await clock.pass(1000);
  await turn();
  t.equal(changes.length, 1);
  await paths.settled();
});
