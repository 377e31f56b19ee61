/** A router of the lab: babeld, ubus broker, access point, and the daemon under test. */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Cleanup } from './shell.js';
import { run, Service, until } from './shell.js';
import type { Command, Report } from './access-point.js';
import type { ClientView } from '../../src/status/views.js';
import type { Topology } from './topology.js';
import { loopback4, loopback6, PREFIX4, PREFIX6 } from './topology.js';

export interface RouterOptions {
  readonly name: string;
  readonly number: number;
  /** Whether it has an access point, and so a client bridge. */
  readonly clients: boolean;
  /** Mesh interfaces that babeld runs on. */
  readonly mesh: readonly string[];
  /** Other interfaces whose prefixes babeld announces. */
  readonly announce: readonly string[];
  /** What babeld's configuration begins with: of its rules the first that matches counts. */
  readonly babeld: readonly string[];
  /** What Node.js runs the daemon with. Default: nothing. */
  readonly nodeFlags?: readonly string[];
  /** Options of /etc/config/roaming beside those that every router of the lab has. */
  readonly options: { readonly [name: string]: string | readonly string[] };
}

/** Another babeld than the one that is installed. */
const BABELD = process.env['BABELD'] ?? 'babeld';

/** Where the bundle and the lab's helper programs are. */
export interface Programs {
  readonly roaming: string;
  readonly accessPoint: string;
}

export class Router {
  daemon: Service | undefined;
  readonly directory: string;
  /** Stations that the daemon had the access point remove. */
  readonly removed: string[] = [];
  #babeld: Service | undefined;
  #accessPoint: ChildProcess | undefined;

  constructor(
    private readonly net: Topology,
    private readonly programs: Programs,
    readonly options: RouterOptions,
    directory: string,
    private readonly cleanup: Cleanup,
  ) {
    this.directory = join(directory, options.name);
  }

  get name(): string {
    return this.options.name;
  }

  get ubusSocket(): string {
    return join(this.directory, 'ubus.sock');
  }

  get configFile(): string {
    return join(this.directory, 'etc/config/roaming');
  }

  /** Everything but the daemon. */
  async boot(): Promise<void> {
    const { name, number, clients } = this.options;
    await mkdir(join(this.directory, 'etc/config'), { recursive: true });
    await this.net.ip(name, `addr add ${loopback4(number)}/32 dev lo`);
    await this.net.ip(name, `addr add ${loopback6(number)}/128 dev lo`);
    // On every mesh link too: babeld needs an IPv4 address of its own there to be a next hop.
    for (const device of this.options.mesh) await this.net.ip(name, `addr add ${loopback4(number)}/32 dev ${device}`);
    if (clients) await this.net.addClientBridge(name);
    await this.#startBabeld();
    await this.#startAccessPoint();
    await this.writeConfig({});
  }

  async #startBabeld(): Promise<void> {
    const file = join(this.directory, 'babeld.conf');
    const lines = [
      // By default babeld takes its id from the first MAC that is globally unique: here the bridge's, which all share.
      `router-id 02:00:00:ff:fe:00:00:0${this.options.number}`,
      ...this.options.babeld,
      // A filter without "local" is not asked about the router's own addresses: the gateway's, which all share.
      `redistribute local ip ${PREFIX4} deny`,
      `redistribute ip ${PREFIX4} deny`,
      `redistribute ip ${PREFIX6} deny`,
      ...this.options.announce.map((device) => `redistribute if ${device} allow`),
      'redistribute local allow',
    ];
    await writeFile(file, lines.join('\n') + '\n');
    const state = ['-S', join(this.directory, 'babel-state'), '-I', join(this.directory, 'babeld.pid')];
    this.#babeld = new Service('babeld', this.net.in(this.name, BABELD, ...state, '-c', file, ...this.options.mesh));
    this.cleanup.add(() => this.#babeld?.stop());
  }

  async #startAccessPoint(associated: readonly string[] = []): Promise<void> {
    const bssid = `02:00:00:00:01:0${this.options.number}`;
    const options = { execArgv: [], detached: true };
    const child = fork(this.programs.accessPoint, [this.ubusSocket, bssid, ...associated], options);
    this.#accessPoint = child;
    this.cleanup.add(() => child.kill('SIGKILL'));
    child.on('message', (report: Report) => {
      if ('removed' in report) this.removed.push(report.removed);
    });
    await once(child, 'message');
  }

  /** ubusd and hostapd end without a word and start again, while `associated` stay on the air. */
  async restartAccessPoint(associated: readonly string[]): Promise<void> {
    const old = this.#accessPoint!;
    const exited = once(old, 'exit');
    old.kill('SIGKILL');
    await exited;
    await this.#startAccessPoint(associated);
  }

  /** Tells the access point about a station. */
  station(command: Command): void {
    this.#accessPoint!.send(command);
  }

  async writeConfig(extra: { readonly [name: string]: string | readonly string[] }): Promise<void> {
    const options = {
      enabled: '1',
      prefix: [PREFIX4, PREFIX6],
      ...(this.options.clients ? { interface: ['br-client'] } : {}),
      state_dir: join(this.directory, 'state'),
      ...this.options.options,
      ...extra,
    };
    const lines = Object.entries(options).flatMap(([name, value]) =>
      typeof value === 'string' ? [`\toption ${name} '${value}'`] : value.map((item) => `\tlist ${name} '${item}'`),
    );
    await writeFile(this.configFile, `config roaming 'main'\n${lines.join('\n')}\n`);
  }

  startDaemon(): void {
    const named = ['unshare', '--uts', 'sh', '-c', 'hostname "$0" && exec "$@"', this.name];
    const command = [...named, process.execPath, ...(this.options.nodeFlags ?? []), this.programs.roaming, 'daemon', ...this.#where];
    this.daemon = new Service(`${this.name}: roaming`, this.net.in(this.name, ...command));
    const { daemon } = this;
    this.cleanup.add(() => daemon.stop('SIGTERM'));
  }

  get #where(): string[] {
    return ['--config', this.configFile, '--ubus', this.ubusSocket];
  }

  /** What a person would see: the command line asks the daemon through ubus. */
  cli(...words: string[]): Promise<string> {
    return run(process.execPath, this.programs.roaming, ...words, '--ubus', this.ubusSocket);
  }

  /** Clients as this router's daemon knows them. */
  async clients(): Promise<ClientView[]> {
    return (JSON.parse(await this.cli('clients', '--json')) as { clients: ClientView[] }).clients;
  }

  /** What its daemon counts. */
  async counters(): Promise<{ readonly [name: string]: number }> {
    return (JSON.parse(await this.cli('status', '--json')) as { counters: { [name: string]: number } }).counters;
  }

  /** Waits until the daemon answers on ubus. */
  async ready(): Promise<void> {
    await until(`${this.name}: the daemon answers`, 15, async () => {
      if (this.daemon?.running === false) throw new Error(`${this.name}: the daemon ended with ${this.daemon.ending}:\n${this.daemon.output}`);
      // Before it says so there is no use in asking, which takes a program each time.
      return this.daemon?.output.includes('started as') && this.cli('status', '--json').then(() => true, () => false);
    });
  }
}
