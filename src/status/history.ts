/**
 * What became of clients lately: a bounded memory of moves with the times of their steps, and since when each client is
 * where it is. As this router saw it: nothing of it is flooded. Roams are always remembered; while somebody traces them
 * so are the other moves, joins and changes of the access point at this router, and one step more.
 */
import type { Mac } from '../net/mac.js';
import type { NodeId } from '../clients/node-id.js';
import type { Instant, Millis } from '../clients/time.js';
import type { Move, MoveTimes } from './move-log.js';
import { MoveLog } from './move-log.js';
import type { Stay } from './whereabouts.js';
import { Whereabouts } from './whereabouts.js';

export interface Roam extends Move {
  readonly from: NodeId;
}

/** How many moves are remembered, unless said otherwise. */
export const HISTORY_LIMIT = 500;

export class History {
  readonly #moves: MoveLog;
  /** How many of the latest moves have come while tracing; undefined: it is off. */
  #traced: number | undefined;
  /** Who came here last, until the move is known. */
  #arrival: { readonly mac: Mac; readonly at: Instant } | undefined;
  /** When clients that are here by the database were lost, until it says otherwise. */
  #left = new Map<Mac, Instant>();
  #whereabouts = new Whereabouts();
  #roamed = 0;

  /** `self`: this node, whose own steps belong to the moves that it is an end of. */
  constructor(
    private readonly self: NodeId,
    readonly limit = HISTORY_LIMIT,
  ) {
    this.#moves = new MoveLog(limit);
  }

  /** The access point here lost a station, which the database knows to be here. */
  left(mac: Mac, now: Instant): void {
    this.#left.set(mac, now);
  }

  /** The access point here let a station pass, which the database knows to be `at`. */
  authorized(mac: Mac, at: NodeId | undefined, now: Instant): void {
    this.#left.delete(mac);
    if (at !== this.self) this.#arrival = { mac, at: now };
    else if (this.tracing) this.#add({ mac, from: at, to: at, times: { authorized: now } });
  }

  /** The database says now that a client is at `to` instead of `from`. */
  moved(mac: Mac, from: NodeId | undefined, to: NodeId | undefined, now: Instant): void {
    const steps = this.#takeEarlySteps(mac, from, to);
    this.#moves.end(mac);
    this.#whereabouts.moved(mac, from, to, now);
    if (to === undefined) return;
    if (from !== undefined) this.#roamed++;
    if (from !== undefined || this.tracing) this.#add({ mac, from, to, times: { ...steps, known: now } });
  }

  /** The steps that came before the move was known. */
  #takeEarlySteps(mac: Mac, from: NodeId | undefined, to: NodeId | undefined): MoveTimes {
    const left = this.#left.get(mac);
    const authorized = this.#arrival?.mac === mac ? this.#arrival.at : undefined;
    this.#left.delete(mac);
    if (authorized !== undefined) this.#arrival = undefined;
    return {
      ...(left !== undefined && from === this.self ? { left } : {}),
      ...(authorized !== undefined && to === this.self ? { authorized } : {}),
    };
  }

  /** A step of the client's latest move; only the first of its kind counts. */
  step(mac: Mac, step: 'flooded' | 'routed' | 'announced', now: Instant): void {
    this.#moves.step(mac, step, now);
  }

  #add(move: Move): void {
    this.#moves.add(move);
    if (this.#traced !== undefined) this.#traced = Math.min(this.#traced + 1, this.limit);
  }

  /** Latest first. */
  *roams(): Generator<Roam> {
    for (const move of this.#moves.moves()) if (isRoam(move)) yield move;
  }

  /** All moves since tracing began, latest first; none while it is off. */
  traced(): Iterable<Move> {
    return this.#moves.moves(this.#traced ?? 0);
  }

  /** Whether all moves and all of their steps are noted. */
  get tracing(): boolean {
    return this.#traced !== undefined;
  }

  set tracing(on: boolean) {
    if (on !== this.tracing) this.#traced = on ? 0 : undefined;
  }

  /** How many roams there have been. */
  get roamed(): number {
    return this.#roamed;
  }

  /** Undefined where the client is at no node. */
  whereabouts(mac: Mac): Stay | undefined {
    return this.#whereabouts.get(mac);
  }
}

function isRoam(move: Move): move is Roam {
  return move.from !== undefined && move.from !== move.to;
}

/**
 * How long packets to the client had no way, as far as this router can tell: from when it was lost here, or else from the
 * first that was known of the move, until the kernel had the new routes. Undefined before that.
 */
export function gapOf({ times }: Move): Millis | undefined {
  const from = times.left ?? times.authorized ?? times.known;
  return from === undefined || times.routed === undefined ? undefined : times.routed - from;
}
