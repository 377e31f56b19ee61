/**
 * Where the time goes in a handover: the instants of the steps of the last roams, as this router saw them. Kept in
 * arrays made beforehand, so that taking part in a roam allocates nothing; nobody keeps one unless asked to.
 */
import type { Mac } from '../net/mac.js';
import type { Instant, Millis } from '../clients/time.js';

/**
 * Steps in the order in which they follow. At the router that the client comes to: `station` (the access point says that
 * the station may pass), `claimed` (the database has it), `flooded` (written to every peer), `acknowledged` (the kernel
 * has the client's routes and neighbour entries), `announced` (the client is told its gateway). Elsewhere: `received`
 * (a peer's flood brings the move), `acknowledged`.
 */
export const TRACE_STEPS = ['station', 'received', 'claimed', 'flooded', 'acknowledged', 'announced'] as const;

export type TraceStep = (typeof TRACE_STEPS)[number];

/** A roam as `ubus call roaming trace` shows it. */
export interface TraceView {
  readonly mac: Mac;
  /** Seconds since its first step. */
  readonly age: number;
  /** Milliseconds from the first step to each that was taken; the first is 0. */
  readonly steps: { readonly [step in TraceStep]?: Millis };
}

/** How many roams are kept, unless said otherwise. */
export const TRACE_LIMIT = 256;

const WIDTH = TRACE_STEPS.length;

export class Trace {
  /** A row of instants for each roam, NaN where a step was not taken. */
  readonly #times: Float64Array;
  readonly #macs: (Mac | undefined)[];
  /** The row of each client's latest roam. */
  readonly #rows = new Map<Mac, number>();
  #next = 0;

  constructor(readonly limit = TRACE_LIMIT) {
    this.#times = new Float64Array(limit * WIDTH).fill(NaN);
    this.#macs = new Array<Mac | undefined>(limit).fill(undefined);
  }

  /** A roam begins here with `step`; the oldest is forgotten for it. */
  begin(mac: Mac, step: TraceStep, now: Instant): void {
    const row = this.#next;
    this.#next = (row + 1) % this.limit;
    const oldest = this.#macs[row];
    if (oldest !== undefined && this.#rows.get(oldest) === row) this.#rows.delete(oldest);
    this.#macs[row] = mac;
    this.#rows.set(mac, row);
    this.#times.fill(NaN, row * WIDTH, (row + 1) * WIDTH);
    this.#times[row * WIDTH + TRACE_STEPS.indexOf(step)] = now;
  }

  /** A step of the client's latest roam; only the first of its kind counts. */
  step(mac: Mac, step: TraceStep, now: Instant): void {
    const row = this.#rows.get(mac);
    if (row === undefined) return;
    const at = row * WIDTH + TRACE_STEPS.indexOf(step);
    if (Number.isNaN(this.#times[at])) this.#times[at] = now;
  }

  /** Latest first. */
  view(now: Instant): TraceView[] {
    const views: TraceView[] = [];
    for (let i = 1; i <= this.limit; i++) {
      const row = (this.#next - i + this.limit) % this.limit;
      const mac = this.#macs[row];
      if (mac === undefined) break;
      const times = this.#times.subarray(row * WIDTH, (row + 1) * WIDTH);
      const first = times.reduce((a, b) => (b < a || Number.isNaN(a) ? b : a), NaN);
      const taken = TRACE_STEPS.map((step, n) => [step, round(times[n]! - first)] as const);
      const steps = Object.fromEntries(taken.filter(([, time]) => !Number.isNaN(time)));
      views.push({ mac, age: Math.floor((now - first) / 1000), steps });
    }
    return views;
  }
}

/** To a microsecond, finer than which the clock is not. */
function round(time: Millis): Millis {
  return Math.round(time * 1000) / 1000;
}
