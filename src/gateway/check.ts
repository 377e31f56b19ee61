import type { Prefix } from '../net/prefix.js';
import type { ClientLink } from '../ports.js';
import type { Gateway } from './gateway.js';

/**
 * What about a client interface is not as clients have to see it at every router: one sentence each, for the log and for
 * `roaming check`, with what is there and what should be. Empty where all is well.
 */
export function checkGatewayLink(link: ClientLink, gateway: Gateway): string[] {
  const { network, mac, up, mtu, addresses } = link;
  const has = (wanted: string) => addresses.some(({ address }: Prefix) => address === wanted);
  const problems: string[] = [];
  if (!up) problems.push(`${network} is down: its clients are not served`);
  if (mac !== gateway.mac) {
    problems.push(`${network} has the MAC ${mac}, not ${gateway.mac}: clients that roam would see another gateway`);
  }
  if (!has(gateway.linkLocal)) {
    problems.push(`${network} lacks the link-local address ${gateway.linkLocal}: it is the router of all IPv6 clients`);
  }
  for (const address of gateway.addresses4) {
    if (!has(address)) problems.push(`${network} lacks the address ${address}: it is the router of all IPv4 clients`);
  }
  if (mtu < 1280) problems.push(`${network} has an MTU of ${mtu}: IPv6 needs 1280 (RFC 8200 section 5)`);
  return problems;
}
