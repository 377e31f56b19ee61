/* Notifications that the subscribers answer. */
import { decodeFields } from '../codec/blobmsg.js';
import { MessageType, type Attributes } from '../codec/message.js';
import { fromFields, type PlainTable } from '../codec/values.js';
import { Status, UbusError } from '../errors.js';
import type { Cancellation, RequestOptions } from './cancel.js';
import type { Connection } from './connection.js';
import type { Core } from './core.js';
import { check } from './requests.js';

/** What one subscriber answered. */
export interface NotifyAnswer {
  /** The id of the subscriber's object. */
  readonly subscriber: number;
  /** Its verdict: 0, a refusal, or 7 if it did not answer in time. */
  readonly status: number;
  readonly data: readonly PlainTable[];
}

/**
 * ubusd first answers with the list of subscriber objects; then each of them answers by itself, with the number of the
 * notification and its own id as peer. An object that has subscribed twice is in the list twice and answers twice.
 */
export async function notifyAndWait(
  core: Core,
  connection: Connection,
  id: number,
  type: string,
  data: Uint8Array,
  options: RequestOptions,
): Promise<NotifyAnswer[]> {
  const collector = new Collector();
  const stop: (() => void)[] = [];
  const work = async (cancellation: Cancellation): Promise<void> => {
    const attrs: Attributes = { objid: id, method: type, data };
    const answer = await connection.request(MessageType.notify, id, attrs, cancellation, undefined, ({ status, subscribers = [] }, seq) => {
      if (status !== Status.ok) return;
      for (const subscriber of collector.expect(subscribers)) stop.push(followSubscriber(connection, seq, subscriber, collector));
    });
    check(answer, type);
    await collector.complete(cancellation);
  };
  try {
    await core.limited(type, work, options);
  } catch (error) {
    // Out of time while subscribers are missing: what the others said still counts.
    if (!(error instanceof UbusError && error.status === Status.timeout && collector.isOpen)) throw error;
  } finally {
    for (const action of stop) action();
  }
  return collector.answers();
}

function followSubscriber(connection: Connection, seq: number, subscriber: number, collector: Collector): () => void {
  let stop = (): void => {};
  const exchange = {
    data: ({ data }: Attributes) => collector.data(subscriber, data),
    status: ({ status }: Attributes) => {
      if (collector.status(subscriber, status ?? Status.unknownError)) stop = connection.follow(seq, subscriber, exchange);
    },
    failed: (error: Error) => collector.failed(error),
  };
  stop = connection.follow(seq, subscriber, exchange);
  return () => stop();
}

interface Slot {
  readonly subscriber: number;
  status: number | undefined;
  readonly data: PlainTable[];
}

class Collector {
  #slots: Slot[] = [];
  #settle: ((error?: Error) => void) | undefined;
  #failure: Error | undefined;
  #expecting = false;

  /** Whether the list of subscribers has come and some of them have not answered. */
  get isOpen(): boolean {
    return this.#expecting && this.#slots.some(({ status }) => status === undefined);
  }

  /** Takes the list of subscribers; returns it without repetitions. */
  expect(subscribers: readonly number[]): Set<number> {
    this.#expecting = true;
    this.#slots = subscribers.map(subscriber => ({ subscriber, status: undefined, data: [] }));
    return new Set(subscribers);
  }

  data(subscriber: number, data: Uint8Array | undefined): void {
    if (data === undefined) return;
    try {
      this.#slot(subscriber)?.data.push(fromFields(decodeFields(data)));
    } catch {
      // What a subscriber cannot spell counts as not said; its verdict still comes.
    }
  }

  /** Returns whether more answers of this subscriber are due. */
  status(subscriber: number, status: number): boolean {
    const slot = this.#slot(subscriber);
    if (slot !== undefined) slot.status = status;
    if (!this.isOpen) this.#settle?.();
    return this.#slot(subscriber) !== undefined;
  }

  failed(error: Error): void {
    this.#failure ??= error;
    this.#settle?.(this.#failure);
  }

  /** Resolves once all have answered. */
  complete(cancellation: Cancellation): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) return reject(this.#failure);
      if (!this.isOpen) return resolve();
      this.#settle = error => (error === undefined ? resolve() : reject(error));
      cancellation.onCancel(reject);
    });
  }

  answers(): NotifyAnswer[] {
    return this.#slots.map(({ subscriber, status, data }) => ({ subscriber, status: status ?? Status.timeout, data }));
  }

  #slot(subscriber: number): Slot | undefined {
    return this.#slots.find(slot => slot.subscriber === subscriber && slot.status === undefined);
  }
}
