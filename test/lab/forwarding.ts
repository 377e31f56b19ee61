/** What the daemons of the lab have put into their kernels, in a form that compares well; and what they should have. */
import type { Test } from 'tap';
import { settles } from './harness.js';
import type { RouterName } from './lab.js';
import { ROUTERS } from './lab.js';
import type { Topology } from './topology.js';

/** All that one router holds for clients; each list sorted. */
export interface Forwarding {
  /** `DESTINATION dev DEVICE proto PROTOCOL`, then `by object` where a nexthop object of ours leads there. */
  readonly routes: readonly string[];
  /** `ADDRESS MAC` of permanent entries. */
  readonly neighbours: readonly string[];
  /** `dev DEVICE` of each nexthop object: one for each node and family that a route has been needed for. */
  readonly nexthops: readonly string[];
  /** Rules that look our table up, `inet` and `inet6`. */
  readonly rules: readonly string[];
}

export const NOTHING: Forwarding = { routes: [], neighbours: [], nexthops: [], rules: [] };

/** Addresses of a client, as its host routes have them. */
export interface Whereabouts {
  readonly mac: string;
  readonly at: RouterName;
  readonly address4: string;
  readonly address6: string;
}

interface JsonEntry {
  readonly dst?: string;
  readonly dev?: string;
  readonly protocol?: string;
  readonly nhid?: number;
  readonly id?: number;
  readonly lladdr?: string;
  readonly state?: readonly string[];
  readonly table?: string;
}

export async function forwardingOf(net: Topology, router: string): Promise<Forwarding> {
  const list = async (words: string) => JSON.parse((await net.ip(router, `-j ${words}`)) || '[]') as JsonEntry[];
  const table = (family: 4 | 6) => list(`-${family} route show table 44`).catch(() => []);
  const [routes4, routes6] = [await table(4), await table(6)];
  const [rules4, rules6] = [await list('-4 rule show'), await list('-6 rule show')];
  const isOurs = (rule: JsonEntry) => rule.table === '44';
  const nexthops = await list('nexthop show proto 45');
  const objects = new Map(nexthops.map(({ id, dev }) => [id, dev]));
  return {
    routes: [...routes4, ...routes6].map((route) => routeLine(route, objects)).sort(),
    neighbours: (await list('neigh show proto 44')).map(neighbourLine).sort(),
    nexthops: nexthops.map(({ dev }) => `dev ${dev}`).sort(),
    rules: [...rules4.filter(isOurs).map(() => 'inet'), ...rules6.filter(isOurs).map(() => 'inet6')],
  };
}

/** A route through an object names no device of its own where nexthop_compat_mode is off: the object's counts. */
function routeLine({ dst, dev, protocol, nhid }: JsonEntry, objects: ReadonlyMap<number | undefined, string | undefined>): string {
  const object = nhid === undefined ? '' : objects.has(nhid) ? ' by object' : ` by the strange object ${nhid}`;
  return `${dst} dev ${dev ?? objects.get(nhid)} proto ${protocol}${object}`;
}

function neighbourLine({ dst, lladdr, state }: JsonEntry): string {
  return `${dst} ${lladdr}${state?.includes('PERMANENT') === true ? '' : ` ${state?.join()}`}`;
}

/** What `router` should hold for one client that has an IPv4 address, a /64 and one learnt address in it. */
export function wantedAt(router: RouterName, { mac, at, address4, address6 }: Whereabouts): Omit<Forwarding, 'nexthops'> {
  const destinations = [address4, networkOf(address6)];
  const rules = ['inet', 'inet6'];
  if (router === at) {
    const routes = destinations.map((destination) => `${destination} dev br-client proto 44`);
    return { routes: routes.sort(), neighbours: [`${address4} ${mac}`, `${address6} ${mac}`].sort(), rules };
  }
  const [here, there] = [ROUTERS.indexOf(router), ROUTERS.indexOf(at)];
  const device = `to-${ROUTERS[here + Math.sign(there - here)]}`;
  const routes = destinations.map((destination) => `${destination} dev ${device} proto 45 by object`);
  return { routes: routes.sort(), neighbours: [], rules };
}

/** Every router holds what it should for a client that is alone in the network. */
export async function everyKernelFollows(t: Test, net: Topology, whereabouts: Whereabouts): Promise<void> {
  for (const router of ROUTERS) {
    await settles(t, `${router}, the client being at ${whereabouts.at}`, wantedAt(router, whereabouts), async () => {
      const { nexthops: _, ...found } = await forwardingOf(net, router);
      return found;
    });
  }
}

/** The /64 of an address whose text has four groups before its interface identifier. */
export function networkOf(address: string): string {
  return `${address.split(':').slice(0, 4).join(':')}::/64`;
}
