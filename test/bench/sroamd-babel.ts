/** (d) sroamd on every access point, and Babel to tell the other routers of its routes. */
import type { Client } from '../lab/client.js';
import { Router } from '../lab/router.js';
import { Service, until } from '../lab/shell.js';
import { GATEWAY4, GATEWAY_LL, loopback4, PREFIX4, PREFIX6 } from '../lab/topology.js';
import { addServer, meshInterfaces } from './line.js';
import type { Site, System } from './systems.js';

/** The radio: sroamd's routes lead out of the interface that stations are on, so it is in no bridge. */
const DEVICE = 'ap0';

/** Has babeld announce what sroamd puts into the main table. */
export const SROAMD_BABELD = ['redistribute proto 44 allow'];

export interface SroamdOptions {
  readonly binary: string;
  /** Where it listens; the others are its peers. */
  readonly port: number;
  /** Addresses, with ports. */
  readonly peers: readonly string[];
}

/** Starts sroamd on a router whose access point is up, and gives the interface the addresses that all routers show. */
export async function startSroamd({ net, cleanup }: Site, router: string, options: SroamdOptions): Promise<Service> {
  await net.exec(router, 'sysctl', '-qw', `net.ipv6.conf.${DEVICE}.accept_dad=0`);
  await net.ip(router, `addr flush dev ${DEVICE}`);
  await net.ip(router, `addr add ${GATEWAY4}/16 dev ${DEVICE}`);
  await net.ip(router, `addr add ${GATEWAY_LL}/64 dev ${DEVICE}`);
  const prefixes = ['-P', PREFIX4, '-P', PREFIX6];
  const peers = options.peers.flatMap((peer) => ['-F', peer]);
  const sroamd = new Service(`${router}: sroamd`, net.in(router, options.binary, ...prefixes, '-f', `${options.port}`, ...peers, DEVICE));
  cleanup.add(() => sroamd.stop());
  return sroamd;
}

export class Sroamd implements System {
  readonly name = 'sroamd + babel';
  readonly processes = ['sroamd', 'babeld'];
  readonly dwell = 6000;
  #site: Site | undefined;

  constructor(private readonly binary: string) {}

  async build(site: Site): Promise<void> {
    this.#site = site;
    const { net, routers, programs, directory, cleanup } = site;
    await addServer(site);
    for (const [i, name] of routers.entries()) {
      const last = i === routers.length - 1;
      const options = { name, number: i + 1, clients: false, mesh: meshInterfaces(routers, i), announce: last ? ['to-server'] : [], babeld: SROAMD_BABELD, options: {} };
      await new Router(net, programs, options, directory, cleanup).boot();
    }
  }

  async welcome(client: Client): Promise<void> {
    const site = this.#site!;
    const points = site.routers.slice(0, -1);
    const running = [];
    for (const [i, router] of points.entries()) {
      const peers = i === 0 ? [] : [`${loopback4(i)}:4444`];
      await until(`${router}: the way to its peer`, 60, () => reaches(site, router, i));
      running.push(await startSroamd(site, router, { binary: this.binary, port: 4444, peers }));
    }
    await client.startDhcp();
    await client.address(4);
    for (const { running: runs, name, output } of running) if (!runs) throw new Error(`${name} ended:\n${output}`);
  }

  arrived(): void {}
}

/** Whether a router has a route to the one before it: sroamd dials again only after half a minute. */
function reaches({ net }: Site, router: string, before: number): Promise<boolean> {
  if (before === 0) return Promise.resolve(true);
  return net.exec(router, 'ping', '-c', '1', '-W', '1', loopback4(before)).then(() => true, () => false);
}
