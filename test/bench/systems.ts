/** What is compared: each makes of routers in a line something through which a client can roam. */
import { join } from 'node:path';
import type { Client } from '../lab/client.js';
import type { Programs as LabPrograms } from '../lab/router.js';
import { Router } from '../lab/router.js';
import type { Cleanup } from '../lab/shell.js';
import { Service, until } from '../lab/shell.js';
import type { Topology } from '../lab/topology.js';
import { loopback4, SERVER4, SERVER6 } from '../lab/topology.js';
import { addServer, meshInterfaces } from './line.js';
import { SHIPPED_FLAGS } from './shipped.js';
import { L3roamd } from './l3roamd-babel.js';
import { Sroamd } from './sroamd-babel.js';

/** Where the bundles are. */
export interface Programs extends LabPrograms {
  readonly stream: string;
}

/** What a system is built upon and from. */
export interface Site {
  readonly net: Topology;
  readonly cleanup: Cleanup;
  readonly directory: string;
  readonly programs: Programs;
  /** Names of the routers, in a line; the server is behind the last. All but the last have an access point. */
  readonly routers: readonly string[];
}

export interface System {
  readonly name: string;
  /** Programs that it needs on each router, whose memory counts. */
  readonly processes: readonly string[];
  /** How long a client stays at a router, in milliseconds: so long that the system can recover, mostly. */
  readonly dwell: number;
  /** How long it takes to come to rest after its start, in milliseconds; absent: none. */
  readonly settling?: number;
  /** Routers, links and the server are there, without addresses: makes a network of them. */
  build(site: Site): Promise<void>;
  /** The client's cable is plugged in: gives it addresses. */
  welcome(client: Client, router: string): Promise<void>;
  /** The client has a carrier at another router. */
  arrived(client: Client, router: string): void;
}

const BRIDGE = 'br-client';

/** (a) The floor: all is one Ethernet, and switches learn from the client's first frame where it is. */
export class LayerTwo implements System {
  readonly name = 'layer 2';
  readonly processes = [];
  readonly dwell = 800;
  #net: Topology | undefined;

  build(site: Site): Promise<void> {
    const { routers } = site;
    return this.bridge(site, (i) => {
      const neighbours = [routers[i - 1], routers[i + 1], i === routers.length - 1 ? 'server' : undefined];
      return neighbours.flatMap((neighbour) => (neighbour === undefined ? [] : [`to-${neighbour}`]));
    });
  }

  /** On each router a bridge with the ports named; the server gets its addresses. */
  async bridge({ net, routers }: Site, portsOf: (i: number) => readonly string[]): Promise<void> {
    this.#net = net;
    for (const [i, router] of routers.entries()) {
      await net.ip(router, `link add ${BRIDGE} type bridge forward_delay 0`);
      for (const port of portsOf(i)) await net.ip(router, `link set ${port} master ${BRIDGE}`);
      await net.ip(router, `link set ${BRIDGE} up`);
    }
    const device = `to-${routers.at(-1)}`;
    await net.ip('server', `addr add ${SERVER4}/24 dev ${device}`);
    await net.ip('server', `addr add ${SERVER6}/64 dev ${device} nodad`);
  }

  async welcome(client: Client): Promise<void> {
    await this.#net!.ip(client.name, 'addr add 10.97.0.9/24 dev eth0');
    await this.#net!.ip(client.name, 'addr add fd97::9/64 dev eth0 nodad');
  }

  arrived(): void {}
}

/** The flooding key of all routers. */
export const LAB_KEY = 'open sesame, said the lab';

interface Variant {
  readonly name: string;
  readonly dwell: number;
  /** Routes of the flood, or routes that babeld takes up and announces. */
  readonly announcing: boolean;
  /** More lines of babeld's configuration. */
  readonly babeld?: readonly string[];
  /** More options of /etc/config/roaming. */
  readonly options?: { readonly [name: string]: string | readonly string[] };
}

/** (b) The daemon on every router; (b') where the routing protocol alone tells other routers of clients. */
export class Roaming implements System {
  readonly name: string;
  readonly processes = ['node', 'babeld'];
  readonly dwell: number;
  /** Sessions of the first moments that nobody needs any more end after half a minute. */
  readonly settling = 45_000;
  readonly routers = new Map<string, Router>();

  constructor(private readonly variant: Variant) {
    this.name = variant.name;
    this.dwell = variant.dwell;
  }

  async build(site: Site): Promise<void> {
    const { routers } = site;
    await addServer(site);
    for (const [i, name] of routers.entries()) this.routers.set(name, this.#router(site, name, i));
    const all = [...this.routers.values()];
    await Promise.all(all.map((router) => router.boot()));
    for (const router of all) router.startDaemon();
    await Promise.all(all.map((router) => until(`${router.name}: the daemon runs`, 15, async () => running(router))));
  }

  #router({ net, programs, directory, cleanup, routers }: Site, name: string, i: number): Router {
    const last = i === routers.length - 1;
    const { announcing } = this.variant;
    const options = {
      key: LAB_KEY,
      peer: last ? [] : [`${loopback4(i + 2)}`],
      // An address that no route leads to: other routers make no routes to this node's clients, as sroamd does not.
      ...this.variant.options,
      ...(announcing ? { node_address: [`192.0.2.${i + 1}`] } : {}),
    };
    const babeld = [...(this.variant.babeld ?? []), ...(announcing ? ['import-table 254', 'import-table 44', 'redistribute proto 44 allow'] : [])];
    const mesh = meshInterfaces(routers, i);
    const announce = last ? ['to-server'] : [];
    return new Router(net, programs, { name, number: i + 1, clients: !last, mesh, announce, babeld, nodeFlags: SHIPPED_FLAGS, options }, directory, cleanup);
  }

  async welcome(client: Client, router: string): Promise<void> {
    this.arrived(client, router);
    await client.startDhcp();
  }

  /** Says what OpenWrt's hostapd would on ubus; where the daemon asks the kernel, nobody would hear it. */
  arrived(client: Client, router: string): void {
    if (this.variant.options?.['presence'] === undefined) this.routers.get(router)!.station({ authorize: client.mac });
  }
}

/** By its log, which takes no more programs to look at. */
function running({ name, daemon }: Router): boolean {
  if (daemon?.running !== true) throw new Error(`${name}: the daemon ended with ${daemon?.ending}:\n${daemon?.output}`);
  return daemon.output.includes('started as');
}

/** (f) Babel, and a subnet for each access point: a client gets other addresses, and its connections end. */
export class Renumbering implements System {
  readonly name = 'babel, renumbering';
  readonly processes = ['babeld', 'dnsmasq'];
  readonly dwell = 6000;
  #net: Topology | undefined;
  #points: readonly string[] = [];

  async build(site: Site): Promise<void> {
    const { net, routers, directory, cleanup } = site;
    this.#net = net;
    this.#points = routers.slice(0, -1);
    await addServer(site);
    for (const [i, name] of routers.entries()) {
      const last = i === routers.length - 1;
      const mesh = meshInterfaces(routers, i);
      const babeld = last ? [] : [`redistribute if ${BRIDGE} allow`];
      const options = { name, number: i + 1, clients: false, mesh, announce: last ? ['to-server'] : [], babeld, options: {} };
      // babeld looks once for the interface that it is to announce.
      if (!last) await this.#serve(site, name, i + 1);
      await new Router(net, site.programs, options, directory, cleanup).boot();
    }
  }

  async #serve({ net, directory, cleanup }: Site, router: string, n: number): Promise<void> {
    await net.ip(router, `link add ${BRIDGE} type bridge forward_delay 0`);
    await net.ip(router, `link set ${BRIDGE} addrgenmode none up`);
    await net.ip(router, `addr add 10.44.${n}.1/24 dev ${BRIDGE}`);
    for (const address of [`2001:db8:44:${n}::1`, `fe80::${n}`]) await net.ip(router, `addr add ${address}/64 dev ${BRIDGE} nodad`);
    const ranges = [`10.44.${n}.10,10.44.${n}.200,1h`, `2001:db8:44:${n}::,ra-only,64,1h`].map((range) => `--dhcp-range=${range}`);
    const options = ['--no-daemon', '--conf-file=/dev/null', '--port=0', `--interface=${BRIDGE}`, '--enable-ra', '--no-ping'];
    const leases = `--dhcp-leasefile=${join(directory, `${router}.leases`)}`;
    const dnsmasq = new Service('dnsmasq', net.in(router, 'dnsmasq', ...options, ...ranges, leases));
    cleanup.add(() => dnsmasq.stop());
  }

  async welcome(client: Client): Promise<void> {
    await client.startDhcp();
  }

  /** As network managers do on a new link: forget what was had of other routers, ask for new addresses. */
  arrived(client: Client, router: string): void {
    const others = this.#points.flatMap((point, i) => (point === router ? [] : [i + 1]));
    const forget = others.flatMap((n) => [
      `-6 route del default via fe80::${n} dev eth0`,
      `-6 route flush 2001:db8:44:${n}::/64`,
      `-6 addr flush dev eth0 to 2001:db8:44:${n}::/64`,
    ]);
    const { pid } = client.dhcp!.child;
    const ask = ['USR2', 'USR1'].map((signal) => `kill -${signal} ${pid}`);
    // Of those routers most are not known.
    void this.#net!.exec(client.name, 'sh', '-c', [...ask, ...forget.map((words) => `ip ${words} 2>/dev/null`), 'true'].join('; '));
  }
}

/** (c) b.a.t.m.a.n. advanced: one Ethernet over the mesh, which learns of roams by itself. */
export class Batman implements System {
  readonly name = 'batman-adv';
  readonly processes = [];
  readonly dwell = 2000;
  readonly #floor = new LayerTwo();

  async build(site: Site): Promise<void> {
    const { net, routers } = site;
    for (const [i, router] of routers.entries()) {
      await net.ip(router, 'link add bat0 type batadv');
      // It takes routers in one network for ones on one cable, and keeps broadcasts back.
      await net.exec(router, 'batctl', 'meshif', 'bat0', 'bridge_loop_avoidance', '0');
      for (const neighbour of [routers[i - 1], routers[i + 1]]) {
        if (neighbour !== undefined) await net.ip(router, `link set to-${neighbour} master bat0`);
      }
      await net.ip(router, 'link set bat0 up');
    }
    await this.#floor.bridge(site, (i) => (i === routers.length - 1 ? ['bat0', 'to-server'] : ['bat0']));
  }

  welcome(client: Client): Promise<void> {
    return this.#floor.welcome(client);
  }

  arrived(): void {}
}

/** Of all systems those whose initial is in `letters`; all, where none are given. `options`: for the daemon. */
export function chosenSystems(letters: string, options: Variant['options'] = {}): System[] {
  const all: { [initial: string]: () => System } = {
    l: () => new LayerTwo(),
    r: () => new Roaming({ name: 'roaming', dwell: 800, announcing: false, options }),
    a: () => new Roaming({ name: 'roaming, announcing only', dwell: 6000, announcing: true, options }),
    b: () => new Renumbering(),
    m: () => new Batman(),
    s: () => new Sroamd(binaryOf(BINARIES.s)),
    e: () => new L3roamd(binaryOf(BINARIES.e)),
  };
  return Object.entries(all).flatMap(([initial, make]) => (letters.includes(initial) ? [make()] : []));
}

/** Systems that Debian has no package of, by their initials: the environment variables that name their binaries. */
const BINARIES = { s: 'SROAMD', e: 'L3ROAMD' } as const;

function binaryOf(variable: string): string {
  const binary = process.env[variable];
  if (binary === undefined || binary === '') throw new Error(`${variable} has to name the binary`);
  return binary;
}

/** Those of `initials` whose binaries are given; says which are left out. */
export function givenSystems(initials: readonly (keyof typeof BINARIES)[]): string {
  const isGiven = (initial: keyof typeof BINARIES) => (process.env[BINARIES[initial]] ?? '') !== '';
  for (const initial of initials) {
    if (!isGiven(initial)) process.stdout.write(`${BINARIES[initial].toLowerCase()} + babel: left out, ${BINARIES[initial]} does not name its binary\n`);
  }
  return initials.filter(isGiven).join('');
}
