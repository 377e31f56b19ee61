import type { Prefix } from '../net/prefix.js';
import type { ClientLink } from '../ports.js';
import type { Gateway } from './gateway.js';

/** A kernel setting (sysctl) that a client interface needs. */
export interface NeededSetting {
  /** `net/ipv4/conf/br-client/send_redirects` */
  readonly name: string;
  readonly value: string;
  /** What happens otherwise: the end of a sentence. Absent where it only matters while an address is set. */
  readonly otherwise?: string;
}

/**
 * The settings that a client interface needs. IPv6 is forwarded where `all` says so. Duplicate address detection is off
 * since the kernel would give up an address that it hears of from another router. `filtered`: redirects are kept from
 * leaving by the packet filter; without it, they are sent where either the interface or `all` says so (IN_DEV_ORCONF in
 * the kernel's linux/inetdevice.h), and those of IPv6 always.
 */
export function neededSettings(network: string, filtered = true): NeededSetting[] {
  const four = `net/ipv4/conf/${network}`;
  const otherwise = 'two clients here would be told to talk past the router, and lose each other when one roams';
  const redirects = ['net/ipv4/conf/all', four].map((path) => ({ name: `${path}/send_redirects`, value: '0', otherwise }));
  return [
    { name: `net/ipv6/conf/${network}/accept_dad`, value: '0' },
    ...(filtered ? [] : redirects),
    { name: `${four}/proxy_arp`, value: '0', otherwise: "the kernel answers clients' probes for their own addresses" },
    { name: `${four}/forwarding`, value: '1', otherwise: 'nothing that clients send by IPv4 is forwarded' },
    { name: 'net/ipv6/conf/all/forwarding', value: '1', otherwise: 'nothing that clients send by IPv6 is forwarded' },
  ];
}

/** What is said of a client interface that is not there. */
export function noSuchInterface(network: string): string {
  return `there is no interface ${network}: its clients are not served`;
}

/**
 * What about a client interface is not as clients have to see it at every router: one sentence each, for the log and for
 * `roaming check`, with what is there and what should be. Empty where all is well. `settings`: the kernel's of those
 * that are `needed`, by name; the absent ones are not looked at.
 */
export function checkGatewayLink(
  link: ClientLink,
  gateway: Gateway,
  settings: ReadonlyMap<string, string> = new Map(),
  needed: readonly NeededSetting[] = neededSettings(link.network),
): string[] {
  const { network, mac, up, mtu, addresses, unknownTo, withoutIp6 } = link;
  const has = (wanted: string) => addresses.some(({ address }: Prefix) => address === wanted);
  const problems: string[] = [];
  if (!up) problems.push(`${network} is down: its clients are not served`);
  if (mac !== gateway.mac) {
    problems.push(`${network} has the MAC ${mac}, not ${gateway.mac}: clients that roam would see another gateway`);
  }
  if (unknownTo !== undefined) {
    const { bridge, vlan } = unknownTo;
    problems.push(`${bridge} does not know the MAC of ${network}: what clients send to it goes out of all ports of VLAN ${vlan} too (bridge fdb add ${mac} dev ${bridge} self local vlan ${vlan})`);
  }
  if (withoutIp6 !== true && !has(gateway.linkLocal)) {
    problems.push(`${network} lacks the link-local address ${gateway.linkLocal}: it is the router of all IPv6 clients`);
  }
  for (const address of gateway.addresses4) {
    if (!has(address)) problems.push(`${network} lacks the address ${address}: it is the router of all IPv4 clients`);
  }
  if (mtu < 1280) problems.push(`${network} has an MTU of ${mtu}: IPv6 needs 1280 (RFC 8200 section 5)`);
  for (const { name, value, otherwise } of needed) {
    const found = settings.get(name);
    if (otherwise === undefined || found === undefined || found === value) continue;
    problems.push(`${name} is ${found}, not ${value}: ${otherwise}`);
  }
  return problems;
}
