/** A primitive that the type checker keeps apart from others of its kind: a MAC is not an address is not a node id. */
export type Brand<T, Name extends string> = T & { readonly [brand]: Name };

declare const brand: unique symbol;
