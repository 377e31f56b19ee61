import { maxBlobLength } from '../codec/message.js';

/** Bytes that may wait for one client, headers included (ubusd.h, UBUS_CLIENT_MAX_TXQ_LEN). */
export const maxQueueLength = maxBlobLength;

/** One client's end of the broker's socket, as the broker's core sees it. */
export interface Connection {
  /**
   * Sends one whole message. False: the system has not taken all of it yet, and wants no other one until
   * `BrokerCore.writable` has been called.
   */
  write(message: Uint8Array): boolean;
  /** Stops reading from the client, or goes on. */
  pause(paused: boolean): void;
  /** Ends the connection at once; what still waits is lost. */
  close(): void;
}

/**
 * Messages on their way to one client. Written directly as long as the system takes them, then kept, up to `maxQueueLength`.
 * What goes beyond that is dropped without a sign, so that a client which does not read cannot fill memory.
 */
export class TxQueue {
  /** Messages that found no room. */
  dropped = 0;

  readonly #connection: Connection;
  #waiting: Uint8Array[] = [];
  #next = 0;
  #waitingLength = 0;
  #inFlight = 0;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Whether the system has taken everything. */
  get idle(): boolean {
    return this.#inFlight === 0;
  }

  /** Bytes that the system has not taken yet; a message that it has taken in part counts in full. */
  get length(): number {
    return this.#inFlight + this.#waitingLength;
  }

  /** Sends, keeps or drops one message. */
  send(message: Uint8Array): void {
    if (this.idle) {
      this.#write(message);
    } else if (this.length + message.length > maxQueueLength) {
      this.dropped++;
    } else {
      this.#waiting.push(message);
      this.#waitingLength += message.length;
    }
  }

  /** The system has taken what was written: goes on with what waits. */
  flush(): void {
    this.#inFlight = 0;
    while (this.idle && this.#next < this.#waiting.length) {
      const message = this.#waiting[this.#next++]!;
      this.#waitingLength -= message.length;
      this.#write(message);
    }
    if (this.#next === this.#waiting.length) {
      this.#waiting = [];
      this.#next = 0;
    }
  }

  #write(message: Uint8Array): void {
    if (!this.#connection.write(message)) this.#inFlight = message.length;
  }
}
