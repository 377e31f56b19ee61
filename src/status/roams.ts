/** Roams as `ubus call roaming history` shows them, and all moves in finer steps as `ubus call roaming trace` does. */
import type { Instant } from '../clients/time.js';
import { SECOND } from '../clients/time.js';
import type { Mac } from '../net/mac.js';
import type { Roam } from './history.js';
import { gapOf } from './history.js';
import type { Move, MoveStep } from './move-log.js';
import { MOVE_STEPS } from './move-log.js';
import type { Viewpoint } from './viewpoint.js';
import { toWallTime } from './viewpoint.js';
import { nodeName } from './views.js';

/** Times of steps and gaps are in milliseconds, to a tenth. */
export interface RoamView {
  /** When it began, as far as the answering node knows: seconds since 1970. */
  readonly time: number;
  readonly mac: string;
  /** What the client calls itself; '' where it told no name. */
  readonly hostname: string;
  readonly from: string;
  readonly from_name: string;
  readonly to: string;
  readonly to_name: string;
  /** How long packets to the client had no way, as far as the answering node can tell; absent until it knows. */
  readonly gap?: number;
  /** The steps that the answering node has seen, counted from the first. */
  readonly steps: { readonly [step in MoveStep]?: number };
}

/**
 * Where the time goes in a handover. At the router that the client comes to: `station` (the access point says that it may
 * pass), `claimed` (the database has it), `flooded` (written to every peer), `acknowledged` (the kernel has the client's
 * routes and neighbour entries), `announced` (the client is told its gateway). Elsewhere: `received` (a peer's flood
 * brings the move), `acknowledged`.
 */
export const TRACE_STEPS = ['station', 'received', 'claimed', 'flooded', 'acknowledged', 'announced'] as const;

export type TraceStep = (typeof TRACE_STEPS)[number];

export interface TraceView {
  readonly mac: string;
  /** Seconds since its first step. */
  readonly age: number;
  /** Milliseconds from the first step to each that was taken, to a microsecond, finer than which the clock is not. */
  readonly steps: { readonly [step in TraceStep]?: number };
}

/** Latest first, at most `limit`, of all clients or of one. */
export function viewRoams(view: Viewpoint, limit: number, mac?: Mac): RoamView[] {
  const views: RoamView[] = [];
  for (const roam of view.history.roams()) {
    if (views.length >= limit) break;
    if (mac === undefined || roam.mac === mac) views.push(viewRoam(view, roam));
  }
  return views;
}

function viewRoam(view: Viewpoint, roam: Roam): RoamView {
  const { db } = view;
  const taken = stepsTaken(MOVE_STEPS, roam.times);
  const gap = gapOf(roam);
  return {
    time: toWallTime(view, taken[0]![1]),
    mac: roam.mac,
    hostname: db.client(roam.mac)?.info.hostname ?? '',
    from: roam.from,
    from_name: nodeName(db, roam.from),
    to: roam.to,
    to_name: nodeName(db, roam.to),
    ...(gap === undefined ? {} : { gap: rounded(gap, TENTHS) }),
    steps: sinceFirst(taken, TENTHS),
  };
}

/** All moves since tracing began, latest first. */
export function viewTrace(view: Viewpoint): TraceView[] {
  return Array.from(view.history.traced(), (move) => {
    const taken = stepsTaken(TRACE_STEPS, traceTimes(move, move.to === view.self));
    return { mac: move.mac, age: Math.floor((view.now() - taken[0]![1]) / SECOND), steps: sinceFirst(taken, THOUSANDTHS) };
  });
}

function traceTimes({ times }: Move, here: boolean): { readonly [step in TraceStep]: Instant | undefined } {
  const { authorized, known, flooded, routed, announced } = times;
  return {
    station: authorized,
    received: here ? undefined : known,
    claimed: here ? known : undefined,
    flooded,
    acknowledged: routed,
    announced,
  };
}

type Taken<Step> = readonly (readonly [step: Step, at: Instant])[];

function stepsTaken<Step extends string>(steps: readonly Step[], times: { readonly [step in Step]?: Instant | undefined }): Taken<Step> {
  return steps.flatMap((step) => {
    const at = times[step];
    return at === undefined ? [] : [[step, at] as const];
  });
}

function sinceFirst<Step extends string>(taken: Taken<Step>, parts: number): { readonly [step in Step]?: number } {
  const offsets = taken.map(([step, at]) => [step, rounded(at - taken[0]![1], parts)] as const);
  return Object.fromEntries(offsets) as { readonly [step in Step]?: number };
}

/** How many parts of one a rounded value is a multiple of. */
const TENTHS = 10;
const THOUSANDTHS = 1000;

function rounded(value: number, parts: number): number {
  return Math.round(value * parts) / parts;
}
