/** Clients by what a person knows of them: a name, a MAC, an address, or a part of one. */
import { parseIp, readIp } from '../net/ip.js';
import { contains, hostPrefix, parsePrefix } from '../net/prefix.js';
import type { ClientView } from '../status/views.js';

/**
 * Those whose name, MAC or address the word is, an address also where it lies in a client's network; where there are
 * none, those that have the word in their name, MAC or address, or are at the router or in the network of that name:
 * not where it has to be the `whole` of it.
 */
export function findClients(clients: readonly ClientView[], word: string, whole = false): ClientView[] {
  const wanted = word.toLowerCase();
  const exact = clients.filter((client) => isMeant(client, wanted));
  return whole || exact.length > 0 ? exact : clients.filter((client) => resembles(client, wanted));
}

/** Whether a notification is about a client that the word finds; where there is no word, it may be about anything. */
export function isAbout(data: { readonly [name: string]: unknown }, word: string | undefined): boolean {
  if (word === undefined) return true;
  const text = (name: string) => (typeof data[name] === 'string' ? data[name] : '');
  if (text('mac') === '') return false;
  const addresses = Array.isArray(data['addresses']) ? data['addresses'].map(String) : [];
  const place = { mac: text('mac'), hostname: text('hostname'), ssid: text('ssid'), addresses, here: false, since: 0, roams: 0 };
  const places = [['node', 'node_name'], ['from', 'from_name']].map(([node, name]) => ({ ...place, node: text(node!), node_name: text(name!) }));
  return findClients(places, word).length > 0;
}

function isMeant({ mac, hostname, addresses }: ClientView, wanted: string): boolean {
  if (bare(mac) === bare(wanted) || hostname.toLowerCase() === wanted) return true;
  const ip = readIp(wanted);
  return ip !== undefined && addresses.some((text) => contains(text.includes('/') ? parsePrefix(text) : hostPrefix(parseIp(text)), ip));
}

function resembles({ mac, hostname, addresses, node, node_name, ssid }: ClientView, wanted: string): boolean {
  if ([node, node_name, ssid].some((text) => text.toLowerCase() === wanted)) return true;
  if ([hostname.toLowerCase(), mac, ...addresses].some((text) => text.includes(wanted))) return true;
  // A MAC as it is printed on a device, without colons.
  return /^[0-9a-f]{4,}$/.test(bare(wanted)) && bare(mac).includes(bare(wanted));
}

/** A MAC without what separates its digits. */
function bare(mac: string): string {
  return mac.replace(/[:.-]/g, '');
}
