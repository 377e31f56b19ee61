/**
 * What is known of a thing that is read as a whole, and that events tell changes of. It is read again on request, one reading
 * after the other. What is told meanwhile may be newer than what is read, and counts after that.
 */
export interface RereadingOptions<Event> {
  /** Reads all, and compares it with what was known. */
  readonly read: () => Promise<void>;
  /** It could not be read: told once, and tried again until it can. */
  readonly failed: (error: Error) => void;
  readonly handle: (event: Event) => void;
  /** Calls back after `ms` milliseconds. Default: by a timer that keeps no process running. */
  readonly after?: Later | undefined;
}

export type Later = (ms: number, callback: () => void) => void;

/** Milliseconds after which what could not be read is read again. */
const RETRY_DELAY = 1000;

export const later: Later = (ms, callback) => void setTimeout(callback, ms).unref();

export class Rereading<Event> {
  readonly #options: RereadingOptions<Event>;
  readonly #after: Later;
  #reading: Promise<void> | undefined;
  #stale = false;
  #waiting: Event[] = [];
  #started = false;
  #failing = false;

  constructor(options: RereadingOptions<Event>) {
    this.#options = options;
    this.#after = options.after ?? later;
  }

  /** That which is under way, if any. */
  get reading(): Promise<void> | undefined {
    return this.#reading;
  }

  /** Whether what is being read is out of date already. */
  get stale(): boolean {
    return this.#stale;
  }

  start(): void {
    this.#started = true;
    this.refresh();
  }

  /** Nothing before the start, nor after the end. */
  refresh(): void {
    if (!this.#started) return;
    this.#stale = true;
    this.#reading ??= this.#readAll().finally(() => {
      this.#reading = undefined;
    });
  }

  async #readAll(): Promise<void> {
    while (this.#stale && this.#started) {
      this.#stale = false;
      try {
        await this.#options.read();
        this.#failing = false;
      } catch (error) {
        if (!this.#started) return;
        if (!this.#failing) this.#options.failed(error as Error);
        this.#failing = true;
        this.#after(RETRY_DELAY, () => this.refresh());
      }
      for (const event of this.#waiting.splice(0)) this.#options.handle(event);
    }
  }

  /** What is told, in its order. */
  take(event: Event): void {
    if (this.#reading === undefined) this.#options.handle(event);
    else this.#waiting.push(event);
  }

  /** Nothing is read any more. */
  stop(): void {
    this.#started = false;
  }
}
