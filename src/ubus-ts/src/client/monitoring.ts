/* Seeing every message that passes through ubusd. */
import { decodeAttributes, MessageType, SystemObject, type Attributes, type Frame } from '../codec/message.js';
import { decodeMonitor, type MonitorRecord } from '../codec/monitor.js';
import type { Connection } from './connection.js';
import type { Core, Registration } from './core.js';
import type { Handle } from './events.js';
import { invokeSystem } from './requests.js';

/** A message that ubusd read or queued, for any client. */
export interface MonitoredMessage extends MonitorRecord {
  /** Key of `MessageType`, or `type <number>`. */
  readonly typeName: string;
  readonly attrs: Attributes;
}

/** Takes a monitored message. */
export type MonitorHandler = (message: MonitoredMessage) => void;

const typeNames = new Map<number, string>(Object.entries(MessageType).map(([name, type]) => [type, name]));

export class Monitoring implements Registration {
  readonly #core: Core;
  readonly #handlers = new Set<MonitorHandler>();

  constructor(core: Core) {
    this.#core = core;
  }

  async add(handler: MonitorHandler): Promise<Handle> {
    const entry: MonitorHandler = message => handler(message);
    this.#handlers.add(entry);
    try {
      if (this.#handlers.size === 1) await this.#core.keep(this);
    } catch (error) {
      this.#handlers.delete(entry);
      throw error;
    }
    return { close: () => this.#remove(entry) };
  }

  async register(connection: Connection): Promise<void> {
    await this.#core.limited('monitor', cancellation => invokeSystem(connection, SystemObject.monitor, 'add', [], cancellation));
  }

  lost(): void {
    // ubusd forgets a monitor with its connection; nothing is kept here.
  }

  /** Takes a MONITOR message. */
  receive(frame: Frame): void {
    try {
      const record = decodeMonitor(frame.body);
      const message = { ...record, typeName: typeNames.get(record.type) ?? `type ${record.type}`, attrs: decodeAttributes(record.body) };
      for (const handler of this.#handlers) handler(message);
    } catch (error) {
      this.#core.report(error);
    }
  }

  async #remove(entry: MonitorHandler): Promise<void> {
    if (!this.#handlers.delete(entry) || this.#handlers.size > 0) return;
    this.#core.drop(this);
    const { connection } = this.#core;
    if (connection === undefined) return;
    await this.#core.limited('monitor', cancellation => invokeSystem(connection, SystemObject.monitor, 'remove', [], cancellation));
  }
}
