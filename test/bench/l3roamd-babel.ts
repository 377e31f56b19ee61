/**
 * (e) l3roamd on every access point, and Babel to tell the other routers of its routes. It gives no addresses: the client
 * has them from elsewhere. Without radios l3roamd knows of clients from what they send alone.
 *
 * Its documentation has IPv4 translated to IPv6 at each node and back at an exit, by other programs. l3roamd itself makes
 * host routes of IPv4 addresses in the translation prefix (-4, here the default), and Babel carries them as they are.
 */
import type { Client } from '../lab/client.js';
import { Router } from '../lab/router.js';
import { run, Service } from '../lab/shell.js';
import { GATEWAY4, GATEWAY_LL, loopback6 } from '../lab/topology.js';
import { addServer, meshInterfaces } from './line.js';
import type { Site, System } from './systems.js';

/** Of the routes that l3roamd makes. */
const ROUTE_PROTOCOL = 158;
const PREFIXES = ['2001:db8:44::/64', '::ffff:10.44.0.0/112'];
const BRIDGE = 'br-client';

export class L3roamd implements System {
  readonly name = 'l3roamd + babel';
  readonly processes = ['l3roamd', 'babeld'];
  readonly dwell = 6000;
  #site: Site | undefined;
  readonly #services: Service[] = [];

  constructor(private readonly binary: string) {}

  async build(site: Site): Promise<void> {
    this.#site = site;
    const { net, routers, programs, directory, cleanup } = site;
    await addServer(site);
    // In the virtual machine nothing has loaded it: l3roamd keeps packets for unknown clients in a tun device.
    if (process.env['MODULES'] !== undefined) await run('modprobe', '-d', process.env['MODULES'], 'tun');
    for (const [i, name] of routers.entries()) {
      const last = i === routers.length - 1;
      const mesh = meshInterfaces(routers, i);
      const babeld = [`redistribute proto ${ROUTE_PROTOCOL} allow`];
      const options = { name, number: i + 1, clients: !last, mesh, announce: last ? ['to-server'] : [], babeld, options: {} };
      await new Router(net, programs, options, directory, cleanup).boot();
      this.#start(site, name, i, mesh);
    }
  }

  /** On the router before the server too: it is one of the mesh. */
  #start({ net, routers, directory, cleanup }: Site, name: string, i: number, mesh: readonly string[]): void {
    const clients = i === routers.length - 1 ? [] : ['-b', BRIDGE, '-i', BRIDGE];
    const words = ['-s', `${directory}/${name}.l3roamd`, '-a', loopback6(i + 1), ...PREFIXES.flatMap((prefix) => ['-p', prefix])];
    const links = mesh.flatMap((device) => ['-m', device]);
    const service = new Service(`${name}: l3roamd`, net.in(name, this.binary, ...words, ...clients, ...links));
    this.#services.push(service);
    cleanup.add(() => service.stop());
  }

  async welcome(client: Client): Promise<void> {
    const { net } = this.#site!;
    for (const { running, name, output } of this.#services) if (!running) throw new Error(`${name} ended:\n${output}`);
    await net.ip(client.name, 'addr add 10.44.0.9/16 dev eth0');
    await net.ip(client.name, `route replace default via ${GATEWAY4}`);
    await net.ip(client.name, 'addr add 2001:db8:44::9/64 dev eth0 nodad noprefixroute');
    await net.ip(client.name, `-6 route replace default via ${GATEWAY_LL} dev eth0`);
  }

  arrived(): void {}
}
