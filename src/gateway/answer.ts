/**
 * Questions that this node answers for others: where a client is that its neighbour takes to be on the same link and
 * that is at another node, and whether an address that a newcomer would like is in use, here or there (proxy ARP,
 * RFC 1027; proxy neighbour advertisements, RFC 4861 7.2.8; duplicate address detection proxy, RFC 6957).
 *
 * For the gateway's own addresses the kernel answers, which has them: nothing is said here, so nothing is said twice. The
 * kernel's own proxying (proxy_arp, proxy_ndp) is best off; where it is on, both say the same MAC.
 */
import { ArpOperation, arpFrame, isArpAnnouncement } from '../net/arp.js';
import type { ArpPacket } from '../net/arp.js';
import type { Ip4, Ip6 } from '../net/ip.js';
import { ALL_NODES, ANY6 } from '../net/ip.js';
import type { LinkFrame } from '../net/link-frame.js';
import type { Mac } from '../net/mac.js';
import { isStationMac } from '../net/mac.js';
import type { NeighbourSolicitation } from '../net/nd.js';
import { ndFrame, sourceLinkLayerOf } from '../net/nd.js';
import type { AddressBook, Gateway } from './gateway.js';
import { isGatewayAddress } from './gateway.js';

/** Who asks where, and what the answer depends on. */
interface Question {
  readonly network: string;
  readonly asker: Mac;
  readonly book: AddressBook;
  readonly gateway: Gateway;
}

/** The answer to a client's frame, for the network that it came from; undefined where there is none to give. */
export function answer(network: string, frame: LinkFrame, book: AddressBook, gateway: Gateway): Uint8Array | undefined {
  const asker = frame.ethernet.source;
  if (!isStationMac(asker) || asker === gateway.mac) return undefined;
  const question = { network, asker, book, gateway };
  if (frame.protocol === 'arp') return answerArp(question, frame.packet);
  const { source, message } = frame.packet;
  if (message.type !== 'ns') return undefined;
  return source === ANY6 ? defend(question, message.target) : answerNs(question, source, message);
}

/**
 * ARP: an address of ours that belongs to a client elsewhere is said to be at the gateway. Never an answer to a question
 * about the asker's own address or a free one, so that no address conflict is seen where there is none (RFC 5227 2.1.1);
 * but a probe for what another client has, elsewhere, is a true conflict, and the answer says so.
 */
function answerArp(question: Question, request: ArpPacket): Uint8Array | undefined {
  const { asker, gateway } = question;
  const { operation, senderMac, senderIp, targetIp } = request;
  if (operation !== ArpOperation.request || senderMac !== asker || isArpAnnouncement(request)) return undefined;
  if (!isElsewhere(question, targetIp)) return undefined;
  // Linux answers a probe in the same way: to the prober, whose address is not known yet.
  const targetMac = asker;
  const reply = { operation: ArpOperation.reply, senderMac: gateway.mac, senderIp: targetIp, targetMac, targetIp: senderIp };
  return arpFrame(asker, reply);
}

/** Whether an address of ours is that of a client which is not the asker and does not hear it. */
function isElsewhere(question: Question, address: Ip4 | Ip6): boolean {
  const { book, network } = question;
  const owner = book.inOurPrefixes(address) ? otherOwner(question, address) : undefined;
  return owner !== undefined && !book.isLocal(owner, network);
}

/** The client that has an address, unless that is the asker, or the gateway. */
function otherOwner({ asker, book, gateway }: Question, address: Ip4 | Ip6): Mac | undefined {
  const owner = isGatewayAddress(gateway, address) ? undefined : book.owner(address);
  return owner === asker ? undefined : owner;
}

/** The same for IPv6, for hosts that think a prefix on link though no advertisement of ours says so. */
function answerNs(question: Question, source: Ip6, message: NeighbourSolicitation): Uint8Array | undefined {
  const { asker, gateway } = question;
  if ((sourceLinkLayerOf(message) ?? asker) !== asker || !isElsewhere(question, message.target)) return undefined;
  return advertise(asker, source, message.target, true, gateway);
}

/**
 * Duplicate address detection (RFC 4862 5.4): an address that another client has is defended in its name, be it
 * link-local: after a roam both would share a link. One that is here too, since a bridge or an access point that isolates
 * its stations keeps the question from it (the "split horizon" of RFC 6957); where it hears it, two say the same. To all
 * nodes, since the prober has no address, in a frame to it alone.
 */
function defend(question: Question, target: Ip6): Uint8Array | undefined {
  return otherOwner(question, target) === undefined ? undefined : defence(question.asker, target, question.gateway);
}

/** Tells one host that asks whether it may have an address that another has it. */
export function defence(prober: Mac, target: Ip6, gateway: Gateway): Uint8Array {
  return advertise(prober, ALL_NODES, target, false, gateway);
}

/** Without the override flag: whoever really has the address is believed before us (RFC 4861 7.2.8). */
function advertise(to: Mac, destination: Ip6, target: Ip6, solicited: boolean, { mac, linkLocal }: Gateway): Uint8Array {
  return ndFrame(to, mac, {
    source: linkLocal,
    destination,
    message: {
      type: 'na',
      target,
      router: true,
      solicited,
      override: false,
      options: [{ type: 'targetLinkLayer', mac }],
    },
  });
}
