/**
 * What became of clients lately: a bounded memory of roams with the times of their steps, and since when each client is
 * where it is. As this router saw it: nothing of it is flooded.
 */
import type { Mac } from '../net/mac.js';
import type { NodeId } from '../clients/node-id.js';
import type { Instant, Millis } from '../clients/time.js';

/** The steps of a roam, in the order in which they follow; a router sees those that happen at it. */
export const ROAM_STEPS = ['left', 'authorized', 'known', 'routed', 'announced'] as const;

/**
 * `left`: the access point here lost the station. `authorized`: the access point here let it pass. `known`: the
 * database here has the move. `routed`: the kernel here has the new routes. `announced`: the client is told its gateway.
 */
export type RoamStep = (typeof ROAM_STEPS)[number];

export type RoamTimes = { readonly [step in RoamStep]?: Instant };

export interface Roam {
  readonly mac: Mac;
  readonly from: NodeId;
  readonly to: NodeId;
  readonly times: RoamTimes;
}

export interface Whereabouts {
  /** When the client came to the node where it is. */
  readonly since: Instant;
  /** How often it has roamed since it joined. */
  readonly roams: number;
}

/** How many roams are remembered, unless said otherwise. */
export const HISTORY_LIMIT = 500;

interface Entry extends Roam {
  times: RoamTimes;
}

export class History {
  /** A ring: the oldest entry lies at `#next` once it is full. */
  #ring: Entry[] = [];
  #next = 0;
  #latest = new Map<Mac, Entry>();
  #early = new Map<Mac, RoamTimes>();
  #whereabouts = new Map<Mac, Whereabouts>();

  constructor(readonly limit = HISTORY_LIMIT) {}

  /** A step that comes before the move is known. A station that comes has not left. */
  before(mac: Mac, step: 'left' | 'authorized', now: Instant): void {
    this.#early.set(mac, { [step]: now });
  }

  /** The database says so now. `self`: this node, whose own steps belong to the roam where it is one end of it. */
  moved(mac: Mac, from: NodeId | undefined, to: NodeId | undefined, self: NodeId, now: Instant): void {
    const early = this.#early.get(mac);
    this.#early.delete(mac);
    this.#latest.delete(mac);
    if (to === undefined) {
      this.#whereabouts.delete(mac);
      return;
    }
    const before = from === undefined ? undefined : this.#whereabouts.get(mac);
    this.#whereabouts.set(mac, { since: now, roams: from === undefined ? 0 : (before?.roams ?? 0) + 1 });
    if (from === undefined) return;
    const { left, authorized } = early ?? {};
    this.#add({
      mac,
      from,
      to,
      times: {
        ...(left !== undefined && from === self ? { left } : {}),
        ...(authorized !== undefined && to === self ? { authorized } : {}),
        known: now,
      },
    });
  }

  /** A step of the client's latest roam; only the first of its kind counts. */
  after(mac: Mac, step: 'routed' | 'announced', now: Instant): void {
    const entry = this.#latest.get(mac);
    if (entry !== undefined && entry.times[step] === undefined) entry.times = { ...entry.times, [step]: now };
  }

  #add(entry: Entry): void {
    const oldest = this.#ring[this.#next];
    if (oldest !== undefined && this.#latest.get(oldest.mac) === oldest) this.#latest.delete(oldest.mac);
    this.#ring[this.#next] = entry;
    this.#next = (this.#next + 1) % this.limit;
    this.#latest.set(entry.mac, entry);
  }

  /** Latest first. */
  *roams(): Generator<Roam> {
    const { length } = this.#ring;
    for (let i = 1; i <= length; i++) yield this.#ring[(this.#next - i + length) % length]!;
  }

  /** Undefined where the client is at no node. */
  whereabouts(mac: Mac): Whereabouts | undefined {
    return this.#whereabouts.get(mac);
  }
}

/**
 * How long packets to the client had no way, as far as this router can tell: from when it was lost here, or else from the
 * first that was known of the move, until the kernel had the new routes. Undefined before that.
 */
export function gapOf({ times }: Roam): Millis | undefined {
  const from = times.left ?? times.authorized ?? times.known;
  return from === undefined || times.routed === undefined ? undefined : times.routed - from;
}
