/** A client network in memory: a server, the part of the database that it reads, and clients' messages. */
import type { Instant } from '../../src/clients/time.js';
import { after, HOUR, MINUTE, SECOND } from '../../src/clients/time.js';
import type { Dhcp4Config, Dhcp4Limits, Lease4, Leases } from '../../src/dhcp4/config.js';
import { DEFAULT_LIMITS } from '../../src/dhcp4/config.js';
import type { Dhcp4Effect, Dhcp4Result, RequestMeta } from '../../src/dhcp4/exchange.js';
import type { Dhcp4Message } from '../../src/dhcp4/message.js';
import { MessageType, Op } from '../../src/dhcp4/message.js';
import { addressesValue, OptionCode, u8Value } from '../../src/dhcp4/options.js';
import { Dhcp4Server } from '../../src/dhcp4/server.js';
import type { Ip4 } from '../../src/net/ip.js';
import { ANY4, BROADCAST4, ip4FromBytes, parseIp4 } from '../../src/net/ip.js';
import type { Mac } from '../../src/net/mac.js';
import { macFromBytes, parseMac } from '../../src/net/mac.js';
import type { Prefix4 } from '../../src/net/prefix.js';
import { parsePrefix } from '../../src/net/prefix.js';

export const GATEWAY = parseIp4('10.44.0.1');
export const GATEWAY_MAC = parseMac('00:00:5e:00:52:13');
export const START = (5 * HOUR) as Instant;

export const p4 = (text: string) => parsePrefix(text) as Prefix4;
export const ip = parseIp4;

export const config: Dhcp4Config = {
  prefixes: [p4('10.44.0.0/24')],
  gateway: GATEWAY,
  netmask: 'prefix',
  leaseTime: 3600,
  dns: [GATEWAY, ip('10.44.0.2')],
};

/** The n-th client's MAC. */
export function client(n: number): Mac {
  return macFromBytes(Uint8Array.of(2, 0, 0x5e, 0, n >> 8, n & 0xff));
}

interface Held extends Lease4 {
  readonly mac: Mac;
}

const REST = 10 * MINUTE;

/** What the location database says of IPv4 leases: live, then resting, then forgotten. */
export class MemoryLeases implements Leases {
  now = START;
  readonly held = new Map<Ip4, Held>();
  /** Addresses set aside, because of whom and until when. */
  readonly rests = new Map<Ip4, { readonly mac: Mac; readonly until: Instant }>();

  get declined(): ReadonlyMap<Ip4, Mac> {
    return new Map([...this.rests].filter(([, { until }]) => until > this.now).map(([address, { mac }]) => [address, mac]));
  }

  leases4Of(mac: Mac): Lease4[] {
    return [...this.held.values()].filter((lease) => lease.mac === mac && lease.expires > this.now);
  }

  owner(address: Ip4): Mac | undefined {
    const lease = this.held.get(address);
    return lease !== undefined && lease.expires > this.now ? lease.mac : undefined;
  }

  holder(address: Ip4): Mac | undefined {
    const lease = this.held.get(address);
    return lease !== undefined && after(lease.expires, REST) > this.now ? lease.mac : undefined;
  }

  give(mac: Mac, address: string, seconds = 3600): void {
    this.held.set(ip(address), { mac, address: ip(address), expires: after(this.now, seconds * SECOND) });
  }

  apply(effects: readonly Dhcp4Effect[]): void {
    for (const effect of effects) {
      if (effect.kind === 'lease') this.give(effect.mac, effect.address, effect.lifetimeSeconds);
      else if (effect.kind !== 'hostname' && effect.kind !== 'rival') this.give(effect.mac, effect.address, 0);
      if (effect.kind === 'decline' && effect.restsSeconds > 0) {
        this.rests.set(effect.address, { mac: effect.mac, until: after(this.now, effect.restsSeconds * SECOND) });
      }
    }
  }
}

export interface Fields {
  readonly mac?: Mac;
  readonly ciaddr?: Ip4;
  readonly giaddr?: Ip4;
  readonly broadcast?: boolean;
  /** Option 50. */
  readonly requested?: Ip4;
  /** Option 54. */
  readonly server?: Ip4;
  /** Option 55. */
  readonly ask?: readonly number[];
  readonly options?: Iterable<readonly [number, Uint8Array]>;
}

const NONE = new Uint8Array(0);

export function message(type: keyof typeof MessageType, fields: Fields = {}): Dhcp4Message {
  const options = new Map<number, Uint8Array>([[OptionCode.messageType, u8Value(MessageType[type])]]);
  const { requested, server, ask } = fields;
  if (requested !== undefined) options.set(OptionCode.requestedAddress, addressesValue([requested]));
  if (server !== undefined) options.set(OptionCode.serverIdentifier, addressesValue([server]));
  if (ask !== undefined) options.set(OptionCode.parameterRequestList, Uint8Array.from(ask));
  for (const [code, value] of fields.options ?? []) options.set(code, value);
  return {
    op: Op.bootRequest,
    hops: 0,
    xid: 0x12345678,
    secs: 0,
    broadcast: fields.broadcast ?? false,
    ciaddr: fields.ciaddr ?? ANY4,
    yiaddr: ANY4,
    siaddr: ANY4,
    giaddr: fields.giaddr ?? ANY4,
    chaddr: fields.mac ?? client(1),
    sname: NONE,
    file: NONE,
    options,
  };
}

/** One router: its server, and the database that the server's effects go to. */
export class Router {
  readonly leases: MemoryLeases;
  readonly server: Dhcp4Server;

  constructor(changes: Partial<Dhcp4Config> = {}, limits: Partial<Dhcp4Limits> = {}, leases = new MemoryLeases()) {
    this.leases = leases;
    this.server = new Dhcp4Server({ ...config, ...changes }, leases, { ...DEFAULT_LIMITS, messageBurst: 1e6, ...limits });
  }

  get now(): Instant {
    return this.leases.now;
  }

  wait(seconds: number): void {
    this.leases.now = after(this.now, seconds * SECOND);
  }

  /** Hands in a client's message and applies what comes of it. */
  send(type: keyof typeof MessageType, fields: Fields = {}, meta: Partial<RequestMeta> = {}): Dhcp4Result {
    const request = message(type, fields);
    const sourceIp = request.ciaddr;
    const destinationIp = sourceIp === ANY4 ? BROADCAST4 : GATEWAY;
    const how = { network: 'br-lan', sourceMac: request.chaddr, sourceIp, destinationIp, ...meta };
    const result = this.server.handle(request, how, this.now);
    this.leases.apply(result.effects);
    return result;
  }

  /** DISCOVER and REQUEST; the address, undefined where there is none. */
  join(mac: Mac, fields: Fields = {}): Ip4 | undefined {
    const offered = this.send('discover', { ...fields, mac }).reply?.message.yiaddr;
    if (offered === undefined) return undefined;
    const result = this.send('request', { mac, requested: offered, server: GATEWAY });
    return typeOf(result) === 'ack' ? result.reply?.message.yiaddr : undefined;
  }
}

const NAMES = Object.entries(MessageType);

/** What was answered: `silence` for nothing. */
export function typeOf(result: Dhcp4Result): string {
  const type = result.reply?.message.options.get(OptionCode.messageType)?.[0];
  return NAMES.find(([, value]) => value === type)?.[0] ?? 'silence';
}

export function option(result: Dhcp4Result, code: number): Uint8Array | undefined {
  return result.reply?.message.options.get(code);
}

export function optionNumber(result: Dhcp4Result, code: number): number | undefined {
  return option(result, code)?.reduce((sum, byte) => sum * 256 + byte, 0);
}

export function optionAddress(result: Dhcp4Result, code: number): Ip4 | undefined {
  const value = option(result, code);
  return value && ip4FromBytes(value);
}
