import fc from 'fast-check';
import t from 'tap';
import { parseIp } from '../../src/net/ip.js';
import type { RouteTarget } from '../../src/routes/route-targets.js';
import { nexthopOf, RouteTargets } from '../../src/routes/route-targets.js';

const TARGETS: readonly RouteTarget[] = [
  { protocol: 44, via: { ifindex: 3 } },
  { protocol: 45, via: { path: { ifindex: 2, gateway: parseIp('10.99.0.2') } } },
  { protocol: 45, via: 'unreachable' },
  { protocol: 45, via: { nexthop: 7 } },
  { protocol: 44, via: { nexthop: 7 } },
  { protocol: 45, via: { nexthop: 8 } },
];

t.test('routes that say the same through one nexthop object share a target; others keep what they say', async (t) => {
  const targets = new RouteTargets();
  const first = targets.add({ protocol: 45, via: { nexthop: 7 } });
  t.equal(targets.add({ protocol: 45, via: { nexthop: 7 } }), first);
  t.same(targets.add({ protocol: 44, via: { nexthop: 7 } }), { protocol: 44, via: { nexthop: 7 } });
  t.same(targets.add({ protocol: 45, via: { nexthop: 8 } }), { protocol: 45, via: { nexthop: 8 } });
});

t.test('of a route nothing but its target is kept', async (t) => {
  const targets = new RouteTargets();
  for (const target of TARGETS) t.same(targets.add({ ...target, destination: '10.44.0.1' } as RouteTarget), target);
});

t.test('an object is in use from its first route to its last, as in a list of all routes', async (t) => {
  const step = fc.record({ add: fc.boolean(), which: fc.nat(1000) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const targets = new RouteTargets();
      const routes: RouteTarget[] = [];
      for (const { add, which } of steps) {
        if (add) {
          const target = TARGETS[which % TARGETS.length]!;
          routes.push(targets.add(target));
          t.strictSame(routes.at(-1), target);
        } else if (routes.length > 0) {
          const [gone] = routes.splice(which % routes.length, 1);
          const id = nexthopOf(gone!);
          const isLast = id !== undefined && !routes.some((route) => nexthopOf(route) === id);
          t.equal(targets.drop(gone!), isLast ? id : undefined);
        }
        for (const id of [7, 8, 9]) t.equal(targets.uses(id), routes.some((route) => nexthopOf(route) === id));
      }
    }),
    { numRuns: 50 },
  );
  const targets = new RouteTargets();
  targets.add(TARGETS[3]!);
  targets.clear();
  t.notOk(targets.uses(7));
});
