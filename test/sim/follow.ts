import { parseIp } from '../../src/net/ip.js';
import { formatPrefix, hostPrefix, parsePrefix } from '../../src/net/prefix.js';
import { CLIENT_IFINDEX } from './kernel.js';
import { addressOf } from './network.js';
import type { SimNode } from './node.js';

/** A client's address or network, as it is shown, as the kernel names the destination. */
export function destinationOf(address: string): string {
  return formatPrefix(address.includes('/') ? parsePrefix(address) : hostPrefix(parseIp(address)));
}

/** The router that packets for a destination go to next, or where their way ends: a node's client interface by its name, or why nowhere. */
function hop(nodes: readonly SimNode[], node: SimNode, destination: string): SimNode | string {
  const { routes, nexthops } = node.kernel.model;
  const via = routes.get(destination)?.via;
  if (via === undefined || via === 'unreachable') return `at ${node.name}, which has no route`;
  if ('ifindex' in via) return via.ifindex === CLIENT_IFINDEX ? node.name : `on interface ${via.ifindex} of ${node.name}`;
  const gateway = 'path' in via ? via.path.gateway : nexthops.get(via.nexthop)?.path.gateway;
  const next = nodes.find(({ index }) => addressOf(index) === gateway);
  if (next === undefined) return `at ${node.name}, whose next hop ${gateway} is no node`;
  if (node.network.way(node.index, next.index)?.links.length !== 1) return `at ${node.name}, which cannot reach ${next.name}`;
  return next;
}

/** Where packets for a destination end that start at `from`. */
export function follow(nodes: readonly SimNode[], from: SimNode, destination: string): string {
  const passed = new Set<SimNode>();
  for (let node = from; ; ) {
    if (passed.has(node)) return `in a loop through ${[...passed].map(({ name }) => name).join(' ')}`;
    passed.add(node);
    const next = hop(nodes, node, destination);
    if (typeof next === 'string') return next;
    node = next;
  }
}

/** The loops that packets for a destination can be caught in: each the routers that they go round, from the first on. */
export function loops(nodes: readonly SimNode[], destination: string): SimNode[][] {
  const found: SimNode[][] = [];
  const done = new Set<SimNode>();
  for (const from of nodes) {
    const passed: SimNode[] = [];
    for (let node: SimNode | string = from; typeof node !== 'string' && !done.has(node); node = hop(nodes, node, destination)) {
      const at = passed.indexOf(node);
      if (at >= 0) {
        found.push(startingAtFirst(passed.slice(at)));
        break;
      }
      passed.push(node);
    }
    for (const node of passed) done.add(node);
  }
  return found;
}

function startingAtFirst(loop: readonly SimNode[]): SimNode[] {
  const first = loop.reduce((a, b) => (b.index < a.index ? b : a));
  const at = loop.indexOf(first);
  return [...loop.slice(at), ...loop.slice(0, at)];
}
