/* What the client needs from the world: a socket, timers, chance. */

/** What a transport reports. After `closed` nothing more comes. */
export interface TransportEvents {
  /** The connection is up. */
  opened(): void;
  /** Bytes arrived, cut anywhere. They will not be changed. */
  received(bytes: Uint8Array): void;
  /** `send` returned false, and now there is room again. */
  drained(): void;
  /** The connection is over or never came about; without an error if the other side ended it. */
  closed(error?: Error): void;
}

/** One connection to ubusd. */
export interface Transport {
  /** Sends or queues the bytes. False if the caller should wait for `drained` before it sends more. */
  send(bytes: Uint8Array): boolean;
  /** Stops reading until `resume`. */
  pause(): void;
  resume(): void;
  /** Ends the connection once everything is sent. */
  close(): void;
}

/** Side effects, replaceable in tests. */
export interface Platform {
  /** Connects to the socket at `path`. Reports everything later, never from within this call. */
  connect(path: string, events: TransportEvents): Transport;
  /** Calls `action` after `delay` ms; the result cancels that. */
  startTimer(delay: number, action: () => void): () => void;
  /** A number from 0 up to, not including, 1. */
  random(): number;
}
