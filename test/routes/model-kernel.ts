/** A kernel in memory that behaves as Linux does where the reconciler depends on it, and fails when told to. */
import type { Ip } from '../../src/net/ip.js';
import type { Mac } from '../../src/net/mac.js';
import type {
  ClientLink,
  HostRoute,
  Kernel,
  KernelChange,
  KernelEvent,
  KernelState,
  NeighbourEntry,
  NexthopObject,
  ResolvedPath,
} from '../../src/ports.js';
import { formatPrefix } from '../../src/net/prefix.js';
import { neighbourKey } from '../../src/routes/desired.js';

export class ModelKernel implements Kernel {
  readonly routes = new Map<string, HostRoute>();
  readonly nexthops = new Map<number, NexthopObject>();
  readonly neighbours = new Map<string, NeighbourEntry>();
  /** Answers of {@link resolve}; an error is thrown. */
  readonly paths = new Map<Ip, ResolvedPath | Error>();
  readonly batches: (readonly KernelChange[])[] = [];
  readonly queries: Ip[] = [];
  rules = false;
  /** Whether the next change is to fail. */
  failing: (change: KernelChange) => boolean = () => false;
  /** Whether the next call of apply() is to fail as a whole, after it was done. */
  loseAnswers = false;
  stateCalls = 0;
  listener: (event: KernelEvent) => void = () => undefined;

  constructor(readonly nexthopObjects = true) {}

  usersOf(id: number): HostRoute[] {
    return [...this.routes.values()].filter(
      ({ via }) => via !== 'unreachable' && 'nexthop' in via && via.nexthop === id,
    );
  }

  /** One change, as rtnetlink would do it: undefined, or why not. */
  change(change: KernelChange): Error | undefined {
    if (this.failing(change)) return new Error('no buffer space (ENOBUFS)');
    if ('route' in change) return this.#changeRoute(change.op, change.route);
    if ('nexthop' in change) return this.#changeNexthop(change.op, change.nexthop);
    const key = neighbourKey(change.neighbour);
    if (change.op === 'set') this.neighbours.set(key, change.neighbour);
    else this.neighbours.delete(key);
    return undefined;
  }

  #changeRoute(op: 'set' | 'delete', route: HostRoute): Error | undefined {
    const { via } = route;
    if (op === 'set' && via !== 'unreachable' && 'nexthop' in via && !this.nexthops.has(via.nexthop)) {
      return new Error('nexthop id does not exist (EINVAL)');
    }
    if (op === 'set') this.routes.set(formatPrefix(route.destination), route);
    else this.routes.delete(formatPrefix(route.destination));
    return undefined;
  }

  #changeNexthop(op: 'set' | 'delete', nexthop: NexthopObject): undefined {
    if (op === 'set') this.nexthops.set(nexthop.id, nexthop);
    else this.dropNexthop(nexthop.id);
  }

  /** With an object go the routes that use it. */
  dropNexthop(id: number): void {
    for (const route of this.usersOf(id)) this.routes.delete(formatPrefix(route.destination));
    this.nexthops.delete(id);
  }

  /** An interface goes down: everything on it is gone. */
  linkDown(ifindex: number): void {
    for (const [key, { via }] of this.routes) {
      const on = via !== 'unreachable' && ('ifindex' in via ? via.ifindex : 'path' in via ? via.path.ifindex : undefined);
      if (on === ifindex) this.routes.delete(key);
    }
    for (const { id, path } of [...this.nexthops.values()]) if (path.ifindex === ifindex) this.dropNexthop(id);
    for (const [key, entry] of this.neighbours) if (entry.ifindex === ifindex) this.neighbours.delete(key);
  }

  async installRules(): Promise<void> {
    this.rules = true;
  }

  async removeRules(): Promise<void> {
    this.rules = false;
  }

  snapshot(): KernelState {
    return {
      routes: [...this.routes.values()],
      nexthops: [...this.nexthops.values()],
      neighbours: [...this.neighbours.values()],
    };
  }

  async state(): Promise<KernelState> {
    this.stateCalls++;
    return this.snapshot();
  }

  async apply(changes: readonly KernelChange[]): Promise<(Error | undefined)[]> {
    this.batches.push(changes);
    const results = changes.map((change) => this.change(change));
    await Promise.resolve();
    if (!this.loseAnswers) return results;
    this.loseAnswers = false;
    throw new Error('answers were lost');
  }

  async resolve(address: Ip): Promise<ResolvedPath | undefined> {
    this.queries.push(address);
    const answer = this.paths.get(address);
    if (answer instanceof Error) throw answer;
    return answer;
  }

  purge(): void {}

  forgetPort(): void {}

  async clientLinks(): Promise<ClientLink[]> {
    return [];
  }

  async permanentMacs(): Promise<Mac[]> {
    return [];
  }

  async nodeAddresses(): Promise<Ip[]> {
    return [];
  }

  start(listener: (event: KernelEvent) => void): void {
    this.listener = listener;
  }

  stop(): void {}
}
