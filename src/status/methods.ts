/** The methods of the ubus object `roaming`, as views of what the daemon knows. Field names are stable: see README.md. */
import type { NodeId } from '../clients/node-id.js';
import { BadInput } from '../net/bytes.js';
import type { Ip } from '../net/ip.js';
import type { Mac } from '../net/mac.js';
import type { BusMethod } from '../ports.js';
import * as read from './arguments.js';
import { HISTORY_LIMIT } from './history.js';
import { viewLeases } from './leases.js';
import type { PeerStatus } from './peers.js';
import { viewNodes, viewPeer } from './peers.js';
import { viewRoams, viewTrace } from './roams.js';
import type { Viewpoint } from './viewpoint.js';
import { viewClient, viewClients } from './views.js';

/** What a client answered when it was asked on its own link. */
export interface ProbeResult {
  readonly answered: boolean;
  /** The address that answered first; undefined where none did. */
  readonly address: Ip | undefined;
  /** Milliseconds until then. */
  readonly time: number | undefined;
}

/** What a caller can have the daemon do. Each throws {@link BadInput} where it cannot be done, with a line that says why. */
export interface StatusActions {
  /** Has the access point here send the client away. */
  disassociate(mac: Mac): void;
  /** Asks the client, which has to be here, by ARP and Neighbour Discovery. */
  probe(mac: Mac): Promise<ProbeResult>;
  /** Ends leases; returns how many records that took. */
  release(which: { readonly mac: Mac | undefined; readonly address: Ip | undefined }): number;
  /** Reads the configuration again; returns what is wrong with it, in which case nothing has changed. */
  reload(): Promise<readonly string[]>;
}

export interface StatusSource extends Viewpoint, StatusActions {
  readonly version: string;
  readonly self: NodeId;
  readonly hostname: string;
  /** Seconds since the start. */
  uptime(): number;
  clientsHere(): number;
  peers(): readonly PeerStatus[];
  routes(): { readonly installed: number; readonly pending: number };
  counters(): { readonly [name: string]: number };
  /** What is not as it should be, a line each; empty where all is well. */
  problems(): readonly string[];
}

export function statusMethods(source: StatusSource): { readonly [name: string]: BusMethod } {
  return { ...queries(source), ...actions(source) };
}

function queries(source: StatusSource): { readonly [name: string]: BusMethod } {
  return {
    clients: {
      args: { mac: 'string', address: 'string', node: 'string', after: 'string' },
      call: (args) =>
        viewClients(source, {
          mac: read.mac(args),
          address: read.address(args),
          node: read.text(args, 'node'),
          after: read.mac(args, 'after'),
        }),
    },
    client: { args: { mac: 'string' }, call: (args) => viewOne(source, read.requiredMac(args)) },
    nodes: { args: { after: 'string' }, call: (args) => viewNodes(source, source.peers(), read.node(args, 'after')) },
    peers: { args: {}, call: () => ({ peers: source.peers().map((peer) => viewPeer(source.db, peer)) }) },
    leases: {
      args: { mac: 'string', address: 'string', after: 'string' },
      call: (args) => viewLeases(source, { mac: read.mac(args), address: read.address(args), after: read.mac(args, 'after') }),
    },
    history: {
      args: { mac: 'string', limit: 'integer' },
      call: (args) => ({ roams: viewRoams(source, read.limit(args, HISTORY_LIMIT), read.mac(args)) }),
    },
    status: { args: {}, call: () => viewStatus(source) },
    trace: {
      args: { enable: 'boolean' },
      call: (args) => {
        const { history } = source;
        history.tracing = read.flag(args, 'enable') ?? history.tracing;
        return { enabled: history.tracing, roams: viewTrace(source) };
      },
    },
  };
}

function actions(source: StatusSource): { readonly [name: string]: BusMethod } {
  return {
    disassociate: {
      args: { mac: 'string' },
      call(args) {
        source.disassociate(read.requiredMac(args));
        return {};
      },
    },
    probe: {
      args: { mac: 'string' },
      async call(args) {
        const { answered, address, time } = await source.probe(read.requiredMac(args));
        if (!answered || time === undefined) return { answered: false };
        return { answered, address: address ?? '', time: Math.round(time * 10) / 10 };
      },
    },
    release: {
      args: { mac: 'string', address: 'string' },
      call(args) {
        const which = { mac: read.mac(args), address: read.address(args) };
        if (which.mac === undefined && which.address === undefined) {
          throw new BadInput("mac or address: say whose leases are to end, or which");
        }
        return { released: source.release(which) };
      },
    },
    reload: {
      args: {},
      async call() {
        const problems = await source.reload();
        return { reloaded: problems.length === 0, problems };
      },
    },
  };
}

const ROAMS_OF_ONE = 20;

function viewOne(source: StatusSource, mac: Mac) {
  const client = source.db.client(mac);
  if (client === undefined) throw new BadInput(`mac: no client ${mac} is known`);
  return {
    ...viewClient(source, client),
    ...viewLeases(source, { mac }),
    history: viewRoams(source, ROAMS_OF_ONE, mac),
  };
}

function viewStatus(source: StatusSource) {
  const { db } = source;
  return {
    version: source.version,
    node: source.self,
    hostname: source.hostname,
    time: Math.floor(source.wallTime()),
    uptime: Math.floor(source.uptime()),
    clients_here: source.clientsHere(),
    clients: [...db.clients()].filter((client) => client.node !== undefined).length,
    nodes: [...db.nodes()].length,
    peers: source.peers().filter((peer) => peer.state === 'up').length,
    records: db.size,
    routes: source.routes(),
    problems: source.problems(),
    counters: source.counters(),
  };
}
