/**
 * Access points and what they tell. A table of stations as hostapd keeps it: a client that walked off stays in it until
 * it is seen to be gone, and what the daemon is told arrives in order, but late and sometimes twice.
 */
import type { Millis } from '../../src/clients/time.js';
import { SECOND } from '../../src/clients/time.js';
import type { Mac } from '../../src/net/mac.js';
import type { Packets, ReceivedFrame, StationEvent, Stations } from '../../src/ports.js';
import type { Client } from './client.js';
import { CLIENT_NETWORK } from './kernel.js';
import type { SeededRandom } from '../random.js';
import type { Scheduler } from './scheduler.js';

/** An access point notices that a station is silent, asks it, and gives it up. */
const INACTIVITY: readonly [Millis, Millis] = [20 * SECOND, 40 * SECOND];

/** The two radios of each node. */
export const RADIOS = ['wlan0', 'wlan1'] as const;

export class AccessPoint {
  /** Stations by radio and MAC: `wlan0 02:..`. */
  readonly table = new Map<string, { readonly mac: Mac; readonly via: string }>();
  /** How late events are told at the most. */
  lateness: Millis = 20;
  duplicates = 0;
  powered = true;
  #listener: ((event: StationEvent) => void) | undefined;
  #receiver: ((received: ReceivedFrame) => void) | undefined;
  #toldAt = 0;

  constructor(
    readonly index: number,
    readonly scheduler: Scheduler,
    readonly random: SeededRandom,
    readonly clients: readonly Client[],
  ) {}

  #tell(event: StationEvent): void {
    this.#toldAt = Math.max(this.#toldAt, this.scheduler.now + this.random.between(0, this.lateness));
    const listener = this.#listener;
    const times = this.random.chance(this.duplicates) ? 2 : 1;
    for (let i = 0; i < times; i++) {
      this.scheduler.schedule(this.#toldAt, () => {
        if (this.#listener === listener) listener?.(event);
      });
    }
  }

  #event(kind: 'authorized' | 'left', mac: Mac, via: string, network = CLIENT_NETWORK): StationEvent {
    const common = { mac, via, source: 'hostapd' as const };
    return kind === 'left' ? { kind, ...common } : { kind, ...common, network, ssid: 'mesh' };
  }

  /** A station is authorised; `client` is truly there, or the access point only believes so. */
  add(mac: Mac, via: string): void {
    this.table.set(`${via} ${mac}`, { mac, via });
    this.#tell(this.#event('authorized', mac, via));
    this.#watch(mac, via);
  }

  /** The interface of a radio is gone. */
  removeRadio(via: string): void {
    for (const station of [...this.table.values()]) {
      if (station.via === via) this.remove(station.mac, via);
    }
  }

  /** hostapd puts a station on another VLAN, the bridge of which is `network`. */
  putOn(network: string, mac: Mac, via: string): void {
    this.#tell(this.#event('authorized', mac, via, network));
  }

  remove(mac: Mac, via: string): boolean {
    if (!this.table.delete(`${via} ${mac}`)) return false;
    this.#tell(this.#event('left', mac, via));
    return true;
  }

  #watch(mac: Mac, via: string): void {
    const entry = this.table.get(`${via} ${mac}`);
    this.scheduler.in(this.random.between(...INACTIVITY), () => {
      if (this.table.get(`${via} ${mac}`) !== entry) return;
      if (this.#isReallyHere(mac, via)) this.#watch(mac, via);
      else this.remove(mac, via);
    });
  }

  #isReallyHere(mac: Mac, via: string): boolean {
    return this.#clientOn(mac, via) !== undefined;
  }

  #clientOn(mac: Mac, via: string): Client | undefined {
    return this.clients.find((one) => one.mac === mac && one.at === this && one.via === via);
  }

  /** No more power: the table is lost, and clients notice. */
  powerOff(): void {
    this.powered = false;
    this.table.clear();
    for (const client of this.clients) {
      if (client.at !== this) continue;
      client.at = undefined;
      client.epoch++;
      client.disassociated();
    }
  }

  /** What hostapd does when the daemon asks it to forget a station. */
  #disassociate(mac: Mac, via: string): void {
    const client = this.#clientOn(mac, via);
    if (!this.remove(mac, via) || client === undefined) return;
    client.deauthenticated++;
    client.thrownOut = true;
    client.at = undefined;
    client.epoch++;
    client.disassociated();
    const { epoch } = client;
    this.scheduler.in(this.random.between(100, 1000), () => {
      if (client.epoch === epoch && this.powered) join(client, this, via);
    });
  }

  /** The port of a process. */
  stations(): Stations {
    return {
      start: (listener) => {
        this.#listener = listener;
        for (const { mac, via } of this.table.values()) this.#tell(this.#event('authorized', mac, via));
      },
      refresh: () => {},
      hasAccessPoint: () => this.#listener !== undefined,
      disassociate: (mac, via) => void this.scheduler.in(1, () => this.#disassociate(mac, via)),
      stop: () => (this.#listener = undefined),
    };
  }

  packets(): Packets {
    return {
      start: (listener) => (this.#receiver = listener),
      attach: () => [],
      send: (_, frame) => this.#downlink(frame),
      stop: () => (this.#receiver = undefined),
    };
  }

  /** The process is gone. */
  detach(): void {
    this.#listener = undefined;
    this.#receiver = undefined;
  }

  #downlink(frame: Uint8Array): void {
    const group = (frame[0]! & 1) !== 0;
    for (const client of this.clients) {
      if (client.at !== this || (!group && !isTo(frame, client.mac)) || (client.asleep && group)) continue;
      const delay = client.asleep ? this.random.between(50, 250) : this.random.between(0.5, 5);
      const { epoch } = client;
      this.scheduler.in(delay, () => {
        if (client.at === this && client.epoch === epoch) client.receive(frame);
      });
    }
  }

  uplink(client: Client, frame: Uint8Array): void {
    const { epoch } = client;
    this.scheduler.in(this.random.between(0.5, 3), () => {
      if (client.at === this && client.epoch === epoch) this.#receiver?.({ network: CLIENT_NETWORK, frame });
    });
  }
}

function isTo(frame: Uint8Array, mac: Mac): boolean {
  for (let i = 0; i < 6; i++) if (frame[i] !== parseInt(mac.slice(3 * i, 3 * i + 2), 16)) return false;
  return true;
}

/** The client associates; where it was before, it says goodbye or just walks off. */
export function join(client: Client, to: AccessPoint, via: string, goodbye = false): void {
  leave(client, goodbye);
  client.at = to;
  client.via = via;
  to.add(client.mac, via);
  client.associated();
}

/** The client leaves; without a goodbye its access point finds out much later. */
export function leave(client: Client, goodbye: boolean): void {
  const { at, via } = client;
  if (at === undefined) return;
  client.epoch++;
  client.at = undefined;
  client.disassociated();
  if (goodbye) at.remove(client.mac, via);
}
