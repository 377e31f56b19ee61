import type { Mac } from '../net/mac.js';

/**
 * Which client has which key (a destination, a neighbour address). The database gives an address to one client, but
 * while it changes, or where a lease and a learnt address disagree, two may name the same: the smaller MAC has it
 * then, on every node alike, and the other gets it as soon as the first lets go.
 */
export class Owners<V extends { readonly mac: Mac }> {
  #owners = new Map<string, V>();
  /** All who name one of the few keys that more than one does, its owner first. */
  #disputed = new Map<string, readonly V[]>();

  /** What counts for the key. */
  get(key: string): V | undefined {
    return this.#owners.get(key);
  }

  /** Adds what a client names, or replaces what it has named before. */
  put(key: string, value: V): void {
    this.#set(key, [...this.#others(key, value.mac), value]);
  }

  drop(key: string, mac: Mac): void {
    this.#set(key, this.#others(key, mac));
  }

  #others(key: string, mac: Mac): V[] {
    const one = this.#owners.get(key);
    const all = this.#disputed.get(key) ?? (one === undefined ? [] : [one]);
    return all.filter((value) => value.mac !== mac);
  }

  #set(key: string, values: V[]): void {
    if (values.length > 1) this.#disputed.set(key, values.sort((a, b) => (a.mac < b.mac ? -1 : 1)));
    else this.#disputed.delete(key);
    const [owner] = values;
    if (owner === undefined) this.#owners.delete(key);
    else this.#owners.set(key, owner);
  }

  keys(): IterableIterator<string> {
    return this.#owners.keys();
  }

  clear(): void {
    this.#owners.clear();
    this.#disputed.clear();
  }
}
