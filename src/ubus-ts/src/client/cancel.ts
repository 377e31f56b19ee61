/* Timeouts and abort signals, joined. */
import { Status, UbusError } from '../errors.js';
import type { Platform } from './platform.js';

/** How long a request may take when the caller does not say, in ms: as `ubus call` waits. */
export const defaultTimeout = 30_000;

/** Limits of a request. */
export interface RequestOptions {
  /** After so many ms the request fails with status 7; 0 means never. Default 30000. */
  readonly timeout?: number | undefined;
  /** Aborting makes the request fail with the signal's reason. The other side is not told; ubus has no way to. */
  readonly signal?: AbortSignal | undefined;
}

/** Tells whoever works on a request that it is over. */
export class Cancellation {
  #error: Error | undefined;
  readonly #listeners = new Set<(error: Error) => void>();

  /** Why it was cancelled; undefined if it was not. */
  get error(): Error | undefined {
    return this.#error;
  }

  /** Calls `listener` when the request is cancelled, at once if it is already. The result stops that. */
  onCancel(listener: (error: Error) => void): () => void {
    if (this.#error !== undefined) listener(this.#error);
    else this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  cancel(error: Error): void {
    if (this.#error !== undefined) return;
    this.#error = error;
    for (const listener of this.#listeners) listener(error);
    this.#listeners.clear();
  }
}

/** Runs `work` under the limits of `options`; `context` names the request in the error of a timeout. */
export async function withLimits<T>(
  platform: Platform,
  options: RequestOptions,
  context: string,
  work: (cancellation: Cancellation) => Promise<T>,
): Promise<T> {
  const { timeout = defaultTimeout, signal } = options;
  const cancellation = new Cancellation();
  const abort = (): void => cancellation.cancel(signal?.reason as Error);
  const stopTimer = timeout > 0 ? platform.startTimer(timeout, () => cancellation.cancel(new UbusError(Status.timeout, context))) : undefined;
  if (signal?.aborted === true) abort();
  else signal?.addEventListener('abort', abort);
  try {
    return await work(cancellation);
  } finally {
    stopTimer?.();
    signal?.removeEventListener('abort', abort);
  }
}
