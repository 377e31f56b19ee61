/** Looks at all routers' routes each time one of them changes, and notes how long packets could go round. */
import type { Millis } from '../../src/clients/time.js';
import { loops } from './follow.js';
import type { SimNode } from './node.js';
import type { World } from './world.js';

export interface SeenLoop {
  readonly nodes: readonly SimNode[];
  readonly lasted: Millis;
}

export class LoopWatch {
  readonly seen: SeenLoop[] = [];
  #open = new Map<string, { readonly nodes: readonly SimNode[]; readonly since: number }>();

  /** `destination`: as routes have it. */
  constructor(
    readonly world: World,
    readonly destination: string,
  ) {
    for (const node of world.nodes) node.kernel.changed = () => this.#look();
  }

  #look(): void {
    const { nodes, scheduler } = this.world;
    const before = this.#open;
    this.#open = new Map();
    for (const loop of loops(nodes, this.destination)) {
      const key = loop.map(({ name }) => name).join(' ');
      this.#open.set(key, before.get(key) ?? { nodes: loop, since: scheduler.now });
    }
    for (const [key, loop] of before) {
      if (!this.#open.has(key)) this.seen.push({ nodes: loop.nodes, lasted: scheduler.now - loop.since });
    }
  }

  /** Loops that there are now. */
  get open(): number {
    return this.#open.size;
  }
}
