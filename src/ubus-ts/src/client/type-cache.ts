/* An object may name a type that ubusd knows already in place of repeating the signature; a type lives as long as an object has it. */
import { decodeText } from '../codec/text.js';

/** A type that ubusd gave an id to. */
export interface ObjectType {
  readonly id: number;
  readonly key: string;
  users: number;
}

/** The types of one connection. */
export class TypeCache {
  readonly #types = new Map<string, ObjectType>();

  /** The type with this signature, which then counts as used once more. */
  acquire(signature: Uint8Array): ObjectType | undefined {
    const type = this.#types.get(decodeText(signature));
    if (type !== undefined) type.users++;
    return type;
  }

  /** A type that ubusd has just made for a signature; used once. */
  add(signature: Uint8Array, id: number): ObjectType {
    const type = { id, key: decodeText(signature), users: 1 };
    this.#types.set(type.key, type);
    return type;
  }

  /** To be called before the object that has the type is removed, so that no other object names a type that goes away. */
  release(type: ObjectType): void {
    type.users--;
    if (type.users === 0 && this.#types.get(type.key) === type) this.#types.delete(type.key);
  }
}
