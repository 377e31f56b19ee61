/**
 * Which nodes to have sessions with, so that what is flooded reaches all: a pure function of the nodes that are known.
 *
 * The nodes stand on rings, each ring in another order that the hash of their ids gives. On the first ring every node
 * has sessions with the two next to it on either side, on each further ring with the one next to it on either side. Two
 * nodes that know the same nodes so choose each other, and no one needs more sessions than any other. The first ring
 * alone holds the nodes together whichever three of them die (with only two sessions to a node: whichever one dies); the
 * others are shortcuts, so that the way from any node to any other is short (200 nodes and six sessions: 5 hops). A node
 * that comes or goes changes the choice of at most its neighbours on each ring.
 *
 * Nodes that are *reached* from link to link anyway need no shortcuts among them. Of the sessions between them only those
 * of a node with the next on either side of the first ring are left, to stand by: whichever one node dies, what it held
 * together still hangs together by them. Since the first ring leads through all nodes, and two that choose each other on
 * it either have that session or are reached by each other, no part of the network is left out.
 */
import type { NodeId } from '../clients/node-id.js';
import { finish, FNV_OFFSET, fnv, fnvByte } from './hash.js';

const CIRCLE = 2 ** 32;

/** A node as seen from this one along a ring: how far it is, counted in the direction of growing hashes. */
interface Seen {
  readonly node: NodeId;
  readonly distance: number;
}

/** The nearest nodes on either side along one ring. */
class Ring {
  readonly #self: NodeId;
  readonly #ring: number;
  readonly #reach: number;
  readonly #place: number;
  /** Nearest first. */
  #after: Seen[] = [];
  #before: Seen[] = [];

  constructor(self: NodeId, ring: number, reach: number) {
    this.#self = self;
    this.#ring = ring;
    this.#reach = reach;
    this.#place = this.#placeOf(self);
  }

  #placeOf(node: NodeId): number {
    return finish(fnv(node, fnvByte(this.#ring, FNV_OFFSET)));
  }

  clear(): void {
    this.#after = [];
    this.#before = [];
  }

  /** Takes note of a node; whether it is among the nearest. */
  add(node: NodeId): boolean {
    const seen = this.#see(node);
    const nearAfter = insert(this.#after, seen, this.#reach, compare);
    const nearBefore = insert(this.#before, seen, this.#reach, (a, b) => compare(b, a));
    return nearAfter || nearBefore;
  }

  /** Whether it would be among the nearest. */
  isNear(node: NodeId): boolean {
    const seen = this.#see(node);
    const [lastAfter, lastBefore] = [this.#after[this.#reach - 1], this.#before[this.#reach - 1]];
    return lastAfter === undefined || lastBefore === undefined || compare(seen, lastAfter) < 0 || compare(seen, lastBefore) > 0;
  }

  /** Of two nodes with one hash the lesser id comes first. */
  #see(node: NodeId): Seen {
    const distance = (this.#placeOf(node) - this.#place + CIRCLE) % CIRCLE;
    return { node, distance: distance === 0 && node < this.#self ? CIRCLE : distance };
  }

  get nearest(): NodeId[] {
    return [...this.#after, ...this.#before].map(({ node }) => node);
  }

  /** The nearest one on either side. */
  get next(): NodeId[] {
    return [...this.#after.slice(0, 1), ...this.#before.slice(0, 1)].map(({ node }) => node);
  }
}

function compare(a: Seen, b: Seen): number {
  return a.distance - b.distance || (a.node < b.node ? -1 : a.node > b.node ? 1 : 0);
}

/** Puts `seen` where it belongs among the `limit` first; whether it is one of them. */
function insert(list: Seen[], seen: Seen, limit: number, order: (a: Seen, b: Seen) => number): boolean {
  const at = list.findIndex((other) => order(seen, other) < 0);
  if (at < 0 && list.length >= limit) return false;
  list.splice(at < 0 ? list.length : at, 0, seen);
  list.length = Math.min(list.length, limit);
  return true;
}

export class Overlay {
  readonly #self: NodeId;
  readonly #rings: readonly Ring[];

  /** `degree`: sessions that a node is to have, even; 0: none. */
  constructor(self: NodeId, degree: number) {
    this.#self = self;
    const pairs = Math.floor(degree / 2);
    const rings = pairs < 2 ? pairs : pairs - 1;
    this.#rings = Array.from({ length: rings }, (_, i) => new Ring(self, i, i === 0 && pairs > 1 ? 2 : 1));
  }

  /** The nodes to have sessions with, out of those that can be dialled. In time proportional to their number. */
  choose(nodes: Iterable<NodeId>, reached: ReadonlySet<NodeId>): Set<NodeId> {
    for (const ring of this.#rings) ring.clear();
    for (const node of nodes) {
      if (node === this.#self) continue;
      for (const ring of this.#rings) ring.add(node);
    }
    const far = this.#rings.flatMap((ring) => ring.nearest).filter((node) => !reached.has(node));
    return new Set([...(this.#rings[0]?.next ?? []), ...far]);
  }

  /** Whether {@link choose} would now answer otherwise if this node, which it was not given, were there too. */
  concerns(node: NodeId): boolean {
    return node !== this.#self && this.#rings.some((ring) => ring.isNear(node));
  }
}
