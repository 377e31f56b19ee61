import type { Mac } from '../net/mac.js';

/**
 * Which client has which key (a destination, a neighbour address). The database gives an address to one client, but
 * while it changes, or where a lease and a learned address disagree, two may name the same: the smaller MAC has it
 * then, on every node alike, and the other gets it as soon as the first lets go.
 */
export class Claims<V extends { readonly mac: Mac }> {
  #claims = new Map<string, V>();
  /** All claims, best first, to the few keys that have more than one. */
  #disputed = new Map<string, readonly V[]>();

  /** The claim that counts. */
  get(key: string): V | undefined {
    return this.#claims.get(key);
  }

  /** Adds or replaces the claim of its client. */
  put(key: string, claim: V): void {
    this.#set(key, [...this.#others(key, claim.mac), claim]);
  }

  drop(key: string, mac: Mac): void {
    this.#set(key, this.#others(key, mac));
  }

  #others(key: string, mac: Mac): V[] {
    const one = this.#claims.get(key);
    const all = this.#disputed.get(key) ?? (one === undefined ? [] : [one]);
    return all.filter((claim) => claim.mac !== mac);
  }

  #set(key: string, claims: V[]): void {
    if (claims.length > 1) this.#disputed.set(key, claims.sort((a, b) => (a.mac < b.mac ? -1 : 1)));
    else this.#disputed.delete(key);
    const [best] = claims;
    if (best === undefined) this.#claims.delete(key);
    else this.#claims.set(key, best);
  }

  keys(): IterableIterator<string> {
    return this.#claims.keys();
  }

  clear(): void {
    this.#claims.clear();
    this.#disputed.clear();
  }
}
