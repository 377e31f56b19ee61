/**
 * How a client that has arrived, and asks nothing, is told where its gateway is. All of it is unicast: phones asleep
 * filter multicast (Android's packet filter drops advertisements to all nodes), and access points send it slowly.
 */
import type { ArpPacket } from '../net/arp.js';
import { arpFrame, ArpOperation, UNKNOWN_MAC } from '../net/arp.js';
import type { Ip, Ip4, Ip6 } from '../net/ip.js';
import { ALL_NODES, isIp6, isLinkLocal6, linkLocalOf } from '../net/ip.js';
import type { Mac } from '../net/mac.js';
import { BROADCAST_MAC } from '../net/mac.js';
import { ndFrame } from '../net/nd.js';
import type { Gateway } from './gateway.js';

/** Whom to tell: the addresses that are known, in both families and link-local ones too; there may be none. */
export interface Announcee {
  readonly mac: Mac;
  readonly addresses: readonly Ip[];
}

/** The frames of one announcement: ARP for each of the gateway's IPv4 addresses, then the neighbour advertisement. */
export function announce(client: Announcee, gateway: Gateway): Uint8Array[] {
  const own4 = client.addresses.filter((address): address is Ip4 => !isIp6(address));
  const arp = gateway.addresses4.flatMap((address) => [
    ...own4.map((own) => gatewayAsks(client.mac, own, address, gateway)),
    gratuitousReply(client.mac, address, gateway.mac),
  ]);
  const own6 = client.addresses.filter(isIp6);
  return [...arp, ...destinations6(client.mac, own6).map((to) => gatewayAdvertisement(client.mac, to, gateway))];
}

/**
 * A request for the client's own address. Linux's arp_process takes the asker's address from it always: it makes an
 * entry where there is none and overrides one within its lock time; and the answer shows that the client is there.
 */
export function gatewayAsks(client: Mac, own: Ip4, address: Ip4, gateway: Gateway): Uint8Array {
  const packet: ArpPacket = {
    operation: ArpOperation.request,
    senderMac: gateway.mac,
    senderIp: address,
    targetMac: UNKNOWN_MAC,
    targetIp: own,
  };
  return arpFrame(client, packet);
}

/**
 * Tells one host that `address` is at `holder`: a reply whose target is its sender, hardware address too, without which
 * Linux takes it for an ordinary reply and keeps to its lock time (arp_is_garp). Being unicast it also confirms the entry.
 */
function gratuitousReply(to: Mac, address: Ip4, holder: Mac): Uint8Array {
  const packet: ArpPacket = {
    operation: ArpOperation.reply,
    senderMac: holder,
    senderIp: address,
    targetMac: holder,
    targetIp: address,
  };
  return arpFrame(to, packet);
}

/** The gateway asks all on a link who has an address. */
export function whoHas(address: Ip4, gateway: Ip4, mac: Mac): Uint8Array {
  const packet: ArpPacket = {
    operation: ArpOperation.request,
    senderMac: mac,
    senderIp: gateway,
    targetMac: UNKNOWN_MAC,
    targetIp: address,
  };
  return arpFrame(BROADCAST_MAC, packet);
}

/** RFC 4861 7.2.6; without the router flag a host would take the gateway off its list of default routers (7.2.5). */
function gatewayAdvertisement(client: Mac, destination: Ip6, gateway: Gateway): Uint8Array {
  const { mac, linkLocal } = gateway;
  return ndFrame(client, mac, {
    source: linkLocal,
    destination,
    message: {
      type: 'na',
      target: linkLocal,
      router: true,
      solicited: false,
      override: true,
      options: [{ type: 'targetLinkLayer', mac }],
    },
  });
}

/**
 * The client's link-local address, or else any other that it has. Where none is known: all nodes, and, for those who
 * filter that, the link-local address that follows from the MAC, which costs nothing where the guess is wrong.
 */
function destinations6(mac: Mac, own: readonly Ip6[]): Ip6[] {
  const known = own.find((address) => isLinkLocal6(address)) ?? own[0];
  return known === undefined ? [ALL_NODES, linkLocalOf(mac)] : [known];
}

/**
 * The client that has `address` is now at another node: hosts that stayed behind, `to`, would go on sending to its own
 * MAC. In IPv6 nothing is on link, and they send to the gateway anyway.
 */
export function announceDeparture(address: Ip4, to: readonly Mac[], gateway: Gateway): Uint8Array[] {
  return to.map((mac) => gratuitousReply(mac, address, gateway.mac));
}
