/**
 * Who is here: station events of several access points and radios, merged into joins and leaves.
 *
 * A station that leaves is held for a moment, since it is most likely roaming: the claim of the node that it roams to
 * then moves it without a gap, and a client that comes straight back never left.
 */
import type { Mac } from '../net/mac.js';
import type { Instant, Millis } from '../clients/time.js';
import { after } from '../clients/time.js';
import { DeadlineHeap } from '../clients/heap.js';

/** A client on this router. */
export interface Station {
  readonly mac: Mac;
  /** The client interface (bridge) that it is on. */
  readonly network: string;
  /** What told of it: the access point's interface. */
  readonly via: string;
  readonly ssid: string;
  readonly since: Instant;
}

export type PresenceChange =
  | { readonly kind: 'joined'; readonly station: Station }
  /** It is on another client interface of this same router now. */
  | { readonly kind: 'moved'; readonly station: Station; readonly from: Station }
  | { readonly kind: 'left'; readonly station: Station };

/** What one radio says of a station. */
type Sighting = Pick<Station, 'network' | 'via' | 'ssid'>;

interface Held extends Station {
  /** All that the radios say, the latest last: one that a station has walked off from keeps it for minutes. */
  radios: readonly Sighting[];
  /** When it counts as gone; undefined while it is associated. */
  leaves: Instant | undefined;
}

export class Presence {
  #stations = new Map<Mac, Held>();
  #deadlines = new DeadlineHeap<Mac>();

  /** `hold`: how long a station that left is kept. */
  constructor(public hold: Millis) {}

  get(mac: Mac): Station | undefined {
    return this.#stations.get(mac);
  }

  /** Whether it is here and not just held. */
  isAssociated(mac: Mac): boolean {
    const station = this.#stations.get(mac);
    return station !== undefined && station.leaves === undefined;
  }

  stations(): Iterable<Station> {
    return this.#stations.values();
  }

  get size(): number {
    return this.#stations.size;
  }

  /** The access point lets the station's traffic pass. Undefined: nothing changed for the rest of the network. */
  authorized(event: Omit<Station, 'since'>, now: Instant): PresenceChange | undefined {
    const { mac, network, via, ssid } = event;
    const known = this.#stations.get(mac);
    const others = known?.radios.filter((radio) => radio.via !== via) ?? [];
    const radios = [...others, { network, via, ssid }];
    const station: Held = { mac, network, via, ssid, since: known?.since ?? now, radios, leaves: undefined };
    this.#stations.set(mac, station);
    if (known === undefined) return { kind: 'joined', station };
    if (known.network !== network) return { kind: 'moved', station, from: known };
    // A station that comes back while it is held, or on another radio, may have forgotten its gateway meanwhile.
    return known.leaves !== undefined || known.via !== via ? { kind: 'joined', station } : undefined;
  }

  /** An access point lost the station: where another one of this router has it, it is there, else it is held. */
  left(mac: Mac, via: string, now: Instant): PresenceChange | undefined {
    const known = this.#stations.get(mac);
    if (known === undefined || known.leaves !== undefined) return undefined;
    const radios = known.radios.filter((radio) => radio.via !== via);
    const last = radios.at(-1);
    if (last === undefined) {
      known.radios = radios;
      known.leaves = after(now, this.hold);
      this.#deadlines.push(known.leaves, mac);
      return undefined;
    }
    const station: Held = { ...known, ...last, radios };
    this.#stations.set(mac, station);
    return last.network === known.network ? undefined : { kind: 'moved', station, from: known };
  }

  /** The radios that say that they have the station. */
  radiosOf(mac: Mac): readonly string[] {
    return this.#stations.get(mac)?.radios.map(({ via }) => via) ?? [];
  }

  /** The station is at another node. Returns what was known of it here. */
  elsewhere(mac: Mac): Station | undefined {
    const known = this.#stations.get(mac);
    this.#stations.delete(mac);
    return known;
  }

  get nextDeadline(): Instant | undefined {
    return this.#deadlines.next;
  }

  /** The stations whose time of grace is over. */
  poll(now: Instant): PresenceChange[] {
    const changes: PresenceChange[] = [];
    for (let mac = this.#deadlines.popDue(now); mac !== undefined; mac = this.#deadlines.popDue(now)) {
      const station = this.#stations.get(mac);
      if (station?.leaves === undefined || station.leaves > now) continue;
      this.#stations.delete(mac);
      changes.push({ kind: 'left', station });
    }
    return changes;
  }
}
