import type { NodeId } from '../clients/node-id.js';

/**
 * The nodes that floods from `self` reach from link to link: those that a chain of adjacencies leads to. `own`: the
 * nodes that it is adjacent to, `told`: what the others' records say. As in link-state routing (OSPF: RFC 2328 16.1,
 * step 2b) an adjacency counts only where both ends tell of it, or one that has died would still hold others together.
 */
export function reachedByAdjacencies(self: NodeId, own: readonly NodeId[], told: (node: NodeId) => readonly NodeId[]): Set<NodeId> {
  const reached = new Set([self]);
  for (const node of reached) {
    for (const other of node === self ? own : told(node)) {
      if (!reached.has(other) && told(other).includes(node)) reached.add(other);
    }
  }
  reached.delete(self);
  return reached;
}
