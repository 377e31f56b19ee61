/* An INVOKE that came in for one of our objects: a call, a notification or an event. */
import { MessageType, type Attributes } from '../codec/message.js';
import { Status } from '../errors.js';

/** The part of a connection that answers go out through. */
interface Answering {
  answer(type: number, seq: number, peer: number, attrs: Attributes): void;
}

/** The DATA that an INVOKE has to carry, when there is nothing in it. */
export const emptyData = new Uint8Array(0);

export class Invocation {
  readonly attrs: Attributes;
  /** The client that called, or the owner of the object that notified; 0 for events. */
  readonly peer: number;
  readonly #connection: Answering;
  readonly #seq: number;
  readonly #onError: (error: Error) => void;
  #finished = false;

  constructor(connection: Answering, seq: number, peer: number, attrs: Attributes, onError: (error: Error) => void) {
    this.#connection = connection;
    this.#seq = seq;
    this.peer = peer;
    this.attrs = attrs;
    this.#onError = onError;
  }

  /** Sends a DATA. @throws RangeError if it is too large: ubusd would close the connection, and all our objects would vanish. */
  data(data: Uint8Array): void {
    if (this.#finished || this.attrs.noReply === true) return;
    this.#connection.answer(MessageType.data, this.#seq, this.peer, { objid: this.attrs.objid!, data });
  }

  /** Sends the STATUS that ends the request; does nothing the second time. */
  finish(status: number): void {
    if (this.#finished) return;
    this.#finished = true;
    if (this.attrs.noReply === true) return;
    this.#connection.answer(MessageType.status, this.#seq, this.peer, { status, objid: this.attrs.objid! });
  }

  /** Ends the request with `status` for an error of ours, and reports the error. */
  fail(error: unknown, status: number = Status.unknownError): void {
    this.finish(status);
    this.#onError(error instanceof Error ? error : new Error(String(error)));
  }
}
