/** Nodes, clients and the network between them under one clock and one source of chance, and what has to hold of them. */
import type { Millis } from '../../src/clients/time.js';
import { SECOND } from '../../src/clients/time.js';
import type { ClientView } from '../../src/status/views.js';
import { AccessPoint, join, leave, RADIOS } from './air.js';
import { Client } from './client.js';
import type { ClientKind } from './client.js';
import { destinationOf, follow } from './follow.js';
import type { Link } from './network.js';
import { Network } from './network.js';
import type { NodeSettings } from './node.js';
import { SimNode } from './node.js';
import { SeededRandom } from '../random.js';
import { Scheduler } from './scheduler.js';

export interface WorldOptions {
  readonly seed: number;
  readonly nodes: number;
  readonly clients: number;
  /** Pairs of nodes with a link, its delay, and whether hellos go over it; default: a chain with 2 ms each. */
  readonly links?: readonly (readonly [a: number, b: number, delay: Millis, multicast?: boolean])[];
  /** Of single nodes; by default each dials its neighbours of lower number. */
  readonly settings?: (index: number) => Partial<NodeSettings>;
  readonly client?: (number: number) => ClientKind;
  /** Prints what happens. */
  readonly trace?: ((line: string) => void) | undefined;
}

/** Leases of two minutes, so that renewing is part of every run. */
export const SHORT_LEASES = " option lease_time '2m'";

const PREFIXES = ['10.44.0.0/16', 'fd44::/48'];

export class World {
  readonly scheduler = new Scheduler();
  readonly random: SeededRandom;
  readonly network: Network;
  readonly nodes: SimNode[] = [];
  readonly clients: Client[] = [];
  readonly #trace: ((line: string) => void) | undefined;

  constructor(options: WorldOptions) {
    const { seed, nodes, clients, settings, client = () => ({ dualStack: true }), trace } = options;
    const links = options.links ?? Array.from({ length: nodes - 1 }, (_, i) => [i, i + 1, 2] as const);
    this.random = new SeededRandom(seed);
    this.#trace = trace && ((line) => trace(`${(this.scheduler.now / SECOND).toFixed(4).padStart(10)} ${line}`));
    this.network = new Network(this.scheduler, new SeededRandom(seed, 1));
    this.network.changed = () => this.#routingChanged();
    const air = new SeededRandom(seed, 2);
    for (let i = 0; i < clients; i++) this.clients.push(new Client(i, this.scheduler, air, client(i)));
    for (let i = 0; i < nodes; i++) {
      const ap = new AccessPoint(i, this.scheduler, air, this.clients);
      const peers = links.filter(([a, b]) => a === i || b === i).map(([a, b]) => a + b - i).filter((peer) => peer < i);
      const preset = { peers, options: SHORT_LEASES, clockRate: 1, flash: true, transit: false, prefixes: PREFIXES, discovers: false };
      this.nodes.push(new SimNode(i, { ...preset, ...settings?.(i) }, this.network, ap, new SeededRandom(seed, 3 + i), this.#trace));
    }
    for (const link of links) this.network.connect(...link);
  }

  trace(line: string): void {
    this.#trace?.(`-- ${line}`);
  }

  /** The routing protocol has converged a moment later; kernels tell of the routes that are others now. */
  #routingChanged(): void {
    this.scheduler.in(this.random.between(10, 200), () => {
      for (const node of this.nodes) node.routingChanged();
    });
  }

  start(): void {
    for (const node of this.nodes) node.start();
  }

  run(duration: Millis): Promise<void> {
    return this.scheduler.run(duration);
  }

  join(client: number, node: number, { via = RADIOS[0] as string, goodbye = false } = {}): void {
    this.trace(`client ${client} joins n${node} on ${via}${goodbye ? ' and says goodbye' : ''}`);
    join(this.clients[client]!, this.nodes[node]!.ap, via, goodbye);
  }

  leave(client: number, goodbye = true): void {
    this.trace(`client ${client} leaves${goodbye ? '' : ' without a word'}`);
    leave(this.clients[client]!, goodbye);
  }

  cut(link: Link): void {
    this.trace(`link n${link.a}-n${link.b} is cut`);
    this.network.setLink(link, false);
  }

  eat(link: Link): void {
    this.trace(`link n${link.a}-n${link.b} eats what is sent over it`);
    link.eats = true;
  }

  heal(link: Link): void {
    if (!link.up || link.eats) this.trace(`link n${link.a}-n${link.b} is healed`);
    link.eats = false;
    this.network.setLink(link, true);
  }

  /** Everything is mended; what was interrupted may go on. */
  mend(): void {
    for (const link of this.network.links) this.heal(link);
    for (const node of this.nodes) {
      node.ap.lateness = 20;
      node.ap.duplicates = 0;
      if (!node.host.powered) node.powerOn();
      else node.start();
    }
  }

  /** Runs until all that has to hold does, or `limit` is over; returns what does not hold. */
  async settle(limit: Millis, step: Millis = 15 * SECOND): Promise<string[]> {
    let wrong: string[] = [];
    for (let waited = 0; waited < limit; waited += step) {
      await this.run(step);
      wrong = this.violations();
      if (wrong.length === 0) break;
    }
    return wrong;
  }

  /** What does not hold and should, now that all is calm; sentences. */
  violations(): string[] {
    const running = this.nodes.filter(({ process, failure }) => process?.daemon !== undefined || failure !== undefined);
    const wrong: string[] = [];
    for (const { name, failure } of running) if (failure !== undefined) wrong.push(`${name}: ${failure.stack ?? failure.message}`);
    for (const node of running) {
      const together = (other: number) => this.network.way(node.index, other) !== undefined;
      wrong.push(...this.#checkView(node, running, together));
    }
    const lists = running.flatMap((node) => node.clients().map(({ mac, addresses }) => ({ node, mac, addresses })));
    return [...new Set([...wrong, ...this.#checkAgreement(lists), ...this.sharedAddresses()])];
  }

  /** Nodes that can hear each other say the same of a present client's addresses; none says that two have one. */
  #checkAgreement(lists: readonly { node: SimNode; mac: string; addresses: readonly string[] }[]): string[] {
    const wrong: string[] = [];
    const said = new Map<string, { node: SimNode; text: string }[]>();
    const owners = new Map<string, string>();
    for (const { node, mac, addresses } of lists) {
      for (const address of addresses) {
        const other = owners.get(`${node.name} ${address}`);
        if (other !== undefined) wrong.push(`${node.name} has ${address} with ${other} and ${mac}`);
        owners.set(`${node.name} ${address}`, mac);
      }
      if (!this.clients.some((client) => client.mac === mac && client.at !== undefined)) continue;
      const text = [...addresses].sort().join(' ');
      const others = said.get(mac) ?? [];
      said.set(mac, [...others, { node, text }]);
      for (const other of others) {
        if (other.text === text || this.network.way(node.index, other.node.index) === undefined) continue;
        wrong.push(`${other.node.name} says that ${mac} has ${other.text || 'nothing'}, ${node.name} ${text || 'nothing'}`);
      }
    }
    return wrong;
  }

  #checkView(node: SimNode, running: readonly SimNode[], together: (node: number) => boolean): string[] {
    const wrong: string[] = [];
    const byMac = new Map<string, ClientView>(node.clients().map((view) => [view.mac, view]));
    const wanted = new Set<string>();
    for (const client of this.clients) {
      const at = client.at && this.nodes[client.at.index]!;
      if (at !== undefined && (at.process?.daemon === undefined || !together(at.index))) continue;
      const view = byMac.get(client.mac);
      const place = view?.node ?? '';
      // Where its router has gone for ever, nobody else can say that it left: it lives as long as its record.
      if (at === undefined && place !== '' && !running.some(({ id }) => id === place)) {
        for (const address of view!.addresses) wanted.add(destinationOf(address));
        continue;
      }
      if (place !== (at?.id ?? '')) {
        const said = this.nodes.find(({ id }) => id === place)?.name ?? place;
        wrong.push(`${node.name} has client ${client.number} at ${said || 'nowhere'}, not at ${at?.name ?? 'nowhere'}`);
      }
      if (at === undefined) continue;
      for (const address of view?.addresses ?? []) wanted.add(destinationOf(address));
      wrong.push(...this.#checkAddresses(node, client, at, view?.addresses ?? []));
    }
    return [...wrong, ...this.#checkKernel(node, wanted)];
  }

  /** Nothing is left in the kernel of a client that is gone or elsewhere. */
  #checkKernel(node: SimNode, wanted: ReadonlySet<string>): string[] {
    const wrong: string[] = [];
    const { routes, neighbours } = node.kernel.model;
    for (const destination of routes.keys()) {
      if (!wanted.has(destination)) wrong.push(`${node.name} has a route to ${destination}, which nobody present has`);
    }
    for (const { mac, address } of neighbours.values()) {
      const client = this.clients.find((one) => one.mac === mac);
      if (client?.at !== node.ap) wrong.push(`${node.name} has ${address} as a neighbour, and its client is not there`);
    }
    return wrong;
  }

  #checkAddresses(node: SimNode, client: Client, at: SimNode, known: readonly string[]): string[] {
    const wrong: string[] = [];
    const own = client.addresses;
    if (!own.some((address) => address.includes(':'))) wrong.push(`client ${client.number} has no IPv6 network`);
    if (client.kind.dualStack && own.every((address) => address.includes(':'))) wrong.push(`client ${client.number} has no IPv4 address`);
    for (const address of own) {
      if (!known.includes(address)) {
        wrong.push(`${node.name} does not know that ${address} is client ${client.number}'s: ${known.join(' ') || 'nothing'}`);
        continue;
      }
      const end = follow(this.nodes, node, destinationOf(address));
      if (end !== at.name) wrong.push(`traffic from ${node.name} to ${address} of client ${client.number} at ${at.name} ends: ${end}`);
    }
    return wrong;
  }

  /** Clients that have one address at the same time. */
  sharedAddresses(): string[] {
    const owners = new Map<string, Client>();
    const wrong: string[] = [];
    for (const client of this.clients) {
      if (client.at === undefined) continue;
      for (const address of client.addresses) {
        const other = owners.get(address);
        if (other !== undefined) wrong.push(`clients ${other.number} and ${client.number} both have ${address}`);
        owners.set(address, client);
      }
    }
    return wrong;
  }
}
