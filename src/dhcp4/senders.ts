/** Whether a message is from whom it speaks for: the client itself, or a relay agent that may be one. */
import type { Ip4 } from '../net/ip.js';
import { ANY4 } from '../net/ip.js';
import type { Mac } from '../net/mac.js';
import { contains } from '../net/prefix.js';
import type { Dhcp4Config, Leases } from './config.js';
import type { DropReason, RequestMeta } from './exchange.js';
import type { Dhcp4Message, MessageName } from './message.js';
import { OptionCode } from './options.js';

/** Relay agents that are remembered, those that relayed last. */
const MAX_RELAYS = 64;

export class Senders {
  /** From where relayed messages come, the last one last. */
  readonly #relays = new Set<Mac>();

  constructor(
    public config: Pick<Dhcp4Config, 'gateway' | 'relays'>,
    private readonly leases: Leases,
  ) {}

  /** Why the frame is not from whom the message speaks for; undefined where it is. */
  forgery(name: MessageName, message: Dhcp4Message, meta: RequestMeta): DropReason | undefined {
    const { giaddr, chaddr } = message;
    const { sourceMac } = meta;
    if (giaddr === ANY4) return sourceMac === chaddr || this.#isForwarded(name, message, meta) ? undefined : 'spoofed';
    if (!this.#isRelay(giaddr)) return 'unknown relay';
    const owner = this.leases.owner(giaddr);
    if (owner !== undefined && owner !== sourceMac) return 'spoofed';
    this.#learnRelay(sourceMac);
    return undefined;
  }

  #learnRelay(mac: Mac): void {
    this.#relays.delete(mac);
    this.#relays.add(mac);
    for (const oldest of this.#relays) if (this.#relays.size > MAX_RELAYS) this.#relays.delete(oldest);
  }

  #isRelay(address: Ip4): boolean {
    return (this.config.relays ?? []).some((relays) => contains(relays, address));
  }

  /**
   * Whether it is one of the messages that a client sends by unicast (RFC 2131 4.4.4: RENEWING, RELEASE), about its own
   * lease, and came through a relay agent: not relayed but forwarded as any packet. The frame is then from somebody who has
   * a relay's address, or has relayed before: who can do that can speak for any client anyway.
   */
  #isForwarded(name: MessageName, { ciaddr, chaddr, options }: Dhcp4Message, meta: RequestMeta): boolean {
    const isRenewing = name === 'request' && !options.has(OptionCode.requestedAddress) && !options.has(OptionCode.serverIdentifier);
    if (!isRenewing && name !== 'release') return false;
    const isItsOwn = ciaddr === meta.sourceIp && meta.destinationIp === this.config.gateway && this.leases.owner(ciaddr) === chaddr;
    const hasRelays = this.leases.leases4Of(meta.sourceMac).some(({ address }) => this.#isRelay(address));
    return isItsOwn && (hasRelays || this.#relays.has(meta.sourceMac));
  }
}
