/** Makes the kernel forget hosts that have gone: what bridges have learnt of them, and what the neighbour caches have. */
import type { Mac } from '../net/mac.js';
import type { Logger } from '../ports.js';
import { NEIGHBOUR_PROTOCOL } from './kernel-messages.js';
import type { FdbEntry } from './netlink/fdb.js';
import { deleteFdbEntry } from './netlink/fdb.js';
import type { Link } from './netlink/link.js';
import { deleteNeighbour } from './netlink/neighbour.js';
import type { Rtnetlink } from './netlink/rtnetlink.js';

/** Of more hosts than this all that a bridge has learnt is read at once: a thousand entries take as long as some dozen questions. */
const FEW = 32;

export interface PurgeOptions {
  readonly rtnl: Rtnetlink;
  readonly log: Logger;
  /** Interfaces, where they are known; else they are read. */
  readonly links: () => readonly Link[];
}

export class Purge {
  /** By the interface that they were on. */
  readonly #waiting = new Map<string, Set<Mac>>();
  #running = false;

  constructor(private readonly options: PurgeOptions) {}

  /** Of a host that is behind another port now: what the bridge has learnt of it. */
  port(mac: Mac, network: string): void {
    void this.#purge(new Set([mac]), network, false);
  }

  /**
   * All that is known of a host. The kernel has no filter for the neighbours of one MAC: all of the interface are read, and
   * of several hosts that have gone together once.
   */
  all(mac: Mac, network: string): void {
    const macs = this.#waiting.get(network) ?? new Set();
    this.#waiting.set(network, macs.add(mac));
    if (!this.#running) void this.#run();
  }

  async #run(): Promise<void> {
    this.#running = true;
    for (const [network, macs] of this.#waiting) {
      this.#waiting.delete(network);
      await this.#purge(macs, network, true);
    }
    this.#running = false;
  }

  async #purge(macs: ReadonlySet<Mac>, network: string, withNeighbours: boolean): Promise<void> {
    try {
      await this.#remove(macs, network, withNeighbours);
    } catch (error) {
      const whose = macs.size === 1 ? [...macs].join() : `${macs.size} hosts`;
      this.options.log.warn(`${network}: cannot purge what is known of ${whose}: ${(error as Error).message}`);
    }
  }

  async #remove(macs: ReadonlySet<Mac>, network: string, withNeighbours: boolean): Promise<void> {
    const { rtnl } = this.options;
    const links = await this.#linksWith(network);
    const link = links.find(({ name }) => name === network);
    if (link === undefined) return;
    const [entries, neighbours] = await Promise.all([
      this.#learnt(macs, link, links),
      withNeighbours ? rtnl.neighbours({ ifindex: link.index, learned: true }) : [],
    ]);
    const results = await rtnl.applyAll([
      ...entries.filter(({ learned }) => learned).map(deleteFdbEntry),
      ...neighbours.filter(({ mac, protocol }) => mac !== undefined && macs.has(mac) && protocol !== NEIGHBOUR_PROTOCOL).map(deleteNeighbour),
    ]);
    const failed = results.find((error) => error !== undefined && error.code !== 'ENOENT');
    if (failed !== undefined) throw failed;
  }

  async #linksWith(network: string): Promise<readonly Link[]> {
    const known = this.options.links();
    return known.some(({ name }) => name === network) ? known : this.options.rtnl.links();
  }

  /** A VLAN interface has its VLAN's entries in the bridge below, if that tells VLANs apart. */
  async #learnt(macs: ReadonlySet<Mac>, link: Link, links: readonly Link[]): Promise<FdbEntry[]> {
    const { rtnl } = this.options;
    const lower = link.vlan === undefined ? link : links.find(({ index }) => index === link.vlan?.lower);
    if (lower?.kind !== 'bridge') return [];
    const vlan = lower.filtersVlans ? link.vlan?.id : undefined;
    // On a bridge that has VLANs, and is a client interface itself, it is not known which of them a host is in.
    const inAnyVlan = lower.filtersVlans === true && vlan === undefined;
    if (inAnyVlan || macs.size > FEW) {
      return (await rtnl.fdb(lower.index)).filter((entry) => macs.has(entry.mac) && (inAnyVlan || entry.vlan === vlan));
    }
    const found = await Promise.all([...macs].map((mac) => rtnl.fdbEntry({ bridge: lower.index, mac, ...(vlan !== undefined && { vlan }) })));
    return found.filter((entry) => entry !== undefined);
  }
}
