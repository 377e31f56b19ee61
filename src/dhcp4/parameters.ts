/** The configuration parameters that a client is told (RFC 2131 4.3.1, tables 3 and 5 apart). */
import type { Ip4 } from '../net/ip.js';
import { ANY4 } from '../net/ip.js';
import type { Prefix4 } from '../net/prefix.js';
import { broadcastOf, contains, hostPrefix, netmask, prefixOf } from '../net/prefix.js';
import type { Dhcp4Config } from './config.js';
import type { ClasslessRoute } from './options.js';
import {
  addressesValue,
  classlessRoutesValue,
  domainSearchValue,
  OptionCode,
  textValue,
  u16Value,
  u32Value,
} from './options.js';

/** For clients that do not say what they want. */
const DEFAULT_REQUEST: readonly number[] = [
  OptionCode.subnetMask,
  OptionCode.router,
  OptionCode.domainNameServer,
  OptionCode.domainName,
  OptionCode.broadcastAddress,
  OptionCode.interfaceMtu,
];

export class Parameters {
  readonly #config: Dhcp4Config;
  /** Those that are the same for every client. */
  readonly #common = new Map<number, Uint8Array>();

  /** Throws BadInput where a configured name is no domain name. */
  constructor(config: Dhcp4Config) {
    this.#config = config;
    const put = (code: number, value: Uint8Array | undefined) => {
      if (value !== undefined && value.length > 0) this.#common.set(code, value);
    };
    const { domain, mtu, captivePortal, ipv6OnlyWait } = config;
    put(OptionCode.router, addressesValue([config.gateway]));
    put(OptionCode.domainNameServer, addressesValue(config.dns));
    put(OptionCode.domainName, domain === undefined ? undefined : textValue(domain));
    put(OptionCode.domainSearch, domainSearchValue(config.search ?? []));
    put(OptionCode.interfaceMtu, mtu === undefined ? undefined : u16Value(mtu));
    put(OptionCode.ntpServers, addressesValue(config.ntp ?? []));
    put(OptionCode.captivePortal, captivePortal === undefined ? undefined : textValue(captivePortal));
    put(OptionCode.ipv6OnlyPreferred, ipv6OnlyWait === undefined ? undefined : u32Value(ipv6OnlyWait));
  }

  /** Whether the client is told to do without IPv4 (RFC 8925): it can, and so says the configuration. */
  isIpv6Only(requestList: Uint8Array | undefined): boolean {
    const wants = requestList?.includes(OptionCode.ipv6OnlyPreferred) ?? false;
    return wants && this.#common.has(OptionCode.ipv6OnlyPreferred);
  }

  /** What a client with `address` asked for, in the order in which it asked; always with the netmask. */
  for(address: Ip4, requestList: Uint8Array | undefined, hostName: string | undefined): Map<number, Uint8Array> {
    const wanted = requestList === undefined ? DEFAULT_REQUEST : [...requestList, OptionCode.subnetMask];
    const chosen = new Map<number, Uint8Array>();
    for (const code of wanted) {
      const value = this.#value(code, address, hostName);
      if (value !== undefined) chosen.set(code, value);
    }
    return chosen;
  }

  #value(code: number, address: Ip4, hostName: string | undefined): Uint8Array | undefined {
    switch (code) {
      case OptionCode.subnetMask:
        return addressesValue([netmask(this.#subnet(address).length)]);
      case OptionCode.broadcastAddress: {
        const subnet = this.#subnet(address);
        return subnet.length >= 31 ? undefined : addressesValue([broadcastOf(subnet)]);
      }
      case OptionCode.hostName:
        return hostName === undefined ? undefined : textValue(hostName);
      case OptionCode.classlessStaticRoute:
      case OptionCode.microsoftClasslessStaticRoute:
        return this.#routes(address);
      default:
        return this.#common.get(code);
    }
  }

  /** What the client takes to be on its link. */
  #subnet(address: Ip4): Prefix4 {
    const home = this.#config.prefixes.find((prefix) => contains(prefix, address));
    return this.#config.netmask === 'host' || home === undefined ? hostPrefix(address) : home;
  }

  /**
   * RFC 3442: a client that takes these ignores the router option, so the default route is among them. Where the gateway
   * is not on the client's link, as always with a /32, a route says that it is. Undefined where the router option is enough.
   */
  #routes(address: Ip4): Uint8Array | undefined {
    const { gateway, routes = [] } = this.#config;
    const onLink = contains(this.#subnet(address), gateway);
    if (onLink && routes.length === 0) return undefined;
    const all: ClasslessRoute[] = onLink ? [] : [{ destination: hostPrefix(gateway), via: ANY4 }];
    all.push(...routes);
    if (!routes.some((route) => route.destination.length === 0)) {
      all.push({ destination: prefixOf(ANY4, 0), via: gateway });
    }
    return classlessRoutesValue(all);
  }
}
