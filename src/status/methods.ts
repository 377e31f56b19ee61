/** The methods of the ubus object `roaming`, as views of what the daemon knows. Field names are stable. */
import type { Database } from '../clients/database.js';
import type { NodeId } from '../clients/node-id.js';
import { BadInput } from '../net/bytes.js';
import type { BusArguments, BusMethod } from '../ports.js';
import type { TraceView } from './trace.js';
import { nodeName, viewClients } from './views.js';

/** A flooding session, as the daemon knows it. */
export interface PeerStatus {
  readonly remote: string;
  readonly node: NodeId | undefined;
  readonly state: string;
  /** Seconds in this state. */
  readonly since: number;
  /** Milliseconds. */
  readonly rtt: number | undefined;
  readonly error: string | undefined;
}

export interface StatusSource {
  readonly version: string;
  readonly self: NodeId;
  readonly hostname: string;
  readonly db: Database;
  /** Seconds since the start. */
  uptime(): number;
  clientsHere(): number;
  peers(): readonly PeerStatus[];
  routes(): { readonly installed: number; readonly pending: number };
  counters(): { readonly [name: string]: number };
  /** Begins or ends tracing, or leaves it as it is; the roams traced so far, undefined where it is off. */
  trace(enable: boolean | undefined): readonly TraceView[] | undefined;
}

export function statusMethods(source: StatusSource): { readonly [name: string]: BusMethod } {
  return {
    clients: {
      args: { mac: 'string', address: 'string', node: 'string' },
      call: (args) => ({
        clients: viewClients(source.db, source.self, {
          mac: text(args, 'mac'),
          address: text(args, 'address'),
          node: text(args, 'node'),
        }),
      }),
    },
    peers: { args: {}, call: () => ({ peers: source.peers().map((peer) => viewPeer(source.db, peer)) }) },
    status: { args: {}, call: () => viewStatus(source) },
    trace: {
      args: { enable: 'boolean' },
      call: (args) => {
        const roams = source.trace(flag(args, 'enable'));
        return { enabled: roams !== undefined, roams: roams ?? [] };
      },
    },
  };
}

function viewPeer(db: Database, { remote, node, state, since, rtt, error }: PeerStatus) {
  return {
    remote,
    node: node ?? '',
    node_name: nodeName(db, node),
    state,
    since: Math.floor(since),
    ...(rtt === undefined ? {} : { rtt }),
    ...(error === undefined ? {} : { error }),
  };
}

function viewStatus(source: StatusSource) {
  const { db } = source;
  return {
    version: source.version,
    node: source.self,
    hostname: source.hostname,
    uptime: Math.floor(source.uptime()),
    clients_here: source.clientsHere(),
    clients: [...db.clients()].filter((client) => client.node !== undefined).length,
    nodes: [...db.nodes()].length,
    peers: source.peers().filter((peer) => peer.state === 'up').length,
    records: db.size,
    routes: source.routes(),
    counters: source.counters(),
  };
}

/** A string argument; an empty one is as none, since forms send that. */
function text(args: BusArguments, name: string): string | undefined {
  const value = args[name];
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value !== 'string') throw new BadInput(`${name}: a string is expected`);
  return value;
}

function flag(args: BusArguments, name: string): boolean | undefined {
  const value = args[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'boolean') throw new BadInput(`${name}: true or false is expected`);
  return value;
}
