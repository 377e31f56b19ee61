/** Keeps client interfaces as clients have to see them, with `option setup`; says what is not so, once. */
import type { Instant } from '../clients/time.js';
import { after, earliest, SECOND } from '../clients/time.js';
import type { Prefix4 } from '../net/prefix.js';
import type { ClientLink, LinkChange, LinkControl, Logger } from '../ports.js';
import { checkGatewayLink, neededSettings, noSuchInterface } from './check.js';
import type { Gateway } from './gateway.js';
import type { Step } from './setup.js';
import { describeChange, planSetup, subjectOf, subjectsOf } from './setup.js';

/** Another program may want an interface otherwise: it is contradicted this often in ten seconds. */
const MAX_SETUPS = 5;
const SETUP_WINDOW = 10 * SECOND;

const KERNEL = 'the kernel';

const NOTHING: ReadonlySet<string> = new Set();

export interface GatewayWanted {
  /** The client interfaces that there should be. */
  readonly interfaces: readonly string[];
  readonly gateway: Gateway;
  readonly prefixes4: readonly Prefix4[];
  /** `option setup`. */
  readonly setup: boolean;
  /** Nothing in the kernel is to be changed. */
  readonly watchesOnly: boolean;
}

export class GatewayLinks {
  /** What was there before, by what it is about. */
  #undo = new Map<string, LinkChange>();
  /** When something was set lately, by interface. */
  #setups = new Map<string, readonly Instant[]>();
  /** Something is left to be set, but not before. */
  #setupFrom: Instant | undefined;
  /** What was said already, by interface, or of {@link KERNEL}. */
  #said = new Map<string, ReadonlySet<string>>();
  /** The interfaces by which no redirect leaves; undefined: the kernel does not keep any from leaving. */
  #filtered: string | undefined;
  /** One call at a time: what a second one read may be what the first has changed since. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly control: LinkControl,
    private readonly log: Logger,
  ) {}

  /** What is wrong now. */
  get problems(): string[] {
    return [...this.#said.values()].flatMap((said) => [...said]);
  }

  /** When {@link prepare} is to be called again though nothing changes: it was contradicted too often to go on at once. */
  get nextSetup(): Instant | undefined {
    return this.#setupFrom;
  }

  /** Returns whether anything was changed: then the interfaces are to be read again. */
  prepare(links: readonly ClientLink[], wanted: GatewayWanted, now: Instant): Promise<boolean> {
    return this.#inTurn(() => this.#prepare(links, wanted, now));
  }

  async #prepare(links: readonly ClientLink[], { interfaces, gateway, prefixes4, setup, watchesOnly }: GatewayWanted, now: Instant): Promise<boolean> {
    await this.#filterRedirects(watchesOnly ? [] : links.map(({ network }) => network));
    for (const network of this.#said.keys()) if (network !== KERNEL && !interfaces.includes(network)) this.#said.delete(network);
    for (const network of interfaces) {
      if (!links.some((link) => link.network === network)) this.#tell(network, [noSuchInterface(network)]);
    }
    const wanted = setup ? subjectsOf(links, interfaces, gateway) : NOTHING;
    let changed = await this.#takeBack((subject) => !wanted.has(subject));
    this.#setupFrom = undefined;
    for (const link of links) {
      const needed = neededSettings(link.network, watchesOnly || this.#filtered !== undefined);
      const settings = await this.control.settings(needed.map(({ name }) => name));
      const steps = setup ? planSetup(link, gateway, prefixes4, settings, needed) : [];
      if (await this.#setUp(link, steps, now)) changed = true;
      else this.#tell(link.network, checkGatewayLink(link, gateway, settings, needed));
    }
    return changed;
  }

  /** Clients reach each other through the router, also where both are on one link: each may roam. */
  async #filterRedirects(networks: readonly string[]): Promise<void> {
    const names = networks.join(' ');
    if (names === (this.#filtered ?? '')) return;
    try {
      await this.control.blockRedirects(networks);
      this.#filtered = names;
      this.#tell(KERNEL, []);
    } catch (error) {
      this.#filtered = undefined;
      const why = (error as Error).message;
      this.#tell(KERNEL, [`${KERNEL} filters no packets (${why}): it sends ICMP redirects, so that two clients at one router may lose each other when one roams`]);
    }
  }

  async #setUp(link: ClientLink, steps: readonly Step[], now: Instant): Promise<boolean> {
    if (steps.length === 0 || !this.#mayContradict(link.network, now)) return false;
    const errors = await this.control.apply(steps.map(({ change }) => change));
    steps.forEach(({ change, undo }, i) => {
      const error = errors[i];
      if (error !== undefined) return this.log.error(`${link.network}: cannot set ${describeChange(change)}: ${error.message}`);
      this.log.info(`${link.network}: set ${describeChange(change)}`);
      const subject = subjectOf(change);
      if (!this.#undo.has(subject)) this.#undo.set(subject, undo);
    });
    return errors.includes(undefined);
  }

  #mayContradict(network: string, now: Instant): boolean {
    const recent = (this.#setups.get(network) ?? []).filter((at) => at > now - SETUP_WINDOW);
    const may = recent.length < MAX_SETUPS;
    if (!may) this.#setupFrom = earliest(this.#setupFrom, after(recent[0]!, SETUP_WINDOW));
    this.#setups.set(network, may ? [...recent, now] : recent);
    return may;
  }

  /** Each problem once, for as long as it is there. */
  #tell(network: string, problems: readonly string[]): void {
    const said = this.#said.get(network);
    for (const problem of problems) if (said?.has(problem) !== true) this.log.warn(problem);
    if (said !== undefined && said.size > 0 && problems.length === 0) this.log.info(`${network} is as it should be now`);
    this.#said.set(network, new Set(problems));
  }

  /** Takes back all that was set. */
  restore(): Promise<void> {
    return this.#inTurn(async () => {
      this.control.stop();
      this.#filtered = undefined;
      await this.#takeBack(() => true);
    });
  }

  /** Takes back what was set, last first; returns whether there was anything. */
  async #takeBack(which: (subject: string) => boolean): Promise<boolean> {
    const undo = [...this.#undo].filter(([subject]) => which(subject)).reverse();
    if (undo.length === 0) return false;
    for (const [subject] of undo) this.#undo.delete(subject);
    const changes = undo.map(([, change]) => change);
    const errors = await this.control.apply(changes);
    errors.forEach((error, i) => {
      const what = describeChange(changes[i]!);
      if (error === undefined) this.log.info(`set back: ${what}`);
      // An interface that is gone has taken what was set along.
      else this.log.debug(`cannot take back to ${what}: ${error.message}`);
    });
    return errors.includes(undefined);
  }

  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(task);
    this.#turn = done.catch(() => undefined);
    return done;
  }
}
