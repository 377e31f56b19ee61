/* What the parts of the client share. */
import type { Cancellation, RequestOptions } from './cancel.js';
import type { Connection } from './connection.js';
import type { Platform } from './platform.js';

/** Something that ubusd forgets when it restarts and has to be told again. */
export interface Registration {
  /** Tells it to ubusd, on a connection that is new. */
  register(connection: Connection): Promise<void>;
  /** The connection is gone, and with it all ids. */
  lost(): void;
}

export interface Core {
  readonly platform: Platform;
  /** The connection, once it is ready for requests; undefined while there is none. */
  readonly connection: Connection | undefined;
  /** The connection. @throws UbusError with status 10 while there is none. */
  requireConnection(): Connection;
  /** Runs requests under limits, by default those of any request. */
  limited<T>(context: string, work: (cancellation: Cancellation) => Promise<T>, options?: RequestOptions): Promise<T>;
  /** Registers now if there is a connection, and again after every reconnect. Rejects, and forgets it, if ubusd refuses now. */
  keep(registration: Registration): Promise<void>;
  /** Ends `keep`. */
  drop(registration: Registration): void;
  /** Passes an error on to `onError`. */
  report(error: unknown): void;
}
