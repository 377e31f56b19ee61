/** How a client is attached to an access point, and how it moves to another. */
import type { Client } from '../lab/client.js';
import { IpShell } from './programs.js';
import type { Site } from './systems.js';

export interface Air {
  /** For the report. */
  readonly name: string;
  /** The routers' client bridges are there: brings their access points up. */
  open(site: Site): Promise<void>;
  join(client: Client, router: string): Promise<void>;
  /** Resolves when the client has a carrier at the other router. */
  roam(client: Client, to: string): Promise<void>;
  /** When the last roam had a carrier, in milliseconds since 1970. */
  readonly connectedAt: number;
}

/** A cable that is pulled out of one bridge and plugged into another. */
export class Cable implements Air {
  readonly name = 'cables between network namespaces';
  connectedAt = 0;
  #site: Site | undefined;
  #shells = new Map<string, IpShell>();

  async open(site: Site): Promise<void> {
    this.#site = site;
    for (const router of site.routers) this.#shells.set(router, new IpShell(site.net, router, site.cleanup));
  }

  join(client: Client, router: string): Promise<void> {
    return client.plugIn(router);
  }

  async roam(client: Client, to: string): Promise<void> {
    await this.#shells.get(client.at)!.run(`link set ${client.plug} netns ${this.#site!.net.ns(to)}`);
    client.at = to;
    await this.#shells.get(to)!.run(`link set ${client.plug} master br-client up`);
    this.connectedAt = performance.timeOrigin + performance.now();
  }
}
