/**
 * The IPv6 addresses that clients here have chosen for themselves in a shared prefix: which of them are still used.
 *
 * The daemon's own neighbour entries keep the kernel from finding that out, so it is done here, as RFC 4861 7.3 and, with
 * more patience, RFC 7048 have it: an address that was not seen for long is asked for, ever more rarely, and lost when
 * nobody has answered. One that a client has only asked about (duplicate address detection) is asked for soon.
 */
import { DeadlineHeap } from '../clients/heap.js';
import type { Instant, Millis } from '../clients/time.js';
import { after, MINUTE, SECOND } from '../clients/time.js';
import type { Ip6 } from '../net/ip.js';
import type { Mac } from '../net/mac.js';

/** An address that was not seen for this long is asked for. */
export const STALE_AFTER: Millis = 10 * MINUTE;

/** How often it is then asked for, after 1, 2, 4 seconds and so on: four minutes, in which a sleeping phone wakes up. */
export const MAX_ASKS = 8;

/** After the question about duplicates a host waits a second (RFC 4862 5.1); then it has the address and answers for it. */
const TENTATIVE_FOR: Millis = 2 * SECOND;
const TENTATIVE_ASKS = 3;

/** Of a client that has too many, one that was seen within this time does not give way to another. */
const FRESH: Millis = MINUTE;

export interface HostAddress {
  readonly mac: Mac;
  readonly address: Ip6;
}

interface Watched extends HostAddress {
  seen: Instant;
  tentative: boolean;
  asks: number;
  next: Instant;
  /** The deadline under which it stands in the heap; older ones are passed over. */
  queued: Instant;
}

export class HostAddresses {
  #addresses = new Map<Ip6, Watched>();
  #byClient = new Map<Mac, Map<Ip6, Watched>>();
  #deadlines = new DeadlineHeap<Watched>((watched, at) => this.#addresses.get(watched.address) === watched && watched.queued === at);

  /** `limit`: addresses of one client. */
  constructor(public limit: number) {}

  /** Addresses watched. */
  get size(): number {
    return this.#addresses.size;
  }

  /** Deadlines that are waited for. */
  get pending(): number {
    return this.#deadlines.size;
  }

  /** The client uses the address, or, where `tentative`, asks whether it may. */
  seen(mac: Mac, address: Ip6, tentative: boolean, now: Instant): void {
    const known = this.#addresses.get(address);
    if (known !== undefined && known.mac === mac) {
      known.seen = now;
      if (tentative) return;
      known.tentative = false;
      known.asks = 0;
      // Found in the heap at the earlier deadline, and put back.
      known.next = after(now, STALE_AFTER);
      return;
    }
    this.drop(address);
    const next = after(now, tentative ? TENTATIVE_FOR : STALE_AFTER);
    const watched: Watched = { mac, address, seen: now, tentative, asks: 0, next, queued: next };
    this.#addresses.set(address, watched);
    const own = this.#byClient.get(mac) ?? new Map<Ip6, Watched>();
    this.#byClient.set(mac, own.set(address, watched));
    this.#deadlines.push(next, watched);
  }

  /**
   * Whether there is room for one more address of a client. Where it has too many: the one that gives way, unless all
   * are in use.
   */
  room(mac: Mac, now: Instant): { readonly free: boolean; readonly evict?: Ip6 } {
    const own = [...(this.#byClient.get(mac)?.values() ?? [])];
    if (own.length < this.limit) return { free: true };
    const oldest = own.reduce((a, b) => (b.seen < a.seen ? b : a));
    return oldest.seen > after(now, -FRESH) ? { free: false } : { free: true, evict: oldest.address };
  }

  /** Whether a client here has only asked about the address so far. */
  isTentative({ mac, address }: HostAddress): boolean {
    const known = this.#addresses.get(address);
    return known?.mac === mac && known.tentative;
  }

  /** The kernel could not reach it: it is asked for at once. */
  doubt(address: Ip6, now: Instant): void {
    const known = this.#addresses.get(address);
    if (known === undefined || known.asks > 0) return;
    known.next = now;
    this.#queue(known);
  }

  #queue(watched: Watched): void {
    watched.queued = watched.next;
    this.#deadlines.push(watched.next, watched);
  }

  drop(address: Ip6): void {
    const known = this.#addresses.get(address);
    if (known === undefined) return;
    this.#addresses.delete(address);
    const own = this.#byClient.get(known.mac);
    own?.delete(address);
    if (own?.size === 0) this.#byClient.delete(known.mac);
  }

  /** The client is not here any more: its addresses are another node's to watch. */
  forget(mac: Mac): void {
    for (const address of this.#byClient.get(mac)?.keys() ?? []) this.#addresses.delete(address);
    this.#byClient.delete(mac);
  }

  get nextDeadline(): Instant | undefined {
    return this.#deadlines.next;
  }

  /** Whom to ask for which address now, and which addresses nobody has answered for. */
  poll(now: Instant): { readonly ask: readonly HostAddress[]; readonly lost: readonly HostAddress[] } {
    const ask: HostAddress[] = [];
    const lost: HostAddress[] = [];
    for (let due = this.#deadlines.popDue(now); due !== undefined; due = this.#deadlines.popDue(now)) {
      if (due.next <= now) {
        if (due.asks >= (due.tentative ? TENTATIVE_ASKS : MAX_ASKS)) {
          this.drop(due.address);
          lost.push(due);
          continue;
        }
        due.next = after(now, SECOND * 2 ** due.asks);
        due.asks++;
        ask.push(due);
      }
      this.#queue(due);
    }
    return { ask, lost };
  }
}
