/**
 * A client: what a phone does. It gets an IPv4 address by DHCP, keeps it over a roam without a word, asks again where it
 * was cut off for longer, renews at half time, takes IPv6 prefixes from advertisements, and answers ARP and NS.
 */
import type { Dhcp4Message } from '../../src/dhcp4/message.js';
import { DHCP_CLIENT_PORT, DHCP_SERVER_PORT, MessageType, parseDhcp4, writeDhcp4 } from '../../src/dhcp4/message.js';
import { OptionCode, optionU32, optionU8 } from '../../src/dhcp4/options.js';
import type { Millis } from '../../src/clients/time.js';
import { SECOND } from '../../src/clients/time.js';
import { arpFrame, ArpOperation } from '../../src/net/arp.js';
import { EtherType, parseEthernet } from '../../src/net/ethernet.js';
import { parseUdpFrame4, writeUdpFrame4 } from '../../src/net/frame4.js';
import type { Ip4, Ip6 } from '../../src/net/ip.js';
import { ANY4, BROADCAST4, linkLocalOf, parseIp4 } from '../../src/net/ip.js';
import { parseLinkFrame } from '../../src/net/link-frame.js';
import { BROADCAST_MAC, macFromBytes } from '../../src/net/mac.js';
import type { Mac } from '../../src/net/mac.js';
import type { NdPacket } from '../../src/net/nd.js';
import { ndFrame } from '../../src/net/nd.js';
import { formatPrefix } from '../../src/net/prefix.js';
import { message } from '../dhcp4/helpers.js';
import type { AccessPoint } from './air.js';
import type { SeededRandom } from './random.js';
import type { Scheduler } from './scheduler.js';

const GATEWAY = parseIp4('10.44.0.1');
const RETRY: Millis = 2 * SECOND;

/** After so long without a network a client asks whether it may keep its address (INIT-REBOOT). */
const LONG_ABSENCE: Millis = 3 * SECOND;

interface Lease {
  readonly address: Ip4;
  readonly renewAt: number;
  readonly expires: number;
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
  lease: Lease | undefined;
  /** Preferred /64s by their text, and until when they are valid. */
  readonly networks = new Map<string, number>();
  #attempt = 0;
  #leftAt = -Infinity;

  constructor(
    readonly number: number,
    readonly scheduler: Scheduler,
    readonly random: SeededRandom,
    /** Whether it does IPv4. */
    readonly dualStack: boolean,
  ) {
    this.mac = macOf(number);
  }

  get linkLocal(): Ip6 {
    return linkLocalOf(this.mac);
  }

  /** Its addresses and networks as the daemon's views show them. */
  get addresses(): string[] {
    const { now } = this.scheduler;
    const four = this.lease !== undefined && this.lease.expires > now ? [this.lease.address as string] : [];
    return [...four, ...[...this.networks].filter(([, valid]) => valid > now).map(([network]) => network)];
  }

  associated(): void {
    this.asleep = false;
    if (!this.dualStack) return;
    const wasAway = this.scheduler.now - this.#leftAt > LONG_ABSENCE;
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
      this.lease = undefined;
      this.#configure();
    } else if (type === MessageType.ack && reply.yiaddr !== ANY4) {
      this.#attempt++;
      const lifetime = optionU32(reply.options, OptionCode.leaseTime)! * SECOND;
      const { now } = this.scheduler;
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
        const network = formatPrefix(option.prefix);
        if (option.preferredLifetime === 0) this.networks.delete(network);
        else this.networks.set(network, this.scheduler.now + option.validLifetime * SECOND);
      }
      return;
    }
    if (received.type !== 'ns' || received.target !== this.linkLocal) return;
    const answer = { type: 'na', target: received.target, router: false, solicited: true, override: true } as const;
    const options = [{ type: 'targetLinkLayer', mac: this.mac }] as const;
    this.at?.uplink(this, ndFrame(router, this.mac, { source: this.linkLocal, destination: source, message: { ...answer, options } }));
  }
}
