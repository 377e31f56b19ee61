/** Flooding sessions and nodes as ubus shows them. */
import type { Database } from '../clients/database.js';
import type { NodeId } from '../clients/node-id.js';
import type { Paging } from './page.js';
import { pageOf } from './page.js';
import type { Viewpoint } from './viewpoint.js';
import { nodeName } from './views.js';

/** A flooding session, or an endpoint with which there is none, as the daemon knows it. */
export interface PeerStatus {
  readonly remote: string;
  readonly direction: 'in' | 'out';
  readonly state: string;
  /** Whether changes do not go over it, since they come from link to link anyway. */
  readonly standby: boolean;
  /** Whether the session is up, but what the peer was sent is not acknowledged, or not for long enough again. */
  readonly unresponsive: boolean;
  /** `sroamd`: it knows the basic protocol only. */
  readonly kind: 'roaming' | 'sroamd' | undefined;
  readonly node: NodeId | undefined;
  /** Seconds since the connection was made, or since the present wait began. */
  readonly since: number;
  /** Milliseconds. */
  readonly rtt: number | undefined;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly recordsIn: number;
  readonly recordsOut: number;
  readonly error: string | undefined;
}

/** A peer as `ubus call roaming peers` shows it. */
export interface PeerView {
  readonly remote: string;
  readonly direction: string;
  readonly state: string;
  readonly standby: boolean;
  /** Whether it is up, but what the peer was sent is not acknowledged, or not for long enough again. */
  readonly unresponsive: boolean;
  /** `roaming`, `sroamd`, or '' before it is known. */
  readonly kind: string;
  readonly node: string;
  readonly node_name: string;
  /** Seconds since the connection was made, or since the present wait began. */
  readonly since: number;
  /** Milliseconds; absent where not measured. */
  readonly rtt?: number;
  readonly bytes_in: number;
  readonly bytes_out: number;
  readonly records_in: number;
  readonly records_out: number;
  /** Why the last attempt failed or the last session ended; absent where nothing has. */
  readonly error?: string;
}

/** Whether records flow to and from a peer, as far as is known. */
export function isUp({ state, unresponsive }: Pick<PeerView, 'state' | 'unresponsive'>): boolean {
  return state === 'up' && !unresponsive;
}

export function viewPeer(db: Database, peer: PeerStatus): PeerView {
  const { remote, direction, state, standby, unresponsive, kind, node, since, rtt, error } = peer;
  return {
    remote,
    direction,
    state,
    standby,
    unresponsive,
    kind: kind ?? '',
    node: node ?? '',
    node_name: nodeName(db, node),
    since: Math.floor(since),
    ...(rtt === undefined ? {} : { rtt: Math.round(rtt * 10) / 10 }),
    bytes_in: peer.bytesIn,
    bytes_out: peer.bytesOut,
    records_in: peer.recordsIn,
    records_out: peer.recordsOut,
    ...(error === undefined ? {} : { error }),
  };
}

/** A node as `ubus call roaming nodes` shows it. */
export interface NodeView {
  readonly node: string;
  /** Its host name; '' where it told none. */
  readonly name: string;
  /** Addresses that lead to it, best first. */
  readonly addresses: readonly string[];
  /** Port of its flooding listener; 0: it does not listen. */
  readonly port: number;
  readonly clients: number;
  /** Whether it is the node that answers. */
  readonly self: boolean;
  /** Whether the node that answers has a flooding session with it. */
  readonly peer: boolean;
  /** Nodes on its own links that it floods to; of an adjacency both ends tell. */
  readonly adjacencies: readonly string[];
}

function adjacenciesOf(db: Database, id: NodeId): NodeId[] {
  return db.adjacencies(id).filter((other) => db.adjacencies(other).includes(id));
}

export interface NodesView {
  readonly nodes: NodeView[];
  /** Where there are more: what to ask for them `after`. */
  readonly next?: string;
}

const NODE_BYTES = 250;
const NODE_ADDRESS_BYTES = 48;
const ADJACENCY_BYTES = 24;

/** UTF-8 needs up to three for each of JavaScript's characters. */
const CHARACTER_BYTES = 3;

/** All nodes that have told of themselves or have clients: part by part by id, and within a part by name. */
export function viewNodes({ db, self }: Viewpoint, peers: readonly PeerStatus[], after?: NodeId): NodesView {
  const counts = new Map<NodeId, number>();
  for (const { node } of db.clients()) if (node !== undefined) counts.set(node, (counts.get(node) ?? 0) + 1);
  const up = new Set(peers.filter(({ state }) => state === 'up').map(({ node }) => node));
  const ids = new Set([...[...db.nodes()].map(([id]) => id), ...counts.keys(), self]);
  const { items, rest } = pageOf(ids, nodePaging(db), after);
  const views = items.map((id) => {
    const { hostname = '', addresses = [], port = 0 } = db.node(id) ?? {};
    return { node: id, name: hostname, addresses, port, clients: counts.get(id) ?? 0, self: id === self, peer: up.has(id), adjacencies: adjacenciesOf(db, id) };
  });
  return { nodes: sortNodes(views), ...rest };
}

function nodePaging(db: Database): Paging<NodeId> {
  return {
    key: (id) => id,
    bytes(id) {
      const { hostname = '', addresses = [] } = db.node(id) ?? {};
      return NODE_BYTES + CHARACTER_BYTES * hostname.length + NODE_ADDRESS_BYTES * addresses.length + ADJACENCY_BYTES * db.adjacencies(id).length;
    },
  };
}

/** By name, in place. */
export function sortNodes(nodes: NodeView[]): NodeView[] {
  const key = ({ name, node }: NodeView) => `${name} ${node}`;
  return nodes.sort((a, b) => (key(a) < key(b) ? -1 : 1));
}
