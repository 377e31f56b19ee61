/**
 * Recursive resolution, as BGP does it (RFC 4271 5.1.3): which next hop the kernel takes towards a node's own
 * addresses. Asked again when routes that cover such an address change. The same for single addresses, of peers whose
 * node is not known.
 *
 * A default route is the last resort: a node tells all its addresses, that of an uplink of its own too, to which the
 * default route of another leads into the Internet.
 */
import type { Family, Ip } from '../net/ip.js';
import { familyOf } from '../net/ip.js';
import type { Prefix } from '../net/prefix.js';
import { contains } from '../net/prefix.js';
import type { NodeId } from '../clients/node-id.js';
import type { Millis } from '../clients/time.js';
import { after, SECOND } from '../clients/time.js';
import type { Clock, Kernel, Path, ResolvedPath, Timer } from '../ports.js';
import type { NodePaths } from './desired.js';
import { samePath } from './desired.js';

/** Routing protocols change routes in bursts, and withdraw before they add: how long the rest is waited for. */
export const DEBOUNCE: Millis = 5;

/** After a query that failed, which is not the same as "no route". */
const RETRY: Millis = SECOND;

const NONE: NodePaths = { 4: undefined, 6: undefined };

export interface PathsOptions<Id> {
  readonly kernel: Pick<Kernel, 'resolve'>;
  readonly clock: Clock;
  /** The path to a node has changed; undefined: there is none any more. */
  readonly changed: (node: Id, paths: NodePaths | undefined) => void;
  /** Told once, until a query succeeds again. */
  readonly failed?: (message: string) => void;
}

interface Node {
  readonly addresses: readonly Ip[];
  paths: NodePaths;
}

export class Paths<Id extends NodeId | Ip> {
  #options: PathsOptions<Id>;
  #nodes = new Map<Id, Node>();
  #stale = new Set<Id>();
  /** Of those the last query failed. */
  #unknown = new Set<Id>();
  #timer: Timer | undefined;
  #retry: Timer | undefined;
  #running: Promise<void> | undefined;
  #stopped = false;
  #failing = false;

  constructor(options: PathsOptions<Id>) {
    this.#options = options;
  }

  /** A node's addresses, best first; none: the node is gone, or has told none. */
  setNode(id: Id, addresses: readonly Ip[]): void {
    const known = this.#nodes.get(id);
    if (addresses.length === 0) {
      this.#nodes.delete(id);
      this.#stale.delete(id);
      this.#unknown.delete(id);
      if (known !== undefined && known.paths !== NONE) this.#options.changed(id, undefined);
      return;
    }
    if (known !== undefined && known.addresses.join() === addresses.join()) return;
    this.#nodes.set(id, { addresses, paths: known?.paths ?? NONE });
    this.#stale.add(id);
    this.#schedule(0);
  }

  /** Routes to `destination` changed in the kernel. */
  routesChanged(destination: Prefix): void {
    for (const [id, node] of this.#nodes) {
      if (node.addresses.some((address) => contains(destination, address))) this.#stale.add(id);
    }
    if (this.#stale.size > 0) this.#schedule(DEBOUNCE);
  }

  /** Anything may have changed. */
  refresh(): void {
    for (const id of this.#nodes.keys()) this.#stale.add(id);
    if (this.#stale.size > 0) this.#schedule(DEBOUNCE);
  }

  /** Resolves when every node has been asked for since it, or its routes, last changed. */
  async settled(): Promise<void> {
    while (!this.#stopped && (this.#stale.size > 0 || this.#running !== undefined)) {
      this.#timer?.cancel();
      this.#timer = undefined;
      await this.#run();
    }
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#retry?.cancel();
    this.#retry = undefined;
  }

  /** The first deadline stands: a burst that goes on does not put resolution off for ever. */
  #schedule(delay: Millis): void {
    if (this.#stopped || this.#timer !== undefined || this.#running !== undefined) return;
    this.#timer = this.#options.clock.schedule(after(this.#options.clock.now(), delay), () => {
      this.#timer = undefined;
      void this.#run();
    });
  }

  /** One pass at a time; what becomes stale meanwhile is the next pass's. */
  #run(): Promise<void> {
    this.#running ??= this.#pass().finally(() => {
      this.#running = undefined;
      if (this.#stale.size > 0) this.#schedule(DEBOUNCE);
    });
    return this.#running;
  }

  async #pass(): Promise<void> {
    const ids = [...this.#stale];
    this.#stale.clear();
    await Promise.all(ids.map((id) => this.#resolveNode(id)));
  }

  async #resolveNode(id: Id): Promise<void> {
    const node = this.#nodes.get(id);
    if (node === undefined) return;
    try {
      const found = await Promise.all([this.#resolve(node, 4), this.#resolve(node, 6)]);
      const isReached = found.some((path) => path !== undefined && path.byDefault !== true);
      const [four, six] = found.map((path) => (isReached && path?.byDefault === true ? undefined : toPath(path)));
      this.#failing = false;
      if (this.#stopped || this.#nodes.get(id) !== node) return;
      if (samePath(four, node.paths[4]) && samePath(six, node.paths[6])) return;
      node.paths = four === undefined && six === undefined ? NONE : { 4: four, 6: six };
      this.#options.changed(id, node.paths === NONE ? undefined : node.paths);
    } catch (error) {
      if (!this.#failing) this.#options.failed?.(`cannot look up the route to ${id}: ${(error as Error).message}`);
      this.#failing = true;
      this.#unknown.add(id);
      this.#scheduleRetry();
    }
  }

  /** One timer for all, however often they are asked for in between. */
  #scheduleRetry(): void {
    if (this.#stopped) return;
    this.#retry ??= this.#options.clock.schedule(after(this.#options.clock.now(), RETRY), () => {
      this.#retry = undefined;
      for (const id of this.#unknown) this.#stale.add(id);
      this.#unknown.clear();
      this.#schedule(0);
    });
  }

  /** The first of the node's addresses of a family to which the kernel has a way, best one of their own. */
  async #resolve(node: Node, family: Family): Promise<ResolvedPath | undefined> {
    let lastResort: ResolvedPath | undefined;
    for (const address of node.addresses) {
      if (familyOf(address) !== family) continue;
      const path = await this.#options.kernel.resolve(address);
      if (path === undefined) continue;
      // A node on the link itself is the gateway to its clients.
      const resolved = { ...path, gateway: path.gateway ?? address };
      if (path.byDefault !== true) return resolved;
      lastResort ??= resolved;
    }
    return lastResort;
  }
}

function toPath(path: ResolvedPath | undefined): Path | undefined {
  return path && { ifindex: path.ifindex, gateway: path.gateway };
}
