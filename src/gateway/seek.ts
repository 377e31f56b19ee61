/** The question to all hosts of a link: who has this address? */
import type { Ip, Ip6 } from '../net/ip.js';
import { ip6ToBytes, isIp6, solicitedNodeOf } from '../net/ip.js';
import type { Mac } from '../net/mac.js';
import { macFromBytes } from '../net/mac.js';
import { ndFrame } from '../net/nd.js';
import { whoHas } from './announce.js';
import type { Gateway } from './gateway.js';

/** Undefined for IPv4 where the gateway has no address to ask from. */
export function seekFrame(address: Ip, gateway: Gateway): Uint8Array | undefined {
  if (isIp6(address)) return solicitAll(address, gateway);
  const [from] = gateway.addresses4;
  return from === undefined ? undefined : whoHas(address, from, gateway.mac);
}

/** RFC 4861 7.2.2: to the group of those whose address ends alike. */
function solicitAll(target: Ip6, { mac, linkLocal }: Gateway): Uint8Array {
  const destination = solicitedNodeOf(target);
  return ndFrame(groupMac(destination), mac, {
    source: linkLocal,
    destination,
    message: { type: 'ns', target, options: [{ type: 'sourceLinkLayer', mac }] },
  });
}

/** RFC 2464 section 7: 33-33 and the last four bytes of the group. */
function groupMac(group: Ip6): Mac {
  return macFromBytes(Uint8Array.of(0x33, 0x33, ...ip6ToBytes(group).subarray(12)));
}
