import type { NodeId } from '../clients/node-id.js';
import type { Instant, Millis } from '../clients/time.js';
import { after, earliest, SECOND } from '../clients/time.js';

/** How long a node that has withdrawn may take to be back: its daemon is restarted, mostly. */
const RETURN: Millis = 15 * SECOND;

/**
 * Nodes that have taken back their own adjacencies, as a node does that stops. Who dies takes back nothing: its neighbours
 * no longer tell of it.
 */
export class Departures {
  readonly #left = new Map<NodeId, { readonly neighbours: readonly NodeId[]; readonly until: Instant }>();

  /** A node tells of no adjacencies any more. `neighbours`: those that were adjacent to it, and still tell of it. */
  left(node: NodeId, neighbours: readonly NodeId[], now: Instant): void {
    if (neighbours.length > 0) this.#left.set(node, { neighbours, until: after(now, RETURN) });
  }

  /** A node tells of adjacencies again. */
  returned(node: NodeId): void {
    this.#left.delete(node);
  }

  /** The adjacencies of a node, `told` by itself now, if those that have left were still there. */
  adjacencies(node: NodeId, told: readonly NodeId[]): readonly NodeId[] {
    const own = this.#left.get(node);
    if (own !== undefined) return own.neighbours;
    const lost = [...this.#left].filter(([, { neighbours }]) => neighbours.includes(node)).map(([other]) => other);
    return lost.length === 0 ? told : [...new Set([...told, ...lost])];
  }

  get nextDeadline(): Instant | undefined {
    let at: Instant | undefined;
    for (const { until } of this.#left.values()) at = earliest(at, until);
    return at;
  }

  /** Forgets who is not back in time; returns whether there was any. */
  poll(now: Instant): boolean {
    const late = [...this.#left].filter(([, { until }]) => now >= until);
    for (const [node] of late) this.#left.delete(node);
    return late.length > 0;
  }
}
