/* A client of any broker that speaks bytes over a socket. */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type Socket, connect as connectSocket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Test } from 'tap';
import { MessageReader, MessageType, decodeAttributes, encodeFrame, encodeMessage } from '../src/index.js';
import type { Attributes } from '../src/index.js';

/** A message that has come. */
export interface Received {
  type: number;
  seq: number;
  peer: number;
  attrs: Attributes;
  bytes: Uint8Array;
}

/** A client that speaks bytes over a socket. */
export class SocketClient {
  readonly socket: Socket;
  readonly received: Received[] = [];
  readonly #reader = new MessageReader();

  constructor(path: string) {
    this.socket = connectSocket(path);
    this.socket.on('error', () => {});
    this.socket.on('data', chunk => {
      this.#reader.push(chunk);
      for (let frame = this.#reader.next(); frame !== undefined; frame = this.#reader.next()) {
        const bytes = encodeFrame(frame);
        this.received.push({ type: frame.type, seq: frame.seq, peer: frame.peer, attrs: decodeAttributes(bytes.subarray(12)), bytes });
      }
      this.socket.emit('messages');
    });
  }

  send(type: number, seq: number, attrs: Attributes, peer = 0): void {
    this.socket.write(encodeMessage({ type, seq, peer, attrs }));
  }

  /** Waits until something that fits has come. */
  async until(fits: (message: Received) => boolean): Promise<Received> {
    for (;;) {
      const found = this.received.find(fits);
      if (found !== undefined) return found;
      await once(this.socket, 'messages', { signal: AbortSignal.timeout(60_000) });
    }
  }

  async status(type: number, seq: number, attrs: Attributes, peer = 0): Promise<number | undefined> {
    this.send(type, seq, attrs, peer);
    return (await this.until(message => message.type === MessageType.status && message.seq === seq)).attrs.status;
  }

  async add(seq: number, attrs: Attributes = {}): Promise<number> {
    await this.status(MessageType.addObject, seq, attrs);
    return this.received.find(message => message.type === MessageType.data && message.seq === seq)!.attrs.objid!;
  }
}

/** A directory for the test; tap's own have paths too long for a socket. */
export async function directoryFor(t: Test): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'ubus-ts-'));
  t.teardown(() => rm(directory, { recursive: true }));
  return directory;
}

/** Waits until somebody listens at the path. */
export async function reachable(path: string): Promise<void> {
  for (let attempt = 0; attempt < 1000; attempt++) {
    const socket = connectSocket(path);
    const up = await once(socket, 'connect').then(() => true, () => false);
    socket.destroy();
    if (up) return;
    await delay(20);
  }
  throw new Error(`nobody listens at ${path}`);
}
