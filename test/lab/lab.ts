/** The lab put together: four routers in a line with babeld between them, a server, clients. */
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from './client.js';
import type { Programs } from './router.js';
import { Router } from './router.js';
import { all, Cleanup, Service, until } from './shell.js';
import { loopback4, loopback6, SERVER4, SERVER6, Topology } from './topology.js';

export const ROUTERS = ['r1', 'r2', 'r3', 'r4'] as const;
export type RouterName = (typeof ROUTERS)[number];

export interface LabOptions {
  /** Begins the names of the namespaces. */
  readonly name: string;
  readonly programs: Programs;
  /** More lines for every babeld's configuration. */
  readonly babeld?: readonly string[];
  /** Options that every router's configuration has. */
  readonly options?: { readonly [name: string]: string | readonly string[] };
}

export class Lab {
  readonly cleanup = new Cleanup();
  readonly net: Topology;
  readonly routers: { readonly [name in RouterName]: Router };

  private constructor(
    private readonly settings: LabOptions,
    readonly directory: string,
  ) {
    this.net = new Topology(settings.name, this.cleanup);
    const routers = ROUTERS.map((name, i) => [name, this.#router(name, i + 1)] as const);
    this.routers = Object.fromEntries(routers) as { [name in RouterName]: Router };
  }

  /** A lab of which nothing is up yet: what is made from now on, {@link stop} removes. */
  static async create(settings: LabOptions): Promise<Lab> {
    const prefix = directoryPrefix(settings.name);
    const directory = await mkdtemp(join(tmpdir(), prefix));
    const lab = new Lab(settings, directory);
    lab.cleanup.add(() => rm(directory, { recursive: true, force: true, maxRetries: 5 }));
    return lab;
  }

  /** Removes what an earlier lab of this name left when it was killed. */
  async #sweep(): Promise<void> {
    await this.net.sweep();
    const prefix = directoryPrefix(this.settings.name);
    for (const entry of await readdir(tmpdir())) {
      const path = join(tmpdir(), entry);
      if (entry.startsWith(prefix) && path !== this.directory) await rm(path, { recursive: true, force: true });
    }
  }

  #router(name: RouterName, number: number): Router {
    const neighbours = ROUTERS.filter((_, i) => Math.abs(i + 1 - number) === 1);
    const next = ROUTERS[number];
    const options = {
      name,
      number,
      clients: name !== 'r4',
      mesh: neighbours.map((neighbour) => `to-${neighbour}`),
      announce: name === 'r4' ? ['to-server'] : [],
      babeld: this.settings.babeld ?? [],
      options: {
        key: 'open sesame, said the lab',
        ...(next === undefined ? {} : { peer: [loopback4(number + 1)] }),
        ...this.settings.options,
      },
    };
    return new Router(this.net, this.settings.programs, options, this.directory, this.cleanup);
  }

  /** Sets everything up and waits until the routers reach each other and their daemons answer. */
  async start(): Promise<void> {
    await this.#sweep();
    for (const name of ROUTERS) await this.net.addHost(name, true);
    for (let i = 1; i < ROUTERS.length; i++) await this.net.link(ROUTERS[i - 1]!, ROUTERS[i]!);
    await this.#addServer();
    await all(Object.values(this.routers).map((router) => router.boot()));
    await this.#routed();
    for (const router of Object.values(this.routers)) router.startDaemon();
    await all(Object.values(this.routers).map((router) => router.ready()));
  }

  async #addServer(): Promise<void> {
    await this.net.addHost('server', false);
    await this.net.link('r4', 'server');
    await this.net.ip('r4', 'addr add 10.97.0.1/24 dev to-server');
    await this.net.ip('r4', 'addr add fd97::1/64 dev to-server nodad');
    await this.net.ip('server', `addr add ${SERVER4}/24 dev to-r4`);
    await this.net.ip('server', `addr add ${SERVER6}/64 dev to-r4 nodad`);
    await this.net.ip('server', 'route add default via 10.97.0.1');
    await this.net.ip('server', '-6 route add default via fd97::1');
  }

  /** Until babeld has carried the routers' own addresses and the server's network from end to end. */
  async #routed(): Promise<void> {
    for (const [from, to] of [['r1', loopback4(4)], ['r1', loopback6(4)], ['r1', SERVER4], ['r1', SERVER6], ['r4', loopback4(1)]]) {
      await until(`${from} reaches ${to}`, 60, () =>
        this.net.exec(from!, 'ping', '-c', '1', '-W', '1', to!).then(() => true, () => false),
      );
    }
  }

  /** A client that joins a router; `before` it does, its cable is plugged in already. */
  async addClient(
    name: string,
    mac: string,
    router: RouterName,
    before: (client: Client) => Promise<void> = async () => {},
  ): Promise<Client> {
    const directory = join(this.directory, name);
    await mkdir(directory, { recursive: true });
    await this.net.addHost(name, false);
    const client = new Client(this.net, name, mac, directory, this.cleanup);
    await client.plugIn(router);
    await before(client);
    this.routers[router].station({ authorize: mac });
    return client;
  }

  /** The client roams: the cable first, then its new access point says that the handshake is done. */
  async roam(client: Client, to: RouterName): Promise<{ from: string; away: number }> {
    const moved = await client.roam(to);
    this.routers[to].station({ authorize: client.mac });
    return moved;
  }

  /** A program in a host's namespace, stopped with the lab. */
  service(host: string, ...command: string[]): Service {
    return this.#run(host, command, 'ignore');
  }

  /** The same; it reads what is written to it. */
  reader(host: string, ...command: string[]): Service {
    return this.#run(host, command, 'pipe');
  }

  #run(host: string, command: readonly string[], stdin: 'ignore' | 'pipe'): Service {
    const service = new Service(command[0]!, this.net.in(host, ...command), stdin);
    this.cleanup.add(() => service.stop('SIGKILL'));
    return service;
  }

  async stop(): Promise<void> {
    await this.cleanup.run();
  }
}

function directoryPrefix(name: string): string {
  return `roaming-lab-${name}-`;
}
