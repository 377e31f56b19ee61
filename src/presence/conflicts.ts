/**
 * Conflicts about a client's place, settled by asking the client: another node says that it has a client which is here.
 *
 * Its record counts at once, so that a roam is as fast as can be; most likely it is one, and the station in our table
 * just has not been missed yet. But before the station is given up it is asked on its own link, some times. If it answers,
 * or if the other node merely says that it has gone, it is claimed again with a newer number.
 */
import type { Mac } from '../net/mac.js';
import type { NodeId } from '../clients/node-id.js';
import type { Instant, Millis } from '../clients/time.js';
import { after } from '../clients/time.js';
import { DeadlineHeap } from '../clients/heap.js';
import { Damping } from './damping.js';
import type { Presence, Station } from './presence.js';

/**
 * How long a station has to answer, each time that it is asked. One that is awake answers at once; one that sleeps hears
 * of a frame at a beacon (every 102 ms), but many look at every third only, some at every tenth. The other node's record
 * counts meanwhile, so that no roam waits for this.
 */
export const ASK_INTERVALS: readonly Millis[] = [150, 300, 600, 600];

export interface ConflictsOptions {
  readonly presence: Presence;
  /** The node that a client is at, as the database has it. */
  readonly placeOf: (mac: Mac) => NodeId | undefined;
  readonly self: NodeId;
  /** Asks a station on its link; what it answers comes back by {@link Conflicts.answered}. */
  readonly ask: (station: Station, now: Instant) => void;
  /** The client is here: to be claimed with a newer number than any. `against`: who says otherwise. */
  readonly claim: (station: Station, against: NodeId | undefined, now: Instant) => void;
  /** The client is elsewhere, beyond doubt: nothing here speaks for it any more. `radios` still list it. */
  readonly yielded: (station: Station, radios: readonly string[], now: Instant) => void;
  /** Told once as a client begins to flap: its next claims will have to wait. */
  readonly flaps: (mac: Mac, against: NodeId | undefined) => void;
}

interface Contest {
  against: NodeId | undefined;
  /** How often it was asked; undefined: the hold-down of a flapping client, after which it is asked again. */
  round: number | undefined;
  due: Instant;
}

export class Conflicts {
  readonly #options: ConflictsOptions;
  readonly #damping = new Damping();
  readonly #contests = new Map<Mac, Contest>();
  readonly #deadlines = new DeadlineHeap<Mac>((mac, at) => this.#contests.get(mac)?.due === at);

  constructor(options: ConflictsOptions) {
    this.#options = options;
  }

  /** Another node says that a client, of which a station is here, is at `node`, or gone. */
  contradicted(mac: Mac, node: NodeId | undefined, now: Instant): void {
    const { presence } = this.#options;
    const contest = this.#contests.get(mac);
    if (contest !== undefined) contest.against = node;
    else if (!presence.isAssociated(mac)) {
      // Our own access point has said that it left. "Gone" is then no news.
      if (node !== undefined) this.#yield(mac, now);
    } else if (node === undefined) this.#claim(mac, node, now);
    else this.#contest(mac, node, now);
  }

  /** Another node has claimed a client that is here with the same number, and lost: both ask. */
  rivalled(mac: Mac, node: NodeId, now: Instant): void {
    if (this.#options.presence.isAssociated(mac) && !this.#contests.has(mac)) this.#contest(mac, node, now);
  }

  /** The client has shown itself on its link here. */
  answered(mac: Mac, now: Instant): void {
    const contest = this.#contests.get(mac);
    if (contest?.round === undefined) return;
    this.#contests.delete(mac);
    this.#claim(mac, contest.against, now);
  }

  /** The access point here let the client pass anew, or has it on another radio: nothing is left to settle. */
  joined(mac: Mac): void {
    this.#contests.delete(mac);
  }

  /** The access point here says that the client left: the other node is believed. */
  left(mac: Mac, now: Instant): void {
    if (this.#options.presence.isAssociated(mac) || !this.#contests.delete(mac)) return;
    if (this.#place(mac) !== undefined) this.#yieldUnlessOurs(mac, now);
  }

  /**
   * Another copy of the database says that a client is here, and it is not. Whether to say so: not where somebody
   * insists, as another node with our id would.
   */
  mayDeny(mac: Mac, now: Instant): boolean {
    if (this.#damping.allowed(mac, now) > now) return false;
    this.#moved(mac, undefined, now);
    return true;
  }

  /** Whether two places have claimed the client back and forth lately. */
  flaps(mac: Mac, now: Instant): boolean {
    return this.#damping.flaps(mac, now);
  }

  get nextDeadline(): Instant | undefined {
    return this.#deadlines.next;
  }

  poll(now: Instant): void {
    for (let mac = this.#deadlines.popDue(now); mac !== undefined; mac = this.#deadlines.popDue(now)) {
      const contest = this.#contests.get(mac)!;
      const station = this.#options.presence.get(mac);
      if (station === undefined) this.#contests.delete(mac);
      else this.#proceed(station, contest, now);
    }
  }

  #contest(mac: Mac, against: NodeId | undefined, now: Instant): void {
    const contest: Contest = { against, round: 0, due: now };
    this.#contests.set(mac, contest);
    this.#proceed(this.#options.presence.get(mac)!, contest, now);
  }

  #proceed(station: Station, contest: Contest, now: Instant): void {
    const { mac } = station;
    const round = contest.round ?? 0;
    const interval = ASK_INTERVALS[round];
    if (interval === undefined) {
      this.#contests.delete(mac);
      this.#yieldUnlessOurs(mac, now);
      return;
    }
    contest.round = round + 1;
    this.#wait(mac, contest, after(now, interval));
    this.#options.ask(station, now);
  }

  #wait(mac: Mac, contest: Contest, due: Instant): void {
    contest.due = due;
    this.#deadlines.push(due, mac);
  }

  #place(mac: Mac): NodeId | undefined {
    return this.#options.placeOf(mac);
  }

  /** Where our own record stands there is nobody to yield to: the access point will notice. */
  #yieldUnlessOurs(mac: Mac, now: Instant): void {
    if (this.#place(mac) !== this.#options.self) this.#yield(mac, now);
  }

  #yield(mac: Mac, now: Instant): void {
    const { presence, yielded } = this.#options;
    const radios = presence.radiosOf(mac);
    const station = presence.elsewhere(mac);
    if (station !== undefined) yielded(station, radios, now);
  }

  #claim(mac: Mac, against: NodeId | undefined, now: Instant): void {
    const station = this.#options.presence.get(mac);
    if (station === undefined) return;
    const allowed = this.#damping.allowed(mac, now);
    if (allowed > now) {
      const contest: Contest = { against, round: undefined, due: allowed };
      this.#contests.set(mac, contest);
      this.#wait(mac, contest, allowed);
      return;
    }
    this.#moved(mac, against, now);
    this.#options.claim(station, against, now);
  }

  #moved(mac: Mac, against: NodeId | undefined, now: Instant): void {
    if (this.#damping.moved(mac, now)) this.#options.flaps(mac, against);
  }
}
