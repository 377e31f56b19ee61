/**
 * Random lives of a reconciler over a model kernel: clients that come, move and go, paths that change, changes that
 * fail, interfaces that go down, daemons that are killed and started again.
 */
import fc from 'fast-check';
import t from 'tap';
import type { NodeId } from '../../src/clients/node-id.js';
import type { Instant } from '../../src/clients/time.js';
import { parseIp } from '../../src/net/ip.js';
import type { Mac } from '../../src/net/mac.js';
import { formatPrefix, parsePrefix } from '../../src/net/prefix.js';
import type { Path } from '../../src/ports.js';
import type { ClientView, NodePaths } from '../../src/routes/desired.js';
import { neighbourKey } from '../../src/routes/desired.js';
import { isInRange } from './helpers.js';
import { Reconciler } from '../../src/routes/reconciler.js';
import { ModelKernel } from './model-kernel.js';

const NODES = [0, 1, 2, 3].map((i) => `000000000000000${i}` as NodeId);
const SELF = NODES[0]!;
const CLIENTS = 6;
const macOf = (i: number) => `02:00:00:00:00:0${i}` as Mac;
const addressesOf = (i: number, variant: number) =>
  [
    [`10.44.0.${i + 1}/32`],
    [`10.44.0.${i + 1}/32`, `2001:db8:0:${i + 1}::/64`],
    [`2001:db8:0:${i + 1}::/64`, `2001:db8:0:${i + 1}::5/128`, `fe80::${i + 1}/128`],
    // The neighbour's too: addresses that two clients claim.
    [`10.44.0.${((i + 1) % CLIENTS) + 1}/32`, `10.44.0.${i + 1}/32`],
  ][variant]!.map(parsePrefix);

const PATHS: (NodePaths | undefined)[] = [
  undefined,
  { 4: path(2, '10.0.0.1'), 6: path(2, 'fe80::1') },
  { 4: path(3, '10.0.1.1'), 6: path(3, 'fe80::2') },
  { 4: undefined, 6: path(2, 'fe80::1') },
  { 4: path(3, 'fe80::2'), 6: undefined },
];

function path(ifindex: number, gateway: string): Path {
  return { ifindex, gateway: parseIp(gateway) };
}

type Step =
  | { readonly do: 'client'; readonly client: number; readonly node: number; readonly variant: number }
  | { readonly do: 'gone'; readonly client: number }
  | { readonly do: 'path'; readonly node: number; readonly path: number }
  | { readonly do: 'ask' }
  | { readonly do: 'answer' }
  | { readonly do: 'fail'; readonly every: number }
  | { readonly do: 'later'; readonly by: number }
  | { readonly do: 'linkDown'; readonly ifindex: number }
  | { readonly do: 'restart' }
  | { readonly do: 'loaded' };

const upTo = (max: number) => fc.integer({ min: 0, max });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('client' as const), client: upTo(CLIENTS - 1), node: upTo(4), variant: upTo(3) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('gone' as const), client: upTo(CLIENTS - 1) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('path' as const), node: fc.integer({ min: 1, max: 3 }), path: upTo(PATHS.length - 1) }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('ask' as const) }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('answer' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('fail' as const), every: upTo(4) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('later' as const), by: fc.constantFrom(10, 60, 1000, 40_000) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('linkDown' as const), ifindex: fc.constantFrom(2, 3, 9) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('loaded' as const) }) },
);

/** What a reconciler lives through, with what ought to come of it worked out another way. */
class Life {
  readonly kernel: ModelKernel;
  readonly views = new Map<Mac, ClientView>();
  readonly paths = new Map<NodeId, NodePaths>();
  readonly installed: Mac[] = [];
  reconciler: Reconciler;
  now = 0 as Instant;
  results: (Error | undefined)[] | undefined;
  loaded = false;
  #count = 0;

  constructor(readonly objects: boolean) {
    this.kernel = new ModelKernel(objects);
    this.reconciler = this.#start();
  }

  #start(): Reconciler {
    return new Reconciler({ self: SELF, nexthopObjects: this.objects, installed: (mac) => this.installed.push(mac) });
  }

  run(step: Step): void {
    switch (step.do) {
      case 'client': {
        const node = NODES[step.node];
        const view: ClientView = {
          mac: macOf(step.client),
          node,
          addresses: addressesOf(step.client, step.variant),
          link: node === SELF ? { network: 'br-client', ifindex: 9 } : undefined,
        };
        this.views.set(view.mac, view);
        this.reconciler.setClient(view);
        break;
      }
      case 'gone':
        this.views.delete(macOf(step.client));
        this.reconciler.removeClient(macOf(step.client));
        break;
      case 'path': {
        const [node, paths] = [NODES[step.node]!, PATHS[step.path]];
        if (paths === undefined) this.paths.delete(node);
        else this.paths.set(node, paths);
        this.reconciler.setPaths(node, paths);
        break;
      }
      case 'ask':
        this.ask();
        break;
      case 'answer':
        this.answer();
        break;
      case 'fail':
        this.kernel.failing = step.every === 0 ? () => false : () => ++this.#count % step.every === 0;
        break;
      case 'later':
        this.now = (this.now + step.by) as Instant;
        break;
      case 'linkDown':
        this.answer();
        this.kernel.linkDown(step.ifindex);
        this.reconciler.adopt(this.kernel.snapshot());
        break;
      case 'restart':
        this.#restart();
        break;
      case 'loaded':
        this.loaded = true;
        this.reconciler.prune();
        break;
    }
  }

  /** Killed: what was sent is done, its answer is never read. */
  #restart(): void {
    this.results = undefined;
    this.loaded = false;
    this.reconciler = this.#start();
    this.reconciler.adopt(this.kernel.snapshot());
    for (const [node, paths] of this.paths) this.reconciler.setPaths(node, paths);
    for (const view of this.views.values()) this.reconciler.setClient(view);
  }

  /** The kernel does a batch, one change after the other, watched. */
  ask(): boolean {
    if (this.results !== undefined) return false;
    const wanted = this.wantedRoutes();
    const present = new Set(this.kernel.routes.keys());
    const batch = this.reconciler.next(this.now);
    if (batch.length === 0) return false;
    this.results = batch.map((change) => {
      if ('nexthop' in change) {
        if (!isInRange(change.nexthop.id)) throw new Error(`nexthop id ${change.nexthop.id}`);
        const users = this.kernel.usersOf(change.nexthop.id);
        if (change.op === 'delete' && users.length > 0) throw new Error('a nexthop object in use was deleted');
      }
      const error = this.kernel.change(change);
      for (const key of wanted.keys()) {
        if (present.has(key) && !this.kernel.routes.has(key)) throw new Error(`${key} is wanted and was withdrawn`);
      }
      return error;
    });
    return true;
  }

  answer(): boolean {
    if (this.results === undefined) return false;
    this.reconciler.acknowledge(this.results, this.now);
    this.results = undefined;
    return true;
  }

  /** The owner of each destination: the smallest MAC that claims it. */
  wantedRoutes(): Map<string, { mac: Mac; via: number | Path }> {
    const wanted = new Map<string, { mac: Mac; via: number | Path }>();
    const claimed = new Set<string>();
    for (const view of [...this.views.values()].sort((a, b) => (a.mac < b.mac ? -1 : 1))) {
      if (view.node === undefined) continue;
      for (const prefix of view.addresses) {
        const key = formatPrefix(prefix);
        if (claimed.has(key) || (prefix.family === 6 && prefix.length === 128)) continue;
        claimed.add(key);
        const paths = this.paths.get(view.node);
        const via = view.node === SELF ? 9 : prefix.family === 4 ? (paths?.[4] ?? paths?.[6]) : paths?.[6];
        if (via !== undefined) wanted.set(key, { mac: view.mac, via });
      }
    }
    return wanted;
  }

  wantedNeighbours(): Map<string, Mac> {
    const wanted = new Map<string, Mac>();
    for (const view of this.views.values()) {
      if (view.node !== SELF) continue;
      for (const { length, family, address } of view.addresses) {
        if (length !== (family === 4 ? 32 : 128)) continue;
        const key = neighbourKey({ ifindex: 9, address });
        const other = wanted.get(key);
        if (other === undefined || view.mac < other) wanted.set(key, view.mac);
      }
    }
    return wanted;
  }

  /** Lets it come to rest; throws where it does not. */
  settle(): void {
    this.kernel.failing = () => false;
    for (let round = 0; round < 200; round++) {
      this.now = (this.now + 40_000) as Instant;
      const asked = this.ask();
      if (!this.answer() && !asked && this.reconciler.idle) return;
    }
    throw new Error('does not come to rest');
  }

  /** What the kernel holds, with nexthop objects followed. */
  check(): void {
    const wanted = this.wantedRoutes();
    const have = new Map(
      [...this.kernel.routes].map(([key, { via }]) => {
        if (via === 'unreachable') throw new Error('unreachable');
        if ('nexthop' in via) return [key, this.kernel.nexthops.get(via.nexthop)!.path] as const;
        return [key, 'path' in via ? via.path : via.ifindex] as const;
      }),
    );
    const vias = new Map([...wanted].map(([key, { via }]) => [key, via] as const));
    equal(have, vias, 'routes');
    equal(new Map([...this.kernel.neighbours].map(([key, { mac }]) => [key, mac])), this.wantedNeighbours(), 'neighbours');
    const users = new Set([...this.views.values()].flatMap(({ node }) => (node === undefined ? [] : [node])));
    if (this.kernel.nexthops.size > 2 * this.paths.size) throw new Error('too many nexthop objects');
    for (const mac of this.views.keys()) {
      const view = this.views.get(mac)!;
      if (view.node === undefined || !users.has(view.node)) continue;
      const complete = view.addresses
        .filter(({ family, length }) => family === 4 || length === 64)
        .every((prefix) => wanted.get(formatPrefix(prefix))?.mac === mac);
      if (complete !== this.reconciler.isInstalled(mac)) throw new Error(`isInstalled(${mac}) is ${!complete}`);
      if (complete && !this.installed.includes(mac)) throw new Error(`installed was not told of ${mac}`);
    }
  }
}

function equal(have: Map<string, unknown>, want: Map<string, unknown>, what: string): void {
  const text = (map: Map<string, unknown>) => JSON.stringify([...map].sort(([a], [b]) => (a < b ? -1 : 1)));
  if (text(have) !== text(want)) throw new Error(`${what}: have ${text(have)}, want ${text(want)}`);
}

for (const objects of [true, false]) {
  t.test(`converges ${objects ? 'with' : 'without'} nexthop objects, without a gap on the way`, async (t) => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80, size: 'max' }), (steps) => {
        const life = new Life(objects);
        for (const step of steps) life.run(step);
        life.settle();
        if (!life.loaded) life.run({ do: 'loaded' });
        life.settle();
        life.check();
        const kept = life.kernel.snapshot();
        life.run({ do: 'restart' });
        life.run({ do: 'loaded' });
        if (life.ask()) {
          const used = new Set(kept.routes.map(({ via }) => JSON.stringify(via)));
          // Objects that no route used are the only thing that another run has no reason to keep.
          const unused = kept.nexthops.filter(({ id }) => !used.has(JSON.stringify({ nexthop: id })));
          if (unused.length === 0) throw new Error('a restart changed what was right');
        }
        life.answer();
        life.settle();
        life.check();
        life.reconciler.withdrawAll();
        for (let i = 0; i < 50 && !life.reconciler.idle; i++) {
          const batch = life.reconciler.next(life.now);
          if (batch.length > 0) life.reconciler.acknowledge(batch.map((change) => life.kernel.change(change)), life.now);
        }
        const { routes, nexthops, neighbours } = life.kernel;
        if (routes.size + nexthops.size + neighbours.size > 0) throw new Error('something is left behind');
      }),
      { numRuns: 1000 },
    );
    t.pass('1,000 lives');
  });
}
