import fc from 'fast-check';
import t from 'tap';
import type { NodeId } from '../../src/clients/node-id.js';
import { nodeIdFromBytes } from '../../src/clients/node-id.js';
import { Overlay } from '../../src/flood/overlay.js';
import { nodeId } from './support.js';
import { SeededRandom } from '../random.js';

const NONE: ReadonlySet<NodeId> = new Set();

type Graph = ReadonlyMap<NodeId, ReadonlySet<NodeId>>;

/** What each node chooses when it knows those that `knows` lets it; a session needs only one that wants it. */
function build(nodes: readonly NodeId[], degree: number, knows = (_a: NodeId, _b: NodeId) => true): Graph {
  const graph = new Map(nodes.map((node) => [node, new Set<NodeId>()]));
  for (const node of nodes) {
    for (const peer of new Overlay(node, degree).choose(nodes.filter((other) => knows(node, other)), NONE)) {
      graph.get(node)!.add(peer);
      graph.get(peer)!.add(node);
    }
  }
  return graph;
}

/** Hops from a node to all that can be reached without those that are dead. */
function reach(graph: Graph, from: NodeId, dead: ReadonlySet<NodeId>): Map<NodeId, number> {
  const hops = new Map([[from, 0]]);
  for (const [node, count] of hops) {
    for (const peer of graph.get(node)!) if (!dead.has(peer) && !hops.has(peer)) hops.set(peer, count + 1);
  }
  return hops;
}

function isConnected(graph: Graph, ...deaths: NodeId[]): boolean {
  const dead = new Set(deaths);
  const alive = [...graph.keys()].filter((node) => !dead.has(node));
  return alive.length === 0 || reach(graph, alive[0]!, dead).size === alive.length;
}

const idArb = fc.uint8Array({ minLength: 8, maxLength: 8 }).map(nodeIdFromBytes);
const idsArb = (maxLength: number) => fc.uniqueArray(idArb, { minLength: 1, maxLength });

function randomIds(count: number, seed: number): NodeId[] {
  const random = new SeededRandom(seed);
  return Array.from({ length: count }, () => nodeIdFromBytes(random.bytes(8)));
}

t.test('any single death, any pair and any three leave the rest connected', async () => {
  fc.assert(
    fc.property(idsArb(16), (nodes) => {
      const graph = build(nodes, 6);
      if (!isConnected(graph)) return false;
      return nodes.every((a, i) =>
        nodes.slice(i).every((b, k) => nodes.slice(i + k).every((c) => isConnected(graph, a, b, c))),
      );
    }),
    { numRuns: 40 },
  );
});

t.test('with two sessions to a node: any single death; with four: any pair', async () => {
  fc.assert(
    fc.property(idsArb(30), (nodes) => {
      const [two, four] = [build(nodes, 2), build(nodes, 4)];
      return nodes.every((a) => isConnected(two, a) && nodes.every((b) => isConnected(four, a, b)));
    }),
    { numRuns: 30 },
  );
});

t.test('larger networks: ids at random, and ids that follow each other', async (t) => {
  for (const nodes of [randomIds(200, 1), Array.from({ length: 200 }, (_, i) => nodeId(i + 1))]) {
    const graph = build(nodes, 6);
    const random = new SeededRandom(2);
    for (const node of nodes) if (!isConnected(graph, node)) t.fail(`cut by the death of ${node}`);
    for (let i = 0; i < 500; i++) {
      const pair = [nodes[random.below(200)]!, nodes[random.below(200)]!] as const;
      if (!isConnected(graph, ...pair)) t.fail(`cut by the death of ${pair}`);
    }
    const degrees = [...graph.values()].map((peers) => peers.size);
    t.ok(Math.max(...degrees) <= 6, `at most ${Math.max(...degrees)} sessions`);
    t.ok(Math.min(...degrees) >= 4, `at least ${Math.min(...degrees)}`);
    const diameter = Math.max(...nodes.slice(0, 50).map((node) => Math.max(...reach(graph, node, new Set()).values())));
    t.ok(diameter <= 7, `${diameter} hops at most`);
  }
});

t.test('the choice is mutual where both know the same', async () => {
  fc.assert(
    fc.property(idsArb(40), fc.constantFrom(2, 4, 6, 8), (nodes, degree) => {
      const choices = new Map(nodes.map((node) => [node, new Overlay(node, degree).choose(nodes, NONE)]));
      return nodes.every((node) => {
        const own = choices.get(node)!;
        return !own.has(node) && own.size <= degree && [...own].every((peer) => choices.get(peer)!.has(node));
      });
    }),
    { numRuns: 60 },
  );
});

t.test('churn: one that comes or goes changes little', async (t) => {
  const nodes = randomIds(300, 3);
  const [before, after] = [build(nodes.slice(1), 6), build(nodes, 6)];
  let changed = 0;
  for (const [node, peers] of before) {
    for (const peer of peers) if (!after.get(node)!.has(peer)) changed++;
  }
  t.ok(changed <= 8, `${changed / 2} sessions end for one newcomer`);
});

t.test('partial knowledge: from one seed on, whoever meets tells all that it knows, and soon all hold together without the seed', async () => {
  fc.assert(
    fc.property(idsArb(24), (nodes) => {
      const seed = nodes[0]!;
      let known: Map<NodeId, Set<NodeId>> = new Map(nodes.map((node) => [node, new Set([node, seed])]));
      for (let round = 0; round < 8; round++) {
        const graph = build(nodes, 6, (a, b) => known.get(a)!.has(b));
        const tell = (node: NodeId) => [...graph.get(node)!, node].flatMap((peer) => [...known.get(peer)!]);
        known = new Map(nodes.map((node) => [node, new Set(tell(node))]));
      }
      return isConnected(build(nodes, 6, (a, b) => known.get(a)!.has(b)), seed);
    }),
    { numRuns: 40 },
  );
});

t.test('partial reachability: groups that reach each other only through a few are held together by those', async () => {
  fc.assert(
    fc.property(idsArb(24), fc.integer({ min: 1, max: 3 }), (nodes, gateways) => {
      const group = new Map(nodes.map((node, i) => [node, i < gateways ? 'both' : i % 2 === 0 ? 'left' : 'right']));
      const reaches = (a: NodeId, b: NodeId) =>
        group.get(a) === 'both' || group.get(b) === 'both' || group.get(a) === group.get(b);
      return isConnected(build(nodes, 6, reaches));
    }),
    { numRuns: 60 },
  );
});

t.test('islands that are reached from link to link: two sessions of each node with its own, and whichever node dies all hold together', async () => {
  fc.assert(
    fc.property(idsArb(24), fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 24, maxLength: 24 }), (nodes, islands) => {
      const islandOf = new Map(nodes.map((node, i) => [node, islands[i]!]));
      const isle = (node: NodeId) => nodes.filter((other) => other !== node && islandOf.get(other) === islandOf.get(node));
      const graph: Map<NodeId, Set<NodeId>> = new Map(nodes.map((node) => [node, new Set(isle(node))]));
      const sessions: [NodeId, NodeId][] = [];
      for (const node of nodes) {
        const reached = new Set(isle(node));
        const chosen = new Overlay(node, 6).choose(nodes, reached);
        if ([...chosen].filter((other) => reached.has(other)).length > 2) return false;
        for (const other of chosen) sessions.push([node, other]);
      }
      const standby: Map<NodeId, Set<NodeId>> = new Map(nodes.map((node) => [node, new Set()]));
      for (const [a, b] of sessions) {
        for (const links of [graph, standby]) {
          links.get(a)!.add(b);
          links.get(b)!.add(a);
        }
      }
      // With nothing left of the links the sessions alone hold whoever survives together.
      return isConnected(graph) && nodes.every((node) => isConnected(graph, node) && isConnected(standby, node));
    }),
    { numRuns: 100 },
  );
});

t.test('whom a newcomer concerns', async () => {
  fc.assert(
    fc.property(idsArb(30), idArb, fc.constantFrom(2, 4, 6), (nodes, newcomer, degree) => {
      const others = nodes.filter((node) => node !== newcomer);
      return others.every((node) => {
        const overlay = new Overlay(node, degree);
        const before = overlay.choose(others, NONE);
        const concerned = overlay.concerns(newcomer);
        const after = overlay.choose([...others, newcomer], NONE);
        return concerned || (after.size === before.size && [...after].every((peer) => before.has(peer)));
      });
    }),
    { numRuns: 60 },
  );
});

t.test('no sessions wanted, nobody there', async (t) => {
  t.equal(new Overlay(nodeId(1), 0).choose([nodeId(2)], NONE).size, 0);
  t.equal(new Overlay(nodeId(1), 6).choose([nodeId(1)], NONE).size, 0);
  t.notOk(new Overlay(nodeId(1), 6).concerns(nodeId(1)));
});
