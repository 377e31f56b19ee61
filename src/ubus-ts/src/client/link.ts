/* Keeps a connection to ubusd: finds the socket, reads HELLO, tries again when it is lost. */
import type { Frame } from '../codec/message.js';
import { Status, UbusError } from '../errors.js';
import { reconnectDelay, type ReconnectOptions } from './backoff.js';
import { Connection, type Sequence } from './connection.js';
import type { Platform } from './platform.js';

/** Where ubusd listens on OpenWrt: the second up to 19.07. */
export const defaultPaths: readonly string[] = ['/var/run/ubus/ubus.sock', '/var/run/ubus.sock'];

/** How long to wait for HELLO, in ms. */
const helloTimeout = 5000;

/** What the owner of a link is told. */
export interface LinkEvents {
  /** Requests may be sent. The link counts as up once the result resolves. */
  up(connection: Connection): Promise<void>;
  down(error: Error): void;
  monitored(frame: Frame): void;
  failed(error: Error): void;
}

export class Link {
  readonly #platform: Platform;
  readonly #paths: readonly string[];
  readonly #reconnect: ReconnectOptions | undefined;
  readonly #events: LinkEvents;
  readonly #sequence: Sequence = { last: 0 };
  #running = false;
  #attempt = 0;
  #stopTimer: (() => void) | undefined;
  #opening: Connection | undefined;
  #connection: Connection | undefined;

  /** Tries `paths` in order. Without `reconnect` a connection that is lost stays so. */
  constructor(platform: Platform, paths: readonly string[], reconnect: ReconnectOptions | undefined, events: LinkEvents) {
    this.#platform = platform;
    this.#paths = paths;
    this.#reconnect = reconnect;
    this.#events = events;
  }

  /** The connection once HELLO has come. */
  get connection(): Connection | undefined {
    return this.#connection;
  }

  get isRunning(): boolean {
    return this.#running;
  }

  /** Connects. If that fails: rejects, or if `persist` is set goes on trying in the background. */
  async start(persist: boolean): Promise<void> {
    this.#running = true;
    this.#attempt = 0;
    try {
      await this.#establish();
    } catch (error) {
      if (persist && this.#reconnect !== undefined) return this.#retryLater();
      this.stop();
      throw error;
    }
  }

  stop(): void {
    this.#running = false;
    this.#stopTimer?.();
    const error = new UbusError(Status.connectionFailed, 'closed');
    this.#opening?.close(error);
    this.#connection?.close(error);
  }

  async #establish(): Promise<void> {
    const connection = await this.#openFirst();
    await this.#events.up(connection);
    if (connection.isClosed) throw new UbusError(Status.connectionFailed);
    this.#attempt = 0;
  }

  async #openFirst(): Promise<Connection> {
    let failure: unknown;
    for (const path of this.#paths) {
      if (!this.#running) break;
      try {
        return await this.#open(path);
      } catch (error) {
        failure ??= error;
      }
    }
    throw failure ?? new UbusError(Status.connectionFailed, 'closed');
  }

  #open(path: string): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const stopTimer = this.#platform.startTimer(helloTimeout, () => connection.close(new UbusError(Status.connectionFailed, `${path}: no HELLO`)));
      const connection: Connection = new Connection(events => this.#platform.connect(path, events), this.#sequence, {
        ready: () => {
          stopTimer();
          this.#opening = undefined;
          this.#connection = connection;
          resolve(connection);
        },
        monitored: frame => this.#events.monitored(frame),
        failed: error => this.#events.failed(error),
        closed: error => {
          stopTimer();
          if (this.#opening === connection) this.#opening = undefined;
          reject(error);
          if (this.#connection === connection) this.#lost(error);
        },
      });
      this.#opening = connection;
    });
  }

  #lost(error: Error): void {
    this.#connection = undefined;
    this.#events.down(error);
    if (this.#reconnect !== undefined) this.#retryLater();
    else this.#running = false;
  }

  #retryLater(): void {
    if (!this.#running || this.#reconnect === undefined) return;
    this.#stopTimer?.();
    const delay = reconnectDelay(this.#attempt++, this.#reconnect, this.#platform.random());
    this.#stopTimer = this.#platform.startTimer(delay, () => {
      this.#stopTimer = undefined;
      this.#establish().catch(() => {
        // A connection that came up and was lost again has started the next attempt by itself.
        if (this.#stopTimer === undefined) this.#retryLater();
      });
    });
  }
}
