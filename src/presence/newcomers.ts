/**
 * How many hosts may come where no access point says who they are. On a cable anybody can send from any number of MACs, and
 * all routers are told of each: so the clients of a port are limited, and so is the pace at which they come. Those behind a
 * switch all come at once when a router starts, which the burst allows for.
 */
import type { Mac } from '../net/mac.js';
import type { Instant, Millis } from '../clients/time.js';
import { after, earliest, Pace, SECOND } from '../clients/time.js';
import type { Sight } from './presence.js';

/** Clients of one port, and as many that wait to be. */
export const MAX_CLIENTS = 1000;

/** How many may come at once; then one in each interval. */
export const BURST = 500;
export const INTERVAL: Millis = 200;

/** How often a port that has all the clients it may have is looked at, in case one has gone. */
const RETRY: Millis = SECOND;

interface Port {
  readonly pace: Pace;
  /** In the order in which they came. */
  readonly waiting: Map<Mac, Sight>;
  /** When it is the turn of the first of them. */
  next: Instant | undefined;
  /** That it is held back has been told. */
  limited: boolean;
}

export interface NewcomersOptions {
  /** Clients that a port has now; `via` is the port, or the interface where none is known. */
  readonly clientsOf: (via: string) => number;
  /** A port is held back: told once, until nobody has come there for long. */
  readonly limited: (via: string) => void;
}

export class Newcomers {
  readonly #ports = new Map<string, Port>();
  readonly counters = { limited: 0 };

  constructor(private readonly options: NewcomersOptions) {}

  /** A host that is no client yet: whether it may be one now. The bridge tells of one once: it waits for its turn. */
  admit(sight: Sight, now: Instant): boolean {
    const { mac, via, source } = sight;
    const port = this.#port(via);
    if (port.waiting.size === 0 && this.#hasRoom(port, via, now)) {
      port.limited &&= !isAtRest(port, now);
      return port.pace.take(now);
    }
    if (port.waiting.has(mac)) return false;
    this.counters.limited++;
    if (!port.limited) this.options.limited(via);
    port.limited = true;
    if (source === 'fdb' && port.waiting.size < MAX_CLIENTS) {
      port.waiting.set(mac, sight);
      port.next ??= this.#turn(port, via, now);
    }
    return false;
  }

  /** It has gone before it was its turn. */
  left(mac: Mac, via: string): void {
    this.#ports.get(via)?.waiting.delete(mac);
  }

  get nextDeadline(): Instant | undefined {
    return earliest(...[...this.#ports.values()].map(({ next }) => next));
  }

  /** Those whose turn it is: they may be clients now. */
  *poll(now: Instant): Generator<Sight> {
    for (const [via, port] of this.#ports) {
      while (port.next !== undefined && port.next <= now) {
        const [first] = port.waiting.values();
        if (first !== undefined && this.#hasRoom(port, via, now)) {
          port.waiting.delete(first.mac);
          port.pace.take(now);
          yield first;
        }
        port.next = port.waiting.size === 0 ? undefined : this.#turn(port, via, now);
      }
    }
  }

  #port(via: string): Port {
    const known = this.#ports.get(via);
    if (known !== undefined) return known;
    const port: Port = { pace: new Pace(BURST, INTERVAL), waiting: new Map(), next: undefined, limited: false };
    this.#ports.set(via, port);
    return port;
  }

  #hasRoom(port: Port, via: string, now: Instant): boolean {
    return this.#turn(port, via, now) <= now;
  }

  /** When the next may come, as far as is known now. */
  #turn({ pace }: Port, via: string, now: Instant): Instant {
    if (pace.from > now) return pace.from;
    return this.options.clientsOf(via) < MAX_CLIENTS ? now : after(now, RETRY);
  }
}

/** All may come at once again. */
function isAtRest({ pace }: Port, now: Instant): boolean {
  return after(pace.from, (BURST - 1) * INTERVAL) <= now;
}
