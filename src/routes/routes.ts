/**
 * Everything about routes in one place: takes what the database, the nodes and the kernel say, and drives the
 * {@link Reconciler} and {@link Paths} over the {@link Kernel} port. Changes made in one turn of the event loop go to
 * the kernel together, right after it or when they are {@link Routes.flush flushed}.
 */
import type { Ip } from '../net/ip.js';
import type { Mac } from '../net/mac.js';
import { isPrefix4 } from '../net/prefix.js';
import type { NodeId } from '../clients/node-id.js';
import type { Instant, Millis } from '../clients/time.js';
import { after, earliest, Repairs, SECOND } from '../clients/time.js';
import type { Clock, Kernel, KernelChange, KernelEvent, Logger, Timer } from '../ports.js';
import type { ClientView } from './desired.js';
import { Paths } from './paths.js';
import { Reconciler } from './reconciler.js';

/** Between two dumps of the kernel's state, however often it says that something was lost. */
const RESYNC_INTERVAL: Millis = SECOND / 4;

/** How many dumps may follow each other like that. The rest come slower: another program may contradict for ever. */
const RESYNC_BURST = 8;
const RESYNC_SLOWLY: Millis = 2 * SECOND;

const CONTRADICTED = `what is ours in the kernel is taken away again and again: from now on it is put back every ${RESYNC_SLOWLY / SECOND} seconds`;

/** How long a clean stop tries to take everything back. */
const WITHDRAW_LIMIT: Millis = 5 * SECOND;

export interface RoutesOptions {
  readonly self: NodeId;
  readonly kernel: Kernel;
  readonly clock: Clock;
  readonly log: Logger;
  /** The kernel has acknowledged all that a client needs; see {@link ReconcilerOptions.installed}. */
  readonly installed: (mac: Mac) => void;
  /** The kernel has another path to a node than before, or none any more. */
  readonly pathChanged?: (node: NodeId, exists: boolean) => void;
  /** The kernel has another path than before to an address of {@link Routes.watch}. */
  readonly pathFound?: (address: Ip) => void;
}

export class Routes {
  #options: RoutesOptions;
  #reconciler: Reconciler;
  #paths: Paths<NodeId>;
  readonly #watched: Paths<Ip>;
  #addresses: readonly Ip[] = [];
  #running: Promise<void> | undefined;
  /** Begins what runs, where that has not begun by itself. */
  #begin: () => Promise<void> = async () => {};
  #timer: Timer | undefined;
  #resync = false;
  #resyncFrom: Instant | undefined;
  readonly #repairs: Repairs;
  #started = false;
  #stopped = false;

  constructor(options: RoutesOptions) {
    this.#options = options;
    const { self, kernel, clock, log, installed, pathChanged, pathFound } = options;
    const failed = (message: string) => log.warn(message);
    this.#repairs = new Repairs(RESYNC_BURST, RESYNC_SLOWLY, () => log.warn(CONTRADICTED));
    this.#reconciler = new Reconciler({ self, nexthopObjects: kernel.nexthopObjects, installed, failed });
    this.#paths = new Paths({
      kernel,
      clock,
      failed,
      changed: (node, paths) => {
        this.#reconciler.setPaths(node, paths);
        this.#kick();
        pathChanged?.(node, paths !== undefined);
      },
    });
    this.#watched = new Paths({
      kernel,
      clock,
      failed,
      changed: (address, paths) => {
        if (paths !== undefined) pathFound?.(address);
      },
    });
  }

  /** Takes over what an earlier run left, then puts the rules in. Nothing is changed in the kernel before. */
  async start(): Promise<void> {
    this.#reconciler.adopt(await this.#options.kernel.state());
    await this.#options.kernel.installRules();
    this.#started = true;
    this.#kick();
  }

  /** What the database says of a client. False: nothing changes by it, and `installed` is not told. */
  setClient(view: ClientView): boolean {
    const changed = this.#reconciler.setClient(this.#options.kernel.withoutIp6 ? ofIp4(view) : view);
    if (changed) this.#kick();
    return changed;
  }

  removeClient(mac: Mac): void {
    this.#reconciler.removeClient(mac);
    this.#kick();
  }

  isInstalled(mac: Mac): boolean {
    return this.#reconciler.isInstalled(mac);
  }

  /** Host routes in the kernel, and changes that it has not taken yet. */
  get statistics(): { readonly installed: number; readonly pending: number } {
    return this.#reconciler.statistics;
  }

  /** The addresses that a node has told, best first; none: the node is gone. This node itself need not be told. */
  setNode(node: NodeId, addresses: readonly Ip[]): void {
    if (node !== this.#options.self) this.#paths.setNode(node, addresses);
  }

  /** The addresses, besides those of nodes, of which is told when there is a path to them; instead of those before. */
  watch(addresses: readonly Ip[]): void {
    for (const address of this.#addresses) if (!addresses.includes(address)) this.#watched.setNode(address, []);
    for (const address of addresses) this.#watched.setNode(address, [address]);
    this.#addresses = addresses;
  }

  /** To be given what {@link Kernel.start} tells. */
  kernelChanged(event: KernelEvent): void {
    for (const paths of [this.#paths, this.#watched]) {
      if (event.kind === 'routes') paths.routesChanged(event.destination);
      else paths.refresh();
    }
    if (event.kind !== 'lost') return;
    this.#resync = true;
    this.#kick();
  }

  /** The database is loaded: once the paths are known too, what is in the kernel and not wanted is removed. */
  async loaded(): Promise<void> {
    await this.#paths.settled();
    if (this.#stopped) return;
    this.#reconciler.prune();
    this.#kick();
  }

  /** Resolves when the kernel holds what is wanted, and nothing is waiting to be tried again. */
  async settled(): Promise<void> {
    await this.#paths.settled();
    const busy = () => this.#running !== undefined || this.#resync || !this.#reconciler.idle;
    while (!this.#stopped && busy()) await (this.#running ?? this.#delay(10));
  }

  /** Ends the work: leaves nothing in the kernel or, with `linger`, everything, for the next run to take over. */
  async stop({ linger = false }: { linger?: boolean } = {}): Promise<void> {
    this.#paths.stop();
    this.#watched.stop();
    if (!linger && this.#started) await this.#withdraw();
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#running;
  }

  async #withdraw(): Promise<void> {
    const { clock, kernel, log } = this.#options;
    const limit = after(clock.now(), WITHDRAW_LIMIT);
    this.#reconciler.withdrawAll();
    this.#kick();
    while (!this.#reconciler.idle && clock.now() < limit) await (this.#running ?? this.#delay(10));
    if (!this.#reconciler.idle) log.error('some routes could not be removed');
    // Rules that are gone now are not to be put back.
    this.#stopped = true;
    await this.#running;
    await kernel.removeRules().catch((error: Error) => log.error(`cannot remove the rules: ${error.message}`));
  }

  #delay(delay: Millis): Promise<void> {
    const { clock } = this.#options;
    return new Promise((resolve) => clock.schedule(after(clock.now(), delay), resolve));
  }

  /** Brings the kernel up to date at once, unless a batch is under way, instead of after this turn of the event loop. */
  flush(): void {
    void this.#begin();
  }

  /** Has the kernel brought up to date after this turn of the event loop. */
  #kick(): void {
    if (!this.#started || this.#stopped || this.#running !== undefined) return;
    let begun: Promise<void> | undefined;
    this.#begin = () => (begun ??= this.#work());
    this.#running = Promise.resolve()
      .then(this.#begin)
      .finally(() => {
        this.#running = undefined;
        if (this.#reconciler.pending) this.#kick();
        else this.#scheduleNext();
      });
  }

  async #work(): Promise<void> {
    const { clock } = this.#options;
    while (!this.#stopped) {
      if (this.#resync && this.#mayResync()) await this.#readState();
      const changes = this.#reconciler.next(clock.now());
      if (changes.length === 0) return;
      const results = await this.#apply(changes);
      this.#reconciler.acknowledge(results, clock.now());
    }
  }

  /** An error of the whole call leaves open what was done: each change counts as failed, and the state is read again. */
  async #apply(changes: readonly KernelChange[]): Promise<readonly (Error | undefined)[]> {
    try {
      return await this.#options.kernel.apply(changes);
    } catch (error) {
      this.#resync = true;
      return changes.map(() => error as Error);
    }
  }

  #mayResync(): boolean {
    return this.#resyncFrom === undefined || this.#options.clock.now() >= this.#resyncFrom;
  }

  async #readState(): Promise<void> {
    const { clock, kernel, log } = this.#options;
    this.#resync = false;
    this.#paceResync(clock.now());
    try {
      this.#reconciler.adopt(await kernel.state());
      await kernel.installRules();
    } catch (error) {
      log.warn(`cannot read the kernel's routes or set its rules: ${(error as Error).message}`);
      this.#resync = true;
    }
  }

  #paceResync(now: Instant): void {
    this.#resyncFrom = Math.max(after(now, RESYNC_INTERVAL), this.#repairs.done(now)) as Instant;
  }

  /** Work that waits for a time: retries, or the next dump. */
  #scheduleNext(): void {
    const { clock } = this.#options;
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#stopped) return;
    const dump = this.#resync ? (this.#resyncFrom ?? clock.now()) : undefined;
    const next = earliest(this.#reconciler.deadline, dump);
    if (next !== undefined) this.#timer = clock.schedule(next, () => this.#kick());
  }
}

function ofIp4(view: ClientView): ClientView {
  return { ...view, addresses: view.addresses.filter(isPrefix4) };
}
