/**
 * The DHCPv4 server (RFC 2131 4.3) of every router. All of them show clients one server identifier, so that whichever
 * router is at hand renews a lease; what they agree on is the location database, which the server only reads.
 */
import { BadInput, ShortInput } from '../net/bytes.js';
import type { Ip4 } from '../net/ip.js';
import { ANY4, BROADCAST4, ip4ToBytes } from '../net/ip.js';
import type { Mac } from '../net/mac.js';
import { isStationMac } from '../net/mac.js';
import { broadcastOf } from '../net/prefix.js';
import { countHostAddresses } from '../clients/allocation.js';
import type { Instant } from '../clients/time.js';
import { SECOND, secondsUntil } from '../clients/time.js';
import type { Dhcp4Config, Dhcp4Limits, Leases } from './config.js';
import { DEFAULT_LIMITS } from './config.js';
import type { Dhcp4Effect, Dhcp4Result, DropReason, RequestMeta } from './exchange.js';
import { replyTo } from './exchange.js';
import { parseRequestFrame, writeReplyFrame } from './frames.js';
import { hostNameIn } from './hostname.js';
import { Offers, RateLimit } from './limits.js';
import type { Dhcp4Message, MessageName } from './message.js';
import { MessageType, Op } from './message.js';
import { MalformedDhcp4, OptionCode, optionIp4, optionU32, optionU8, textValue, u32Value, u8Value } from './options.js';
import { Parameters } from './parameters.js';
import type { Refusal } from './pool.js';
import { Pool } from './pool.js';
import { Senders } from './senders.js';

/** A client may ask for a shorter lease, but not for one that keeps the network busy. Seconds. */
const SHORTEST_LEASE = 120;

/** A lease with this much of its time left is confirmed, not extended: nothing then has to be flooded. */
const FRESH = 15 / 16;

const NAMES = new Map<number, MessageName>(
  (Object.keys(MessageType) as MessageName[]).map((name) => [MessageType[name], name]),
);

/** A message together with how and when it came. */
interface Request {
  readonly message: Dhcp4Message;
  readonly meta: RequestMeta;
  readonly now: Instant;
}

export class Dhcp4Server {
  #config: Dhcp4Config;
  #parameters: Parameters;
  #pool: Pool;
  readonly #offers: Offers;
  readonly #senders: Senders;
  readonly #messages: RateLimit;
  readonly #discovers: RateLimit;
  readonly #newLeases: RateLimit;
  readonly #declines: RateLimit;
  #limits: Dhcp4Limits;
  readonly #received = new Map<MessageName, number>();
  readonly #sent = new Map<MessageName, number>();
  readonly #dropped = new Map<DropReason, number>();

  /** Throws BadInput where the configuration has a domain name that is none. */
  constructor(
    config: Dhcp4Config,
    private readonly leases: Leases,
    limits: Dhcp4Limits = DEFAULT_LIMITS,
  ) {
    this.#config = config;
    this.#limits = limits;
    this.#parameters = new Parameters(config);
    this.#offers = new Offers(limits.pendingOffers, limits.offerTime);
    this.#pool = new Pool(config, leases, this.#offers);
    this.#senders = new Senders(config, leases);
    this.#messages = new RateLimit(limits.messagesPerSecond, limits.messageBurst);
    this.#discovers = new RateLimit(limits.discoversPerSecond, limits.discoverBurst);
    this.#newLeases = new RateLimit(limits.newLeasesPerSecond, limits.newLeaseBurst);
    this.#declines = new RateLimit(limits.declinesPerSecond, limits.declineBurst);
  }

  /** Takes a new configuration; offers stay. Throws as the constructor does, and then keeps the old one. */
  configure(config: Dhcp4Config, limits?: Dhcp4Limits): void {
    this.#parameters = new Parameters(config);
    this.#config = config;
    this.#pool = new Pool(config, this.leases, this.#offers);
    this.#senders.config = config;
    if (limits !== undefined) this.#limit(limits);
  }

  #limit(limits: Dhcp4Limits): void {
    this.#limits = limits;
    this.#messages.set(limits.messagesPerSecond, limits.messageBurst);
    this.#discovers.set(limits.discoversPerSecond, limits.discoverBurst);
    this.#newLeases.set(limits.newLeasesPerSecond, limits.newLeaseBurst);
    this.#declines.set(limits.declinesPerSecond, limits.declineBurst);
  }

  /** Messages received and sent by type, and dropped by reason, since the start. */
  get counters(): {
    readonly received: ReadonlyMap<MessageName, number>;
    readonly sent: ReadonlyMap<MessageName, number>;
    readonly dropped: ReadonlyMap<DropReason, number>;
  } {
    return { received: this.#received, sent: this.#sent, dropped: this.#dropped };
  }

  /** Offers that were not requested yet. */
  get pendingOffers(): number {
    return this.#offers.size;
  }

  /** Answers a frame from a client network; what comes back is to be sent out of the same, from `gatewayMac`. */
  handleFrame(
    network: string,
    frame: Uint8Array,
    gatewayMac: Mac,
    now: Instant,
  ): { readonly frame?: Uint8Array; readonly effects: readonly Dhcp4Effect[]; readonly dropped?: DropReason } {
    let request: ReturnType<typeof parseRequestFrame>;
    try {
      request = parseRequestFrame(network, frame);
    } catch (error) {
      if (!(error instanceof BadInput || error instanceof ShortInput)) throw error;
      return this.#counted(drop('malformed'));
    }
    const { reply, ...rest } = this.handle(request.message, request.meta, now);
    if (reply === undefined) return rest;
    return { ...rest, frame: writeReplyFrame(reply, { mac: gatewayMac, ip: this.#config.gateway }) };
  }

  /** Answers a message. Nothing that a client sends makes it throw. */
  handle(message: Dhcp4Message, meta: RequestMeta, now: Instant): Dhcp4Result {
    try {
      return this.#counted(this.#admit({ message, meta, now }));
    } catch (error) {
      if (!(error instanceof MalformedDhcp4)) throw error;
      return this.#counted(drop('malformed'));
    }
  }

  #counted<R extends Dhcp4Result>(result: R): R {
    if (result.dropped !== undefined) increment(this.#dropped, result.dropped);
    const type = result.reply?.message.options.get(OptionCode.messageType)?.[0];
    const name = type === undefined ? undefined : NAMES.get(type);
    if (name !== undefined) increment(this.#sent, name);
    return result;
  }

  /** Whether the message is for us and from whom it says. */
  #admit(request: Request): Dhcp4Result {
    const { message, meta, now } = request;
    const type = optionU8(message.options, OptionCode.messageType);
    const name = type === undefined ? undefined : NAMES.get(type);
    if (message.op !== Op.bootRequest || name === undefined) return drop('not for a server');
    if (!this.#isForUs(meta.destinationIp)) return drop('other destination');
    if (!isStationMac(message.chaddr)) return drop('spoofed');
    const forgery = this.#senders.forgery(name, message, meta);
    if (forgery !== undefined) return drop(forgery);
    if (!this.#messages.take(message.chaddr, now)) return drop('rate limited');
    increment(this.#received, name);
    return this.#dispatch(name, request);
  }

  #isForUs(destination: Ip4): boolean {
    const { gateway, prefixes } = this.#config;
    return (
      destination === BROADCAST4 ||
      destination === gateway ||
      prefixes.some((prefix) => broadcastOf(prefix) === destination)
    );
  }

  #dispatch(name: MessageName, request: Request): Dhcp4Result {
    switch (name) {
      case 'discover':
        return this.#discover(request);
      case 'request':
        return this.#request(request);
      case 'decline':
        return this.#decline(request);
      case 'release':
        return this.#release(request);
      case 'inform':
        return this.#inform(request);
      default:
        return drop('not for a server');
    }
  }

  /** 4.3.1. Only a rapid commit (RFC 4039) changes anything that another node gets to know. */
  #discover(request: Request): Dhcp4Result {
    const { message, meta, now } = request;
    const { options, chaddr: mac } = message;
    if (!this.#discovers.take(meta.network, now)) return drop('rate limited');
    const requested = optionIp4(options, OptionCode.requestedAddress);
    const address = this.#pool.choose(mac, options.get(OptionCode.clientIdentifier), requested, now);
    if (address === undefined) return drop('no address left');
    // A client that is to do without IPv4 takes the offer as its answer and requests nothing (RFC 8925 3.2).
    const isIpv6Only = this.#parameters.isIpv6Only(options.get(OptionCode.parameterRequestList));
    const asksRapid = options.has(OptionCode.rapidCommit) && this.#config.rapidCommit !== false && !isIpv6Only;
    if (asksRapid && this.#mayCommit(address, request)) return this.#acknowledge(address, request);
    this.#offers.put(mac, address, now);
    return { reply: this.#granting(MessageType.offer, address, this.#leaseTime(message), request), effects: [] };
  }

  /** 4.3.2: which of its four states the client is in shows in what it filled in. */
  #request(request: Request): Dhcp4Result {
    const { options, ciaddr, chaddr: mac } = request.message;
    const server = optionIp4(options, OptionCode.serverIdentifier);
    const requested = optionIp4(options, OptionCode.requestedAddress);
    if (server !== undefined && server !== this.#config.gateway) {
      this.#offers.delete(mac);
      return { effects: [{ kind: 'rival', server, mac }], dropped: 'other server' };
    }
    // SELECTING and INIT-REBOOT name the address in the option, RENEWING and REBINDING in ciaddr.
    const address = requested ?? (ciaddr === ANY4 ? undefined : ciaddr);
    if (address === undefined) return drop('malformed');
    const refusal = this.#pool.refusal(address, mac, request.now);
    if (refusal !== undefined) return this.#refuse(refusal, request);
    // An unknown client keeps what it says it has, where nobody else has it: after a power cut nobody is renumbered.
    return this.#mayCommit(address, request) ? this.#acknowledge(address, request) : drop('rate limited');
  }

  /** Leases of clients that had one cost nothing new; others are limited, since a client with many MACs is nobody new. */
  #mayCommit(address: Ip4, { message, meta, now }: Request): boolean {
    return this.leases.holder(address) === message.chaddr || this.#newLeases.take(meta.network, now);
  }

  #acknowledge(address: Ip4, request: Request): Dhcp4Result {
    const { message, now } = request;
    const mac = message.chaddr;
    this.#offers.delete(mac);
    const wanted = this.#leaseTime(message);
    const own = this.leases.leases4Of(mac);
    const current = own.find((lease) => lease.address === address);
    const left = current === undefined ? 0 : secondsUntil(current.expires, now);
    const isFresh = left >= wanted * FRESH;
    const seconds = isFresh ? Math.min(left, wanted) : wanted;
    const effects: Dhcp4Effect[] = own
      .filter((lease) => lease.address !== address && lease.expires > now)
      .map((lease) => ({ kind: 'release', address: lease.address, mac }));
    if (!isFresh) effects.push({ kind: 'lease', address, mac, lifetimeSeconds: wanted });
    const name = hostNameIn(message.options);
    if (name !== undefined) effects.push({ kind: 'hostname', mac, name });
    return { reply: this.#granting(MessageType.ack, address, seconds, request), effects };
  }

  /** 4.3.1: a client may ask for less than the configured time. */
  #leaseTime({ options }: Dhcp4Message): number {
    const { leaseTime } = this.#config;
    const asked = optionU32(options, OptionCode.leaseTime) ?? leaseTime;
    return Math.min(leaseTime, Math.max(asked, SHORTEST_LEASE));
  }

  /** An OFFER or ACK that gives `address` for `seconds`. */
  #granting(type: number, address: Ip4, seconds: number, { message, meta }: Request) {
    const { options } = message;
    const isRapid = type === MessageType.ack && optionU8(options, OptionCode.messageType) === MessageType.discover;
    const granted = new Map([
      ...this.#headOptions(type),
      [OptionCode.leaseTime, u32Value(seconds)],
      // 4.4.5: the defaults, spelt out.
      [OptionCode.renewalTime, u32Value(Math.floor(seconds * 0.5))],
      [OptionCode.rebindingTime, u32Value(Math.floor(seconds * 0.875))],
      ...(isRapid ? ([[OptionCode.rapidCommit, new Uint8Array(0)]] as const) : []),
      ...this.#parametersFor(address, message),
    ]);
    // Table 3: an OFFER leaves ciaddr zero.
    const ciaddr = type === MessageType.ack ? message.ciaddr : ANY4;
    return replyTo(message, meta, { yiaddr: address, ciaddr, options: granted, isNak: false });
  }

  #headOptions(type: number): [number, Uint8Array][] {
    return [
      [OptionCode.messageType, u8Value(type)],
      [OptionCode.serverIdentifier, ip4ToBytes(this.#config.gateway)],
    ];
  }

  #parametersFor(address: Ip4, { options, chaddr }: Dhcp4Message): ReadonlyMap<number, Uint8Array> {
    const name = this.#pool.reservation(chaddr)?.name;
    return this.#parameters.for(address, options.get(OptionCode.parameterRequestList), name);
  }

  /** A NAK carries no lease and no parameters (table 3). */
  #refuse(refusal: Refusal, { message, meta }: Request): Dhcp4Result {
    this.#offers.delete(message.chaddr);
    const options = new Map([
      ...this.#headOptions(MessageType.nak),
      [OptionCode.message, textValue(refusal)],
    ]);
    return { reply: replyTo(message, meta, { yiaddr: ANY4, ciaddr: ANY4, options, isNak: true }), effects: [] };
  }

  /** 4.3.3. */
  #decline({ message, meta, now }: Request): Dhcp4Result {
    const { options, chaddr: mac } = message;
    if (this.#isForOtherServer(message)) return drop('other server');
    const address = optionIp4(options, OptionCode.requestedAddress);
    if (address === undefined) return drop('malformed');
    const owner = this.leases.owner(address);
    const wasOffered = owner === undefined && this.#offers.addressFor(mac, now) === address;
    if (!wasOffered && owner !== mac) return drop('not its address');
    this.#offers.delete(mac);
    const rests = this.#maySetAside(mac) && this.#declines.take(meta.network, now);
    const restsSeconds = rests ? this.#limits.declineTime / SECOND : 0;
    return { effects: [{ kind: 'decline', address, mac, restsSeconds }] };
  }

  /** Clients that decline all they get must not use up the addresses. Every node knows what is set aside at any. */
  #maySetAside(mac: Mac): boolean {
    const { declined } = this.leases;
    const ofClient = [...declined.values()].filter((by) => by === mac).length;
    return declined.size < mostDeclined(this.#config) && ofClient < this.#limits.declinesPerClient;
  }

  /** 4.3.4. */
  #release({ message }: Request): Dhcp4Result {
    const { ciaddr: address, chaddr: mac } = message;
    if (this.#isForOtherServer(message)) return drop('other server');
    if (this.leases.owner(address) !== mac) return drop('not its address');
    return { effects: [{ kind: 'release', address, mac }] };
  }

  #isForOtherServer({ options }: Dhcp4Message): boolean {
    const server = optionIp4(options, OptionCode.serverIdentifier);
    return server !== undefined && server !== this.#config.gateway;
  }

  /** 4.3.5: parameters for a client that has an address; no lease times, no yiaddr. */
  #inform({ message, meta }: Request): Dhcp4Result {
    const address = message.ciaddr === ANY4 ? meta.sourceIp : message.ciaddr;
    if (address === ANY4) return drop('malformed');
    const options = new Map([...this.#headOptions(MessageType.ack), ...this.#parametersFor(address, message)]);
    const asked = { ...message, ciaddr: address };
    return { reply: replyTo(asked, meta, { yiaddr: ANY4, ciaddr: message.ciaddr, options, isNak: false }), effects: [] };
  }
}

function drop(dropped: DropReason): Dhcp4Result {
  return { effects: [], dropped };
}

function increment<K>(counters: Map<K, number>, key: K): void {
  counters.set(key, (counters.get(key) ?? 0) + 1);
}

/** Addresses that are set aside at the most. */
function mostDeclined(config: Dhcp4Config): number {
  return Math.max(1, Math.min(1024, Math.floor(countHostAddresses(config.prefixes) / 8)));
}
