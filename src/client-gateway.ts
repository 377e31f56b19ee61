/** The gateway that clients see: as the configuration wants it, and as a client interface has it. */
import type { Config } from './config/config.js';
import type { Gateway } from './gateway/gateway.js';
import type { GatewayWanted } from './gateway/links.js';
import type { Ip6 } from './net/ip.js';
import { isLinkLocal6, linkLocalOf } from './net/ip.js';
import type { ClientLink } from './ports.js';

/** What every router is to show. */
export function gatewayWanted(config: Config): GatewayWanted {
  const { mode, interface: interfaces, gatewayMac, gatewayLinkLocal, gateway4, prefixes4, setup } = config;
  const addresses4 = gateway4 === undefined ? [] : [gateway4];
  const watchesOnly = mode === 'observe';
  const gateway = { mac: gatewayMac, linkLocal: gatewayLinkLocal, addresses4 };
  return { interfaces, gateway, prefixes4, setup: setup && !watchesOnly, watchesOnly };
}

/** What this router shows: what is announced must be what is there, even where it is not as it should be. */
export function gatewayAt({ mac, addresses }: ClientLink, { gateway4, gatewayLinkLocal }: Config): Gateway {
  const own = addresses.map(({ address }) => address).filter((address): address is Ip6 => isLinkLocal6(address));
  const linkLocal = own.find((address) => address === gatewayLinkLocal) ?? own[0] ?? linkLocalOf(mac);
  return { mac, linkLocal, addresses4: gateway4 === undefined ? [] : [gateway4] };
}
