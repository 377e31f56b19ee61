import type { Family, Ip } from '../net/ip.js';
import { familyOf } from '../net/ip.js';
import type { Mac } from '../net/mac.js';
import type { NodeId } from '../clients/node-id.js';
import type { HostRoute, NeighbourEntry, NexthopObject, Path } from '../ports.js';
import type { ClientRoute, ClientState, ClientView, NodePaths } from './desired.js';
import {
  LOCAL_PROTOCOL,
  neighbourKey,
  NOTHING,
  pathFor,
  REMOTE_PROTOCOL,
  sameNeighbour,
  samePath,
  stateOf,
} from './desired.js';
import { Owners } from './owners.js';
import type { NexthopOwner } from './nexthop-ids.js';
import { NexthopIds } from './nexthop-ids.js';

/** Told of every key whose wanted value may have changed. */
export interface Touched {
  route(key: string): void;
  nexthop(id: number): void;
  neighbour(key: string): void;
}

/** The nexthop object for routes of a family to a node, along `path`; undefined: do without one. */
export type NexthopChoice = (owner: NexthopOwner, path: Path, routeKey: string) => number | undefined;

/** What the kernel ought to hold: all clients' states together, routes by destination, with the nodes' paths put in. */
export class Wanted {
  readonly ids = new NexthopIds();
  #self: NodeId;
  #touched: Touched;
  #clients = new Map<Mac, ClientView>();
  #paths = new Map<NodeId, NodePaths>();
  /** Whose routes are whose. The view stands for them: they are made anew when asked for, which is seldom. */
  #routes = new Owners<ClientView>();
  #neighbours = new Owners<NeighbourEntry>();

  constructor(self: NodeId, touched: Touched) {
    this.#self = self;
    this.#touched = touched;
  }

  clientState(mac: Mac): ClientState {
    return this.#stateOf(this.#clients.get(mac));
  }

  #stateOf(view: ClientView | undefined): ClientState {
    return view === undefined ? NOTHING : stateOf(view, this.#self);
  }

  /** False where nothing changed by it. */
  setClient(view: ClientView): boolean {
    const before = this.#clients.get(view.mac);
    const [old, state] = [this.#stateOf(before), stateOf(view, this.#self)];
    this.#clients.set(view.mac, view);
    if (before === undefined || !sameState(old, state)) {
      this.#replace(view, old, state);
      return true;
    }
    // The new view takes the place of the old one, which the database has given up: only one is kept in memory.
    for (const { destination } of state.routes) this.#routes.put(destination.key, view);
    return false;
  }

  removeClient(mac: Mac): void {
    const before = this.#clients.get(mac);
    this.#clients.delete(mac);
    if (before !== undefined) this.#replace(before, this.#stateOf(before), NOTHING);
  }

  setPaths(node: NodeId, paths: NodePaths | undefined): void {
    const before = this.#paths.get(node);
    if (paths === undefined) this.#paths.delete(node);
    else this.#paths.set(node, paths);
    for (const family of [4, 6] as const) {
      const [old, now] = [pathFor(before, family), pathFor(paths, family)];
      if (samePath(old, now)) continue;
      const id = this.ids.idOf({ node, family });
      if (id !== undefined) this.#touched.nexthop(id);
      if (id === undefined || old === undefined || now === undefined) this.#touchRoutes(node, family);
    }
  }

  clear(): void {
    this.#clients.clear();
    this.#paths.clear();
    this.#routes.clear();
    this.#neighbours.clear();
  }

  touchAll(): void {
    for (const key of this.#routes.keys()) this.#touched.route(key);
    for (const key of this.#neighbours.keys()) this.#touched.neighbour(key);
    for (const id of this.ids.all()) this.#touched.nexthop(id);
  }

  routeOwner(key: string): Mac | undefined {
    return this.#routes.get(key)?.mac;
  }

  neighbourOwner(key: string): Mac | undefined {
    return this.#neighbours.get(key)?.mac;
  }

  neighbour(key: string): NeighbourEntry | undefined {
    return this.#neighbours.get(key);
  }

  route(key: string, nexthopFor: NexthopChoice): HostRoute | undefined {
    const claim = this.#claimed(key);
    if (claim === undefined) return undefined;
    const { destination, via } = claim;
    if ('ifindex' in via) return { destination, protocol: LOCAL_PROTOCOL, via };
    const owner = { node: via.node, family: destination.family };
    const path = this.#pathOf(owner);
    if (path === undefined) return undefined;
    const nexthop = nexthopFor(owner, path, key);
    return { destination, protocol: REMOTE_PROTOCOL, via: nexthop === undefined ? { path } : this.ids.viaOf(nexthop) };
  }

  nexthop(id: number): NexthopObject | undefined {
    const owner = this.ids.ownerOf(id);
    const path = owner && this.#pathOf(owner);
    return path && { id, family: nexthopFamily(owner.family, path.gateway), path };
  }

  #pathOf(owner: NexthopOwner): Path | undefined {
    return pathFor(this.#paths.get(owner.node), owner.family);
  }

  /** The route that the claim to a destination is about. */
  #claimed(key: string): ClientRoute | undefined {
    return this.#stateOf(this.#routes.get(key)).routes.find(({ destination }) => destination.key === key);
  }

  #replace(view: ClientView, before: ClientState, state: ClientState): void {
    const { mac } = view;
    const routes = new Set(state.routes.map((route) => route.destination.key));
    for (const { destination } of before.routes) {
      const key = destination.key;
      if (routes.has(key)) continue;
      this.#routes.drop(key, mac);
      this.#touched.route(key);
    }
    for (const route of state.routes) {
      const key = route.destination.key;
      this.#routes.put(key, view);
      this.#touched.route(key);
    }
    const neighbours = new Set(state.neighbours.map(neighbourKey));
    for (const key of before.neighbours.map(neighbourKey)) {
      if (neighbours.has(key)) continue;
      this.#neighbours.drop(key, mac);
      this.#touched.neighbour(key);
    }
    for (const entry of state.neighbours) {
      const key = neighbourKey(entry);
      this.#neighbours.put(key, entry);
      this.#touched.neighbour(key);
    }
  }

  /** All clients are gone through: an index of them by node would be in memory all the time, and this is seldom. */
  #touchRoutes(node: NodeId, family: Family): void {
    for (const view of this.#clients.values()) {
      if (view.node !== node) continue;
      for (const { destination } of this.#stateOf(view).routes) {
        if (destination.family === family) this.#touched.route(destination.key);
      }
    }
  }
}

/** An object has its gateway's family, whatever the family of the routes that use it. */
function nexthopFamily(routes: Family, gateway: Ip | undefined): Family {
  return gateway === undefined ? routes : familyOf(gateway);
}

function sameState(a: ClientState, b: ClientState): boolean {
  return (
    a.routes.length === b.routes.length &&
    a.neighbours.length === b.neighbours.length &&
    a.routes.every((route, i) => sameClientRoute(route, b.routes[i]!)) &&
    a.neighbours.every((entry, i) => sameNeighbour(entry, b.neighbours[i]!))
  );
}

function sameClientRoute(a: ClientRoute, b: ClientRoute): boolean {
  if (a.destination.key !== b.destination.key) return false;
  if ('node' in a.via) return 'node' in b.via && a.via.node === b.via.node;
  return 'ifindex' in b.via && a.via.ifindex === b.via.ifindex;
}
