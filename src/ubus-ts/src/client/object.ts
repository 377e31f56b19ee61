/* Objects that this program offers to others. */
import { decodeFields, encodeFields } from '../codec/blobmsg.js';
import { MessageType } from '../codec/message.js';
import { argumentTypes, encodeSignature, type ArgumentType } from '../codec/signature.js';
import { toFields, type TableOrFields } from '../codec/values.js';
import { MalformedError, Status, UbusError } from '../errors.js';
import { selectArguments, type ArgumentSpec, type Arguments } from './arguments.js';
import type { RequestOptions } from './cancel.js';
import type { Connection, LocalObject } from './connection.js';
import type { Core, Registration } from './core.js';
import { emptyData, type Invocation } from './invocation.js';
import { notifyAndWait, type NotifyAnswer } from './notify.js';
import { addObject, removeObject, type AddedObject } from './requests.js';

/** Who called, and the way to send more than one DATA. */
export interface Request {
  readonly method: string;
  /** Names of user and group of the caller's process; ubusd vouches for them. */
  readonly user: string | undefined;
  readonly group: string | undefined;
  /** The client id of the caller. */
  readonly client: number;
  /** The bytes of the arguments, see `decodeFields`. */
  readonly data: Uint8Array;
  /** Sends a DATA before the one that the handler returns. Does nothing once the request has ended. */
  reply(data: TableOrFields | Uint8Array): void;
}

/** What a handler may return: the reply, or its bytes as `encodeFields` makes them, or nothing for an answer without DATA. */
export type Reply = TableOrFields | Uint8Array | undefined | void;

/** One method of an object. */
export interface Method<S = unknown> {
  /** Names and types of the arguments, in the order in which `ubus -v list` shows them. */
  readonly args?: S & ArgumentSpec;
  /**
   * Answers a call. An argument that is declared arrives only if its type fits (any integer type fits any other); others arrive as they
   * are. A promise answers later. A thrown UbusError answers with its status, anything else with 9 and goes to `onError`.
   */
  handler(args: Arguments<S>, request: Request): Reply | Promise<Reply>;
}

/** The methods of an object by name; M has the arguments of each. */
export type Methods<M> = { readonly [K in keyof M]: Method<M[K]> };

/** Options of `addObject`. */
export interface ObjectOptions {
  /** The first subscriber came, or the last one left. */
  readonly onSubscribers?: (hasSubscribers: boolean) => void;
}

/** An object of this program, added again by itself whenever ubusd restarts. */
export class PublishedObject implements Registration, LocalObject {
  /** Where others find it; undefined for an anonymous object. */
  readonly path: string | undefined;
  readonly #core: Core;
  readonly #methods: ReadonlyMap<string, Method>;
  readonly #signature: Uint8Array;
  readonly #options: ObjectOptions;
  #added: AddedObject | undefined;
  #connection: Connection | undefined;
  #hasSubscribers = false;
  #removed = false;

  constructor(core: Core, path: string | undefined, methods: Readonly<Record<string, Method>>, options: ObjectOptions) {
    this.#core = core;
    this.path = path;
    this.#methods = new Map(Object.entries(methods));
    this.#signature = encodeSignature(
      [...this.#methods].map(([name, { args = {} }]) => ({
        name,
        args: Object.entries<ArgumentType>(args).map(([arg, type]) => ({ name: arg, type: argumentTypes[type] })),
      })),
    );
    this.#options = options;
  }

  /** The id that ubusd gave to the object; undefined while there is no connection. */
  get id(): number | undefined {
    return this.#added?.id;
  }

  /** Whether anyone would hear a notification. */
  get hasSubscribers(): boolean {
    return this.#hasSubscribers;
  }

  /**
   * Tells all subscribers; nobody answers. What ubusd cannot deliver at once and has no room for is lost.
   * @throws UbusError with status 10 without a connection, RangeError if the message is too large.
   */
  notify(type: string, data: TableOrFields = {}): void {
    const { connection, id } = this.#require();
    connection.start(MessageType.notify, id, { objid: id, method: type, data: encodeFields(toFields(data)), noReply: true });
  }

  /** Tells all subscribers and waits for their answers. One that does not answer in time is in the result with status 7. */
  notifyWait(type: string, data: TableOrFields = {}, options: RequestOptions = {}): Promise<NotifyAnswer[]> {
    const { connection, id } = this.#require();
    return notifyAndWait(this.#core, connection, id, type, encodeFields(toFields(data)), options);
  }

  /** Takes the object off the bus. */
  async remove(): Promise<void> {
    this.#core.drop(this);
    this.#removed = true;
    const added = this.#added;
    const connection = this.#connection;
    this.lost();
    if (added === undefined || connection === undefined || connection.isClosed) return;
    await this.#core.limited('remove object', cancellation => removeObject(connection, added, cancellation));
  }

  async register(connection: Connection): Promise<void> {
    const signature = this.path === undefined && this.#methods.size === 0 ? undefined : this.#signature;
    const added = await this.#core.limited(this.path ?? 'anonymous object', cancellation =>
      addObject(connection, this, cancellation, this.path, signature),
    );
    if (this.#removed) {
      // `remove` was called while ubusd had not yet answered.
      await this.#core.limited('remove object', cancellation => removeObject(connection, added, cancellation));
    } else {
      this.#added = added;
      this.#connection = connection;
    }
  }

  lost(): void {
    this.#added = undefined;
    this.#connection = undefined;
    this.activeChanged(false);
  }

  activeChanged(active: boolean): void {
    if (active === this.#hasSubscribers) return;
    this.#hasSubscribers = active;
    try {
      this.#options.onSubscribers?.(active);
    } catch (error) {
      this.#core.report(error);
    }
  }

  invoked(invocation: Invocation): void {
    const { method: name, data } = invocation.attrs;
    const method = this.#methods.get(name!);
    if (method === undefined) return invocation.finish(Status.methodNotFound);
    if (data === undefined) return invocation.finish(Status.invalidArgument);
    this.#call(method, data, invocation).then(
      () => invocation.finish(Status.ok),
      (error: unknown) => {
        if (error instanceof UbusError) invocation.finish(error.status);
        else if (error instanceof MalformedError) invocation.finish(Status.invalidArgument);
        else invocation.fail(error);
      },
    );
  }

  async #call(method: Method, data: Uint8Array, invocation: Invocation): Promise<void> {
    const { user, group } = invocation.attrs;
    const args = selectArguments(decodeFields(data), method.args);
    const reply = await method.handler(args, {
      method: invocation.attrs.method!,
      user,
      group,
      client: invocation.peer,
      data,
      reply: part => invocation.data(encodeTable(part)),
    });
    if (reply !== undefined) invocation.data(encodeTable(reply));
  }

  #require(): { connection: Connection; id: number } {
    if (this.#added === undefined || this.#connection === undefined) throw new UbusError(Status.connectionFailed, this.path);
    return { connection: this.#connection, id: this.#added.id };
  }
}

function encodeTable(table: TableOrFields | Uint8Array): Uint8Array {
  if (table instanceof Uint8Array) return table;
  const fields = toFields(table);
  return fields.length === 0 ? emptyData : encodeFields(fields);
}
