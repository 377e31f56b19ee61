import type { Database } from '../clients/database.js';
import type { NodeId } from '../clients/node-id.js';
import type { Instant } from '../clients/time.js';
import { SECOND } from '../clients/time.js';
import type { History } from './history.js';

/** What views are made of: what this node knows, and the time on the clock on the wall. */
export interface Viewpoint {
  readonly db: Database;
  readonly self: NodeId;
  readonly history: History;
  now(): Instant;
  /** Seconds since 1970, with a fraction; off where the router's clock is not set yet. */
  wallTime(): number;
}

/**
 * An instant as seconds since 1970, to the millisecond. Made anew for each answer, since a router's clock may be set long
 * after its start.
 */
export function toWallTime(view: Viewpoint, at: Instant): number {
  return Math.round(view.wallTime() * 1000 + (at - view.now())) / SECOND;
}
