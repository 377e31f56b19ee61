/** The interfaces of this router that clients are on, as the kernel has them, set up as clients need them. */
import { gatewayWanted } from './client-gateway.js';
import type { Instant, Millis } from './clients/time.js';
import { after, earliest, SECOND } from './clients/time.js';
import type { Config } from './config/config.js';
import { GatewayLinks } from './gateway/links.js';
import type { ClientLink, Clock, Kernel, LinkControl, Logger } from './ports.js';

/** The kernel tells of an interface that comes or goes in several steps: how long the rest of them is waited for. */
const READ_DELAY: Millis = 50;

/** After a query of the kernel that failed. */
const RETRY_DELAY: Millis = SECOND;

export interface ClientLinksOptions {
  readonly config: Config;
  readonly clock: Clock;
  readonly log: Logger;
  readonly kernel: Pick<Kernel, 'clientLinks'>;
  readonly linkControl: LinkControl;
}

export class ClientLinks {
  readonly #options: ClientLinksOptions;
  readonly #gateway: GatewayLinks;
  #config: Config;
  #links: readonly ClientLink[] = [];
  #readAt: Instant | undefined;
  /** Why what was to be done with them last could not be. */
  #failure: string | undefined;
  #stopped = false;

  constructor(options: ClientLinksOptions) {
    this.#options = options;
    this.#config = options.config;
    this.#gateway = new GatewayLinks(options.linkControl, options.log);
  }

  configure(config: Config): void {
    this.#config = config;
  }

  /** As they were read last. */
  all(): readonly ClientLink[] {
    return this.#links;
  }

  get(network: string | undefined): ClientLink | undefined {
    return this.#links.find((link) => link.network === network);
  }

  /** The kernel says that something changed: they are to be read again, once for all that changes together. */
  changed(now: Instant): void {
    this.#readAt = earliest(this.#readAt, after(now, READ_DELAY));
  }

  /** When they are to be read. */
  get nextDeadline(): Instant | undefined {
    return this.#readAt;
  }

  /** Something of them, or of what is made of them, could not be had: they are to be read again soon, until that is done. */
  failed(error: Error, now: Instant): void {
    this.#readAt = earliest(this.#readAt, after(now, RETRY_DELAY));
    const failure = `cannot read the interfaces: ${error.message}`;
    if (this.#failure === undefined) this.#options.log.warn(failure);
    this.#failure = failure;
  }

  /** All of them was had. */
  done(): void {
    if (this.#failure !== undefined) this.#options.log.info('the interfaces are read again');
    this.#failure = undefined;
  }

  /** Reads them, and once more if something of them had to be set. */
  async read(): Promise<void> {
    const { kernel, clock } = this.#options;
    this.#readAt = undefined;
    const links = await kernel.clientLinks(this.#config.interface);
    if (this.#stopped) return;
    const isSet = await this.#gateway.prepare(links, gatewayWanted(this.#config), clock.now());
    this.#readAt = earliest(this.#readAt, this.#gateway.nextSetup);
    this.#links = isSet ? await kernel.clientLinks(this.#config.interface) : links;
  }

  /** What about them is not as clients need it: a line each. */
  get problems(): string[] {
    return [...(this.#failure === undefined ? [] : [this.#failure]), ...this.#gateway.problems];
  }

  /** Takes back what was set, unless it is to `linger` for the next start. */
  async stop(linger: boolean): Promise<void> {
    this.#stopped = true;
    if (!linger) await this.#gateway.restore();
  }
}
