/**
 * What the ubus object and the command line show: plain objects with stable field names, made from the database.
 * Times are in seconds, addresses and MACs in canonical text.
 */
import type { Client, Database } from '../clients/database.js';
import type { NodeId } from '../clients/node-id.js';
import { parseNodeId } from '../clients/node-id.js';
import { BadInput } from '../net/bytes.js';
import { parseIp } from '../net/ip.js';
import { parseMac } from '../net/mac.js';
import { contains, formatPrefix } from '../net/prefix.js';

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
}

export interface ClientFilter {
  readonly mac?: string | undefined;
  /** Any address of the client, also one in its IPv6 network. */
  readonly address?: string | undefined;
  /** A node's id or host name. */
  readonly node?: string | undefined;
}

/** Clients that match all parts of the filter, by MAC. Throws {@link BadInput} where a part cannot be read. */
export function viewClients(db: Database, self: NodeId, filter: ClientFilter = {}): ClientView[] {
  const matches = clientMatcher(db, filter);
  const views: ClientView[] = [];
  for (const client of db.clients()) if (matches(client)) views.push(viewClient(db, self, client));
  return views.sort((a, b) => (a.mac < b.mac ? -1 : 1));
}

function clientMatcher(db: Database, filter: ClientFilter): (client: Client) => boolean {
  const mac = filter.mac === undefined ? undefined : parseMac(filter.mac);
  const address = filter.address === undefined ? undefined : parseIp(filter.address);
  const node = filter.node === undefined ? undefined : findNodes(db, filter.node);
  return (client) =>
    (mac === undefined || client.mac === mac) &&
    (address === undefined || client.addresses.some((prefix) => contains(prefix, address))) &&
    (node === undefined || (client.node !== undefined && node.has(client.node)));
}

/** Nodes of that host name, or the node of that id. */
function findNodes(db: Database, text: string): Set<NodeId> {
  const named = [...db.nodes()].filter(([, info]) => info.hostname === text).map(([id]) => id);
  if (named.length > 0) return new Set(named);
  try {
    return new Set([parseNodeId(text)]);
  } catch {
    throw new BadInput(`no node is called '${text}', and it is no node id either`);
  }
}

export function viewClient(db: Database, self: NodeId, client: Client): ClientView {
  return {
    mac: client.mac,
    hostname: client.info.hostname,
    ssid: client.info.ssid,
    addresses: client.addresses
      .map((prefix) => (prefix.length === 64 ? formatPrefix(prefix) : prefix.address))
      .sort((a, b) => Number(a.includes(':')) - Number(b.includes(':')) || (a < b ? -1 : 1)),
    node: client.node ?? '',
    node_name: nodeName(db, client.node),
    here: client.node === self,
  };
}

export function nodeName(db: Database, node: NodeId | undefined): string {
  return node === undefined ? '' : (db.node(node)?.hostname ?? '');
}
