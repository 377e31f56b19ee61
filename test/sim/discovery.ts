/** Hellos by multicast on the links of a host: heard by those on its other side, now and then by nobody. */
import type { Discovery, DiscoveryEvents } from '../../src/ports.js';
import type { Host, Network } from './network.js';
import { addressOf } from './network.js';

const LOSS = 0.1;

export class SimDiscovery implements Discovery {
  readonly counters = {};
  #events: DiscoveryEvents | undefined;

  constructor(
    readonly network: Network,
    readonly host: Host,
  ) {
    host.discovery = this;
  }

  start(_: number, events: DiscoveryEvents): void {
    this.#events = events;
    events.attached();
  }

  attach(): void {}

  send(content: Uint8Array): void {
    const { scheduler, random, links, hosts } = this.network;
    for (const { a, b, up, eats, multicast, delay } of links) {
      if (!up || eats || !multicast || (a !== this.host.index && b !== this.host.index) || random.chance(LOSS)) continue;
      const other = hosts[a + b - this.host.index]!;
      scheduler.in(delay * (1 + random.unit()), () => {
        if (other.powered) other.discovery?.hear(content, this.host);
      });
    }
  }

  hear(content: Uint8Array, from: Host): void {
    this.#events?.heard(content, addressOf(from.index));
  }

  stop(): void {
    this.#events = undefined;
  }
}
