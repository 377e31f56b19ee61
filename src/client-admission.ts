/**
 * Who counts as a client: whoever is on a client interface, told of by a source that counts there, in no Wi-Fi network that
 * is left alone, and is not one of too many that come where anybody can invent hosts.
 */
import type { Instant } from './clients/time.js';
import { SECOND } from './clients/time.js';
import type { Config } from './config/config.js';
import { isIgnored, presenceSources } from './config/presence.js';
import type { Mac } from './net/mac.js';
import type { Logger } from './ports.js';
import { Bystanders } from './presence/bystanders.js';
import { INTERVAL, MAX_CLIENTS, Newcomers } from './presence/newcomers.js';
import type { Sight } from './presence/presence.js';
import { isAccessPoint, knowsPort } from './presence/source.js';

export interface ClientAdmissionOptions {
  readonly config: Config;
  readonly log: Logger;
  /** Whether it is a client here, or was one before the start. */
  readonly isKnown: (mac: Mac) => boolean;
  /** How many clients a port has. */
  readonly clientsOf: (via: string) => number;
}

export class ClientAdmission {
  #config: Config;
  readonly #isKnown: (mac: Mac) => boolean;
  readonly #bystanders = new Bystanders();
  readonly #newcomers: Newcomers;

  constructor({ config, log, isKnown, clientsOf }: ClientAdmissionOptions) {
    this.#config = config;
    this.#isKnown = isKnown;
    this.#newcomers = new Newcomers({
      clientsOf,
      limited: (via) => log.warn(`${via}: very many new hosts: it gets ${SECOND / INTERVAL} more clients a second, and ${MAX_CLIENTS} at the most`),
    });
  }

  configure(config: Config): void {
    this.#config = config;
  }

  isClientInterface(network: string): boolean {
    return this.#config.interface.includes(network);
  }

  /** Whether the configuration makes a client of it. */
  isClient({ network, source, ssid }: Sight): boolean {
    const { presence, ignoreSsid } = this.#config;
    return this.isClientInterface(network) && presenceSources(presence, network).includes(source) && !isIgnored(ignoreSsid, ssid, network);
  }

  /**
   * Whether one of those may come now, or else has to wait for its turn. Access points know their stations. Others may hear of
   * more hosts than there are; who was here before is none of those.
   */
  admit(sight: Sight, now: Instant): boolean {
    this.#bystanders.left(sight);
    return isAccessPoint(sight.source) || this.#isKnown(sight.mac) || this.#newcomers.admit(sight, now);
  }

  /** It is no client, but may be one by another configuration, and whoever tells of a host once will not do so again. */
  refused(sight: Sight): void {
    if (knowsPort(sight.source)) this.#bystanders.saw(sight);
  }

  left(sight: Pick<Sight, 'mac' | 'via' | 'source'>): void {
    this.#bystanders.left(sight);
    this.#newcomers.left(sight.mac, sight.via);
  }

  /** Those that were refused, and are clients by the configuration now. */
  reconsidered(): Sight[] {
    return this.#bystanders.take((sight) => this.isClient(sight));
  }

  get nextDeadline(): Instant | undefined {
    return this.#newcomers.nextDeadline;
  }

  /** Those that have waited, and whose turn it is. */
  *poll(now: Instant): Generator<Sight> {
    for (const sight of this.#newcomers.poll(now)) if (this.isClient(sight)) yield sight;
  }

  /** Hosts that had to wait, or were refused, where very many came. */
  get limited(): number {
    return this.#newcomers.counters.limited;
  }
}
