/**
 * Which clients of a link have asked for each other's addresses: those hold each other's MAC in their ARP caches, and are
 * to be told when one of them is at another router. All others on the link need not be woken.
 */
import type { Mac } from '../net/mac.js';

/** Clients that are remembered: those that asked or were asked for last. */
const MAX_CLIENTS = 4096;

/** A client that is known to more than this is remembered as known to everybody. */
export const MAX_ACQUAINTANCES = 64;

export class Acquaintances {
  readonly #byClient = new Map<Mac, Set<Mac> | 'everybody'>();

  constructor(
    readonly maxClients = MAX_CLIENTS,
    readonly maxEach = MAX_ACQUAINTANCES,
  ) {}

  /** One has asked for the address of the other, who takes its MAC from the question. */
  met(asker: Mac, asked: Mac): void {
    if (asker === asked) return;
    this.#remember(asker, asked);
    this.#remember(asked, asker);
  }

  #remember(mac: Mac, other: Mac): void {
    const known = this.#byClient.get(mac) ?? new Set<Mac>();
    if (known !== 'everybody') known.add(other);
    // Those that were heard of last stand last.
    this.#byClient.delete(mac);
    this.#byClient.set(mac, known === 'everybody' || known.size > this.maxEach ? 'everybody' : known);
    const [oldest] = this.#byClient.keys();
    if (this.#byClient.size > this.maxClients) this.#byClient.delete(oldest!);
  }

  /** Who may hold the client's MAC. */
  of(mac: Mac): ReadonlySet<Mac> | 'everybody' {
    return this.#byClient.get(mac) ?? NOBODY;
  }

  /** Clients remembered. */
  get size(): number {
    return this.#byClient.size;
  }
}

const NOBODY: ReadonlySet<Mac> = new Set();
