import type { NodeId } from '../clients/node-id.js';
import type { Instant } from '../clients/time.js';
import type { Mac } from '../net/mac.js';

/** The steps of a move, in the order in which they follow; a router sees those that happen at it. */
export const MOVE_STEPS = ['left', 'authorized', 'known', 'flooded', 'routed', 'announced'] as const;

/**
 * `left`: the access point here lost the station. `authorized`: the access point here let it pass. `known`: the
 * database here has the move. `flooded`: the claim is written to every peer; noted while tracing only. `routed`: the
 * kernel here has the client's routes and neighbour entries. `announced`: the client is told its gateway.
 */
export type MoveStep = (typeof MOVE_STEPS)[number];

export type MoveTimes = { readonly [step in MoveStep]?: Instant };

/** A client joins (`from` undefined), roams to another node, or, where the two are the same, to another access point. */
export interface Move {
  readonly mac: Mac;
  readonly from: NodeId | undefined;
  readonly to: NodeId;
  readonly times: MoveTimes;
}

const WIDTH = MOVE_STEPS.length;

/**
 * The last moves with the times of their steps: a ring, the oldest of which lies at `#next` once it is full. In columns,
 * so that a step of a roam allocates nothing.
 */
export class MoveLog {
  #macs: Mac[] = [];
  #from: (NodeId | undefined)[] = [];
  #to: NodeId[] = [];
  /** A row of instants for each move, NaN where a step was not taken. */
  readonly #times: Float64Array;
  #next = 0;
  /** The row of each client's latest move. */
  #latest = new Map<Mac, number>();

  constructor(readonly limit: number) {
    this.#times = new Float64Array(limit * WIDTH);
  }

  get size(): number {
    return this.#macs.length;
  }

  /** A move begins; the oldest is forgotten for it. */
  add({ mac, from, to, times }: Move): void {
    const row = this.#next;
    this.#next = (row + 1) % this.limit;
    const oldest = this.#macs[row];
    if (oldest !== undefined && this.#latest.get(oldest) === row) this.#latest.delete(oldest);
    this.#macs[row] = mac;
    this.#from[row] = from;
    this.#to[row] = to;
    MOVE_STEPS.forEach((step, i) => (this.#times[row * WIDTH + i] = times[step] ?? NaN));
    this.#latest.set(mac, row);
  }

  /** A step of the client's latest move; only the first of its kind counts. */
  step(mac: Mac, step: MoveStep, now: Instant): void {
    const row = this.#latest.get(mac);
    if (row === undefined) return;
    const at = row * WIDTH + MOVE_STEPS.indexOf(step);
    if (Number.isNaN(this.#times[at])) this.#times[at] = now;
  }

  /** What follows is no step of the client's latest move. */
  end(mac: Mac): void {
    this.#latest.delete(mac);
  }

  /** The latest `count`, latest first. */
  *moves(count = this.size): Generator<Move> {
    for (let i = 1; i <= count; i++) yield this.#move((this.#next - i + this.size) % this.size);
  }

  #move(row: number): Move {
    const taken = MOVE_STEPS.map((step, i) => [step, this.#times[row * WIDTH + i]!] as const).filter(([, at]) => !Number.isNaN(at));
    return { mac: this.#macs[row]!, from: this.#from[row], to: this.#to[row]!, times: Object.fromEntries(taken) as MoveTimes };
  }
}
