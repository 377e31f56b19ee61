import type { Family } from '../net/ip.js';
import type { NodeId } from '../clients/node-id.js';

/**
 * First id of the daemon's nexthop objects: "Ro" in the upper half, 65,536 ids in the lower. The kernel numbers
 * objects that are made without an id from 1 up, so that it does not come here.
 */
export const NEXTHOP_BASE = 0x526f0000;
export const NEXTHOP_COUNT = 0x10000;

/** What an object leads to: routes of one family towards one node. */
export interface NexthopOwner {
  readonly node: NodeId;
  readonly family: Family;
}

interface Held extends NexthopOwner {
  /** For the routes that use the object: one for all of them. */
  readonly via: { readonly nexthop: number };
}

/** Which nexthop object is whose. Ids are handed out in turn, so that one just freed is not the next one used. */
export class NexthopIds {
  #ids = new Map<string, number>();
  #owners = new Map<number, Held>();
  #next = 0;

  idOf(owner: NexthopOwner): number | undefined {
    return this.#ids.get(keyOf(owner));
  }

  ownerOf(id: number): NexthopOwner | undefined {
    return this.#owners.get(id);
  }

  /** What routes say that use an object which somebody owns. */
  viaOf(id: number): { readonly nexthop: number } {
    return this.#owners.get(id)?.via ?? { nexthop: id };
  }

  all(): IterableIterator<number> {
    return this.#owners.keys();
  }

  /** Gives the owner an id that no other has and for which `taken` is false; undefined where all are in use. */
  allocate(owner: NexthopOwner, taken: (id: number) => boolean): number | undefined {
    for (let tries = 0; tries < NEXTHOP_COUNT; tries++) {
      const id = NEXTHOP_BASE + this.#next;
      this.#next = (this.#next + 1) % NEXTHOP_COUNT;
      if (this.#owners.has(id) || taken(id)) continue;
      this.assign(id, owner);
      return id;
    }
    return undefined;
  }

  /** Gives the owner this very id, which nobody has: an earlier run's object. */
  assign(id: number, owner: NexthopOwner): void {
    this.#ids.set(keyOf(owner), id);
    this.#owners.set(id, { ...owner, via: { nexthop: id } });
  }

  release(id: number): void {
    const owner = this.#owners.get(id);
    if (owner === undefined) return;
    this.#owners.delete(id);
    this.#ids.delete(keyOf(owner));
  }
}

function keyOf(owner: NexthopOwner): string {
  return `${owner.node}/${owner.family}`;
}
