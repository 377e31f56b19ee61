/**
 * The daemon: events in, changes out, effects handed to ports.
 *
 * The way of one event: a station joins -> presence -> a record -> {@link Daemon.#apply} -> routes and neighbours
 * reconciled -> flooded to all peers but the source -> the client told, once the kernel has acknowledged its routes.
 * A record that arrives by flood enters at the same #apply. DHCP and RA read and write the same database.
 */
import { ClientServices } from './client-services.js';
import { CatchUp } from './clients/catch-up.js';
import { clientsOf, Database } from './clients/database.js';
import type { Outcome } from './clients/database.js';
import { describeRecord } from './clients/describe.js';
import type { NodeId } from './clients/node-id.js';
import { loadNodeId } from './clients/node-identity.js';
import { admit, loadRecords, Persistence, restore } from './clients/persistence.js';
import { OwnRecords } from './clients/own-records.js';
import type { Meaning, Record, RecordKey } from './clients/record.js';
import { adjacenciesKey, adjacenciesValue, meaningOf, meaningOnceDead, nodeInfoValue, nodeKey } from './clients/record.js';
import type { Snapshot } from './clients/snapshot.js';
import type { Instant, Millis } from './clients/time.js';
import { after, earliest, SECOND } from './clients/time.js';
import type { Config } from './config/config.js';
import { mayBePeer } from './flood/admission.js';
import { Finder } from './flood/finder.js';
import { Flooder } from './flood/flooder.js';
import { gatewayAt } from './client-gateway.js';
import { ClientLinks } from './client-links.js';
import { LocalClients } from './local-clients.js';
import { discoveryInterfaces, isMute, mayFindNodes, MUTE, peerAddresses } from './mesh-config.js';
import { statusSource } from './node-status.js';
import { StrayPackets } from './stray-packets.js';
import type { Ip } from './net/ip.js';
import { isIp6 } from './net/ip.js';
import type { Mac } from './net/mac.js';
import type { Bus, Clock, DhcpPort, Discovery, Kernel, LinkControl, Logger, Mesh, Packets, Random, StationEvent, Stations, Storage, Strays, Timer, WallClock } from './ports.js';
import { Routes } from './routes/routes.js';
import { History } from './status/history.js';
import { statusMethods } from './status/methods.js';
import type { StatusSource } from './status/methods.js';
import { Reporter } from './status/reporter.js';

export interface Ports {
  readonly clock: Clock;
  readonly wallClock: WallClock;
  readonly random: Random;
  readonly log: Logger;
  readonly kernel: Kernel;
  readonly packets: Packets;
  readonly stations: Stations;
  readonly mesh: Mesh;
  /** Absent: neighbours are not looked for. */
  readonly discovery?: Discovery;
  readonly storage: Storage;
  readonly bus: Bus;
  readonly linkControl: LinkControl;
  readonly dhcpPort: DhcpPort;
  readonly strays: Strays;
}

export interface DaemonOptions {
  readonly config: Config;
  readonly hostname: string;
  readonly version: string;
  /** Reads the configuration again and has it applied; resolves to what is wrong with it, a line each. */
  readonly reload: () => Promise<readonly string[]>;
  /** What is wrong that the daemon itself cannot see, a line each. */
  readonly problems?: () => readonly string[];
}

/** After a start: how long routes of an earlier run are kept, and clients count as here though nothing has told of them. */
const SETTLE_TIME: Millis = 10 * SECOND;

export class Daemon {
  #config: Config;
  readonly #db: Database;
  readonly #persistence: Persistence;
  readonly #catchUp: CatchUp;
  readonly #clients: LocalClients;
  readonly #routes: Routes;
  readonly #strays: StrayPackets;
  readonly #links: ClientLinks;
  readonly #flooder: Flooder;
  readonly #finder: Finder;
  readonly #status: StatusSource;
  readonly #reporter: Reporter;
  #services: ClientServices | undefined;
  #timer: { readonly at: Instant; readonly timer: Timer } | undefined;
  #settling: Timer | undefined;
  readonly #own: OwnRecords;
  /** Stored records of clients that may no longer be true: they do not count until peers have spoken. */
  #held: readonly Record[];
  /** All is up, but clients are not claimed before peers have spoken. */
  #waitsToClaim = false;
  #stopped = false;

  /** Brings everything up. Rejects where something fails that the daemon cannot do without. */
  static async start(ports: Ports, options: DaemonOptions): Promise<Daemon> {
    const self = await loadNodeId(options.config.nodeId, ports);
    const daemon = new Daemon(ports, options, self, await loadRecords(ports));
    try {
      await daemon.#start();
    } catch (error) {
      await daemon.stop().catch(() => {});
      throw error;
    }
    return daemon;
  }

  private constructor(
    private readonly ports: Ports,
    private readonly options: DaemonOptions,
    readonly self: NodeId,
    stored: Snapshot,
  ) {
    const { clock, random, log, kernel, mesh, discovery } = ports;
    const { config } = options;
    this.#config = config;
    this.#db = new Database(config.maxRecords, config.maxRecordBytes);
    this.#own = new OwnRecords(this.#db);
    this.#held = restore(this.#db, stored, ports);
    this.#persistence = new Persistence(this.#db, ports, config.stateInterval * SECOND);
    if (this.#held.length > 0) this.#persistence.hold();
    const knowsNodes = config.peer.length > 0 || [...this.#db.nodes()].some(([id]) => id !== self);
    this.#catchUp = new CatchUp(knowsNodes || mayFindNodes(config), clock.now());
    this.#clients = new LocalClients({
      self,
      config,
      db: this.#db,
      clock,
      log,
      kernel,
      stations: ports.stations,
      reporter: () => this.#reporter,
      services: () => this.#services,
      apply: (record) => this.#apply(record),
      updateRoutes: (mac) => this.#updateRoutes(mac),
      isInstalled: (mac) => this.#routes.isInstalled(mac),
      rearm: () => this.#arm(),
    });
    this.#links = new ClientLinks({ config, clock, log, kernel, linkControl: ports.linkControl });
    this.#routes = new Routes({
      self,
      kernel,
      clock,
      log,
      installed: (mac) => this.#clients.installed(mac),
      pathChanged: (node, exists) => {
        this.#flooder.pathChanged(node, exists);
        if (exists) this.#finder.pathFound(node);
      },
      pathFound: (address) => this.#flooder.pathFound(address),
    });
    this.#strays = new StrayPackets({
      self,
      config,
      db: this.#db,
      clock,
      log,
      strays: ports.strays,
      services: () => this.#services,
      apply: (record) => this.#apply(record),
      rearm: () => this.#arm(),
    });
    this.#flooder = new Flooder({
      self,
      hostname: options.hostname,
      replica: { get: (key) => this.#db.get(key), records: () => this.#db.records(), apply: (record) => this.#merge(record) },
      mesh,
      clock,
      random,
      log,
      maxSessions: config.maxSessions,
      events: {
        // Our routes first: whoever hears of a roam from here finds that this router forwards to the new place already.
        writing: () => this.#routes.flush(),
        up: (peer, isNews) => {
          this.#catchUp.peerUp(clock.now());
          if (isNews) this.#reporter.peer(peer);
          this.#finder.sessionUp(peer.node);
          this.#arm();
        },
        unreachable: (endpoint) => this.#finder.unreachable(endpoint),
        down: (peer, reason, isNews) => {
          if (isNews) this.#reporter.peer({ ...peer, state: 'down' }, reason);
          this.#finder.sessionsChanged();
        },
        responsive: () => this.#finder.sessionsChanged(),
        duplicateId: (node, remote, line) => this.#reporter.conflict({ kind: 'node', node, remote }, line),
      },
    });
    this.#finder = new Finder({
      self,
      degree: config.maxPeers,
      flooder: this.#flooder,
      records: this.#db,
      discovery: config.discovery ? discovery : undefined,
      clock,
      random,
      log,
      adjacent: (neighbours) => this.#say(adjacenciesKey(self), adjacenciesValue(neighbours)),
      changed: () => this.#arm(),
    });
    this.#status = statusSource({
      version: options.version,
      self,
      hostname: options.hostname,
      db: this.#db,
      history: new History(self),
      clock,
      wallClock: ports.wallClock,
      stations: ports.stations,
      clients: this.#clients,
      services: () => this.#services,
      routes: this.#routes,
      flooder: this.#flooder,
      finder: this.#finder,
      strays: this.#strays,
      problems: () => [...(options.problems?.() ?? []), ...(isMute(this.#config) ? [MUTE] : []), ...this.#links.problems, ...this.#persistence.problems, ...this.#reporter.problems()],
      apply: (record) => this.#apply(record),
      rearm: () => this.#arm(),
      reload: options.reload,
    });
    this.#reporter = new Reporter(this.#status, ports.bus);
  }

  async #start(): Promise<void> {
    const { kernel, packets, bus, clock, log } = this.ports;
    // First the events, then the dump: what changes between the two is seen.
    kernel.start((event) => {
      this.#routes.kernelChanged(event);
      if (event.kind === 'routes') return;
      this.#links.changed(clock.now());
      this.#arm();
    });
    for (const [node, { addresses }] of this.#db.nodes()) this.#routes.setNode(node, addresses);
    for (const { mac } of this.#db.clients()) this.#updateRoutes(mac);
    if (!isMute(this.#config)) this.#routes.watch(peerAddresses(this.#config));
    await this.#routes.start();
    await this.#strays.start();
    packets.start(({ network, frame }) => {
      this.#services?.receive(network, frame, clock.now());
      this.#arm();
    });
    await this.#readLinks();
    await this.#startFlooding();
    bus.publish(statusMethods(this.#status));
    this.#waitsToClaim = true;
    this.#startStations();
    this.#settling = clock.schedule(after(clock.now(), SETTLE_TIME), () => this.#settle());
    log.info(`started as ${this.options.hostname} (node ${this.self})`);
    this.#arm();
  }

  /** Begins to claim clients, once peers have told what this node has missed. */
  #startStations(): void {
    const { clock, stations } = this.ports;
    if (this.#stopped || !this.#waitsToClaim || this.#catchUp.claimsFrom > clock.now()) return;
    this.#waitsToClaim = false;
    this.#clients.start();
    stations.start((event) => this.#station(event));
  }

  /** Lets those of the held records count that no peer has contradicted. */
  #admitHeld(): void {
    admit(this.#db, this.#held, (record) => {
      const outcome = this.#merge(record);
      if (outcome.kind === 'newer') this.#flooder.flood(outcome.record);
    });
    this.#held = [];
    this.#persistence.release();
  }

  async #startFlooding(): Promise<void> {
    const { port, peer } = this.#config;
    if (isMute(this.#config)) return this.ports.log.warn(MUTE);
    await this.#flooder.start({ port, peers: peer, admit: (address) => this.#mayBePeer(address) });
    this.#finder.start(port, discoveryInterfaces(this.#config));
  }

  #mayBePeer(address: string): boolean {
    const { prefix: prefixes, interface: interfaces } = this.#config;
    const routers = new Set([...this.#db.nodes()].flatMap(([, { addresses }]) => addresses));
    return mayBePeer(address, { prefixes, interfaces, routers });
  }

  /** A station comes or goes: if by that a client does, {@link LocalClients} applies records of it. */
  #station(event: StationEvent): void {
    this.#clients.event(event, this.ports.clock.now());
    this.#arm();
  }

  /** A record of our own. */
  #apply(record: Record): void {
    if (this.#config.mode === 'observe') return this.ports.log.info(`would tell: ${describeRecord(record, this.ports.clock.now())}`);
    const outcome = this.#merge(record, true);
    if (outcome.kind === 'newer') this.#flooder.flood(outcome.record);
    if (outcome.kind === 'extended') this.#flooder.flood(outcome.record, outcome.before);
    if (outcome.kind === 'refused') this.ports.log.warn('the database is full: a new record is lost (option max_records)');
  }

  /** The way of all records, from here and from peers. Throws BadInput where the content is impossible. */
  #merge(record: Record, isOwn = false): Outcome {
    const now = this.ports.clock.now();
    const outcome = this.#db.apply(record, now, isOwn);
    if (outcome.kind === 'older') this.#outdone(record, outcome.record, now);
    if (outcome.kind === 'newer' || outcome.kind === 'extended') {
      this.#catchUp.news(now);
      this.#persistence.changed();
      if (this.#own.changed(record.key, now)) this.#arm();
      this.#changed(outcome.record.expires > now ? outcome.meaning : meaningOnceDead(outcome.meaning), outcome.previous, now);
    }
    return outcome;
  }

  /** A record has lost against ours: to be settled where it has the same number and is about a client that is here. */
  #outdone(record: Record, ours: Record, now: Instant): void {
    if (record.seqno !== ours.seqno) return;
    const [theirs, own] = [meaningOf(record.key, record.value), meaningOf(ours.key, ours.value)];
    if (theirs.type !== 'association' || own.type !== 'association' || own.node !== this.self) return;
    if (theirs.node !== undefined) this.#clients.rivalled(theirs.mac, theirs.node, now);
  }

  /** The consequences of what a record says now. `previous`: what the live record of its key said before. */
  #changed(meaning: Meaning, previous: Meaning | undefined, now: Instant): void {
    for (const mac of clientsOf(meaning, previous)) this.#updateRoutes(mac);
    switch (meaning.type) {
      case 'association':
        return this.#associationChanged(meaning.mac, meaning.node, previous, now);
      case 'lease4':
      case 'lease6':
        if (previous?.type === meaning.type && previous.mac !== meaning.mac) this.#clients.outbid(previous.mac, meaning.type, now);
        if (meaning.type === 'lease6' && this.#db.leases6Of(meaning.mac).length === 0) this.#clients.released6(meaning.mac);
        return;
      case 'host':
        if (meaning.mac !== undefined && previous?.type === 'host') this.#services?.hostChanged(meaning.address, previous.mac, meaning.mac);
        return;
      case 'node':
        return this.#nodeChanged(meaning.node, previous?.type === 'node' ? previous.info.addresses : [], meaning.info.addresses);
      case 'adjacencies':
        return this.#finder.adjacenciesChanged(meaning.node, previous?.type === 'adjacencies' ? previous.neighbours : [], meaning.neighbours);
      case 'seek':
        if (meaning.node !== this.self) this.#strays.asked(meaning.addresses, now);
    }
  }

  #nodeChanged(node: NodeId, before: readonly Ip[], addresses: readonly Ip[]): void {
    this.#routes.setNode(node, addresses);
    this.#finder.nodeChanged(node);
    if (String(before) !== String(addresses)) this.#services?.nodeChanged([...before, ...addresses]);
  }

  #associationChanged(mac: Mac, node: NodeId | undefined, previous: Meaning | undefined, now: Instant): void {
    const before = previous?.type === 'association' ? previous.node : undefined;
    this.#clients.placed(mac, node, now);
    if (before !== node) this.#reporter.moved(mac, before, node);
  }

  #updateRoutes(mac: Mac): void {
    const client = this.#db.client(mac);
    if (client === undefined) return this.#routes.removeClient(mac);
    const link = this.#links.get(this.#clients.get(mac)?.network);
    // What the database holds anyway, but for the few clients that are here.
    this.#routes.setClient(link === undefined ? client : { ...client, link });
  }

  /** Client interfaces and our own addresses, as the kernel has them now. */
  async #readLinks(): Promise<void> {
    const { clock, packets } = this.ports;
    try {
      this.#finder.attach(discoveryInterfaces(this.#config));
      await this.#links.read();
      if (this.#stopped) return;
      const errors = packets.attach(this.#links.all());
      this.#serve();
      for (const { mac } of this.#clients.stations()) this.#updateRoutes(mac);
      await this.#describeNode();
      if (errors[0] !== undefined) throw errors[0];
      this.#links.done();
    } catch (error) {
      this.#links.failed(error as Error, clock.now());
    }
    this.#arm();
  }

  /** Services begin as soon as there is a client interface. */
  #serve(): void {
    const links = this.#links.all();
    if (links[0] === undefined) return;
    const { clock, random, log, packets, dhcpPort } = this.ports;
    const gateway = gatewayAt(links[0], this.#config);
    dhcpPort.hold(this.#config.mode === 'observe' ? [] : gateway.addresses4);
    const own = links.flatMap(({ addresses }) => addresses.map(({ address }) => address)).filter((ip) => !isIp6(ip));
    if (this.#services !== undefined) return this.#services.configure(this.#config, gateway, own, () => this.#clients.stations(), clock.now());
    this.#services = new ClientServices({
      config: this.#config,
      db: this.#db,
      random,
      gateway,
      own,
      station: (mac) => this.#clients.get(mac),
      stray: (address, now) => this.#strays.caught(address, now),
      heard: (mac, network, now) => this.#clients.sighted(mac, network, 'traffic', now),
      apply: (record) => this.#apply(record),
      send: (network, frame) => packets.send(network, frame),
      usurped: (mac, address) => {
        const line = `${mac} says that it has the gateway's address ${address}`;
        log.warn(line);
        this.#reporter.conflict({ kind: 'gateway', mac, address }, line);
      },
      rivalled: (server, mac, network) => {
        const line = `another DHCP server, ${server}, gives addresses on ${network}`;
        if (this.#reporter.conflict({ kind: 'dhcp', mac, address: server }, line)) log.warn(line);
      },
      exhausted: (family) => {
        const line = `new clients get no ${family === 4 ? 'IPv4 address' : 'IPv6 network'}, since none is left: a shorter prefix has more`;
        if (this.#reporter.problem(line)) log.warn(line);
      },
    });
  }

  /** Tells all nodes by which addresses this one is reached. */
  async #describeNode(): Promise<void> {
    const { kernel } = this.ports;
    const own = this.#config.nodeAddress;
    const addresses = own.length > 0 ? own : await kernel.nodeAddresses(this.#config.interface);
    const info = { hostname: this.options.hostname, addresses, port: this.#config.port };
    if (!this.#stopped) this.#say(nodeKey(this.self), nodeInfoValue(info));
  }

  /** Tells all nodes something of this one, if they do not know. */
  #say(key: RecordKey, value: string): void {
    const record = this.#own.say(key, value, this.ports.clock.now());
    if (record !== undefined) this.#apply(record);
  }

  /** What was here before the start and has not shown itself by now is not here any more. */
  #settle(): void {
    if (this.#stopped) return;
    this.#clients.settle(this.ports.clock.now());
    void this.#routes.loaded();
    this.#arm();
  }

  /** One timer for everything that waits for a time. */
  #arm(): void {
    if (this.#stopped) return;
    const at = earliest(
      this.#db.nextDeadline,
      this.#links.nextDeadline,
      this.#clients.nextDeadline,
      this.#strays.nextDeadline,
      this.#services?.nextDeadline,
      this.#finder.nextDeadline,
      this.#own.nextDeadline,
      this.#persistence.nextDeadline,
      this.#waitsToClaim ? this.#catchUp.claimsFrom : undefined,
      this.#held.length > 0 ? this.#catchUp.admitsFrom : undefined,
    );
    if (this.#timer?.at === at) return;
    this.#timer?.timer.cancel();
    this.#timer = at === undefined ? undefined : { at, timer: this.ports.clock.schedule(at, () => this.#poll()) };
  }

  #poll(): void {
    this.#timer = undefined;
    const now = this.ports.clock.now();
    for (const { meaning } of this.#db.expire(now)) this.#changed(meaningOnceDead(meaning), meaning, now);
    this.#clients.poll(now);
    this.#strays.poll(now);
    this.#services?.poll(now);
    this.#finder.poll(now);
    for (const record of this.#own.poll(now)) this.#apply(record);
    const { nextDeadline: readLinks } = this.#links;
    if (readLinks !== undefined && readLinks <= now) void this.#readLinks();
    this.#persistence.poll(now);
    if (this.#catchUp.admitsFrom <= now) this.#admitHeld();
    this.#startStations();
    this.#arm();
  }

  /** Takes a new configuration, one that does not need a restart. Clients stay. */
  reload(config: Config): void {
    const { clock, log, stations } = this.ports;
    this.#config = config;
    this.#links.configure(config);
    this.#strays.configure(config);
    this.#clients.configure(config, clock.now());
    this.#persistence.setInterval(config.stateInterval * SECOND);
    this.#routes.watch(peerAddresses(config));
    this.#flooder.setPeers(config.peer);
    stations.refresh();
    void this.#readLinks().then(() => this.#lease6());
    log.info('configuration read again');
  }

  /** The prefix from which clients here have their /64s may not be configured any more. */
  #lease6(): void {
    for (const { mac } of this.#stopped ? [] : this.#clients.stations()) this.#services?.lease6(mac, this.ports.clock.now());
  }

  /** The whole database as lines in the log, as sroamd does on SIGUSR1. */
  dump(): void {
    const now = this.ports.clock.now();
    for (const record of this.#db.records()) this.ports.log.info(describeRecord(record, now));
  }

  /** Withdraws everything, or with `option linger` leaves the routes for the next start. */
  async stop(): Promise<void> {
    if (this.#stopped) return;
    const { clock, stations, packets, dhcpPort, bus, kernel, mesh, log } = this.ports;
    this.#admitHeld();
    this.#clients.stop(this.#config.linger, clock.now());
    this.#stopped = true;
    this.#timer?.timer.cancel();
    this.#settling?.cancel();
    stations.stop();
    packets.stop();
    bus.stop();
    this.#finder.leave();
    this.#finder.stop();
    await this.#strays.stop();
    await this.#flooder.stop();
    mesh.stop();
    dhcpPort.stop();
    await this.#routes.stop({ linger: this.#config.linger });
    await this.#links.stop(this.#config.linger);
    kernel.stop();
    await this.#persistence.stop();
    log.info('stopped');
  }
}
