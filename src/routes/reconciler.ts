/**
 * Keeps the kernel's forwarding state as the database wants it: compares wanted with actual, key by key, and gives
 * out the difference as batches of changes. Pure: the caller hands each batch to the kernel and the results back.
 *
 * One batch is under way at a time; what changes meanwhile is coalesced into the next. Within a batch nexthop objects
 * and neighbour entries come before the routes that need them, removals last. A nexthop object is removed only in a
 * batch after the one that moved its last route away has been acknowledged, because with an object the kernel removes
 * every route that still uses it. A client that moves is one replacing change per route, never a removal and an
 * addition. What fails is tried again with backoff.
 */
import { parseIp } from '../net/ip.js';
import type { Mac } from '../net/mac.js';
import type { Prefix } from '../net/prefix.js';
import { hostPrefix, parsePrefix } from '../net/prefix.js';
import type { NodeId } from '../clients/node-id.js';
import type { Instant } from '../clients/time.js';
import { earliest } from '../clients/time.js';
import type { HostRoute, KernelChange, KernelState, NeighbourEntry, NexthopObject, Path } from '../ports.js';
import type { ClientView, NodePaths } from './desired.js';
import { neighbourKey, sameNeighbour, sameNexthop, samePath, sameTarget } from './desired.js';
import { Failures } from './failures.js';
import { Layer } from './layer.js';
import type { NexthopOwner } from './nexthop-ids.js';
import type { RouteTarget } from './route-targets.js';
import { nexthopOf, RouteTargets } from './route-targets.js';
import { Wanted } from './wanted.js';

/** Changes in one batch at most: so many that system calls are few, so few that a roam in between waits for little. */
export const MAX_BATCH = 1024;

export interface ReconcilerOptions {
  readonly self: NodeId;
  /** False for a kernel before Linux 5.3: routes then carry the path themselves. */
  readonly nexthopObjects: boolean;
  /**
   * All that a client needs is in the kernel, as {@link Reconciler.isInstalled} says. Called once after each
   * {@link Reconciler.setClient} that returned true: when the last change is acknowledged, or with the next batch where
   * nothing had to change.
   */
  readonly installed?: (mac: Mac) => void;
  /** A failure that has lasted for some seconds, once per cause until everything is right again. */
  readonly failed?: (message: string) => void;
}

interface Batch {
  readonly nexthops: KernelChange[];
  readonly neighbours: KernelChange[];
  readonly routes: KernelChange[];
  readonly removals: KernelChange[];
  /** Ids of the objects that the batch sets. */
  readonly created: Set<number>;
  room: number;
}

export class Reconciler {
  #options: ReconcilerOptions;
  #wanted: Wanted;
  #routes = new Layer<string, RouteTarget>();
  #nexthops = new Layer<number, NexthopObject>();
  #neighbours = new Layer<string, NeighbourEntry>();
  #layers = [this.#routes, this.#nexthops, this.#neighbours] as const;
  /** Of the routes in the kernel. */
  #targets = new RouteTargets();
  /** Routes that wait until the kernel has their nexthop object. */
  #blocked = new Map<number, Set<string>>();
  #inFlight: readonly KernelChange[] | undefined;
  #pruned = false;
  #withdrawn = false;
  /** Clients of which `installed` is still to be told; and those of them to look at, since one of their keys was settled. */
  #waiting = new Set<Mac>();
  #check = new Set<Mac>();
  #failures = new Failures();

  constructor(options: ReconcilerOptions) {
    this.#options = options;
    this.#wanted = new Wanted(options.self, {
      route: (key) => this.#routes.dirty.add(key),
      nexthop: (id) => this.#nexthops.dirty.add(id),
      neighbour: (key) => this.#neighbours.dirty.add(key),
    });
  }

  /** What the database says of a client now. False: that changes nothing in the kernel, and `installed` is not told. */
  setClient(view: ClientView): boolean {
    if (this.#withdrawn || !this.#wanted.setClient(view)) return false;
    this.#waiting.add(view.mac);
    return true;
  }

  /** The database knows the client no longer. */
  removeClient(mac: Mac): void {
    this.#wanted.removeClient(mac);
    this.#waiting.delete(mac);
    this.#check.delete(mac);
  }

  /** How the kernel reaches a node now; undefined: not at all. */
  setPaths(node: NodeId, paths: NodePaths | undefined): void {
    if (!this.#withdrawn) this.#wanted.setPaths(node, paths);
  }

  /**
   * What the kernel holds, from a dump made while no batch was under way: at the start, and after events were lost.
   * What is right is left alone.
   */
  adopt(state: KernelState): void {
    if (this.#inFlight !== undefined) throw new Error('adopt() while a batch is under way');
    this.#targets.clear();
    this.#routes.adopt(state.routes.map((route) => [route.destination.key, this.#targets.add(route)] as const), this.#pruned);
    this.#nexthops.adopt(state.nexthops.map((nexthop) => [nexthop.id, nexthop] as const), this.#pruned);
    this.#neighbours.adopt(state.neighbours.map((entry) => [neighbourKey(entry), entry] as const), this.#pruned);
    this.#wanted.touchAll();
    this.#blocked.clear();
  }

  /** The database is loaded and the paths are known: from now on what is not wanted is removed. */
  prune(): void {
    this.#pruned = true;
    for (const layer of this.#layers) layer.prune();
  }

  /** A clean stop: nothing is wanted any more. Batches then empty the kernel, until {@link idle}. */
  withdrawAll(): void {
    this.#withdrawn = true;
    this.#wanted.clear();
    this.#waiting.clear();
    this.#check.clear();
    this.#blocked.clear();
    for (const layer of this.#layers) layer.retries.clear();
    this.prune();
  }

  /** Whether the kernel holds what is wanted, as far as is known. */
  get idle(): boolean {
    return this.#inFlight === undefined && this.#layers.every((layer) => layer.idle);
  }

  /** Whether {@link next} may give something now. */
  get pending(): boolean {
    return this.#inFlight === undefined && this.#layers.some((layer) => layer.dirty.size > 0);
  }

  /** Host routes in the kernel, and keys of all kinds that are still to be compared. */
  get statistics(): { readonly installed: number; readonly pending: number } {
    const pending = this.#layers.reduce((sum, layer) => sum + layer.dirty.size, 0);
    return { installed: this.#routes.actual.size, pending };
  }

  /** When {@link next} is to be called even if nothing changes before: the next retry. */
  get deadline(): Instant | undefined {
    if (this.#inFlight !== undefined) return undefined;
    return earliest(...this.#layers.map((layer) => layer.retries.deadline));
  }

  /** The next batch, in the order in which to apply it; empty where nothing is to do or one is under way. */
  next(now: Instant): readonly KernelChange[] {
    if (this.#inFlight !== undefined) return [];
    for (const layer of this.#layers) layer.wake(now);
    const batch: Batch = {
      nexthops: [], neighbours: [], routes: [], removals: [], created: new Set(), room: MAX_BATCH,
    };
    this.#collect(this.#nexthops.dirty, batch, (id) => this.#collectNexthop(batch, id));
    this.#collect(this.#neighbours.dirty, batch, (key) => this.#collectNeighbour(batch, key));
    this.#collect(this.#routes.dirty, batch, (key) => this.#collectRoute(batch, key));
    const changes = [...batch.nexthops, ...batch.neighbours, ...batch.routes, ...batch.removals];
    if (changes.length > 0) this.#inFlight = changes;
    this.#tellInstalled();
    return changes;
  }

  /** The kernel's answer to the last batch: for each change its error, or undefined where it was done. */
  acknowledge(results: readonly (Error | undefined)[], now: Instant): void {
    const changes = this.#inFlight;
    if (changes === undefined) throw new Error('acknowledge() without a batch');
    this.#inFlight = undefined;
    changes.forEach((change, i) => {
      const error = results[i];
      if (error === undefined) this.#done(change);
      else this.#failed(change, error, now);
    });
    if (this.#layers.every((layer) => layer.retries.size === 0)) this.#failures.clear();
    this.#tellInstalled();
  }

  /**
   * Whether all that the client needs is in the kernel now; but for what the kernel refuses, as all of IPv6 where that is
   * disabled, as long as it has one of its routes.
   */
  isInstalled(mac: Mac): boolean {
    const state = this.#wanted.clientState(mac);
    const keys = state.routes.map((route) => route.destination.key);
    const right = (key: string) => {
      const have = this.#routes.actual.get(key);
      const want = this.#wanted.route(key, (owner) => this.#wanted.ids.idOf(owner));
      return this.#wanted.routeOwner(key) === mac && have !== undefined && want !== undefined && sameTarget(have, want);
    };
    return (
      keys.some(right) &&
      keys.every((key) => right(key) || this.#routes.retries.has(key)) &&
      state.neighbours.every((entry) => {
        const key = neighbourKey(entry);
        const have = this.#neighbours.actual.get(key);
        return (have !== undefined && sameNeighbour(have, entry)) || this.#neighbours.retries.has(key);
      })
    );
  }

  /** Goes through the dirty keys as far as the batch has room: one key makes at most two changes. */
  #collect<K>(dirty: Set<K>, batch: Batch, collect: (key: K) => void): void {
    for (const key of dirty) {
      if (batch.room < 2) return;
      dirty.delete(key);
      collect(key);
    }
  }

  #collectNexthop(batch: Batch, id: number): void {
    const have = this.#nexthops.actual.get(id);
    const want = this.#wanted.nexthop(id);
    if (want !== undefined) {
      if (have !== undefined && sameNexthop(have, want)) this.#nexthops.settled(id);
      else {
        put(batch, batch.nexthops, { op: 'set', nexthop: want });
        batch.created.add(id);
      }
    } else if (have === undefined) {
      this.#wanted.ids.release(id);
      this.#blocked.delete(id);
      this.#nexthops.settled(id);
    } else if (!this.#targets.uses(id) && this.#nexthops.removable(id)) {
      put(batch, batch.removals, { op: 'delete', nexthop: have });
    } else this.#nexthops.retries.forget(id);
  }

  #collectNeighbour(batch: Batch, key: string): void {
    const have = this.#neighbours.actual.get(key);
    const want = this.#wanted.neighbour(key);
    if (want === undefined) {
      if (have === undefined) this.#neighbours.settled(key);
      else if (this.#neighbours.removable(key)) put(batch, batch.removals, { op: 'delete', neighbour: have });
      else this.#neighbours.retries.forget(key);
    } else if (have !== undefined && sameNeighbour(have, want)) {
      this.#neighbours.settled(key);
      this.#checkAgain(this.#wanted.neighbourOwner(key));
    } else put(batch, batch.neighbours, { op: 'set', neighbour: want });
  }

  #collectRoute(batch: Batch, key: string): void {
    const have = this.#routes.actual.get(key);
    const want = this.#wanted.route(key, (owner, path) => this.#nexthopFor(owner, path, have));
    if (want === undefined) {
      if (have === undefined) this.#routes.settled(key);
      else if (this.#routes.removable(key)) put(batch, batch.routes, { op: 'delete', route: { destination: destinationOf(key), ...have } });
      else this.#routes.retries.forget(key);
    } else if (have !== undefined && sameTarget(have, want)) {
      this.#routes.settled(key);
      this.#checkAgain(this.#wanted.routeOwner(key));
    } else if (this.#usable(batch, want)) put(batch, batch.routes, { op: 'set', route: want });
    else this.#block(nexthopOf(want)!, key);
  }

  /**
   * The object for routes of a family to a node. One that an earlier run left is taken over where the route that is
   * there already uses it and it leads where it should: so neither has to be touched, and none that another node's
   * routes still use is bent elsewhere.
   */
  #nexthopFor(owner: NexthopOwner, path: Path, have: RouteTarget | undefined): number | undefined {
    if (!this.#options.nexthopObjects) return undefined;
    const { ids } = this.#wanted;
    const known = ids.idOf(owner);
    if (known !== undefined) return known;
    const left = have && nexthopOf(have);
    if (left !== undefined && ids.ownerOf(left) === undefined && samePath(this.#nexthops.actual.get(left)?.path, path)) {
      ids.assign(left, owner);
      this.#nexthops.dirty.add(left);
      return left;
    }
    const id = ids.allocate(owner, (taken) => this.#nexthops.actual.has(taken));
    if (id !== undefined) this.#nexthops.dirty.add(id);
    return id;
  }

  /** Whether the object of a route is in the kernel, or set in this batch: one just allocated is put there. */
  #usable(batch: Batch, route: HostRoute): boolean {
    const id = nexthopOf(route);
    if (id === undefined || this.#nexthops.actual.has(id)) return true;
    if (this.#nexthops.dirty.delete(id)) this.#collectNexthop(batch, id);
    return batch.created.has(id);
  }

  #block(id: number, key: string): void {
    const keys = this.#blocked.get(id);
    if (keys === undefined) this.#blocked.set(id, new Set([key]));
    else keys.add(key);
  }

  #done(change: KernelChange): void {
    if ('route' in change) {
      const key = change.route.destination.key;
      const old = this.#routes.actual.get(key);
      const target = change.op === 'set' ? this.#targets.add(change.route) : undefined;
      this.#record(this.#routes, key, target);
      // An object that loses its last route and is not wanted can go, with the next batch.
      const unused = old && this.#targets.drop(old);
      if (unused !== undefined) this.#nexthops.dirty.add(unused);
      this.#checkAgain(this.#wanted.routeOwner(key));
    } else if ('nexthop' in change) {
      const { id } = change.nexthop;
      this.#record(this.#nexthops, id, change.op === 'set' ? change.nexthop : undefined);
      for (const key of this.#blocked.get(id) ?? []) this.#routes.dirty.add(key);
      this.#blocked.delete(id);
    } else {
      const key = neighbourKey(change.neighbour);
      this.#record(this.#neighbours, key, change.op === 'set' ? change.neighbour : undefined);
      this.#checkAgain(this.#wanted.neighbourOwner(key));
    }
  }

  /** A removal is looked at again, which frees an object's id; so is everything once nothing is wanted. */
  #record<K, V>(layer: Layer<K, V>, key: K, value: V | undefined): void {
    if (value === undefined) layer.actual.delete(key);
    else layer.actual.set(key, value);
    layer.settled(key);
    if (value === undefined || this.#withdrawn) layer.dirty.add(key);
  }

  #failed(change: KernelChange, error: Error, now: Instant): void {
    if ('route' in change) {
      const key = change.route.destination.key;
      this.#routes.retries.failed(key, now);
      this.#checkAgain(this.#wanted.routeOwner(key));
    } else if ('nexthop' in change) this.#nexthops.retries.failed(change.nexthop.id, now);
    else {
      const key = neighbourKey(change.neighbour);
      this.#neighbours.retries.failed(key, now);
      this.#checkAgain(this.#wanted.neighbourOwner(key));
    }
    const [kind, name] = describe(change);
    if (!this.#failures.add(`${change.op} ${kind}: ${error.message}`, now)) return;
    this.#options.failed?.(`cannot ${change.op} ${kind} ${name}: ${error.message}`);
  }

  #checkAgain(mac: Mac | undefined): void {
    if (mac !== undefined && this.#waiting.has(mac)) this.#check.add(mac);
  }

  #tellInstalled(): void {
    const told = [...this.#check].filter((mac) => this.isInstalled(mac));
    this.#check.clear();
    for (const mac of told) this.#waiting.delete(mac);
    for (const mac of told) this.#options.installed?.(mac);
  }
}

function put(batch: Batch, list: KernelChange[], change: KernelChange): void {
  list.push(change);
  batch.room--;
}

/** The prefix that a route's key stands for: see {@link Prefix.key}. */
function destinationOf(key: string): Prefix {
  return key.includes('/') ? parsePrefix(key) : hostPrefix(parseIp(key));
}

function describe(change: KernelChange): [kind: string, name: string] {
  if ('route' in change) return ['route', change.route.destination.key];
  if ('nexthop' in change) return ['nexthop object', String(change.nexthop.id)];
  return ['neighbour entry', change.neighbour.address];
}
