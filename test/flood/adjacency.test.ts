import fc from 'fast-check';
import t from 'tap';
import type { NodeId } from '../../src/clients/node-id.js';
import { reachedByAdjacencies } from '../../src/flood/adjacency.js';
import { nodeId } from './support.js';

/** What a node reaches where each says what it stands for here. */
function reached(from: number, told: { readonly [node: number]: readonly number[] }): NodeId[] {
  const records = new Map(Object.entries(told).map(([node, others]) => [nodeId(Number(node)), others.map(nodeId)]));
  const of = (node: NodeId) => records.get(node) ?? [];
  return [...reachedByAdjacencies(nodeId(from), of(nodeId(from)), of)].sort();
}

t.test('along a line, from any node to all others', async (t) => {
  const line = { 1: [2], 2: [1, 3], 3: [2, 4], 4: [3] };
  t.same(reached(1, line), [2, 3, 4].map(nodeId));
  t.same(reached(3, line), [1, 2, 4].map(nodeId));
});

t.test('an adjacency that only one end tells of is none', async (t) => {
  t.same(reached(1, { 1: [2], 2: [1, 3], 3: [], 4: [3] }), [nodeId(2)], 'node 3 has just died');
  t.same(reached(1, { 1: [2], 2: [] }), [], 'node 2 has not told yet');
  t.same(reached(1, { 1: [], 2: [1] }), [], 'the session has just ended');
});

t.test('nobody there', async (t) => {
  t.same(reached(1, {}), []);
  t.same(reached(1, { 1: [1] }), [], 'itself');
});

t.test('property: mutual, and the same for all that reach each other', async () => {
  const edges = fc.array(fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 })), { maxLength: 30 });
  fc.assert(
    fc.property(edges, (arrows) => {
      const told: { [node: number]: number[] } = {};
      for (const [a, b] of arrows) if (a !== b) (told[a] ??= []).push(b);
      for (let a = 1; a <= 9; a++) {
        const own = reached(a, told);
        for (let b = 1; b <= 9; b++) {
          if (a === b || !own.includes(nodeId(b))) continue;
          const whole = (list: NodeId[], node: number) => String([...list, nodeId(node)].sort());
          if (whole(reached(b, told), b) !== whole(own, a)) return false;
        }
      }
      return true;
    }),
  );
});
