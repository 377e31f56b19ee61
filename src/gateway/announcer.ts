import type { Instant, Millis } from '../clients/time.js';
import { after, earliest } from '../clients/time.js';
import type { Mac } from '../net/mac.js';

/** When a client that has arrived is told: at once, and again since the first frames after a handshake may be lost. */
const ANNOUNCE_DELAYS: readonly Millis[] = [0, 100, 500];

/** One client to be told now. */
export interface Announcement {
  readonly mac: Mac;
  readonly network: string;
  /** 0 for the first time. */
  readonly round: number;
}

interface Waiting {
  readonly network: string;
  readonly at: Instant;
}

/**
 * Keeps count of who is to be told when. What is told is made when its time has come, by the caller: by then the database
 * may know of the client what it did not know when it arrived.
 *
 * The clients of one round all wait equally long, so each round is a queue in order of arrival: a Map, which keeps that
 * order and lets anyone step out.
 */
export class Announcer {
  #rounds: readonly Map<Mac, Waiting>[];

  constructor(readonly delays: readonly Millis[] = ANNOUNCE_DELAYS) {
    this.#rounds = delays.map(() => new Map());
  }

  /** Clients whose last round is still to come. */
  get pending(): number {
    return this.#rounds.at(-1)?.size ?? 0;
  }

  /** The client is here, and has its route: all rounds begin again. */
  arrived(mac: Mac, network: string, now: Instant): void {
    this.cancel(mac);
    this.#rounds.forEach((round, i) => round.set(mac, { network, at: after(now, this.delays[i]!) }));
  }

  /** The client has left: it is told nothing more. */
  cancel(mac: Mac): void {
    for (const round of this.#rounds) round.delete(mac);
  }

  /** When {@link poll} has somebody to name. */
  get nextDeadline(): Instant | undefined {
    return earliest(...this.#rounds.map((round) => firstOf(round)?.[1].at));
  }

  /** Who is to be told now, each at most once: rounds that came due together, after a delay of ours, count as one. */
  poll(now: Instant): Announcement[] {
    const due = new Map<Mac, Announcement>();
    this.#rounds.forEach((queue, round) => {
      for (let first = firstOf(queue); first !== undefined && first[1].at <= now; first = firstOf(queue)) {
        const [mac, { network }] = first;
        queue.delete(mac);
        due.set(mac, { mac, network, round });
      }
    });
    return [...due.values()];
  }
}

function firstOf(queue: Map<Mac, Waiting>): [Mac, Waiting] | undefined {
  const first = queue.entries().next();
  return first.done === true ? undefined : first.value;
}
