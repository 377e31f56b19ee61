import type { HostRoute } from '../ports.js';

/** What a route says beside its destination. */
export type RouteTarget = Pick<HostRoute, 'protocol' | 'via'>;

interface Users {
  readonly target: RouteTarget;
  count: number;
}

/**
 * The targets of the routes in the kernel, by the nexthop object that they use: one in memory for all routes that say the
 * same, and a count of those that use an object. A target without one is its route's alone.
 */
export class RouteTargets {
  #users = new Map<number, Users>();

  /** Counts one more route; returns what to keep of it. */
  add({ protocol, via }: RouteTarget): RouteTarget {
    const target = { protocol, via };
    const id = nexthopOf(target);
    if (id === undefined) return target;
    const users = this.#users.get(id);
    if (users === undefined) {
      this.#users.set(id, { target, count: 1 });
      return target;
    }
    users.count++;
    return users.target.protocol === protocol ? users.target : target;
  }

  /** Counts one less. Returns the id of the object that no route uses any more, if that is so now. */
  drop(target: RouteTarget): number | undefined {
    const id = nexthopOf(target);
    const users = id === undefined ? undefined : this.#users.get(id);
    if (id === undefined || users === undefined || --users.count > 0) return undefined;
    this.#users.delete(id);
    return id;
  }

  /** Whether any route uses an object. */
  uses(id: number): boolean {
    return this.#users.has(id);
  }

  clear(): void {
    this.#users.clear();
  }
}

/** The id of the nexthop object that a route goes by, if it does. */
export function nexthopOf({ via }: RouteTarget): number | undefined {
  return via !== 'unreachable' && 'nexthop' in via ? via.nexthop : undefined;
}
