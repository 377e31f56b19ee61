/** When to try again after the connection was lost. */
export interface ReconnectOptions {
  /** The first delay in ms. Default 100. */
  readonly minDelay?: number;
  /** The longest delay in ms; each one is twice the one before until then. Default 5000. */
  readonly maxDelay?: number;
  /** How much of a delay is left to chance, 0 to 1, so that not all programs of a router come at once. Default 0.5. */
  readonly jitter?: number;
}

/** The delay in ms before attempt `attempt`, counted from 0; `random` is from 0 up to 1. */
export function reconnectDelay(attempt: number, options: ReconnectOptions, random: number): number {
  const { minDelay = 100, maxDelay = 5000, jitter = 0.5 } = options;
  const delay = Math.min(maxDelay, minDelay * 2 ** Math.min(attempt, 30));
  return delay * (1 - jitter * random);
}
