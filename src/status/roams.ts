/** Roams as `ubus call roaming history` shows them. */
import type { Mac } from '../net/mac.js';
import type { Roam, RoamStep } from './history.js';
import { gapOf, ROAM_STEPS } from './history.js';
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
  readonly steps: { readonly [step in RoamStep]?: number };
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
  const steps = ROAM_STEPS.flatMap((step) => {
    const at = roam.times[step];
    return at === undefined ? [] : [{ step, at }];
  });
  const first = steps[0]!.at;
  const gap = gapOf(roam);
  return {
    time: toWallTime(view, first),
    mac: roam.mac,
    hostname: db.client(roam.mac)?.info.hostname ?? '',
    from: roam.from,
    from_name: nodeName(db, roam.from),
    to: roam.to,
    to_name: nodeName(db, roam.to),
    ...(gap === undefined ? {} : { gap: tenths(gap) }),
    steps: Object.fromEntries(steps.map(({ step, at }) => [step, tenths(at - first)])),
  };
}

function tenths(value: number): number {
  return Math.round(value * 10) / 10;
}
