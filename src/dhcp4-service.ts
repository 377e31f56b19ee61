/** The DHCPv4 server among clients: frames in and out, and what it decides carried out as records and reports. */
import * as claims from './clients/claims.js';
import type { Instant } from './clients/time.js';
import { SECOND } from './clients/time.js';
import type { ClientServicesOptions } from './client-services.js';
import type { Config } from './config/config.js';
import type { Dhcp4Effect } from './dhcp4/exchange.js';
import { Dhcp4Server } from './dhcp4/server.js';
import { whoHas } from './gateway/announce.js';
import type { Gateway } from './gateway/gateway.js';
import type { Ip4 } from './net/ip.js';
import type { Mac } from './net/mac.js';
import { dhcp4Config, dhcp4Limits } from './service-config.js';

/** Foreign DHCP servers that are reported: who sends requests in many servers' names does not fill the log. */
const MAX_RIVALS = 8;

export type Dhcp4ServiceOptions = Pick<ClientServicesOptions, 'db' | 'station' | 'apply' | 'send' | 'rivalled' | 'exhausted'>;

export class Dhcp4Service {
  readonly #options: Dhcp4ServiceOptions;
  /** Undefined where there is no IPv4 prefix. */
  #server: Dhcp4Server | undefined;
  readonly #rivals = new Set<Ip4>();

  constructor(options: Dhcp4ServiceOptions) {
    this.#options = options;
  }

  /** `routers`: addresses in the prefixes that routers have. */
  configure(config: Config, routers: Iterable<Ip4>): void {
    const dhcp4 = dhcp4Config(config, routers);
    const limits = dhcp4Limits(config);
    if (dhcp4 === undefined) this.#server = undefined;
    else if (this.#server === undefined) this.#server = new Dhcp4Server(dhcp4, this.#options.db, limits);
    else this.#server.configure(dhcp4, limits);
  }

  receive(network: string, frame: Uint8Array, gateway: Gateway, now: Instant): void {
    if (this.#server === undefined) return;
    const { frame: reply, effects, dropped } = this.#server.handleFrame(network, frame, gateway.mac, now);
    if (dropped === 'no address left') this.#options.exhausted(4);
    for (const effect of effects) this.#carryOut(effect, network, gateway, now);
    // An address that the database had no room for could be given to another client too, and has no route.
    const isLost = effects.some((effect) => effect.kind === 'lease' && this.#options.db.owner(effect.address) !== effect.mac);
    if (reply !== undefined && !isLost) this.#options.send(network, reply);
  }

  #carryOut(effect: Dhcp4Effect, network: string, gateway: Gateway, now: Instant): void {
    const { db, apply } = this.#options;
    switch (effect.kind) {
      case 'lease':
        return apply(claims.lease4(db, effect.address, effect.mac, effect.lifetimeSeconds * SECOND, now));
      case 'release':
        return this.#endLease(effect.address, effect.mac, now);
      case 'decline':
        this.#endLease(effect.address, effect.mac, now);
        if (effect.restsSeconds > 0) apply(claims.declined(db, effect.address, effect.mac, effect.restsSeconds * SECOND, now));
        return this.#askWhoHas(effect.address, network, gateway);
      case 'rival':
        return this.#reportRival(effect.server, effect.mac, network);
      case 'hostname':
        return this.#named(effect.mac, effect.name, now);
    }
  }

  #endLease(address: Ip4, mac: Mac, now: Instant): void {
    const record = claims.release4(this.#options.db, address, mac, now);
    if (record !== undefined) this.#options.apply(record);
  }

  /** Whoever uses an address that a client found in use answers, and is learnt. */
  #askWhoHas(address: Ip4, network: string, { addresses4: [own], mac }: Gateway): void {
    if (own !== undefined) this.#options.send(network, whoHas(address, own, mac));
  }

  #reportRival(server: Ip4, mac: Mac, network: string): void {
    if (this.#rivals.size < MAX_RIVALS) this.#rivals.add(server);
    if (this.#rivals.has(server)) this.#options.rivalled(server, mac, network);
  }

  #named(mac: Mac, hostname: string, now: Instant): void {
    const { db, station, apply } = this.#options;
    if (db.client(mac)?.info.hostname === hostname) return;
    const record = claims.clientInfo(db, mac, { hostname, ssid: station(mac)?.ssid ?? '' }, now);
    if (record !== undefined) apply(record);
  }

  /** Messages of all types and, where dropped, for all reasons, by names that ubus shows. */
  get statistics(): { [name: string]: number } {
    const { received, sent, dropped } = this.#server?.counters ?? {};
    const sum = (counts: ReadonlyMap<string, number> | undefined) => [...(counts?.values() ?? [])].reduce((a, b) => a + b, 0);
    return { dhcp4_received: sum(received), dhcp4_sent: sum(sent), dhcp4_dropped: sum(dropped) };
  }
}
