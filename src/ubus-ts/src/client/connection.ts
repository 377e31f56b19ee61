/* One connection to ubusd: finds the request that an answer belongs to, and the object that an invocation is for. */
import { decodeAttributes, encodeMessage, MessageType, type Attributes, type Frame } from '../codec/message.js';
import { MessageReader } from '../codec/message-reader.js';
import { MalformedError, Status, UbusError } from '../errors.js';
import type { Cancellation } from './cancel.js';
import { Invocation } from './invocation.js';
import type { Transport, TransportEvents } from './platform.js';
import { TypeCache } from './type-cache.js';

/** Requests that wait because the socket takes no more may hold so many bytes together; then further ones fail with status 11. */
const maxWaitingBytes = 16 * 1024 * 1024;

/** Takes the answers to a request. */
export interface Exchange {
  data(attrs: Attributes): void;
  /** The STATUS that ends the request; `seq` is the number that the request had. */
  status(attrs: Attributes, seq: number): void;
  /** The connection was lost, or the request could not be sent. */
  failed(error: Error): void;
}

/** An object of this side, as the connection sees it. */
export interface LocalObject {
  invoked(invocation: Invocation): void;
  /** The first subscriber has come, or the last one left. */
  activeChanged?(active: boolean): void;
  /** An object that this one subscribed to has gone. */
  unsubscribed?(target: number): void;
}

/** What the owner of a connection is told. */
export interface ConnectionEvents {
  /** HELLO has come; requests may be sent. */
  ready(): void;
  monitored(frame: Frame): void;
  closed(error: Error): void;
  /** Something that is no reason to close the connection. */
  failed(error: Error): void;
}

/** Sequence numbers go on over reconnects, as in libubus, so that no late answer is taken for another. */
export interface Sequence {
  last: number;
}

interface Waiting {
  readonly bytes: Uint8Array;
  readonly peer: number;
  readonly exchange: Exchange | undefined;
  key: number | undefined;
  cancelled: boolean;
}

/** An identifier for (seq, peer); exact, since it stays below 2^48. */
function keyOf(seq: number, peer: number): number {
  return seq * 2 ** 32 + peer;
}

export class Connection implements TransportEvents {
  /** The id that ubusd gave to this client; 0 before HELLO. */
  id = 0;
  /** The objects of this connection by id. */
  readonly objects = new Map<number, LocalObject>();
  /** The object types that ubusd knows of this connection. */
  readonly types = new TypeCache();

  readonly #events: ConnectionEvents;
  readonly #transport: Transport;
  readonly #sequence: Sequence;
  readonly #reader = new MessageReader();
  readonly #pending = new Map<number, Exchange>();
  readonly #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #writable = true;
  #ready = false;
  #closed: Error | undefined;

  constructor(connect: (events: TransportEvents) => Transport, sequence: Sequence, events: ConnectionEvents) {
    this.#events = events;
    this.#sequence = sequence;
    this.#transport = connect(this);
  }

  get isClosed(): boolean {
    return this.#closed !== undefined;
  }

  /**
   * Sends a request under a sequence number of its own; it waits its turn if the socket is full. The result forgets the
   * request: answers to it are dropped from then on. Without an exchange no answer is expected.
   * @throws RangeError if the message is larger than ubusd accepts.
   */
  start(type: number, peer: number, attrs: Attributes, exchange?: Exchange): () => void {
    const waiting: Waiting = { bytes: encodeMessage({ type, seq: 0, peer, attrs }), peer, exchange, key: undefined, cancelled: false };
    if (this.#closed !== undefined) exchange?.failed(this.#closed);
    else if (this.#writable && this.#waiting.length === 0) this.#transmit(waiting);
    else this.#wait(waiting);
    return () => {
      waiting.cancelled = true;
      if (waiting.key !== undefined && this.#pending.get(waiting.key) === exchange) this.#pending.delete(waiting.key);
    };
  }

  /** Expects a further answer to a request: from `peer`, with the number that the request had. The result forgets it. */
  follow(seq: number, peer: number, exchange: Exchange): () => void {
    const key = keyOf(seq, peer);
    this.#pending.set(key, exchange);
    return () => {
      if (this.#pending.get(key) === exchange) this.#pending.delete(key);
    };
  }

  /**
   * Sends a request and waits for the STATUS that ends it, whatever its code. `onData` and `onStatus` run while the message is being
   * read, before any message that follows it.
   */
  request(
    type: number,
    peer: number,
    attrs: Attributes,
    cancellation: Cancellation,
    onData?: (attrs: Attributes) => void,
    onStatus?: (attrs: Attributes, seq: number) => void,
  ): Promise<Attributes> {
    if (cancellation.error !== undefined) return Promise.reject(cancellation.error);
    return new Promise((resolve, reject) => {
      let stopListening = (): void => {};
      let forget = (): void => {};
      const fail = (error: Error): void => {
        forget();
        stopListening();
        reject(error);
      };
      const guarded = (action: () => void): boolean => {
        try {
          action();
          return true;
        } catch (error) {
          fail(error as Error);
          return false;
        }
      };
      forget = this.start(type, peer, attrs, {
        data: answer => void guarded(() => onData?.(answer)),
        status: (answer, seq) => {
          stopListening();
          if (guarded(() => onStatus?.(answer, seq))) resolve(answer);
        },
        failed: fail,
      });
      stopListening = cancellation.onCancel(fail);
    });
  }

  /** Sends an answer. Answers are not held back: as long as the socket is full, no further requests are read. */
  answer(type: number, seq: number, peer: number, attrs: Attributes): void {
    if (this.#closed === undefined) this.#write(encodeMessage({ type, seq, peer, attrs }));
  }

  /** Ends the connection; what was sent still goes out. */
  close(error: Error): void {
    if (this.#closed !== undefined) return;
    this.#closed = error;
    this.#transport.close();
    const open = [...this.#pending.values(), ...this.#waiting.flatMap(({ exchange, cancelled }) => (exchange && !cancelled ? [exchange] : []))];
    this.#pending.clear();
    this.#waiting.length = 0;
    this.objects.clear();
    for (const exchange of new Set(open)) exchange.failed(error);
    this.#events.closed(error);
  }

  opened(): void {
    // Nothing to do: ubusd speaks first.
  }

  received(bytes: Uint8Array): void {
    if (this.#closed !== undefined) return;
    try {
      this.#reader.push(bytes);
      for (let frame: Frame | undefined; !this.isClosed && (frame = this.#reader.next()) !== undefined; ) this.#receive(frame);
    } catch (error) {
      this.close(error as Error);
    }
  }

  drained(): void {
    if (this.#closed !== undefined) return;
    this.#writable = true;
    while (this.#writable) {
      const next = this.#waiting.shift();
      if (next === undefined) break;
      this.#waitingBytes -= next.bytes.length;
      if (!next.cancelled) this.#transmit(next);
    }
    if (this.#writable) this.#transport.resume();
  }

  closed(error?: Error): void {
    this.close(new UbusError(Status.connectionFailed, error?.message, error && { cause: error }));
  }

  #receive(frame: Frame): void {
    if (!this.#ready) return this.#hello(frame);
    if (frame.version !== 0) return;
    const key = keyOf(frame.seq, frame.peer);
    switch (frame.type) {
      case MessageType.data:
        return this.#pending.get(key)?.data(decodeAttributes(frame.body));
      case MessageType.status: {
        const exchange = this.#pending.get(key);
        this.#pending.delete(key);
        return exchange?.status(decodeAttributes(frame.body), frame.seq);
      }
      case MessageType.invoke:
        return this.#invoke(frame);
      case MessageType.notify: {
        const { objid, active } = decodeAttributes(frame.body);
        if (objid !== undefined && active !== undefined) this.objects.get(objid)?.activeChanged?.(active);
        return;
      }
      case MessageType.unsubscribe: {
        const { objid, target } = decodeAttributes(frame.body);
        if (objid !== undefined && target !== undefined) this.objects.get(objid)?.unsubscribed?.(target);
        return;
      }
      case MessageType.monitor:
        return this.#events.monitored(frame);
    }
  }

  #hello(frame: Frame): void {
    if (frame.type !== MessageType.hello || frame.version !== 0) throw new MalformedError('no HELLO', 0);
    this.id = frame.peer;
    this.#ready = true;
    this.#events.ready();
  }

  #invoke(frame: Frame): void {
    const attrs = decodeAttributes(frame.body);
    if (attrs.objid === undefined) return;
    const invocation = new Invocation(this, frame.seq, frame.peer, attrs, error => this.#events.failed(error));
    const object = this.objects.get(attrs.objid);
    if (object === undefined) invocation.finish(Status.notFound);
    else if (attrs.method === undefined) invocation.finish(Status.invalidArgument);
    else object.invoked(invocation);
  }

  #wait(waiting: Waiting): void {
    if (this.#waitingBytes + waiting.bytes.length > maxWaitingBytes) {
      const error = new UbusError(Status.noMemory, 'too much waits to be sent');
      if (waiting.exchange === undefined) this.#events.failed(error);
      else waiting.exchange.failed(error);
      return;
    }
    this.#waitingBytes += waiting.bytes.length;
    this.#waiting.push(waiting);
  }

  #transmit(waiting: Waiting): void {
    const { bytes, exchange } = waiting;
    const seq = this.#nextSequence(waiting.peer);
    if (seq === undefined) return exchange?.failed(new UbusError(Status.noMemory, 'too many requests are open'));
    new DataView(bytes.buffer, bytes.byteOffset).setUint16(2, seq);
    if (exchange !== undefined) {
      waiting.key = keyOf(seq, waiting.peer);
      this.#pending.set(waiting.key, exchange);
    }
    this.#write(bytes);
  }

  /** The next number that is not in use towards `peer`, undefined if all 65536 are. */
  #nextSequence(peer: number): number | undefined {
    for (let tries = 0; tries < 65536; tries++) {
      const seq = (this.#sequence.last = (this.#sequence.last + 1) & 0xffff);
      if (!this.#pending.has(keyOf(seq, peer))) return seq;
    }
    return undefined;
  }

  #write(bytes: Uint8Array): void {
    if (this.#transport.send(bytes) || !this.#writable) return;
    this.#writable = false;
    this.#transport.pause();
  }
}
