/**
 * Which connection stays when two lead to one node, and who the node is. Both ends decide by the same rule from what
 * both know, so that they never close one each.
 */
import type { NodeId } from '../clients/node-id.js';
import type { Hello } from './frame.js';

/** A connection, as seen from here. */
export interface Connection {
  /** Whether this node dialled it. */
  readonly dialled: boolean;
  /** What this node told of it in its own Hello. */
  readonly connection: number;
  readonly hello: Hello;
}

/** Nodes of which replaced instances are remembered, and how many of each. */
const MAX_NODES = 256;
const MAX_INSTANCES = 16;

/** The connection that the greater node id dialled; of two that one node dialled, the later one. */
export function isPreferred(candidate: Connection, established: Connection, self: NodeId): boolean {
  const initiator = ({ dialled, hello }: Connection) => (dialled ? self : hello.node);
  const number = ({ dialled, connection, hello }: Connection) => (dialled ? connection : hello.connection);
  if (initiator(candidate) !== initiator(established)) return initiator(candidate) > initiator(established);
  return number(candidate) > number(established);
}

/** Tells a node that was restarted from two nodes that have the same id. */
export class Instances {
  /** Oldest first. */
  readonly #replaced = new Map<NodeId, Set<bigint>>();

  /**
   * A node shows another instance than that of its established connection. True: it was restarted, and the old
   * connection is dead. False: the older instance has come back, so that both are alive.
   */
  replaces(candidate: Hello, established: Hello): boolean {
    const replaced = this.#replaced.get(candidate.node);
    if (replaced?.has(candidate.instance) === true) return false;
    if (replaced === undefined && this.#replaced.size >= MAX_NODES) this.#replaced.clear();
    const kept = [...(replaced ?? []), established.instance].slice(-MAX_INSTANCES);
    this.#replaced.set(candidate.node, new Set(kept));
    return true;
  }
}
