/**
 * A client: what a phone does. It gets an IPv4 address by DHCP, keeps it over a roam without a word, asks again where it
 * was cut off for longer, renews at half time, takes IPv6 prefixes from advertisements, and answers ARP and NS. Others
 * have an address that a person gave them, or choose IPv6 addresses in a prefix that all share.
 */
import type { Dhcp4Message } from '../../src/dhcp4/message.js';
import { DHCP_CLIENT_PORT, DHCP_SERVER_PORT, MessageType, parseDhcp4, writeDhcp4 } from '../../src/dhcp4/message.js';
import { OptionCode, optionU32, optionU8 } from '../../src/dhcp4/options.js';
import type { Millis } from '../../src/clients/time.js';
import { SECOND } from '../../src/clients/time.js';
import { arpFrame, ArpOperation, UNKNOWN_MAC } from '../../src/net/arp.js';
import { EtherType, parseEthernet } from '../../src/net/ethernet.js';
import { parseUdpFrame4, writeUdpFrame4 } from '../../src/net/frame4.js';
import type { Ip4, Ip6 } from '../../src/net/ip.js';
import { ANY4, ANY6, BROADCAST4, ip6FromBytes, ip6ToBytes, linkLocalOf, modifiedEui64, parseIp4, parseIp6, solicitedNodeOf } from '../../src/net/ip.js';
import { parseLinkFrame } from '../../src/net/link-frame.js';
import { BROADCAST_MAC, macFromBytes } from '../../src/net/mac.js';
import type { Mac } from '../../src/net/mac.js';
import type { NdPacket } from '../../src/net/nd.js';
import { ndFrame } from '../../src/net/nd.js';
import { formatPrefix } from '../../src/net/prefix.js';
import { message } from '../dhcp4/helpers.js';
import type { AccessPoint } from './air.js';
import type { SeededRandom } from '../random.js';
import type { Scheduler } from './scheduler.js';

const GATEWAY = parseIp4('10.44.0.1');
const GATEWAY_LINK_LOCAL = parseIp6('fe80::200:5eff:fe00:5213');
const RETRY: Millis = 2 * SECOND;

/** So often a client that has traffic looks whether its gateway is there, from each of its addresses. */
const GATEWAY_CHECK: Millis = 30 * SECOND;

/** After so long without a network a client asks whether it may keep its address (INIT-REBOOT). */
const LONG_ABSENCE: Millis = 3 * SECOND;

/** How a client comes by its addresses. */
export interface ClientKind {
  /** Whether it does IPv4. */
  readonly dualStack: boolean;
  /** It has this IPv4 address, and asks nobody. */
  readonly fixed?: Ip4 | undefined;
  /** Whether it says nothing with that address unless it is asked. */
  readonly silent?: boolean;
  /** Whether it chooses an address in each prefix that it is told: mode `host`. */
  readonly autoconfigures?: boolean;
}

interface Lease {
  readonly address: Ip4;
  readonly renewAt: number;
  readonly expires: number;
}

/** RFC 2464 section 7. */
function multicastMac(ip: Ip6): Mac {
  return macFromBytes(Uint8Array.of(0x33, 0x33, ...ip6ToBytes(ip).subarray(12)));
}

export function macOf(number: number): Mac {
  return macFromBytes(Uint8Array.of(2, 0, 0x5e, 0, number >> 8, number & 0xff));
}

export class Client {
  readonly mac: Mac;
  /** Where it truly is. */
  at: AccessPoint | undefined;
  via = '';
  /** Counts associations, so that what waits for an old one notices. */
  epoch = 0;
  /** It does not wake for what comes to it. */
  asleep = false;
  /** How often an access point threw it out although it was there. */
  deauthenticated = 0;
  /** The access point said that it shall go: it takes what comes next for a network that may be another. */
  thrownOut = false;
  lease: Lease | undefined;
  /** Preferred /64s by their text, and until when they are valid. */
  readonly networks = new Map<string, number>();
  /** Addresses that it has chosen itself. */
  readonly hosts = new Set<Ip6>();
  /** What became of its addresses and should not have: sentences. */
  readonly lost: string[] = [];
  #attempt = 0;
  /** The address and the network that it was given first. */
  #first4: Ip4 | undefined;
  #first6: string | undefined;
  #leftAt = -Infinity;

  constructor(
    readonly number: number,
    readonly scheduler: Scheduler,
    readonly random: SeededRandom,
    readonly kind: ClientKind,
  ) {
    this.mac = macOf(number);
    if (kind.fixed !== undefined) this.lease = { address: kind.fixed, renewAt: Infinity, expires: Infinity };
  }

  get linkLocal(): Ip6 {
    return linkLocalOf(this.mac);
  }

  /** Its addresses and networks as the daemon's views show them. */
  get addresses(): string[] {
    const { now } = this.scheduler;
    const four = this.lease !== undefined && this.lease.expires > now ? [this.lease.address as string] : [];
    return [...four, ...[...this.networks].filter(([, valid]) => valid > now).map(([network]) => network), ...this.hosts];
  }

  associated(): void {
    this.asleep = false;
    this.#in(this.random.between(0.005, 2) * SECOND, () => this.#checkGateway());
    if (!this.kind.dualStack || this.kind.fixed !== undefined) return;
    const wasAway = this.thrownOut || this.scheduler.now - this.#leftAt > LONG_ABSENCE;
    this.thrownOut = false;
    const isDue = this.lease === undefined || this.lease.renewAt <= this.scheduler.now;
    if (isDue || wasAway) this.#in(this.random.between(5, 60), () => this.#configure());
    this.#leftAt = Infinity;
  }

  disassociated(): void {
    this.#leftAt = this.scheduler.now;
  }

  /** Runs only while the client stays where it is. */
  #in(delay: Millis, task: () => void): void {
    const { epoch } = this;
    this.scheduler.in(delay, () => {
      if (this.at !== undefined && this.epoch === epoch) task();
    });
  }

  #checkGateway(): void {
    const { mac, lease, kind } = this;
    if (lease !== undefined && kind.fixed !== undefined && kind.silent !== true) {
      const request = { operation: ArpOperation.request, senderMac: mac, senderIp: lease.address, targetMac: UNKNOWN_MAC, targetIp: GATEWAY };
      this.at?.uplink(this, arpFrame(BROADCAST_MAC, request));
    }
    for (const address of this.hosts) this.#solicit(address, GATEWAY_LINK_LOCAL);
    this.#in(GATEWAY_CHECK, () => this.#checkGateway());
  }

  #solicit(source: Ip6, target: Ip6): void {
    const options = source === ANY6 ? [] : ([{ type: 'sourceLinkLayer', mac: this.mac }] as const);
    const packet = { source, destination: solicitedNodeOf(target), message: { type: 'ns', target, options } } as const;
    this.at?.uplink(this, ndFrame(multicastMac(packet.destination), this.mac, packet));
  }

  #configure(): void {
    const attempt = ++this.#attempt;
    const { lease } = this;
    const { now } = this.scheduler;
    if (lease !== undefined && lease.expires <= now) this.lease = undefined;
    if (this.lease === undefined) this.#sendDhcp(message('discover', { mac: this.mac }));
    else if (now >= lease!.renewAt) this.#sendDhcp(message('request', { mac: this.mac, ciaddr: lease!.address }));
    else this.#sendDhcp(message('request', { mac: this.mac, requested: lease!.address }));
    this.#in(RETRY + this.random.below(RETRY), () => {
      if (this.#attempt === attempt) this.#configure();
    });
  }

  #sendDhcp(request: Dhcp4Message): void {
    const source = request.ciaddr;
    const frame = writeUdpFrame4({
      sourceMac: this.mac,
      destinationMac: BROADCAST_MAC,
      source,
      destination: BROADCAST4,
      sourcePort: DHCP_CLIENT_PORT,
      destinationPort: DHCP_SERVER_PORT,
      payload: writeDhcp4(request),
    });
    this.at?.uplink(this, frame);
  }

  receive(frame: Uint8Array): void {
    const { header } = parseEthernet(frame);
    if (header.etherType === EtherType.ipv4) return this.#receiveDhcp(parseDhcp4(parseUdpFrame4(frame).payload));
    const link = parseLinkFrame(frame);
    if (link?.protocol === 'nd') return this.#receiveNd(link.packet, header.source);
    // RFC 5227 2.4: the second time within ten seconds a host gives its address up.
    if (link !== undefined && link.packet.senderIp === this.lease?.address && link.packet.senderMac !== this.mac) {
      this.lost.push(`client ${this.number} hears that ${link.packet.senderMac} has its address ${link.packet.senderIp}`);
    }
    if (link?.packet.operation !== ArpOperation.request || link.packet.targetIp !== this.lease?.address) return;
    const { senderMac, senderIp } = link.packet;
    const reply = { operation: ArpOperation.reply, senderMac: this.mac, senderIp: this.lease.address, targetMac: senderMac, targetIp: senderIp };
    this.at?.uplink(this, arpFrame(senderMac, reply));
  }

  #receiveDhcp(reply: Dhcp4Message): void {
    const type = optionU8(reply.options, OptionCode.messageType);
    if (reply.chaddr !== this.mac) return;
    if (type === MessageType.offer) {
      this.#sendDhcp(message('request', { mac: this.mac, requested: reply.yiaddr, server: GATEWAY }));
    } else if (type === MessageType.nak) {
      this.lost.push(`client ${this.number} is refused ${this.lease?.address ?? 'an address'}`);
      this.lease = undefined;
      this.#configure();
    } else if (type === MessageType.ack && reply.yiaddr !== ANY4) {
      this.#attempt++;
      const lifetime = optionU32(reply.options, OptionCode.leaseTime)! * SECOND;
      const { now } = this.scheduler;
      this.#first4 ??= reply.yiaddr;
      if (reply.yiaddr !== this.#first4) this.lost.push(`client ${this.number} had ${this.#first4} and gets ${reply.yiaddr}`);
      this.lease = { address: reply.yiaddr, renewAt: now + lifetime / 2, expires: now + lifetime };
      const { lease } = this;
      this.scheduler.schedule(lease.renewAt, () => {
        if (this.lease === lease && this.at !== undefined) this.#configure();
      });
    }
  }

  #receiveNd({ source, message: received }: NdPacket, router: Mac): void {
    if (received.type === 'ra') {
      for (const option of received.options) {
        if (option.type !== 'prefix' || !option.autonomous) continue;
        if (this.kind.autoconfigures === true) {
          this.#choose(option.prefix.address);
          continue;
        }
        const network = formatPrefix(option.prefix);
        this.#first6 ??= network;
        if (network !== this.#first6) this.lost.push(`client ${this.number} had ${this.#first6} and gets ${network}`);
        if (option.preferredLifetime === 0) {
          this.networks.delete(network);
          this.lost.push(`client ${this.number} is to give up ${network}`);
        } else this.networks.set(network, this.scheduler.now + option.validLifetime * SECOND);
      }
      return;
    }
    if (received.type !== 'ns' || !(received.target === this.linkLocal || this.hosts.has(received.target))) return;
    const answer = { type: 'na', target: received.target, router: false, solicited: true, override: true } as const;
    const options = [{ type: 'targetLinkLayer', mac: this.mac }] as const;
    this.at?.uplink(this, ndFrame(router, this.mac, { source: received.target, destination: source, message: { ...answer, options } }));
  }

  /** An address in a shared prefix, once nobody has objected for a second (RFC 4862 5.4). */
  #choose(network: Ip6): void {
    const bytes = ip6ToBytes(network);
    bytes.set(modifiedEui64(this.mac), 8);
    const address = ip6FromBytes(bytes);
    if (this.hosts.has(address)) return;
    this.#solicit(ANY6, address);
    this.scheduler.in(SECOND, () => {
      this.hosts.add(address);
      this.#solicit(address, GATEWAY_LINK_LOCAL);
    });
  }
}
