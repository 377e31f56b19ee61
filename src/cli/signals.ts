/** Signals, and what else asks for attention, in the order in which they came. */
export type Attention = 'SIGTERM' | 'SIGINT' | 'SIGHUP' | 'SIGUSR1' | 'networks';

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR1'] as const;

/** In milliseconds: setInterval takes 31 bits. */
const LONGEST_INTERVAL = 2 ** 31 - 1;

export class SignalInbox {
  #waiting: Attention[] = [];
  #wake: (() => void) | undefined;
  readonly #listener = (signal: NodeJS.Signals) => this.put(signal as Attention);
  /** A listener for signals does not keep a process alive. */
  readonly #keepAlive = setInterval(() => {}, LONGEST_INTERVAL);

  constructor() {
    for (const signal of SIGNALS) process.on(signal, this.#listener);
  }

  /** The same one twice in a row says no more than once. */
  put(attention: Attention): void {
    if (this.#waiting.at(-1) !== attention) this.#waiting.push(attention);
    this.#wake?.();
  }

  async next(): Promise<Attention> {
    while (this.#waiting.length === 0) await new Promise<void>((resolve) => (this.#wake = resolve));
    return this.#waiting.shift()!;
  }

  /** Gives the signals back to Node: SIGTERM ends the process again. */
  close(): void {
    clearInterval(this.#keepAlive);
    for (const signal of SIGNALS) process.off(signal, this.#listener);
  }
}
