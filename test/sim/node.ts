/** A router: what has power (kernel, access point, storage), and the daemon's process on it. */
import { parse } from 'uci-parser';
import type { Config } from '../../src/config/config.js';
import { readConfig } from '../../src/config/config.js';
import type { Millis } from '../../src/clients/time.js';
import { SECOND } from '../../src/clients/time.js';
import type { Ip } from '../../src/net/ip.js';
import { parseIp } from '../../src/net/ip.js';
import { contains, formatPrefix, hostPrefix } from '../../src/net/prefix.js';
import { Daemon } from '../../src/daemon.js';
import type { Ports } from '../../src/daemon.js';
import type { BusMethod, Logger } from '../../src/ports.js';
import type { ClientView } from '../../src/status/views.js';
import type { AccessPoint } from './air.js';
import type { Host, Network } from './network.js';
import { SimDiscovery } from './discovery.js';
import { addressOf, SimMesh } from './network.js';
import { HostKernel, KERNEL_DELAY, ProcessKernel } from './kernel.js';
import { SeededRandom } from '../random.js';
import type { Scheduler } from './scheduler.js';
import { SimClock } from './scheduler.js';

export interface NodeSettings {
  readonly peers: readonly number[];
  readonly options: string;
  /** Seconds of its clock to a second of true time. */
  readonly clockRate: number;
  /** Whether what it stores survives the loss of power. */
  readonly flash: boolean;
  readonly transit: boolean;
  readonly prefixes: readonly string[];
  /** Whether it looks for its neighbours. */
  readonly discovers: boolean;
}

export interface Notification {
  readonly type: string;
  readonly data: { readonly [name: string]: unknown };
}

interface Process {
  readonly clock: SimClock;
  readonly mesh: SimMesh;
  readonly discovery: SimDiscovery;
  readonly kernel: ProcessKernel;
  readonly methods: { readonly [name: string]: BusMethod };
  daemon: Daemon | undefined;
  stopping: boolean;
  /** A packet has come that no route of a client takes. */
  stray: ((address: Ip) => void) | undefined;
  readonly refused: Set<Ip>;
}

/** When the simulation begins, in seconds since 1970. */
const EPOCH = 1_800_000_000;

export type Trace = (line: string) => void;

export class SimNode {
  readonly host: Host;
  kernel: HostKernel;
  readonly files = new Map<string, Uint8Array>();
  process: Process | undefined;
  readonly notifications: Notification[] = [];
  readonly log: string[] = [];
  /** A start that failed, or a promise of the daemon that nobody expected to. */
  failure: Error | undefined;
  /** Seconds by which its wall clock is wrong. */
  wallError = 0;
  #starts = 0;
  /** A start that came while the daemon was still stopping: it is made up for. */
  #startAfterStop = false;
  #poweredAt = 0;
  /** Of this run of the system, once it was looked at. */
  #clock: { readonly zero: number; readonly at: number } | undefined;
  #clockSetAt = 0;
  #nextHops = new Map<number, number | undefined>();

  constructor(
    readonly index: number,
    readonly settings: NodeSettings,
    readonly network: Network,
    readonly ap: AccessPoint,
    readonly random: SeededRandom,
    readonly trace: Trace | undefined,
  ) {
    this.host = network.addHost();
    this.kernel = this.#newKernel();
  }

  get #scheduler(): Scheduler {
    return this.network.scheduler;
  }

  get name(): string {
    return `n${this.index}`;
  }

  get id(): string {
    return this.process?.daemon?.self ?? '';
  }

  /** What the monotonic clock says now: it goes on while the host has power. */
  #monotonic(): number {
    this.#clock ??= { zero: this.random.between(0, 1e7), at: this.#scheduler.now };
    return this.#clock.zero + (this.#scheduler.now - this.#clock.at) * this.settings.clockRate;
  }

  #newKernel(): HostKernel {
    return new HostKernel(this.index, (to) => this.network.nextHop(this.index, to));
  }

  /** The daemon is started, with whatever is stored. */
  start(): void {
    if (this.process !== undefined) {
      this.#startAfterStop = this.process.stopping;
      return;
    }
    if (!this.host.powered) return;
    const clock = new SimClock(this.#scheduler, this.settings.clockRate, this.#monotonic());
    const methods: { [name: string]: BusMethod } = {};
    const mesh = new SimMesh(this.network, this.host);
    const discovery = new SimDiscovery(this.network, this.host);
    const kernel = new ProcessKernel(this.kernel, () => this.#pause(clock, this.random.between(...KERNEL_DELAY)), this.settings.transit);
    const process: Process = { clock, mesh, discovery, kernel, methods, daemon: undefined, stopping: false, stray: undefined, refused: new Set() };
    this.process = process;
    this.#startAfterStop = false;
    const ports: Ports = {
      clock,
      wallClock: { time: () => this.wallTime, boot: `${this.name} ${this.#poweredAt}` },
      random: new SeededRandom(this.random.word(), ++this.#starts),
      log: this.#logger(),
      kernel,
      packets: this.ap.packets(),
      stations: this.ap.stations(),
      mesh,
      discovery,
      storage: {
        load: async (name) => {
          await this.#pause(clock, 1);
          return this.files.get(name);
        },
        save: async (name, content) => {
          await this.#pause(clock, 1);
          this.files.set(name, content.slice());
        },
        setAside: async (name) => {
          this.files.delete(name);
          return `${name}.bad`;
        },
      },
      bus: {
        publish: (published) => void Object.assign(methods, published),
        notify: (type, make) => {
          const data = make();
          this.notifications.push({ type, data: data as { [name: string]: unknown } });
          this.trace?.(`${this.name} notifies ${type} ${JSON.stringify(data)}`);
        },
        stop: () => {},
      },
      linkControl: {
        settings: async () => new Map(),
        apply: async (changes) => changes.map(() => undefined),
        blockRedirects: async () => {},
        stop: () => {},
      },
      dhcpPort: { hold: () => {}, stop: () => {} },
      strays: {
        start: async ({ caught }, listener) => {
          process.stray = (address) => {
            if (caught.some((prefix) => contains(prefix, address)) && !process.refused.has(address)) listener(address);
          };
        },
        refuse: (address, refused) => void (refused ? process.refused.add(address) : process.refused.delete(address)),
        stop: async () => {
          process.stray = undefined;
        },
      },
    };
    Daemon.start(ports, { config: configFor(this.settings), hostname: this.name, version: '0', reload: async () => [] }).then(
      (daemon) => {
        process.daemon = daemon;
      },
      (error: Error) => {
        this.failure = error;
      },
    );
  }

  /** Seconds since 1970; after power came back without a clock chip it is 1970 for a while. */
  get wallTime(): number {
    const { now } = this.#scheduler;
    return now < this.#clockSetAt ? (now - this.#poweredAt) / SECOND : EPOCH + now / SECOND + this.wallError;
  }

  /** The routing protocol has other routes now; the kernel tells of those that are others than the last time. */
  routingChanged(): void {
    for (const { index } of this.network.hosts) {
      const next = this.network.nextHop(this.index, index);
      if (this.#nextHops.get(index) === next) continue;
      this.#nextHops.set(index, next);
      this.process?.kernel.tell({ kind: 'routes', destination: hostPrefix(parseIp(addressOf(index))) });
    }
  }

  /** Takes that long, and for ever where the process is killed meanwhile. */
  #pause(clock: SimClock, delay: Millis): Promise<void> {
    return new Promise((resolve) => {
      this.#scheduler.in(delay, () => {
        if (!clock.dead) resolve();
      });
    });
  }

  #logger(): Logger {
    const add = (level: string) => (message: string) => {
      if (level !== 'debug') this.log.push(`${level} ${message}`);
      this.trace?.(`${this.name} ${level} ${message}`);
    };
    return { error: add('error'), warn: add('warn'), info: add('info'), debug: add('debug') };
  }

  /** The daemon is killed; the host and its access point live on. */
  kill(silently = false): void {
    const { process } = this;
    if (process === undefined) return;
    this.process = undefined;
    process.clock.dead = true;
    process.mesh.die(silently);
    process.discovery.stop();
    process.kernel.stop();
    this.ap.detach();
  }

  /** The daemon is stopped in an orderly way. */
  async stop(): Promise<void> {
    const { process } = this;
    if (process?.daemon === undefined) return this.kill();
    process.stopping = true;
    await process.daemon.stop();
    if (this.process !== process) return;
    this.kill();
    if (this.#startAfterStop) this.start();
  }

  powerOff(): void {
    this.kill(true);
    this.network.setPower(this.host, false);
    this.#clock = undefined;
    this.ap.powerOff();
    this.kernel = this.#newKernel();
    if (!this.settings.flash) this.files.clear();
  }

  powerOn(): void {
    this.ap.powered = true;
    this.#poweredAt = this.#scheduler.now;
    this.#clockSetAt = this.#poweredAt + this.random.between(0, 20) * SECOND;
    this.network.setPower(this.host, true);
    this.start();
  }

  /** The configuration is another now. */
  reload(settings: Partial<NodeSettings>): void {
    this.process?.daemon?.reload(configFor({ ...this.settings, ...settings }));
  }

  /** A packet for a client comes by; whether there is a route for it. */
  forward(address: Ip): boolean {
    if (this.kernel.model.routes.has(formatPrefix(hostPrefix(address)))) return true;
    this.process?.stray?.(address);
    return false;
  }

  /** What `ubus call roaming clients` answers. */
  clients(): readonly ClientView[] {
    return (this.process?.methods['clients']?.call({}) as { clients: ClientView[] } | undefined)?.clients ?? [];
  }

  status(): { readonly [name: string]: unknown } {
    return (this.process?.methods['status']?.call({}) as { [name: string]: unknown } | undefined) ?? {};
  }
}

const configs = new Map<string, Config>();

function configFor({ peers, options, transit, prefixes, discovers }: NodeSettings): Config {
  const text = [
    "config roaming 'main'",
    " option enabled '1'",
    " option auth 'none'",
    ...(transit ? [] : [" list interface 'br-client'"]),
    ...prefixes.map((prefix) => ` list prefix '${prefix}'`),
    ...peers.map((peer) => ` list peer '${addressOf(peer)}'`),
    // Without a key only where the user says so.
    ...(discovers ? [" list mesh_interface 'mesh0'"] : [" option discovery '0'"]),
    options,
  ].join('\n');
  const known = configs.get(text);
  if (known !== undefined) return known;
  const { config, problems } = readConfig(parse(text, { name: 'roaming', file: 'roaming' }), 'roaming');
  if (config === undefined) throw new Error(problems.map(({ message }) => message).join('; '));
  configs.set(text, config);
  return config;
}
