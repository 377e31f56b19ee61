/* Following objects that come and go, such as hostapd's as radios are configured. */
import { Status, UbusError } from '../errors.js';
import type { RequestOptions } from './cancel.js';
import type { Connection } from './connection.js';
import type { Core, Registration } from './core.js';
import type { EventHub, Handle } from './events.js';
import { matchesPattern } from './pattern.js';
import { lookup, lookupId } from './requests.js';
import { Subscriber, type Notification, type NotificationHandler } from './subscription.js';
import type { PlainTable, TableOrFields } from '../codec/values.js';

/** An object of another program, as long as it lives. */
export interface RemoteObject {
  readonly path: string;
  readonly id: number;
  /** Calls a method of exactly this object; status 4 once it has gone, even if another one has the path. */
  call(method: string, args?: TableOrFields, options?: RequestOptions): Promise<PlainTable | undefined>;
}

/** What a watch calls. For one object: `appeared`, `notified` any number of times, `gone`. */
export interface WatchHandlers {
  /** The object is there and, if there is `notified`, subscribed to. */
  appeared?(object: RemoteObject): void;
  /** It sent a notification. Without this handler nothing is subscribed to. See `NotificationHandler` for how it is answered. */
  notified?(object: RemoteObject, type: string, data: PlainTable, notification: Notification): ReturnType<NotificationHandler>;
  /** It has gone, or the connection to ubusd has. */
  gone?(object: RemoteObject): void;
}

/** Makes the object that handlers get. */
export type RemoteObjectFactory = (path: string, id: number) => RemoteObject;

/** The events that ubusd sends when an object with a path comes or goes: {id: int32, path: string}. */
const addEvent = 'ubus.object.add';
const removeEvent = 'ubus.object.remove';

interface Entry {
  readonly object: RemoteObject;
  readonly subscriber: Subscriber | undefined;
  appeared: boolean;
}

export class Watch implements Registration, Handle {
  readonly #core: Core;
  readonly #hub: EventHub;
  readonly #pattern: string;
  readonly #handlers: WatchHandlers;
  readonly #remote: RemoteObjectFactory;
  readonly #entries = new Map<number, Entry>();
  readonly #stop: (() => void)[];
  /** The connection on which objects that appear are told. */
  #watching: Connection | undefined;
  #closed = false;

  constructor(core: Core, hub: EventHub, pattern: string, handlers: WatchHandlers, remote: RemoteObjectFactory) {
    this.#core = core;
    this.#hub = hub;
    this.#pattern = pattern;
    this.#handlers = handlers;
    this.#remote = remote;
    this.#stop = [
      hub.add([addEvent], (_, { id, path }) => this.#added(id, path)),
      hub.add([removeEvent], (_, { id }) => this.#removed(id)),
    ];
  }

  /** The objects that are there now. */
  get objects(): RemoteObject[] {
    return [...this.#entries.values()].flatMap(({ object, appeared }) => (appeared ? [object] : []));
  }

  async register(connection: Connection): Promise<void> {
    // First the events, then the look around: what comes in between is seen twice rather than not at all.
    this.#watching = connection;
    await this.#hub.ensure(connection, [addEvent, removeEvent]);
    for (const { id, path } of await this.#lookup(connection)) await this.#track(connection, id, path);
  }

  /** Subscribes to the one object that is there now and follows it only from then on. Status 4 if there is none. */
  async begin(connection: Connection): Promise<void> {
    const path = this.#pattern;
    let entry: Entry | undefined;
    const subscriber = this.#subscriber(connection, () => entry);
    try {
      await subscriber.add();
      const id = await this.#core.limited(path, cancellation => lookupId(connection, path, cancellation));
      entry = { object: this.#remote(path, id), subscriber, appeared: false };
      this.#entries.set(id, entry);
      await this.#subscribe(entry);
    } catch (error) {
      if (entry !== undefined) this.#entries.delete(entry.object.id);
      if (!connection.isClosed) await subscriber.remove();
      throw error;
    }
  }

  lost(): void {
    this.#watching = undefined;
    for (const entry of this.#entries.values()) this.#callGone(entry);
    this.#entries.clear();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#core.drop(this);
    for (const stop of this.#stop) stop();
    const entries = [...this.#entries.values()];
    this.#entries.clear();
    await Promise.all(entries.map(({ subscriber }) => subscriber?.remove()));
  }

  async #lookup(connection: Connection): Promise<{ id: number; path: string }[]> {
    try {
      return await this.#core.limited(this.#pattern, cancellation => lookup(connection, this.#pattern, cancellation));
    } catch (error) {
      if (isNotFound(error)) return [];
      throw error;
    }
  }

  #added(id: unknown, path: unknown): void {
    const connection = this.#core.connection;
    if (connection === undefined || typeof id !== 'number' || typeof path !== 'string' || !matchesPattern(this.#pattern, path)) return;
    this.#track(connection, id >>> 0, path).catch((error: unknown) => this.#core.report(error));
  }

  #removed(id: unknown): void {
    const entry = typeof id === 'number' ? this.#entries.get(id >>> 0) : undefined;
    if (entry !== undefined) this.#goneNow(entry);
  }

  async #track(connection: Connection, id: number, path: string): Promise<void> {
    if (this.#closed || this.#entries.has(id)) return;
    const subscriber = this.#handlers.notified === undefined ? undefined : this.#subscriber(connection, () => this.#entries.get(id));
    const entry: Entry = { object: this.#remote(path, id), subscriber, appeared: false };
    this.#entries.set(id, entry);
    if (subscriber === undefined) return this.#callAppeared(entry);
    try {
      await subscriber.add();
      // It may have gone, and the watch may have ended, in the meantime.
      if (this.#entries.get(id) === entry) await this.#subscribe(entry);
      else await subscriber.remove();
    } catch (error) {
      if (this.#entries.get(id) === entry) this.#entries.delete(id);
      if (connection.isClosed) return;
      await subscriber.remove();
      if (!isNotFound(error)) throw error;
    }
  }

  #subscribe(entry: Entry): Promise<void> {
    return entry.subscriber!.subscribe(entry.object.path, entry.object.id, () => this.#callAppeared(entry));
  }

  #subscriber(connection: Connection, entry: () => Entry | undefined): Subscriber {
    return new Subscriber(
      this.#core,
      connection,
      (type, data, notification) => {
        const object = entry()?.object;
        return object === undefined ? undefined : this.#handlers.notified?.(object, type, data, notification);
      },
      () => {
        const gone = entry();
        if (gone !== undefined) this.#goneNow(gone);
      },
    );
  }

  #goneNow(entry: Entry): void {
    if (this.#entries.get(entry.object.id) !== entry) return;
    this.#entries.delete(entry.object.id);
    this.#callGone(entry);
    entry.subscriber?.remove().catch((error: unknown) => this.#core.report(error));
    const connection = this.#core.connection;
    // Whoever began without events needs them now, or would miss the object's return.
    if (connection === undefined || connection === this.#watching || this.#closed) return;
    this.register(connection).catch((error: unknown) => this.#core.report(error));
  }

  #callAppeared(entry: Entry): void {
    entry.appeared = true;
    this.#guard(() => this.#handlers.appeared?.(entry.object));
  }

  #callGone(entry: Entry): void {
    if (!entry.appeared) return;
    entry.appeared = false;
    this.#guard(() => this.#handlers.gone?.(entry.object));
  }

  #guard(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#core.report(error);
    }
  }
}

function isNotFound(error: unknown): boolean {
  return error instanceof UbusError && error.status === Status.notFound;
}
