import type { Ip } from '../net/ip.js';
import type { Mac } from '../net/mac.js';
import type { Database } from './database.js';
import { ASSOCIATION_LIFETIME, keysOf } from './claims.js';
import { DeadlineHeap } from './heap.js';
import type { Record } from './record.js';
import { RecordType, typeOfKey } from './record.js';
import type { Instant, Millis } from './time.js';
import { after, SECOND } from './time.js';

/** Records are looked at no more often than that, however short they live. */
const SHORTEST_ROUND: Millis = 10 * SECOND;

/**
 * Keeps alive what is known of the clients that are here: at half of a record's lifetime the same version is given a
 * later expiry. So a client that stays keeps its addresses for ever, whether or not it ever asks again.
 */
export class Keeper {
  #kept = new Set<Mac>();
  /** When each client in {@link #rounds} has its next round; one that was released leaves it at that. */
  #queued = new Map<Mac, Instant>();
  #rounds = new DeadlineHeap<Mac>((mac, at) => this.#queued.get(mac) === at);

  /** `leaseLifetime`: of leases and learnt addresses. Those that are not `ours`, of a prefix configured once, run out. */
  constructor(
    private readonly db: Database,
    private leaseLifetime: Millis,
    private readonly isOurs: (address: Ip) => boolean,
  ) {}

  /** From now on. What is taken with a shorter one must not run out before the round that was due with the longer. */
  setLeaseLifetime(lifetime: Millis, now: Instant): void {
    this.leaseLifetime = lifetime;
    const next = this.#nextRound(now);
    for (const mac of this.#kept) if (this.#queued.get(mac)! > next) this.#queue(mac, next);
  }

  /** From now on the client's records are kept. Those past their half time at once: it may roam on before any round. */
  keep(mac: Mac, now: Instant): void {
    this.#kept.add(mac);
    if (this.#due(mac, now).length > 0) this.#queue(mac, now);
    else if (!this.#queued.has(mac)) this.#queue(mac, this.#nextRound(now));
  }

  /** The client is not here any more: its records run out, unless another node keeps them. */
  release(mac: Mac): void {
    this.#kept.delete(mac);
  }

  get nextDeadline(): Instant | undefined {
    return this.#rounds.next;
  }

  /** The records to apply and flood now. */
  poll(now: Instant): Record[] {
    const extended: Record[] = [];
    for (let mac = this.#rounds.popDue(now); mac !== undefined; mac = this.#rounds.popDue(now)) {
      this.#queued.delete(mac);
      if (!this.#kept.has(mac)) continue;
      extended.push(...this.#due(mac, now));
      this.#queue(mac, this.#nextRound(now));
    }
    return extended;
  }

  #queue(mac: Mac, at: Instant): void {
    this.#queued.set(mac, at);
    this.#rounds.push(at, mac);
  }

  /** Rounds are a quarter of the shortest lifetime apart, so that each record is found before its half time is long over. */
  #nextRound(now: Instant): Instant {
    return after(now, Math.max(SHORTEST_ROUND, Math.min(this.leaseLifetime, ASSOCIATION_LIFETIME) / 4));
  }

  /** The client's records that are past their half time, as they are to be. */
  #due(mac: Mac, now: Instant): Record[] {
    const extended: Record[] = [];
    for (const key of keysOf(this.db, mac, this.isOurs)) {
      const record = this.db.get(key)!;
      const type = typeOfKey(key);
      const ours = type === RecordType.association || type === RecordType.clientInfo;
      const lifetime = ours ? ASSOCIATION_LIFETIME : this.leaseLifetime;
      if (record.expires - now <= lifetime / 2) extended.push({ ...record, expires: after(now, lifetime) });
    }
    return extended;
  }
}
