/* A client of the broker's core, without a socket. */
import { MessageType, decodeMessage, encodeMessage } from '../src/index.js';
import type { Attributes, BrokerClient, BrokerCore, Credentials, Message } from '../src/index.js';

export const root: Credentials = { uid: 0, gid: 0, user: 'root', group: 'root' };
export const nobody: Credentials = { uid: 65534, gid: 65534, user: 'nobody', group: 'nogroup' };

/** Ids that count up, so that tests can name them. */
export function countedIds(first = 5000): () => number {
  let next = first;
  return () => next++;
}

export class MemoryClient {
  readonly handle: BrokerClient;
  /** Whether the client reads. While it does not, the system takes `room` bytes. */
  reading = true;
  room = 0;
  /** What the broker has done with the connection. */
  closed = false;
  paused = false;
  readonly #core: BrokerCore;
  #received: Uint8Array[] = [];
  #seq = 0;

  constructor(core: BrokerCore, credentials: Credentials = root) {
    this.#core = core;
    this.handle = core.connect(
      {
        write: message => {
          this.#received.push(message);
          if (this.reading) return true;
          this.room -= message.length;
          return this.room >= 0;
        },
        pause: paused => {
          this.paused = paused;
        },
        close: () => {
          this.closed = true;
        },
      },
      credentials,
    );
    this.take();
  }

  /** Sends a request and returns what this client has received by then, without header fields that do not matter. */
  request(type: number, attrs: Attributes, peer = 0): Message[] {
    this.send({ type, seq: ++this.#seq, peer, attrs });
    return this.take();
  }

  /** Sends a request and returns the status that it was answered with. */
  status(type: number, attrs: Attributes, peer = 0): number | undefined {
    return this.request(type, attrs, peer).find(message => message.type === MessageType.status)?.attrs.status;
  }

  /** Adds an object and returns its id. */
  add(attrs: Attributes = {}): number {
    const data = this.request(MessageType.addObject, attrs).find(message => message.type === MessageType.data);
    if (data?.attrs.objid === undefined) throw new Error('no object was added');
    return data.attrs.objid;
  }

  send(message: Message): void {
    this.#core.receive(this.handle, encodeMessage(message));
  }

  sendBytes(bytes: Uint8Array): void {
    this.#core.receive(this.handle, bytes);
  }

  /** What has come since the last time. */
  take(): Message[] {
    return this.takeBytes().map(decodeMessage);
  }

  takeBytes(): Uint8Array[] {
    const received = this.#received;
    this.#received = [];
    return received;
  }

  /** Reads again: everything that waits arrives. */
  resume(): void {
    this.reading = true;
    this.#core.writable(this.handle);
  }

  close(): void {
    this.#core.disconnect(this.handle);
  }
}
