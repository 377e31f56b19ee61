import type { Mac } from '../net/mac.js';

interface Claim<V> {
  readonly mac: Mac;
  readonly value: V;
}

/**
 * Which client has which key (a destination, a neighbour address). The database gives an address to one client, but
 * while it changes, or where a lease and a learned address disagree, two may name the same: the smaller MAC has it
 * then, on every node alike, and the other gets it as soon as the first lets go.
 */
export class Claims<V> {
  #claims = new Map<string, Claim<V>[]>();

  /** The claim that counts. */
  get(key: string): Claim<V> | undefined {
    return this.#claims.get(key)?.[0];
  }

  /** Adds or replaces the claim of `mac`. */
  put(key: string, mac: Mac, value: V): void {
    const others = this.#claims.get(key)?.filter((claim) => claim.mac !== mac) ?? [];
    const claims = [...others, { mac, value }];
    if (claims.length > 1) claims.sort((a, b) => (a.mac < b.mac ? -1 : 1));
    this.#claims.set(key, claims);
  }

  drop(key: string, mac: Mac): void {
    const others = this.#claims.get(key)?.filter((claim) => claim.mac !== mac) ?? [];
    if (others.length > 0) this.#claims.set(key, others);
    else this.#claims.delete(key);
  }

  keys(): IterableIterator<string> {
    return this.#claims.keys();
  }

  clear(): void {
    this.#claims.clear();
  }
}
