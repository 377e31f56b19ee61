/**
 * What stations said before their access point said that they are here. Its word and the first frames come by different
 * ways, and where many come at once the frames may be first: a client that asks for an address would then wait for seconds
 * until it asks again.
 */
import type { Instant, Millis } from '../clients/time.js';
import { after, SECOND } from '../clients/time.js';
import type { Mac } from '../net/mac.js';

/** What a station said longer ago it has said again, or does not wait for any more. */
const KEPT_FOR: Millis = SECOND;

/** Frames of one station, the first: a DISCOVER, a router solicitation, questions about duplicates. */
const MAX_FRAMES = 4;

/** Stations, the last: hosts that are no clients speak all the time. */
const MAX_STATIONS = 256;

interface Early {
  readonly network: string;
  readonly since: Instant;
  readonly frames: Uint8Array[];
}

export class EarlyFrames {
  /** In the order of their first frame. */
  readonly #byStation = new Map<Mac, Early>();

  /** A station spoke that is not known to be here. The frame is copied. */
  keep(mac: Mac, network: string, frame: Uint8Array, now: Instant): void {
    const known = this.#byStation.get(mac);
    if (known?.network === network && isFresh(known, now)) {
      if (known.frames.length < MAX_FRAMES) known.frames.push(frame.slice());
      return;
    }
    this.#byStation.delete(mac);
    this.#byStation.set(mac, { network, since: now, frames: [frame.slice()] });
    const [oldest] = this.#byStation.keys();
    if (this.#byStation.size > MAX_STATIONS) this.#byStation.delete(oldest!);
  }

  /** It is here: what it has just said, once. */
  take(mac: Mac, network: string, now: Instant): readonly Uint8Array[] {
    const known = this.#byStation.get(mac);
    this.#byStation.delete(mac);
    return known?.network === network && isFresh(known, now) ? known.frames : [];
  }

  /** Stations remembered. */
  get size(): number {
    return this.#byStation.size;
  }
}

function isFresh({ since }: Early, now: Instant): boolean {
  return now <= after(since, KEPT_FOR);
}
