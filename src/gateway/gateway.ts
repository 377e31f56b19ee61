import type { Ip4, Ip6 } from '../net/ip.js';
import type { Mac } from '../net/mac.js';

/**
 * The router as clients see it, the same at every node: one MAC, one link-local address and, for each IPv4 prefix, one
 * address. A client that roams finds nothing changed.
 */
export interface Gateway {
  readonly mac: Mac;
  readonly linkLocal: Ip6;
  readonly addresses4: readonly Ip4[];
}

/** RFC 6543 section 3: reserved for a gateway that moves along with its clients (Proxy Mobile IPv6). */
export const GATEWAY_MAC = '00:00:5e:00:52:13' as Mac;

/** RFC 6543 section 3: interface identifier 200:5eff:fe00:5213, which is also the modified EUI-64 of the MAC. */
export const GATEWAY_LINK_LOCAL = 'fe80::200:5eff:fe00:5213' as Ip6;

export function isGatewayAddress(gateway: Gateway, address: string): boolean {
  return address === gateway.linkLocal || gateway.addresses4.some((own) => own === address);
}

/** What the answers to clients' questions depend on: the location database, seen from one node. */
export interface AddressBook {
  /** The client that an address belongs to, by lease or because it was seen to use it, wherever it is. */
  owner(address: Ip4 | Ip6): Mac | undefined;
  /**
   * Whether the client is on this network of this node now, so that it hears its neighbours and answers for itself.
   * So it counts where the access point isolates its stations too: they are kept apart on purpose. Only that an
   * address is taken is said to them all the same.
   */
  isLocal(mac: Mac, network: string): boolean;
  /** Whether the address lies in a prefix that clients get their addresses from. */
  inOurPrefixes(address: Ip4 | Ip6): boolean;
}
