/** Who may connect to the flooding port: clients have no business there. */
import type { Ip } from '../net/ip.js';
import { readIp } from '../net/ip.js';
import type { Prefix } from '../net/prefix.js';
import { anyContains } from '../net/prefix.js';

export interface Admission {
  /** Where clients have their addresses. */
  readonly prefixes: readonly Prefix[];
  /** Interfaces that clients are on. */
  readonly interfaces: readonly string[];
  /** Addresses of routers, which may well lie among those of clients. */
  readonly routers: ReadonlySet<Ip>;
}

/** Whether a connection from `address`, with its zone where it is a link-local one, may be a router's. */
export function mayBePeer(address: string, { prefixes, interfaces, routers }: Admission): boolean {
  const [host = '', zone] = address.split('%');
  if (zone !== undefined && interfaces.includes(zone)) return false;
  const ip = readIp(host);
  return ip !== undefined && (routers.has(ip) || !anyContains(prefixes, ip));
}
