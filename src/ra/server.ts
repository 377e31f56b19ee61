/**
 * When each client is told what: in answer to its solicitation, when the daemon says so (it arrived, or its prefixes
 * changed), and again within the lifetimes for as long as it stays. Every advertisement is unicast (RFC 7772 section 5).
 *
 * There is no farewell: the link-local address is that of all routers, and a router lifetime of 0 from one of them would
 * take the default route from clients that another one serves.
 */
import { DeadlineHeap } from '../clients/heap.js';
import type { Instant, Millis } from '../clients/time.js';
import { after, SECOND } from '../clients/time.js';
import type { Ip6 } from '../net/ip.js';
import { ALL_ROUTERS, ANY6, isLinkLocal6 } from '../net/ip.js';
import type { LinkFrame, OutgoingFrame } from '../net/link-frame.js';
import type { Mac } from '../net/mac.js';
import type { RouterAdvertisement } from '../net/nd.js';
import type { PrefixInformation } from '../net/nd-options.js';
import type { Prefix6 } from '../net/prefix.js';
import { formatPrefix } from '../net/prefix.js';
import type { Random } from '../ports.js';
import type { ClientPrefix, RaGateway } from './advertisement.js';
import { buildRa, raFrame } from './advertisement.js';
import type { RaConfig } from './config.js';
import { checkRaConfig } from './config.js';
import { Withdrawals } from './withdrawals.js';

/** A client that is here and may be told: what the daemon knows of it at the moment. */
export interface RaClient {
  readonly network: string;
  readonly linkLocal: Ip6 | undefined;
  /** In mode `host` those that it has of a time before. */
  readonly prefixes: readonly ClientPrefix[];
}

export interface RaCounters {
  /** Advertisements, for whatever reason. */
  sent: number;
  /** Solicitations heard from clients. */
  solicited: number;
  /** Solicitations passed over because their sender has had enough answers. */
  limited: number;
  /** Solicitations passed over because their sender is no client of that network, or asked another router. */
  foreign: number;
}

/** A host asks three times, four seconds apart (RFC 4861 section 10); this many answers at once, then one in three seconds. */
const BURST = 4;
const ANSWER_EVERY: Millis = 3 * SECOND;

/** Never more often than that, however short what is left of a lifetime. */
const SHORTEST_REFRESH: Millis = 10 * SECOND;

/** After a change of configuration all clients are told within this time, not in one burst. */
const SPREAD: Millis = 3 * SECOND;

interface State {
  readonly mac: Mac;
  present: boolean;
  /** When it is told again. */
  refresh: Instant;
  /** Where it stands in the heap; undefined: nowhere. A later deadline is not pushed, the earlier one finds it. */
  queued: Instant | undefined;
  /** Prefixes that it was told, and until when it may hold them valid. */
  told: Map<string, { prefix: Prefix6; until: Instant }>;
  /** The link-local address that it solicited from. */
  linkLocal: Ip6 | undefined;
  /** Answers that it may have at `creditAt`. */
  credit: number;
  creditAt: Instant;
}

export class RaServer {
  readonly counters: RaCounters = { sent: 0, solicited: 0, limited: 0, foreign: 0 };
  #config: RaConfig;
  #gateway: RaGateway;
  #clients: (mac: Mac) => RaClient | undefined;
  #random: Random;
  readonly #withdrawals = new Withdrawals();
  #states = new Map<Mac, State>();
  #deadlines = new DeadlineHeap<State>((state, at) => state.queued === at);

  /** `clients` gives those that are here now. Throws BadInput where the configuration cannot be told. */
  constructor(config: RaConfig, gateway: RaGateway, clients: (mac: Mac) => RaClient | undefined, random: Random) {
    checkRaConfig(config);
    this.#config = config;
    this.#gateway = gateway;
    this.#clients = clients;
    this.#random = random;
  }

  /** When {@link poll} has something to do. */
  get nextDeadline(): Instant | undefined {
    return this.#deadlines.next;
  }

  /** From now on all clients are told this, those present within three seconds. Throws BadInput, and changes nothing. */
  reconfigure(config: RaConfig, gateway: RaGateway, now: Instant): void {
    checkRaConfig(config);
    this.#withdrawals.replaced(this.#config, config, now);
    this.#config = config;
    this.#gateway = gateway;
    for (const state of this.#states.values()) {
      if (state.present) this.#refreshAt(state, after(now, this.#random.below(SPREAD)));
    }
  }

  /**
   * The advertisement for a client that has arrived, or whose prefixes have changed; it is refreshed from then on.
   * Undefined where it is not here, or has no prefix and had none.
   */
  advertise(mac: Mac, now: Instant): OutgoingFrame | undefined {
    const client = this.#clients(mac);
    return client === undefined ? undefined : this.#send(this.#stateOf(mac, now), client, undefined, now);
  }

  /** The client is told nothing any more, until it is advertised to again. */
  left(mac: Mac): void {
    const state = this.#states.get(mac);
    if (state === undefined) return;
    state.present = false;
    if (state.queued === undefined) this.#states.delete(mac);
  }

  /**
   * The answer to a router solicitation; undefined for any other frame. The sender is who the frame says, whatever its
   * option says: an access point vouches for the one, and nobody for the other.
   */
  receive(network: string, received: LinkFrame, now: Instant): OutgoingFrame | undefined {
    if (received.protocol !== 'nd' || received.packet.message.type !== 'rs') return undefined;
    const { source, destination } = received.packet;
    const mac = received.ethernet.source;
    const client = this.#clients(mac);
    const forUs = destination === ALL_ROUTERS || destination === this.#gateway.linkLocal;
    if (client === undefined || client.network !== network || !forUs) {
      this.counters.foreign++;
      return undefined;
    }
    this.counters.solicited++;
    const state = this.#stateOf(mac, now);
    if (!spendCredit(state, now)) {
      this.counters.limited++;
      return undefined;
    }
    if (isLinkLocal6(source)) state.linkLocal = source;
    return this.#send(state, client, source === ANY6 ? undefined : source, now);
  }

  /** The advertisements that are due. */
  poll(now: Instant): OutgoingFrame[] {
    const frames: OutgoingFrame[] = [];
    for (;;) {
      const state = this.#deadlines.popDue(now);
      if (state === undefined) return frames;
      state.queued = undefined;
      const client = state.present ? this.#clients(state.mac) : undefined;
      if (client === undefined) this.#states.delete(state.mac);
      else if (state.refresh > now) this.#refreshAt(state, state.refresh);
      else {
        const frame = this.#send(state, client, undefined, now);
        if (frame !== undefined) frames.push(frame);
      }
    }
  }

  #stateOf(mac: Mac, now: Instant): State {
    let state = this.#states.get(mac);
    if (state === undefined) {
      const none = { queued: undefined, linkLocal: undefined, told: new Map() };
      state = { mac, present: true, refresh: now, credit: BURST, creditAt: now, ...none };
      this.#states.set(mac, state);
    }
    state.present = true;
    return state;
  }

  #send(state: State, client: RaClient, to: Ip6 | undefined, now: Instant): OutgoingFrame | undefined {
    for (const [key, { until }] of state.told) if (until <= now) state.told.delete(key);
    const told = [...state.told.values()].map(({ prefix }) => prefix);
    const message = buildRa(client.prefixes, told, this.#config, this.#gateway, now, this.#withdrawals.at(now));
    const prefixes = message.options.filter((option) => option.type === 'prefix');
    if (prefixes.length === 0) return undefined;
    for (const { prefix, validLifetime } of prefixes) {
      if (validLifetime > 0) state.told.set(formatPrefix(prefix), { prefix, until: after(now, validLifetime * SECOND) });
    }
    this.#refreshAt(state, after(now, this.#refreshDelay(message, prefixes)));
    this.counters.sent++;
    const linkLocal = to ?? client.linkLocal ?? state.linkLocal;
    return { network: client.network, frame: raFrame(state.mac, linkLocal, this.#gateway, message) };
  }

  /** A quarter to a third of the shortest lifetime that is still running: two refreshes may be lost. */
  #refreshDelay(message: RouterAdvertisement, prefixes: readonly PrefixInformation[]): Millis {
    const running = prefixes.map(({ preferredLifetime }) => preferredLifetime).filter((lifetime) => lifetime > 0);
    const third = (Math.min(message.routerLifetime, ...running) * SECOND) / 3;
    const jitter = this.#random.below(Math.floor(third / 4) + 1);
    return Math.max(SHORTEST_REFRESH, Math.floor(third) - jitter);
  }

  #refreshAt(state: State, at: Instant): void {
    state.refresh = at;
    if (state.queued !== undefined && state.queued <= at) return;
    state.queued = at;
    this.#deadlines.push(at, state);
  }
}

/** Whether the client may have another answer now. */
function spendCredit(state: State, now: Instant): boolean {
  state.credit = Math.min(BURST, state.credit + (now - state.creditAt) / ANSWER_EVERY);
  state.creditAt = now;
  if (state.credit < 1) return false;
  state.credit--;
  return true;
}
