/**
 * What the ubus object and the command line show: plain objects with stable field names, made from the database.
 * Addresses and MACs are in canonical text, points in time in seconds since 1970.
 */
import type { Client, Database } from '../clients/database.js';
import type { NodeId } from '../clients/node-id.js';
import { parseNodeId } from '../clients/node-id.js';
import { BadInput } from '../net/bytes.js';
import type { Ip } from '../net/ip.js';
import type { Mac } from '../net/mac.js';
import { contains, formatPrefix } from '../net/prefix.js';
import { CLIENTS, pageOf } from './page.js';
import type { Viewpoint } from './viewpoint.js';
import { toWallTime } from './viewpoint.js';

/** A client as `ubus call roaming clients` shows it. */
export interface ClientView {
  readonly mac: string;
  /** What the client calls itself; '' where it told no name. */
  readonly hostname: string;
  readonly ssid: string;
  /** Leased and learnt addresses: IPv4 as an address, an IPv6 network of its own with its length. */
  readonly addresses: readonly string[];
  /** Where it is: 16 hexadecimal digits; '' where it is at no node at present. */
  readonly node: string;
  /** That node's host name; '' where it is not known. */
  readonly node_name: string;
  /** Whether it is at the node that answers. */
  readonly here: boolean;
  /** When it came to that node, or when the answering node learnt that it is there; 0 where it is at none. */
  readonly since: number;
  /** How often it has roamed since it joined, as far as the answering node has seen it. */
  readonly roams: number;
}

export interface ClientFilter {
  readonly mac?: Mac | undefined;
  /** Any address of the client, also one in its IPv6 network. */
  readonly address?: Ip | undefined;
  /** A node's id or host name. */
  readonly node?: string | undefined;
  /** The `next` of the answer before. */
  readonly after?: Mac | undefined;
}

export interface ClientsView {
  readonly clients: ClientView[];
  /** Where there are more: what to ask for them `after`. */
  readonly next?: string;
}

/** Clients that match all parts of the filter, by MAC. Throws {@link BadInput} where there is no such node. */
export function viewClients(view: Viewpoint, filter: ClientFilter = {}): ClientsView {
  const { items, rest } = pageOf([...view.db.clients()].filter(clientMatcher(view.db, filter)), CLIENTS, filter.after);
  return { clients: items.map((client) => viewClient(view, client)), ...rest };
}

function clientMatcher(db: Database, { mac, address, node }: ClientFilter): (client: Client) => boolean {
  const nodes = node === undefined ? undefined : findNodes(db, node);
  return (client) =>
    (mac === undefined || client.mac === mac) &&
    (address === undefined || client.addresses.some((prefix) => contains(prefix, address))) &&
    (nodes === undefined || (client.node !== undefined && nodes.has(client.node)));
}

/** Nodes of that host name, or the node of that id. */
function findNodes(db: Database, text: string): Set<NodeId> {
  const named = [...db.nodes()].filter(([, info]) => info.hostname === text).map(([id]) => id);
  if (named.length > 0) return new Set(named);
  try {
    return new Set([parseNodeId(text)]);
  } catch {
    throw new BadInput(`node: no node is called '${text}', and it is no node id either`);
  }
}

export function viewClient(view: Viewpoint, client: Client): ClientView {
  const whereabouts = view.history.whereabouts(client.mac);
  return {
    mac: client.mac,
    hostname: client.info.hostname,
    ssid: client.info.ssid,
    addresses: client.addresses
      .map((prefix) => (prefix.length === 64 ? formatPrefix(prefix) : prefix.address))
      .sort((a, b) => Number(a.includes(':')) - Number(b.includes(':')) || (a < b ? -1 : 1)),
    node: client.node ?? '',
    node_name: nodeName(view.db, client.node),
    here: client.node === view.self,
    since: whereabouts === undefined ? 0 : Math.floor(toWallTime(view, whereabouts.since)),
    roams: whereabouts?.roams ?? 0,
  };
}

export function nodeName(db: Database, node: NodeId | undefined): string {
  return node === undefined ? '' : (db.node(node)?.hostname ?? '');
}
