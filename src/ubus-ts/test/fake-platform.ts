/* A world without sockets and clocks: tests deliver messages and let time pass. */
import { encodeMessage, MessageReader, MessageType, encodeFrame, type Attributes, type Frame, type Message, type Platform, type Transport, type TransportEvents, decodeMessage } from '../src/index.js';
import { fromHex, toHex } from './recordings.js';

interface Timer {
  readonly at: number;
  readonly action: () => void;
}

/** One connection that the client opened. */
export class FakeConnection implements Transport {
  readonly path: string;
  /** What the client sent, whole messages in hex, oldest first; tests take from the front. */
  readonly sent: string[] = [];
  closedByClient = false;
  paused = false;
  /** What `send` returns: false is a full socket. */
  room = true;
  readonly #events: TransportEvents;
  readonly #reader = new MessageReader();

  constructor(path: string, events: TransportEvents) {
    this.path = path;
    this.#events = events;
  }

  send(bytes: Uint8Array): boolean {
    this.#reader.push(bytes);
    for (let frame: Frame | undefined; (frame = this.#reader.next()) !== undefined; ) this.sent.push(toHex(encodeFrame(frame)));
    return this.room;
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }

  close(): void {
    this.closedByClient = true;
  }

  /** Delivers bytes. */
  receive(hex: string): void {
    this.#events.received(fromHex(hex));
  }

  /** Delivers messages in one piece. */
  deliver(...messages: Message[]): void {
    this.receive(messages.map(message => toHex(encodeMessage(message))).join(''));
  }

  hello(id = 0x1000): void {
    this.deliver({ type: MessageType.hello, seq: 0, peer: id, attrs: {} });
  }

  /** The socket has room again. */
  drain(): void {
    this.room = true;
    this.#events.drained();
  }

  /** The connection breaks, or never comes about. */
  drop(error?: Error): void {
    this.#events.closed(error);
  }

  /** Waits for the next message from the client. */
  async next(): Promise<Message> {
    await until(() => this.sent.length > 0);
    const hex = this.sent.shift();
    if (hex === undefined) throw new Error('the client sends nothing');
    return decodeMessage(fromHex(hex));
  }

  /** Waits for the next message from the client and answers it as ubusd would: DATA, then STATUS. */
  async answer(status: number, ...data: Attributes[]): Promise<Message> {
    const request = await this.next();
    const { seq, peer } = request;
    this.deliver(
      ...data.map(attrs => ({ type: MessageType.data, seq, peer, attrs })),
      { type: MessageType.status, seq, peer, attrs: { status } },
    );
    return request;
  }
}

export class FakePlatform implements Platform {
  readonly connections: FakeConnection[] = [];
  chance = 0;
  #now = 0;
  readonly #timers = new Set<Timer>();

  connect(path: string, events: TransportEvents): Transport {
    const connection = new FakeConnection(path, events);
    this.connections.push(connection);
    return connection;
  }

  startTimer(delay: number, action: () => void): () => void {
    const timer = { at: this.#now + delay, action };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  random(): number {
    return this.chance;
  }

  /** Number of timers that are running. */
  get timers(): number {
    return this.#timers.size;
  }

  /** Lets so many ms pass. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const due = [...this.#timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.#timers.delete(due);
      this.#now = due.at;
      due.action();
    }
    this.#now = end;
  }

  /** The connection that was opened last. */
  get last(): FakeConnection {
    return this.connections.at(-1)!;
  }
}

/** Lets promises settle until `condition` holds, at most for so many turns of the event loop. */
export async function until(condition: () => boolean, turns = 50): Promise<void> {
  for (let turn = 0; turn < turns && !condition(); turn++) await settle();
}

/** Lets all promises that can settle do so. */
export function settle(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve));
}
