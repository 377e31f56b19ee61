/* Events: all listeners of a client share one anonymous object, since ubus has no way to take back a single pattern. */
import { decodeFields, type Field } from '../codec/blobmsg.js';
import { SystemObject } from '../codec/message.js';
import { fromFields, type PlainTable } from '../codec/values.js';
import { Status } from '../errors.js';
import type { Connection, LocalObject } from './connection.js';
import type { Core, Registration } from './core.js';
import type { Invocation } from './invocation.js';
import { matchesPattern } from './pattern.js';
import { addObject, invokeSystem } from './requests.js';

/** Takes an event: its name, and its data as values and as fields with their exact types. */
export type EventHandler = (name: string, data: PlainTable, fields: readonly Field[]) => void;

/** Something that goes on until it is closed. */
export interface Handle {
  /** Ends it; nothing is called any more. */
  close(): Promise<void>;
}

interface Listener {
  readonly patterns: readonly string[];
  readonly handler: EventHandler;
}

/** What ubusd knows on one connection. */
interface Registered {
  readonly connection: Connection;
  readonly object: Promise<number>;
  readonly patterns: Map<string, Promise<void>>;
}

export class EventHub implements Registration, LocalObject {
  readonly #core: Core;
  readonly #listeners = new Set<Listener>();
  #registered: Registered | undefined;

  constructor(core: Core) {
    this.#core = core;
  }

  /** Adds a listener without telling ubusd, see `ensure`. The result removes it. */
  add(patterns: readonly string[], handler: EventHandler): () => void {
    const listener = { patterns, handler };
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Has events that match any of `patterns` sent on this connection, if they are not yet. */
  async ensure(connection: Connection, patterns: readonly string[]): Promise<void> {
    const registered = this.#on(connection);
    for (const pattern of patterns) {
      let done = registered.patterns.get(pattern);
      if (done === undefined) {
        done = this.#registerPattern(registered, pattern);
        registered.patterns.set(pattern, done);
        done.catch(() => registered.patterns.delete(pattern));
      }
      await done;
    }
  }

  async register(connection: Connection): Promise<void> {
    for (const { patterns } of this.#listeners) await this.ensure(connection, patterns);
  }

  lost(): void {
    this.#registered = undefined;
  }

  invoked(invocation: Invocation): void {
    const { method, data } = invocation.attrs;
    invocation.finish(Status.ok);
    let fields: Field[];
    try {
      fields = data === undefined ? [] : decodeFields(data);
    } catch (error) {
      return this.#core.report(error);
    }
    const table = fromFields(fields);
    for (const { patterns, handler } of [...this.#listeners]) {
      if (!patterns.some(pattern => matchesPattern(pattern, method!))) continue;
      try {
        handler(method!, table, fields);
      } catch (error) {
        this.#core.report(error);
      }
    }
  }

  #on(connection: Connection): Registered {
    if (this.#registered?.connection !== connection) {
      const object = this.#core.limited('event listener', cancellation => addObject(connection, this, cancellation)).then(({ id }) => id);
      // Whoever waits for a pattern gets the error; next time it is tried anew.
      object.catch(() => (this.#registered = undefined));
      this.#registered = { connection, object, patterns: new Map() };
    }
    return this.#registered;
  }

  async #registerPattern({ connection, object }: Registered, pattern: string): Promise<void> {
    const id = await object;
    const fields: Field[] = [
      { name: 'object', type: 'int32', value: id },
      { name: 'pattern', type: 'string', value: pattern },
    ];
    await this.#core.limited(pattern, cancellation => invokeSystem(connection, SystemObject.event, 'register', fields, cancellation));
  }
}

/** Listens to patterns, on this connection and all later ones. */
export async function listen(core: Core, hub: EventHub, patterns: readonly string[], handler: EventHandler): Promise<Handle> {
  const remove = hub.add(patterns, handler);
  const { connection } = core;
  try {
    if (connection !== undefined) await hub.ensure(connection, patterns);
  } catch (error) {
    // Lost on the way: the next connection brings it back. Refused: it never was.
    if (connection?.isClosed !== true) {
      remove();
      throw error;
    }
  }
  return {
    close: () => {
      remove();
      return Promise.resolve();
    },
  };
}
