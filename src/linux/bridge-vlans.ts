/**
 * Which interface of this router hosts behind a port of a bridge are on. Most bridges have one for all: themselves. One that
 * filters VLANs, as OpenWrt makes them, has one for each VLAN: an interface such as `br-lan.20`, or, of the VLAN to which
 * its own untagged frames belong, itself.
 */
import { networkOf } from './devices.js';
import type { BridgePort } from './netlink/bridge-port.js';
import type { Link } from './netlink/link.js';
import type { Rtnetlink } from './netlink/rtnetlink.js';

export class BridgeVlans {
  /** All interfaces, by their indexes. */
  readonly links: ReadonlyMap<number, Link>;
  readonly #native: ReadonlyMap<number, number>;

  constructor(links: readonly Link[] = [], ports: readonly BridgePort[] = []) {
    this.links = new Map(links.map((link) => [link.index, link]));
    this.#native = new Map(ports.flatMap(({ index, vlan }) => (vlan === undefined ? [] : [[index, vlan]])));
  }

  static async read(rtnl: Pick<Rtnetlink, 'links' | 'bridgePorts'>): Promise<BridgeVlans> {
    const links = await rtnl.links();
    return new BridgeVlans(links, links.some(({ filtersVlans }) => filtersVlans) ? await rtnl.bridgePorts() : []);
  }

  /** The interface for a VLAN of a bridge, by its index. Undefined: this router has none in that VLAN. */
  interfaceOf(bridge: number | undefined, vlan: number | undefined): string | undefined {
    const above = bridge === undefined ? undefined : this.links.get(bridge);
    if (above?.filtersVlans !== true || vlan === undefined || this.#native.get(above.index) === vlan) return above?.name;
    for (const link of this.links.values()) if (link.vlan?.id === vlan && link.vlan.lower === bridge) return link.name;
    return undefined;
  }

  /**
   * The interface for what enters a bridge by a port, untagged. Of what is no port: itself. In a VLAN that this router
   * has no interface in: the name that one would have.
   */
  networkOf(device: string, bridge = networkOf(device)): string {
    const above = this.#named(bridge);
    const port = this.#named(device);
    if (bridge === device || above?.filtersVlans !== true || port === undefined) return bridge;
    const vlan = this.#native.get(port.index);
    return vlan === undefined ? device : (this.interfaceOf(above.index, vlan) ?? `${bridge}.${vlan}`);
  }

  #named(name: string): Link | undefined {
    for (const link of this.links.values()) if (link.name === name) return link;
    return undefined;
  }
}

/** The VLANs of this router's bridges as they are now: read once for all who need them, and again after a change. */
export class CurrentVlans {
  #known = new BridgeVlans();
  #reading: Promise<BridgeVlans> | undefined;

  constructor(private readonly rtnl: Pick<Rtnetlink, 'links' | 'bridgePorts'>) {}

  /** As they were read last. */
  get known(): BridgeVlans {
    return this.#known;
  }

  /** Interfaces, or ports of bridges, are others now: what is being read may be from before. */
  changed(): void {
    this.#reading = undefined;
  }

  /** Rejects where they cannot be read. */
  read(): Promise<BridgeVlans> {
    this.#reading ??= this.#read();
    return this.#reading;
  }

  async #read(): Promise<BridgeVlans> {
    try {
      return (this.#known = await BridgeVlans.read(this.rtnl));
    } catch (error) {
      this.changed();
      throw error;
    }
  }
}
