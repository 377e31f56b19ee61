/** A router for the web pages: a broker, the daemon's ubus object over a database that tests change, and uci. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PlainTable, Plain } from 'ubus-ts';
import { Broker, UbusClient } from 'ubus-ts';
import * as claims from '../../src/clients/claims.js';
import { Database } from '../../src/clients/database.js';
import type { NodeId } from '../../src/clients/node-id.js';
import { parseNodeId } from '../../src/clients/node-id.js';
import { adjacenciesKey, adjacenciesValue } from '../../src/clients/record.js';
import type { Instant } from '../../src/clients/time.js';
import { after, HOUR, SECOND } from '../../src/clients/time.js';
import { UbusObject } from '../../src/linux/bus.js';
import { BadInput } from '../../src/net/bytes.js';
import { parseIp4, parseIp6 } from '../../src/net/ip.js';
import type { Mac } from '../../src/net/mac.js';
import { parseMac } from '../../src/net/mac.js';
import { History } from '../../src/status/history.js';
import { statusMethods } from '../../src/status/methods.js';
import { peer } from '../status/support.js';
import { nodeRecord, SILENT } from '../support.js';

const EPOCH = 1767225600;

export interface TestNode {
  readonly name: string;
  readonly id: NodeId;
}

export const nodes: readonly TestNode[] = ['roof', 'hall', 'garden', 'cellar'].map((name, i) => ({ name, id: parseNodeId(`000000000000000${i + 1}`) }));
export const self = nodes[0]!.id;

export class TestRouter {
  readonly db = new Database();
  readonly history = new History(self);
  /** What the daemon was told to do. */
  readonly done: string[] = [];
  /** Sections of /etc/config/roaming by name, as rpcd tells them. */
  readonly uci: { [section: string]: { [option: string]: Plain } } = {
    main: {
      '.type': 'roaming',
      '.name': 'main',
      '.anonymous': false,
      '.index': 0,
      enabled: '1',
      interface: ['br-client'],
      prefix: ['10.44.0.0/16', '2001:db8:44::/48'],
      key: 'open sesame, said the test',
      peer: ['10.99.0.2'],
    },
  };
  problems: string[] = [];
  errors: string[] = [];
  #now = 0 as Instant;
  #bus: UbusObject | undefined;

  private constructor(
    readonly ubus: UbusClient,
    readonly socket: string,
    private readonly daemon: UbusClient,
    private readonly broker: Broker,
    private readonly directory: string,
  ) {}

  static async start(): Promise<TestRouter> {
    const directory = await mkdtemp(join(tmpdir(), 'roaming-luci-'));
    const path = join(directory, 'ubus.sock');
    const broker = new Broker({ path });
    await broker.listen();
    const [ubus, daemon] = [new UbusClient({ path }), new UbusClient({ path })];
    await Promise.all([ubus.connect(), daemon.connect()]);
    const router = new TestRouter(ubus, path, daemon, broker, directory);
    await router.#offerSystem();
    // In a line, as they stand.
    for (const [i, node] of nodes.entries()) router.addNode(node, [nodes[i - 1], nodes[i + 1]]);
    return router;
  }

  /** A router of the mesh, with its neighbours, of which those that are undefined do not count. */
  addNode({ id, name }: TestNode, neighbours: readonly (TestNode | undefined)[]): void {
    const number = Number(`0x${id}`);
    const info = { hostname: name, addresses: [parseIp4(`10.99.${number >> 8}.${number & 255}`)], port: 4444 };
    this.db.apply(nodeRecord(this.db, id, info, this.#now), this.#now);
    const ids = neighbours.flatMap((node) => node?.id ?? []);
    this.db.apply(claims.assert(this.db, adjacenciesKey(id), adjacenciesValue(ids), HOUR, this.#now), this.#now);
  }

  async startDaemon(): Promise<void> {
    this.#bus = new UbusObject(this.daemon, 'roaming', SILENT);
    this.#bus.publish(statusMethods(this.#source()));
    await this.ubus.waitFor(['roaming'], { timeout: 60_000 });
  }

  stopDaemon(): void {
    this.#bus?.stop();
  }

  async stop(): Promise<void> {
    this.ubus.close();
    this.daemon.close();
    await this.broker.close();
    await rm(this.directory, { recursive: true });
  }

  /** Tells whoever has subscribed. */
  notify(type: string, data: object): void {
    this.#bus?.notify(type, () => data);
  }

  pass(seconds: number): void {
    this.#now = after(this.#now, seconds * SECOND);
  }

  /** A client, numbered from 1 to 65535, comes or roams. */
  move(number: number, node: NodeId, hostname = ''): Mac {
    const now = this.#now;
    const mac = parseMac(`02:00:00:00:${number.toString(16).padStart(4, '0').replace(/^../, '$&:')}`);
    const from = this.db.client(mac)?.node;
    if (from === undefined) this.#lease(mac, number, hostname);
    if (node === self) this.history.authorized(mac, from, now);
    this.db.apply(claims.claim(this.db, mac, node, now), now);
    this.history.moved(mac, from, node, now);
    this.history.step(mac, 'routed', (now + 1.84) as Instant);
    return mac;
  }

  #lease(mac: Mac, number: number, hostname: string): void {
    const now = this.#now;
    this.db.apply(claims.lease4(this.db, parseIp4(`10.44.${number >> 8}.${number & 255}`), mac, HOUR, now), now);
    this.db.apply(claims.lease6(this.db, parseIp6(`2001:db8:44:${number.toString(16)}::`), mac, HOUR, now), now);
    const info = claims.clientInfo(this.db, mac, { hostname, ssid: 'mesh' }, now);
    if (info !== undefined) this.db.apply(info, now);
  }

  #source() {
    return {
      version: '0.1.0',
      self,
      hostname: nodes[0]!.name,
      db: this.db,
      history: this.history,
      now: () => this.#now,
      wallTime: () => EPOCH + this.#now / 1000,
      uptime: () => 3600,
      clientsHere: () => [...this.db.clients()].filter(({ node }) => node === self).length,
      peers: () => [1, 2, 3].map((i) => ({ ...peer, node: nodes[i]!.id, unresponsive: i === 3 })),
      routes: () => ({ installed: 5, pending: 0 }),
      counters: () => ({ roams: 3 }),
      problems: () => this.problems,
      disassociate: (mac: Mac) => {
        if (this.db.client(mac)?.node !== self) throw new BadInput(`mac: ${mac} is not at this router`);
        this.done.push(`disassociate ${mac}`);
      },
      probe: async () => ({ answered: false, address: undefined, time: undefined }),
      release: () => 0,
      reload: async () => [],
    };
  }

  /** `service` of procd, and `uci` of rpcd, as far as the pages use them. */
  async #offerSystem(): Promise<void> {
    await this.ubus.addObject('service', {
      list: { handler: () => ({ roaming: { instances: { instance1: { running: false, errors: this.errors } } } }) },
    });
    await this.ubus.addObject('uci', {
      get: { args: { config: 'string' }, handler: () => ({ values: this.uci as PlainTable }) },
      set: {
        args: { config: 'string', section: 'string', values: 'table' },
        handler: ({ section, values }) => void Object.assign(this.#section(section!), values),
      },
      delete: {
        args: { config: 'string', section: 'string', option: 'string' },
        handler: ({ section, option }) => {
          if (option === undefined) delete this.uci[this.#name(section!)];
          else delete this.#section(section!)[option];
        },
      },
      add: {
        args: { config: 'string', type: 'string', name: 'string' },
        handler: ({ type, name }) => {
          const index = Object.keys(this.uci).length;
          const made = `cfg${index}`;
          this.#names.set(name!, made);
          this.uci[made] = { '.type': type!, '.name': made, '.anonymous': true, '.index': index };
        },
      },
      apply: { handler: () => void this.done.push('apply') },
    });
  }

  /** Sections that the page has made are known to it by a name of its own until they are saved. */
  readonly #names = new Map<string, string>();

  #name(section: string): string {
    return this.#names.get(section) ?? section;
  }

  #section(name: string): { [option: string]: Plain } {
    const section = this.uci[this.#name(name)];
    if (section === undefined) throw new BadInput(`there is no section ${name}`);
    return section;
  }
}
