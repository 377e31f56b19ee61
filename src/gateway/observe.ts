import { ArpOperation, isArpProbe } from '../net/arp.js';
import type { ArpPacket } from '../net/arp.js';
import type { Ip } from '../net/ip.js';
import { ANY4, ANY6, BROADCAST4, ip4ToBytes, isIp6, isMulticast } from '../net/ip.js';
import type { LinkFrame } from '../net/link-frame.js';
import type { Mac } from '../net/mac.js';
import { isStationMac } from '../net/mac.js';
import type { NdPacket } from '../net/nd.js';
import { sourceLinkLayerOf, targetLinkLayerOf } from '../net/nd.js';
import type { Gateway } from './gateway.js';
import { isGatewayAddress } from './gateway.js';

/** What one frame tells of the client that sent it. */
export interface Sighting {
  /** The frame's source: an access point vouches for it. */
  readonly mac: Mac;
  readonly kind: 'arp' | 'arp-probe' | 'rs' | 'ns' | 'dad' | 'na';
  /** An address that the client uses. */
  readonly claims?: Ip;
  /** An address that it would like to use and asks about: nothing is known of it yet. */
  readonly tentative?: Ip;
  /** It says that it has an address of the gateway: an attack, or a misconfigured host. */
  readonly usurps?: Ip;
}

/**
 * What a frame tells. Undefined where nothing may be learnt: it comes from no station or from the gateway itself, it
 * speaks of another hardware address than its own (a forgery, or a proxy), or it is a router's advertisement.
 */
export function observe(frame: LinkFrame, gateway: Gateway): Sighting | undefined {
  const mac = frame.ethernet.source;
  if (!isStationMac(mac) || mac === gateway.mac) return undefined;
  return frame.protocol === 'arp' ? observeArp(mac, frame.packet, gateway) : observeNd(mac, frame.packet, gateway);
}

function observeArp(mac: Mac, packet: ArpPacket, gateway: Gateway): Sighting | undefined {
  const { operation, senderMac, senderIp, targetIp } = packet;
  const known = operation === ArpOperation.request || operation === ArpOperation.reply;
  if (!known || senderMac !== mac) return undefined;
  if (isArpProbe(packet)) return { mac, kind: 'arp-probe', ...(isUnicastAddress(targetIp) && { tentative: targetIp }) };
  return claim(mac, 'arp', senderIp, gateway);
}

function observeNd(mac: Mac, { source, message }: NdPacket, gateway: Gateway): Sighting | undefined {
  switch (message.type) {
    case 'ra':
      return undefined;
    case 'na':
      return (targetLinkLayerOf(message) ?? mac) === mac ? claim(mac, 'na', message.target, gateway) : undefined;
    case 'rs':
    case 'ns':
      if ((sourceLinkLayerOf(message) ?? mac) !== mac) return undefined;
      if (source !== ANY6) return claim(mac, message.type, source, gateway);
      if (message.type === 'rs') return { mac, kind: 'rs' };
      return { mac, kind: 'dad', ...(isUnicastAddress(message.target) && { tentative: message.target }) };
  }
}

function claim(mac: Mac, kind: Sighting['kind'], address: Ip, gateway: Gateway): Sighting {
  if (isGatewayAddress(gateway, address)) return { mac, kind, usurps: address };
  return isUnicastAddress(address) ? { mac, kind, claims: address } : { mac, kind };
}

/** Whether one host can have it, on any link. */
function isUnicastAddress(address: Ip): boolean {
  if (isMulticast(address)) return false;
  if (isIp6(address)) return address !== ANY6 && address !== '::1';
  const first = ip4ToBytes(address)[0]!;
  return address !== ANY4 && address !== BROADCAST4 && first !== 0 && first !== 127 && first < 240;
}
