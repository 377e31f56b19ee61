import t from 'tap';
import type { Instant } from '../../src/clients/time.js';
import type { Mac } from '../../src/net/mac.js';
import { NEXTHOP_BASE } from '../../src/routes/nexthop-ids.js';
import { MAX_BATCH, Reconciler } from '../../src/routes/reconciler.js';
import { A, B, brief, client, path, SELF } from './helpers.js';
import { ModelKernel } from './model-kernel.js';

const V4 = path(2, '10.0.0.1');
const V6 = path(2, 'fe80::1');

function setup({ nexthopObjects = true, kernel = new ModelKernel(nexthopObjects) } = {}) {
  const installed: Mac[] = [];
  const failures: string[] = [];
  const reconciler = new Reconciler({
    self: SELF,
    nexthopObjects,
    installed: (mac) => installed.push(mac),
    failed: (message) => failures.push(message),
  });
  /** One batch through the kernel, in words. */
  const step = (now = 0): string[] => {
    const batch = reconciler.next(now as Instant);
    if (batch.length > 0) reconciler.acknowledge(batch.map((change) => kernel.change(change)), now as Instant);
    return batch.map(brief);
  };
  return { kernel, reconciler, installed, failures, step };
}

t.test('a client that comes, moves and goes', async (t) => {
  const { reconciler, installed, step } = setup();
  const here = client(1, SELF, '10.44.0.1/32', '2001:db8:0:1::/64');
  reconciler.setPaths(A, { 4: V4, 6: V6 });
  t.ok(reconciler.setClient(here));
  t.strictSame(step(), [
    'set neighbour 10.44.0.1',
    'set 10.44.0.1/32 44 dev 9',
    'set 2001:db8:0:1::/64 44 dev 9',
  ]);
  t.strictSame(installed, [here.mac]);
  t.notOk(reconciler.setClient(here), 'said again, nothing changes');
  t.strictSame(step(), []);

  reconciler.setClient({ ...here, node: A, link: undefined });
  t.strictSame(
    step(),
    [
      'set nexthop 0 v4 10.0.0.1 dev 2',
      'set nexthop 1 v6 fe80::1 dev 2',
      'set 10.44.0.1/32 45 nexthop 0',
      'set 2001:db8:0:1::/64 45 nexthop 1',
      'delete neighbour 10.44.0.1',
    ],
    'one replacing change a route, objects before, the entry after',
  );
  t.equal(installed.length, 2);

  reconciler.removeClient(here.mac);
  t.strictSame(step(), ['delete 10.44.0.1/32 45 nexthop 0', 'delete 2001:db8:0:1::/64 45 nexthop 1']);
  reconciler.setPaths(A, undefined);
  t.strictSame(step(), ['delete nexthop 0 v4 10.0.0.1 dev 2', 'delete nexthop 1 v6 fe80::1 dev 2']);
  t.strictSame(step(), []);
  t.ok(reconciler.idle);
});

t.test('a client said anew holds its routes as before', async (t) => {
  const { reconciler, step } = setup();
  reconciler.setPaths(A, { 4: V4, 6: V6 });
  const there = client(1, A, '10.44.0.1/32', '2001:db8:0:1::/64');
  reconciler.setClient(there);
  step();
  t.notOk(reconciler.setClient({ ...there }));
  t.strictSame(step(), []);
  t.ok(reconciler.isInstalled(there.mac));
  reconciler.removeClient(there.mac);
  t.strictSame(step(), ['delete 10.44.0.1/32 45 nexthop 0', 'delete 2001:db8:0:1::/64 45 nexthop 1']);
});

t.test('another path moves 1,000 clients with one change a family', async (t) => {
  const { reconciler, step } = setup();
  reconciler.setPaths(A, { 4: V4, 6: V6 });
  for (let i = 0; i < 1000; i++) reconciler.setClient(client(i, A, `10.44.${i >> 8}.${i & 255}/32`));
  t.equal(step().length, 1001);
  reconciler.setPaths(A, { 4: path(3, 'fe80::7'), 6: V6 });
  t.strictSame(step(), ['set nexthop 0 v6 fe80::7 dev 3'], 'an IPv6 next hop for IPv4 routes');
  reconciler.setPaths(A, { 4: undefined, 6: V6 });
  t.strictSame(step(), ['set nexthop 0 v6 fe80::1 dev 2'], 'the IPv6 path serves IPv4 too');
  t.strictSame(step(), []);
});

t.test('without nexthop objects every route is written anew', async (t) => {
  const { reconciler, step } = setup({ nexthopObjects: false });
  reconciler.setPaths(A, { 4: V4, 6: undefined });
  reconciler.setClient(client(1, A, '10.44.0.1/32', '2001:db8:0:1::/64'));
  t.strictSame(step(), ['set 10.44.0.1/32 45 via 10.0.0.1 dev 2'], 'no way for IPv6, no route');
  reconciler.setPaths(A, { 4: path(3, '10.0.0.2'), 6: V6 });
  t.strictSame(step(), ['set 10.44.0.1/32 45 via 10.0.0.2 dev 3', 'set 2001:db8:0:1::/64 45 via fe80::1 dev 2']);
  reconciler.setPaths(A, undefined);
  t.strictSame(step(), ['delete 10.44.0.1/32 45 via 10.0.0.2 dev 3', 'delete 2001:db8:0:1::/64 45 via fe80::1 dev 2']);
});

t.test('changes while a batch is under way make one next batch', async (t) => {
  const { kernel, reconciler, installed } = setup();
  reconciler.setPaths(A, { 4: V4, 6: undefined });
  reconciler.setPaths(B, { 4: V4, 6: undefined });
  const at = (node: typeof A) => client(1, node, '10.44.0.1/32');
  reconciler.setClient(at(SELF));
  const first = reconciler.next(0 as Instant);
  t.strictSame(first.map(brief), ['set neighbour 10.44.0.1', 'set 10.44.0.1/32 44 dev 9']);
  reconciler.setClient(at(A));
  reconciler.setClient(at(B));
  t.strictSame(reconciler.next(0 as Instant), [], 'one at a time');
  reconciler.acknowledge(first.map((change) => kernel.change(change)), 0 as Instant);
  t.strictSame(installed, [], 'it is elsewhere by now');
  t.strictSame(reconciler.next(0 as Instant).map(brief), [
    'set nexthop 0 v4 10.0.0.1 dev 2',
    'set 10.44.0.1/32 45 nexthop 0',
    'delete neighbour 10.44.0.1',
  ]);
});

t.test('a family that the kernel refuses does not keep a client from being told of the other', async (t) => {
  const { kernel, reconciler, installed, step } = setup();
  const here = client(1, SELF, '10.44.0.1/32', '2001:db8:0:1::/64');
  kernel.failing = (change) => 'route' in change && change.route.destination.family === 6;
  reconciler.setClient(here);
  step();
  t.strictSame(installed, [here.mac], 'IPv6 is disabled on the interface');
  t.ok(reconciler.isInstalled(here.mac), 'the same for one that comes back and changes nothing');
  const away = client(2, SELF, '2001:db8:0:2::/64');
  reconciler.setClient(away);
  step();
  t.strictSame(installed, [here.mac], 'nothing at all is not enough');
  kernel.failing = () => false;
  step(60_000);
  t.strictSame(installed, [here.mac, away.mac]);
});

t.test('what fails is tried again, later and later, and said once if that lasts', async (t) => {
  const { kernel, reconciler, installed, failures, step } = setup();
  kernel.failing = (change) => 'nexthop' in change;
  reconciler.setPaths(A, { 4: V4, 6: undefined });
  reconciler.setClient(client(1, A, '10.44.0.1/32'));
  reconciler.setClient(client(2, A, '10.44.0.2/32'));
  step();
  t.equal(reconciler.deadline, 50);
  t.strictSame(step(49), []);
  t.strictSame(step(50), ['set nexthop 0 v4 10.0.0.1 dev 2'].concat(['set 10.44.0.1/32 45 nexthop 0', 'set 10.44.0.2/32 45 nexthop 0']));
  t.equal(reconciler.deadline, 150);
  for (const now of [150, 350, 750, 1550]) t.equal(step(now).length, 3);
  t.strictSame(failures, [], 'it may mend itself: a link has just gone down');
  t.equal(step(3150).length, 3);
  t.equal(failures.length, 2, 'the object, and the routes that miss it');
  t.match(failures[0], /^cannot set nexthop object \d+: no buffer space/);
  t.equal(step(6350).length, 3);
  t.equal(failures.length, 2, 'once');
  kernel.failing = () => false;
  t.equal(step(12_750).length, 3);
  t.equal(installed.length, 2);
  t.ok(reconciler.idle);

  kernel.failing = (change) => 'route' in change;
  reconciler.setClient(client(3, A, '10.44.0.3/32'));
  step(20_000);
  kernel.failing = () => false;
  step(20_050);
  kernel.failing = (change) => 'route' in change;
  reconciler.setClient(client(4, A, '10.44.0.4/32'));
  step(30_000);
  t.equal(failures.length, 2, 'twice for a moment');
  for (const now of [30_050, 30_150, 30_350, 30_750, 31_550, 33_150]) step(now);
  t.equal(failures.length, 3, 'it had gone, and is back');
});

t.test('a failure for a moment is not told while another lasts', async (t) => {
  const { kernel, reconciler, failures, step } = setup();
  kernel.failing = (change) => 'route' in change;
  reconciler.setPaths(A, { 4: V4, 6: undefined });
  reconciler.setClient(client(1, A, '10.44.0.1/32'));
  for (let now = 0; now <= 40_000; now = reconciler.deadline!) step(now);
  t.equal(failures.length, 1);
  kernel.failing = (change) => 'route' in change || 'nexthop' in change;
  reconciler.setPaths(B, { 4: path(3, '10.0.1.1'), 6: undefined });
  for (const start of [50_000, 200_000]) {
    reconciler.setClient(client(2, B, '10.44.0.2/32'));
    step(start);
    reconciler.removeClient(client(2, B).mac);
    step(start + 50);
  }
  t.equal(failures.length, 1);
});

t.test('a call that fails as a whole is told too', async (t) => {
  const { kernel, reconciler, failures, step } = setup();
  kernel.failing = () => true;
  reconciler.setClient(client(1, SELF, '10.44.0.1/32'));
  for (let now = 0; now <= 3500; now += 250) {
    step(now);
    reconciler.adopt(kernel.snapshot());
  }
  t.match(failures, [/^cannot set neighbour/, /^cannot set route/]);
});

t.test('a route waits for its object, not the other way round', async (t) => {
  const { kernel, reconciler, step } = setup();
  kernel.failing = (change) => 'nexthop' in change;
  reconciler.setPaths(A, { 4: V4, 6: undefined });
  reconciler.setClient(client(1, A, '10.44.0.1/32'));
  step(0);
  reconciler.setClient(client(2, A, '10.44.0.2/32'));
  t.strictSame(step(10), [], 'the object is due at 50');
  kernel.failing = () => false;
  t.equal(step(50).length, 2);
  t.strictSame(step(50), ['set 10.44.0.2/32 45 nexthop 0']);
});

t.test('after a kill: what is right stays, what is wrong is replaced, the rest goes after prune only', async (t) => {
  const first = setup();
  first.reconciler.setPaths(A, { 4: V4, 6: undefined });
  first.reconciler.setPaths(B, { 4: path(3, '10.0.1.1'), 6: undefined });
  for (let i = 1; i <= 3; i++) first.reconciler.setClient(client(i, A, `10.44.0.${i}/32`));
  first.reconciler.setClient(client(4, B, '10.44.0.4/32'));
  first.reconciler.setClient(client(5, SELF, '10.44.0.5/32'));
  first.step();

  const { reconciler, installed, step } = setup({ kernel: first.kernel });
  reconciler.adopt(first.kernel.snapshot());
  t.strictSame(step(), []);
  reconciler.setPaths(A, { 4: V4, 6: undefined });
  reconciler.setPaths(B, { 4: path(4, '10.0.2.1'), 6: undefined });
  reconciler.setClient(client(5, SELF, '10.44.0.5/32'));
  t.strictSame(step(), []);
  t.strictSame(installed, [client(5, SELF).mac], 'told although nothing had to change');
  reconciler.setClient(client(1, A, '10.44.0.1/32'));
  t.strictSame(step(), [], 'the object is taken over with the route');
  reconciler.setClient(client(2, SELF, '10.44.0.2/32'));
  t.strictSame(step(), ['set neighbour 10.44.0.2', 'set 10.44.0.2/32 44 dev 9']);
  reconciler.setClient(client(4, B, '10.44.0.4/32'));
  t.strictSame(
    step(),
    ['set nexthop 2 v4 10.0.2.1 dev 4', 'set 10.44.0.4/32 45 nexthop 2'],
    'an object with another path may be another node\'s: a new one',
  );
  reconciler.setPaths(A, undefined);
  reconciler.setClient(client(3, A, '10.44.0.3/32'));
  t.strictSame(
    step(),
    ['delete 10.44.0.1/32 45 nexthop 0'],
    'the path is not known yet perhaps: what this run has not wanted stays',
  );
  reconciler.prune();
  t.strictSame(step(), ['delete 10.44.0.3/32 45 nexthop 0', 'delete nexthop 1 v4 10.0.1.1 dev 3']);
  t.strictSame(step(), ['delete nexthop 0 v4 10.0.0.1 dev 2']);
  t.strictSame(step(), []);
  t.ok(reconciler.idle);
});

t.test('what another has removed or changed is put right after a dump', async (t) => {
  const { kernel, reconciler, step } = setup();
  reconciler.setPaths(A, { 4: V4, 6: undefined });
  reconciler.setClient(client(1, A, '10.44.0.1/32'));
  reconciler.setClient(client(2, SELF, '10.44.0.2/32'));
  step();
  reconciler.prune();
  kernel.linkDown(2);
  kernel.routes.set('10.44.0.77/32', { destination: client(0, A, '10.44.0.77/32').addresses[0]!, protocol: 45, via: { ifindex: 9 } });
  reconciler.adopt(kernel.snapshot());
  t.strictSame(step(), [
    'set nexthop 0 v4 10.0.0.1 dev 2',
    'set 10.44.0.1/32 45 nexthop 0',
    'delete 10.44.0.77/32 45 dev 9',
  ]);
});

t.test('a stop leaves nothing, not even what was under way', async (t) => {
  const { kernel, reconciler, step } = setup();
  reconciler.setPaths(A, { 4: V4, 6: undefined });
  reconciler.setClient(client(1, A, '10.44.0.1/32'));
  step();
  reconciler.setClient(client(2, SELF, '10.44.0.2/32'));
  const batch = reconciler.next(0 as Instant);
  reconciler.withdrawAll();
  reconciler.setClient(client(3, SELF, '10.44.0.3/32'));
  reconciler.acknowledge(batch.map((change) => kernel.change(change)), 0 as Instant);
  t.strictSame(step(), ['delete 10.44.0.1/32 45 nexthop 0', 'delete 10.44.0.2/32 44 dev 9', 'delete neighbour 10.44.0.2']);
  t.strictSame(step(), ['delete nexthop 0 v4 10.0.0.1 dev 2']);
  t.strictSame(step(), []);
  t.ok(reconciler.idle);
  t.equal(kernel.routes.size + kernel.nexthops.size + kernel.neighbours.size, 0);
});

t.test('an address that two clients claim is the smaller MAC\'s, then the other\'s', async (t) => {
  const { reconciler, installed, step } = setup();
  const [one, two] = [client(1, SELF, '10.44.0.1/32'), client(2, SELF, '10.44.0.1/32')];
  reconciler.setClient(two);
  reconciler.setClient(one);
  step();
  t.strictSame(installed, [one.mac]);
  reconciler.removeClient(one.mac);
  t.strictSame(step(), ['set neighbour 10.44.0.1'], 'the route is the same');
  t.strictSame(installed, [one.mac, two.mac]);
});

t.test('ids: freed ones are used again, when the kernel has let go of them', async (t) => {
  const { reconciler, kernel, step } = setup();
  reconciler.setClient(client(1, A, '10.44.0.1/32'));
  const seen = new Set<number>();
  for (let i = 0; i < 65_540; i++) {
    reconciler.setPaths(A, { 4: V4, 6: undefined });
    step();
    for (const id of kernel.nexthops.keys()) seen.add(id);
    reconciler.setPaths(A, undefined);
    while (step().length > 0);
  }
  t.equal(seen.size, 65_536);
  t.equal(Math.min(...[...seen].slice(0, 10)), NEXTHOP_BASE);
  t.equal(kernel.nexthops.size, 0);
});

t.test('a batch has a limit', async (t) => {
  const { reconciler, step } = setup();
  for (let i = 0; i < 3000; i++) reconciler.setClient(client(i, SELF, `10.44.${i >> 8}.${i & 255}/32`));
  t.ok(step().length <= MAX_BATCH);
  while (step().length > 0);
  t.ok(reconciler.idle);
});

t.test('misuse is an error', async (t) => {
  const { reconciler } = setup();
  t.throws(() => reconciler.acknowledge([], 0 as Instant));
  reconciler.setClient(client(1, SELF, '10.44.0.1/32'));
  reconciler.next(0 as Instant);
  t.throws(() => reconciler.adopt({ routes: [], nexthops: [], neighbours: [] }));
});
