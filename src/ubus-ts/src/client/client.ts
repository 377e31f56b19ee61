/* The client as a program uses it. */
import { decodeFields, encodeFields } from '../codec/blobmsg.js';
import { MessageType, SystemObject, type Attributes } from '../codec/message.js';
import { fromFields, toFields, type PlainTable, type TableOrFields } from '../codec/values.js';
import { Status, UbusError } from '../errors.js';
import { nodePlatform } from '../socket.js';
import { queryAcl, type AclAnswer } from './acl.js';
import type { ReconnectOptions } from './backoff.js';
import { withLimits, type Cancellation, type RequestOptions } from './cancel.js';
import type { Connection } from './connection.js';
import type { Core, Registration } from './core.js';
import { EventHub, listen, type EventHandler, type Handle } from './events.js';
import { defaultPaths, Link } from './link.js';
import { Monitoring, type MonitorHandler } from './monitoring.js';
import { PublishedObject, type Method, type Methods, type ObjectOptions } from './object.js';
import type { Platform } from './platform.js';
import { check, invokeSystem, lookup, lookupId, type ObjectInfo } from './requests.js';
import type { NotificationHandler } from './subscription.js';
import { Watch, type RemoteObject, type WatchHandlers } from './watch.js';

/** Options of a client. */
export interface ClientOptions {
  /** The socket. Default: `/var/run/ubus/ubus.sock`, else `/var/run/ubus.sock`. */
  readonly path?: string;
  /** How to come back when ubusd goes away; `false`: not at all. */
  readonly reconnect?: ReconnectOptions | false;
  /** Takes what nobody waits for: errors thrown by handlers, malformed events, a refusal when registering again. Default: ignored. */
  readonly onError?: (error: Error) => void;
  /** Sockets, timers and chance; for tests. */
  readonly platform?: Platform;
}

/** Options of `subscribe`. */
export interface SubscribeOptions {
  /** The object has gone, or the connection has. */
  readonly onGone?: (object: RemoteObject) => void;
  /** The object is there: at the start, and again whenever it has come back. */
  readonly onAppeared?: (object: RemoteObject) => void;
}

/** What a client tells about its connection. */
export interface ClientEvents {
  /** Connected, and all objects, subscriptions and listeners are registered. */
  connect: () => void;
  /** The connection is gone; status 10 unless ubusd sent nonsense. */
  disconnect: (error: Error) => void;
}

/** DATA of one call may hold so many bytes together; then it fails with status 11. */
const maxReplyBytes = 16 * 1024 * 1024;
/** So many paths are remembered together with their ids. */
const maxKnownIds = 1024;

/**
 * A connection to ubusd that comes back by itself. Objects, subscriptions, watches, listeners and monitors may be set up at any time:
 * without a connection they are registered as soon as there is one, and anew whenever ubusd has restarted. Requests need a connection
 * and fail with status 10 without one, or when it is lost.
 */
export class UbusClient {
  readonly #link: Link;
  readonly #core: Core;
  readonly #events: EventHub;
  readonly #monitoring: Monitoring;
  readonly #registrations = new Set<Registration>();
  readonly #ids = new Map<string, number>();
  readonly #listeners: { [K in keyof ClientEvents]: Set<ClientEvents[K]> } = { connect: new Set(), disconnect: new Set() };
  readonly #onError: ((error: Error) => void) | undefined;

  constructor(options: ClientOptions = {}) {
    const { path, reconnect = {}, platform = nodePlatform } = options;
    this.#onError = options.onError;
    this.#link = new Link(platform, path === undefined ? defaultPaths : [path], reconnect === false ? undefined : reconnect, {
      up: connection => this.#up(connection),
      down: error => this.#down(error),
      monitored: frame => this.#monitoring.receive(frame),
      failed: error => this.#report(error),
    });
    this.#core = this.#makeCore(platform);
    this.#events = new EventHub(this.#core);
    this.#monitoring = new Monitoring(this.#core);
    this.#registrations.add(this.#events);
  }

  /** Whether requests can be made. */
  get connected(): boolean {
    return this.#link.connection !== undefined;
  }

  /** The id that ubusd gave to this client. */
  get id(): number | undefined {
    return this.#link.connection?.id;
  }

  /**
   * Connects, and registers what was set up before.
   * @param options.persist if there is no ubusd yet, do not fail but return, and go on trying
   * @throws UbusError with status 10
   */
  async connect(options: { readonly persist?: boolean } = {}): Promise<void> {
    if (this.#link.isRunning) throw new Error('connect was called already');
    await this.#link.start(options.persist ?? false);
  }

  /** Ends the connection, and all attempts to get it back; what was sent still goes out. `connect` may be called again. */
  close(): void {
    this.#link.stop();
  }

  /** Calls `listener` on every `connect` or `disconnect`; the result ends that. */
  on<K extends keyof ClientEvents>(event: K, listener: ClientEvents[K]): () => void {
    this.#listeners[event].add(listener);
    return () => void this.#listeners[event].delete(listener);
  }

  /** The objects whose path matches (`*` at the end is a wildcard), all without a pattern, sorted by path. */
  async list(pattern?: string, options?: RequestOptions): Promise<ObjectInfo[]> {
    try {
      return await this.#core.limited(pattern ?? 'list', cancellation => lookup(this.#require(), pattern, cancellation), options);
    } catch (error) {
      if (error instanceof UbusError && error.status === Status.notFound) return [];
      throw error;
    }
  }

  /** The object at a path. Status 4 if there is none, or none that this user may see. */
  async lookup(path: string, options?: RequestOptions): Promise<ObjectInfo> {
    const found = await this.#core.limited(path, cancellation => lookup(this.#require(), path, cancellation), options);
    if (found[0] === undefined) throw new UbusError(Status.notFound, path);
    return found[0];
  }

  /**
   * Calls a method. Resolves to the last DATA of the reply, undefined if there was none.
   * @throws UbusError with the status that the object or ubusd answered, 7 after the timeout, 10 without a connection;
   * MalformedError if the reply is no blobmsg; RangeError and TypeError for arguments that cannot be sent
   */
  async call(path: string, method: string, args: TableOrFields = {}, options: RequestOptions = {}): Promise<PlainTable | undefined> {
    let last: Uint8Array | undefined;
    await this.invoke(path, method, args, data => (last = data), options);
    return last === undefined ? undefined : fromFields(decodeFields(last));
  }

  /** Calls a method whose reply may have several DATA; resolves to all of them. */
  async callAll(path: string, method: string, args: TableOrFields = {}, options: RequestOptions = {}): Promise<PlainTable[]> {
    const all: PlainTable[] = [];
    let size = 0;
    await this.invoke(path, method, args, data => {
      size += data.length;
      if (size > maxReplyBytes) throw new UbusError(Status.noMemory, `${path} ${method}`);
      all.push(fromFields(decodeFields(data)));
    }, options);
    return all;
  }

  /**
   * Calls a method and passes on the bytes of each DATA as they come, for `decodeFields` or `formatJson`. An error that `onData` throws
   * ends the call. Errors as for `call`.
   */
  async invoke(
    path: string,
    method: string,
    args: TableOrFields,
    onData: (data: Uint8Array) => void,
    options: RequestOptions = {},
  ): Promise<void> {
    const data = encodeFields(toFields(args));
    const context = `${path} ${method}`;
    await this.#core.limited(
      context,
      async cancellation => {
        const connection = this.#require();
        const known = this.#ids.get(path);
        if (known !== undefined) {
          const answer = await invokeObject(connection, known, method, data, cancellation, onData);
          if (!isStale(answer)) return check(answer, context);
          this.#ids.delete(path);
        }
        const id = await lookupId(connection, path, cancellation);
        if (this.#ids.size >= maxKnownIds) this.#ids.clear();
        this.#ids.set(path, id);
        check(await invokeObject(connection, id, method, data, cancellation, onData), context);
      },
      options,
    );
  }

  /** Calls a method of the object with this id. */
  async callId(id: number, method: string, args: TableOrFields = {}, options: RequestOptions = {}): Promise<PlainTable | undefined> {
    const data = encodeFields(toFields(args));
    const context = `${id.toString(16)} ${method}`;
    let last: Uint8Array | undefined;
    const work = async (cancellation: Cancellation): Promise<void> =>
      check(await invokeObject(this.#require(), id, method, data, cancellation, part => (last = part)), context);
    await this.#core.limited(context, work, options);
    return last === undefined ? undefined : fromFields(decodeFields(last));
  }

  /**
   * Offers an object; `path` undefined for an anonymous one.
   * @throws UbusError with status 2 if the path is taken or may not be published by this user
   */
  async addObject<M>(
    path: string | undefined,
    methods: Methods<M>,
    options: ObjectOptions = {},
  ): Promise<PublishedObject> {
    const object = new PublishedObject(this.#core, path, methods as unknown as Readonly<Record<string, Method>>, options);
    await this.#core.keep(object);
    return object;
  }

  /** Takes an object of this client off the bus; the same as its `remove`. */
  removeObject(object: PublishedObject): Promise<void> {
    return object.remove();
  }

  /**
   * Subscribes to an object that is there now. If it goes and comes back, or ubusd restarts, the subscription is made anew.
   * @throws UbusError with status 4 if there is no such object, or this user may not subscribe to it; 2 if it is this client's own
   */
  async subscribe(path: string, handler: NotificationHandler, options: SubscribeOptions = {}): Promise<Handle> {
    const { onAppeared, onGone } = options;
    const watch = this.#watch(path, {
      notified: (_, type, data, notification) => handler(type, data, notification),
      ...(onAppeared && { appeared: onAppeared }),
      ...(onGone && { gone: onGone }),
    });
    try {
      await watch.begin(this.#require());
    } catch (error) {
      await watch.close();
      throw error;
    }
    this.#registrations.add(watch);
    return watch;
  }

  /** Follows the objects whose path matches (`*` at the end is a wildcard) as they come and go. */
  async watch(pattern: string, handlers: WatchHandlers): Promise<Watch> {
    const watch = this.#watch(pattern, handlers);
    try {
      await this.#core.keep(watch);
    } catch (error) {
      await watch.close();
      throw error;
    }
    return watch;
  }

  /** Resolves once there is an object at each of the paths, status 7 after the timeout. */
  async waitFor(paths: readonly string[], options: RequestOptions = {}): Promise<void> {
    const missing = new Set(paths);
    const watches: Watch[] = [];
    const work = (cancellation: Cancellation): Promise<void> =>
      new Promise((resolve, reject) => {
        cancellation.onCancel(reject);
        const appeared = ({ path }: RemoteObject): void => {
          missing.delete(path);
          if (missing.size === 0) resolve();
        };
        for (const path of missing) {
          const watch = this.#watch(path, { appeared });
          watches.push(watch);
          this.#core.keep(watch).catch(reject);
        }
        if (missing.size === 0) resolve();
      });
    try {
      await this.#core.limited([...missing].join(' '), work, options);
    } finally {
      await Promise.all(watches.map(watch => watch.close()));
    }
  }

  /**
   * Listens to events whose name matches (`*` at the end is a wildcard, `*` alone is everything). Several patterns in one call get an event
   * that matches more than one of them once. ubusd does not send a client its own events.
   */
  listen(pattern: string | readonly string[], handler: EventHandler): Promise<Handle> {
    return listen(this.#core, this.#events, typeof pattern === 'string' ? [pattern] : pattern, handler);
  }

  /** Sends an event. Status 6 for names that begin with `ubus.`, or if this user may not send it. */
  async send(event: string, data: TableOrFields = {}, options: RequestOptions = {}): Promise<void> {
    const fields = [
      { name: 'id', type: 'string', value: event } as const,
      { name: 'data', type: 'table', value: toFields(data) } as const,
    ];
    const work = (cancellation: Cancellation): Promise<void> => invokeSystem(this.#require(), SystemObject.event, 'send', fields, cancellation);
    await this.#core.limited(`send ${event}`, work, options);
  }

  /** Shows every message that passes through ubusd. Only for root, status 6 for others. */
  monitor(handler: MonitorHandler): Promise<Handle> {
    return this.#monitoring.add(handler);
  }

  /** What the ACL files say in private about this client's objects; the event `ubus.acl.sequence` tells when to ask again. */
  queryAcl(options: RequestOptions = {}): Promise<AclAnswer> {
    return this.#core.limited('acl query', async cancellation => queryAcl(this.#require(), cancellation), options);
  }

  /** Asks ubusd for a sign of life. */
  async ping(options: RequestOptions = {}): Promise<void> {
    const work = async (cancellation: Cancellation): Promise<void> =>
      check(await this.#require().request(MessageType.ping, 0, {}, cancellation), 'ping');
    await this.#core.limited('ping', work, options);
  }

  #makeCore(platform: Platform): Core {
    const link = this.#link;
    return {
      platform,
      get connection() {
        return link.connection;
      },
      requireConnection: () => this.#require(),
      limited: (context, work, options = {}) => withLimits(platform, options, context, work),
      keep: registration => this.#keep(registration),
      drop: registration => void this.#registrations.delete(registration),
      report: error => this.#report(error),
    };
  }

  #watch(pattern: string, handlers: WatchHandlers): Watch {
    const remote = (path: string, id: number): RemoteObject => ({
      path,
      id,
      call: (method, args, options) => this.callId(id, method, args, options),
    });
    return new Watch(this.#core, this.#events, pattern, handlers, remote);
  }

  #require(): Connection {
    const { connection } = this.#link;
    if (connection === undefined) throw new UbusError(Status.connectionFailed);
    return connection;
  }

  async #keep(registration: Registration): Promise<void> {
    this.#registrations.add(registration);
    const { connection } = this.#link;
    if (connection === undefined) return;
    try {
      await registration.register(connection);
    } catch (error) {
      // Lost on the way: the next connection brings it back. Refused: it never was.
      if (connection.isClosed) return;
      this.#registrations.delete(registration);
      throw error;
    }
  }

  async #up(connection: Connection): Promise<void> {
    // Whatever is added from now on finds the connection and registers by itself.
    for (const registration of [...this.#registrations]) {
      if (connection.isClosed) return;
      if (!this.#registrations.has(registration)) continue;
      try {
        await registration.register(connection);
      } catch (error) {
        if (!connection.isClosed) this.#report(error);
      }
    }
    if (!connection.isClosed) this.#emit('connect', listener => listener());
  }

  #down(error: Error): void {
    this.#ids.clear();
    for (const registration of this.#registrations) registration.lost();
    this.#emit('disconnect', listener => listener(error));
  }

  #emit<K extends keyof ClientEvents>(event: K, call: (listener: ClientEvents[K]) => void): void {
    for (const listener of [...this.#listeners[event]]) {
      try {
        call(listener);
      } catch (error) {
        this.#report(error);
      }
    }
  }

  #report(error: unknown): void {
    this.#onError?.(error instanceof Error ? error : new Error(String(error)));
  }
}

function invokeObject(
  connection: Connection,
  objid: number,
  method: string,
  data: Uint8Array,
  cancellation: Cancellation,
  onData: (data: Uint8Array) => void,
): Promise<Attributes> {
  return connection.request(MessageType.invoke, objid, { objid, method, data }, cancellation, part => {
    if (part.data !== undefined) onData(part.data);
  });
}

/** ubusd itself says that there is no such object any more; had the object's owner said so, its id would be there. */
function isStale(answer: Attributes): boolean {
  return answer.status === Status.notFound && answer.objid === undefined;
}
