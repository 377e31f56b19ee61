/**
 * Who is here: what several sources tell of stations, merged into joins and leaves.
 *
 * Each source that knows a station vouches for it, and the station is here for as long as one does. An access point
 * vouches for an authorised station; of several the newest counts, since one that a station has walked away from still lists
 * it for minutes. The bridge vouches for what it has learnt on a wired port; the neighbour cache and traffic vouch for a
 * while only.
 *
 * A station that nobody vouches for any more is held for a moment: on Wi-Fi it is most likely roaming, and the claim of
 * the node that it roams to then moves it without a gap; a silent wired host is asked meanwhile whether it is there.
 */
import type { Mac } from '../net/mac.js';
import type { Instant, Millis } from '../clients/time.js';
import { after, earliest, MINUTE, SECOND } from '../clients/time.js';
import { DeadlineHeap } from '../clients/heap.js';
import type { PresenceSource } from './source.js';
import { isAccessPoint, knowsPort } from './source.js';

/** What a source says of a station that it vouches for. */
export interface Sight {
  readonly mac: Mac;
  /** The client interface (bridge) that it is on. */
  readonly network: string;
  /** What told of it: the access point's interface or the bridge's port; the network where the port is not known. */
  readonly via: string;
  readonly ssid: string;
  readonly source: PresenceSource;
}

/** A client on this router: what the strongest of its sources says. */
export interface Station extends Sight {
  readonly since: Instant;
}

export type PresenceChange =
  /** It came, or came back, or is on another port of the same network: `from`. */
  | { readonly kind: 'joined'; readonly station: Station; readonly from?: Station }
  /** It is on another client interface of this same router now. */
  | { readonly kind: 'moved'; readonly station: Station; readonly from: Station }
  /** Nothing vouches for a wired host any more: to be asked, now and each time that this is told, until it has left. */
  | { readonly kind: 'fading'; readonly station: Station }
  | { readonly kind: 'left'; readonly station: Station };

interface Voucher extends Sight {
  expires: Instant | undefined;
}

interface Held {
  station: Station;
  /** By source and via. */
  readonly vouchers: Map<string, Voucher>;
  /** When it counts as gone; undefined while something vouches for it. */
  leaves: Instant | undefined;
  /** The deadline under which it stands in the heap; undefined: none. */
  queued: Instant | undefined;
}

/** How long the neighbour cache and traffic vouch for a host that says nothing more. */
export const IDLE: Millis = 5 * MINUTE;

/** A host that fades is asked that often. */
const ASK_INTERVAL: Millis = SECOND;

/** The source whose word counts more has the higher number. */
const STRENGTH: { readonly [source in PresenceSource]: number } = { hostapd: 3, nl80211: 3, fdb: 2, neighbour: 1, traffic: 1 };

export class Presence {
  #stations = new Map<Mac, Held>();
  #deadlines = new DeadlineHeap<Mac>((mac, at) => this.#stations.get(mac)?.queued === at);

  /** `hold`: how long a station that left is kept. */
  constructor(
    public hold: Millis,
    readonly idle: Millis = IDLE,
  ) {}

  get(mac: Mac): Station | undefined {
    return this.#stations.get(mac)?.station;
  }

  /** Whether it is here and not just held. */
  isAssociated(mac: Mac): boolean {
    const held = this.#stations.get(mac);
    return held !== undefined && held.leaves === undefined;
  }

  *stations(): Generator<Station> {
    for (const { station } of this.#stations.values()) yield station;
  }

  get size(): number {
    return this.#stations.size;
  }

  /**
   * A source vouches for a station: an access point lets its traffic pass, or it was seen on a wired port. Undefined:
   * nothing changed for the rest of the network.
   */
  saw(sight: Sight, now: Instant): PresenceChange | undefined {
    const { mac, network, via, source } = sight;
    const held = this.#stations.get(mac);
    if (held !== undefined && held.station.network !== network && isWeaker(source, held)) return undefined;
    const expires = knowsPort(source) ? undefined : after(now, this.idle);
    const vouchers = held?.vouchers ?? new Map<string, Voucher>();
    for (const [key, other] of vouchers) if (supersedes(sight, other)) vouchers.delete(key);
    // The newest stands last, also where it has vouched before.
    vouchers.delete(keyOf(source, via));
    vouchers.set(keyOf(source, via), { ...sight, expires });
    const since = held?.station.since ?? now;
    const station: Station = { ...strongest(vouchers), since };
    if (held === undefined) {
      const fresh: Held = { station, vouchers, leaves: undefined, queued: undefined };
      this.#stations.set(mac, fresh);
      this.#queue(fresh, expires);
      return { kind: 'joined', station };
    }
    const { station: before, leaves } = held;
    held.station = station;
    held.leaves = undefined;
    this.#queue(held, expires);
    return difference(before, station, leaves !== undefined);
  }

  /**
   * A source does not vouch for the station any more; of no account where another does, or where it is on another radio
   * of this router by now.
   */
  left(mac: Mac, via: string, now: Instant, source: PresenceSource = 'hostapd'): PresenceChange | undefined {
    const held = this.#stations.get(mac);
    return held?.vouchers.delete(keyOf(source, via)) === true ? this.#reconsider(held, now) : undefined;
  }

  #reconsider(held: Held, now: Instant): PresenceChange | undefined {
    if (held.vouchers.size > 0) {
      const { station: from } = held;
      held.station = { ...strongest(held.vouchers), since: from.since };
      return held.station.network === from.network ? undefined : { kind: 'moved', station: held.station, from };
    }
    held.leaves = after(now, this.hold);
    if (isAccessPoint(held.station.source)) {
      this.#queue(held, held.leaves);
      return undefined;
    }
    return this.#fade(held, now);
  }

  #fade(held: Held, now: Instant): PresenceChange {
    this.#queue(held, earliest(held.leaves, after(now, ASK_INTERVAL)));
    return { kind: 'fading', station: held.station };
  }

  /** The access points that say that they have the station. */
  radiosOf(mac: Mac): readonly string[] {
    const vouchers = [...(this.#stations.get(mac)?.vouchers.values() ?? [])];
    return [...new Set(vouchers.filter(({ source }) => isAccessPoint(source)).map(({ via }) => via))];
  }

  /** The station is at another node. Returns what was known of it here. */
  elsewhere(mac: Mac): Station | undefined {
    const known = this.get(mac);
    this.#stations.delete(mac);
    return known;
  }

  get nextDeadline(): Instant | undefined {
    return this.#deadlines.next;
  }

  /** Stations whose time of grace is over, and those that are to be asked. */
  poll(now: Instant): PresenceChange[] {
    const changes: PresenceChange[] = [];
    for (let mac = this.#deadlines.popDue(now); mac !== undefined; mac = this.#deadlines.popDue(now)) {
      const held = this.#stations.get(mac)!;
      held.queued = undefined;
      const change = this.#due(held, now);
      if (change !== undefined) changes.push(change);
    }
    return changes;
  }

  #due(held: Held, now: Instant): PresenceChange | undefined {
    const { station, leaves, vouchers } = held;
    if (leaves !== undefined) {
      if (leaves > now) return this.#fade(held, now);
      this.#stations.delete(station.mac);
      return { kind: 'left', station };
    }
    for (const [key, { expires }] of vouchers) if (expires !== undefined && expires <= now) vouchers.delete(key);
    this.#queue(held, earliest(...[...vouchers.values()].map(({ expires }) => expires)));
    return vouchers.size > 0 ? undefined : this.#reconsider(held, now);
  }

  #queue(held: Held, at: Instant | undefined): void {
    if (at === undefined || (held.queued !== undefined && held.queued <= at)) return;
    held.queued = at;
    this.#deadlines.push(at, held.station.mac);
  }
}

function keyOf(source: PresenceSource, via: string): string {
  return `${source} ${via}`;
}

/** Whether something stronger than `source` vouches for a station. */
function isWeaker(source: PresenceSource, { station, vouchers }: Held): boolean {
  return vouchers.size > 0 && STRENGTH[source] < STRENGTH[station.source];
}

/** A host is behind one port of one bridge. An access point says itself when it has lost a station. */
function supersedes(sight: Sight, other: Voucher): boolean {
  if (isAccessPoint(other.source)) return false;
  return other.network !== sight.network || (other.via !== sight.via && other.source === 'fdb' && sight.source === 'fdb');
}

/** What the strongest source says, of equals the newest; an SSID is known to some only. */
function strongest(vouchers: ReadonlyMap<string, Voucher>): Sight {
  let best: Voucher | undefined;
  let named = '';
  for (const voucher of vouchers.values()) {
    if (best === undefined || STRENGTH[voucher.source] >= STRENGTH[best.source]) best = voucher;
    if (voucher.ssid !== '') named = voucher.ssid;
  }
  const { mac, network, via, ssid, source } = best!;
  return { mac, network, via, source, ssid: ssid === '' && isAccessPoint(source) ? named : ssid };
}

/** A station that comes back while it is held, or by another port, may have forgotten its gateway meanwhile. */
function difference(from: Station, station: Station, wasHeld: boolean): PresenceChange | undefined {
  if (from.network !== station.network) return { kind: 'moved', station, from };
  const elsewhere = from.via !== station.via && knowsPort(from.source) && knowsPort(station.source);
  if (elsewhere) return { kind: 'joined', station, from };
  return wasHeld ? { kind: 'joined', station } : undefined;
}
