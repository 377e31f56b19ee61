import { CLIENT_IFINDEX } from './kernel.js';
import { addressOf } from './network.js';
import type { SimNode } from './node.js';

/** Where packets for a destination end that start at `from`: a node's client interface by its name, or why nowhere. */
export function follow(nodes: readonly SimNode[], from: SimNode, destination: string): string {
  const passed = new Set<SimNode>();
  for (let node = from; ; ) {
    if (passed.has(node)) return `in a loop through ${[...passed].map(({ name }) => name).join(' ')}`;
    passed.add(node);
    const { routes, nexthops } = node.kernel.model;
    const via = routes.get(destination)?.via;
    if (via === undefined || via === 'unreachable') return `at ${node.name}, which has no route`;
    if ('ifindex' in via) return via.ifindex === CLIENT_IFINDEX ? node.name : `on interface ${via.ifindex} of ${node.name}`;
    const gateway = 'path' in via ? via.path.gateway : nexthops.get(via.nexthop)?.path.gateway;
    const next = nodes.find(({ index }) => addressOf(index) === gateway);
    if (next === undefined) return `at ${node.name}, whose next hop ${gateway} is no node`;
    if (node.network.way(node.index, next.index)?.links.length !== 1) return `at ${node.name}, which cannot reach ${next.name}`;
    node = next;
  }
}
