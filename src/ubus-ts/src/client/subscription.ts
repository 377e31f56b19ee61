/* Subscriptions to the notifications of other programs' objects. */
import { decodeFields, encodeFields, type Field } from '../codec/blobmsg.js';
import { MessageType } from '../codec/message.js';
import { fromFields, toFields, type PlainTable, type TableOrFields } from '../codec/values.js';
import { Status, UbusError } from '../errors.js';
import type { Connection, LocalObject } from './connection.js';
import type { Core } from './core.js';
import type { Invocation } from './invocation.js';
import { addObject, check, removeObject, type AddedObject } from './requests.js';

/** What came with a notification, and the ways to answer it other than by a handler's return value. */
export interface Notification {
  readonly type: string;
  readonly data: PlainTable;
  /** The data with exact types. */
  readonly fields: readonly Field[];
  /** The object that notified. */
  readonly path: string;
  readonly objectId: number;
  /** User and group of the process that owns it. */
  readonly user: string | undefined;
  readonly group: string | undefined;
  /** False if the owner waits for the verdict of its subscribers. */
  readonly noReply: boolean;
  /** Answers now, with data if any; what the handler returns does not matter any more. */
  answer(status: number, data?: TableOrFields): void;
  /** The owner will wait for `answer` to be called later, in place of the answer when the handler returns. */
  defer(): void;
}

/**
 * Takes a notification. The owner is answered as soon as the handler returns: with the status it returned, or 0, also if it threw
 * or returned a promise, which is not waited for. hostapd waits 100 ms for every subscriber, and takes a status other than 0 as a veto.
 */
export type NotificationHandler = (type: string, data: PlainTable, notification: Notification) => number | void | Promise<void>;

/** An anonymous object that is subscribed to one other object. */
export class Subscriber implements LocalObject {
  readonly #core: Core;
  readonly #connection: Connection;
  readonly #handler: NotificationHandler;
  readonly #onGone: () => void;
  #path = '';
  #target: number | undefined;
  #added: AddedObject | undefined;

  /** `onGone` is called when the target has gone, not by `remove`. */
  constructor(core: Core, connection: Connection, handler: NotificationHandler, onGone: () => void) {
    this.#core = core;
    this.#connection = connection;
    this.#handler = handler;
    this.#onGone = onGone;
  }

  /** Adds the anonymous object. */
  async add(): Promise<void> {
    this.#added = await this.#core.limited('subscriber', cancellation => addObject(this.#connection, this, cancellation));
  }

  /** Subscribes. `onSubscribed` is called before the first notification. */
  async subscribe(path: string, target: number, onSubscribed: () => void): Promise<void> {
    const objid = this.#added!.id;
    this.#path = path;
    this.#target = target;
    const answer = await this.#core.limited(path, cancellation =>
      this.#connection.request(MessageType.subscribe, 0, { objid, target }, cancellation, undefined, ({ status }) => {
        if (status === Status.ok) onSubscribed();
      }),
    );
    check(answer, path);
  }

  /** Takes the anonymous object away, and the subscription with it. */
  async remove(): Promise<void> {
    this.#target = undefined;
    const added = this.#added;
    this.#added = undefined;
    if (added === undefined || this.#connection.isClosed) return;
    await this.#core.limited('subscriber', cancellation => removeObject(this.#connection, added, cancellation));
  }

  unsubscribed(target: number): void {
    if (target !== this.#target) return;
    this.#target = undefined;
    this.#onGone();
  }

  invoked(invocation: Invocation): void {
    const { method, data, user, group, noReply } = invocation.attrs;
    let deferred = false;
    const answer = (status: number, reply?: TableOrFields): void => {
      if (reply !== undefined) invocation.data(encodeFields(toFields(reply)));
      invocation.finish(status);
    };
    try {
      const fields = data === undefined ? [] : decodeFields(data);
      const notification: Notification = {
        type: method!,
        data: fromFields(fields),
        fields,
        path: this.#path,
        objectId: this.#target ?? 0,
        user,
        group,
        noReply: noReply === true,
        answer,
        defer: () => (deferred = true),
      };
      const verdict = this.#handler(notification.type, notification.data, notification);
      if (verdict instanceof Promise) verdict.catch((error: unknown) => this.#core.report(error));
      if (!deferred) answer(typeof verdict === 'number' ? verdict : Status.ok);
    } catch (error) {
      if (error instanceof UbusError) invocation.finish(error.status);
      else invocation.fail(error, Status.ok);
    }
  }
}
