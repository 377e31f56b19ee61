/**
 * Mode `observe`: ports that read as ever, and say what would be done where others would do it. Nothing is changed in
 * the kernel, no frame is sent to a client, no station is removed.
 */
import { formatPrefix } from '../net/prefix.js';
import type { DhcpPort, HostRoute, Kernel, KernelChange, LinkControl, Logger, Packets, Stations, Strays } from '../ports.js';

export interface Acting {
  readonly kernel: Kernel;
  readonly packets: Packets;
  readonly stations: Stations;
  readonly linkControl: LinkControl;
  readonly dhcpPort: DhcpPort;
  readonly strays: Strays;
}

export function observing({ kernel, packets, stations, linkControl }: Acting, log: Logger): Acting {
  return {
    kernel: observingKernel(kernel, log),
    packets: {
      start: (listener) => packets.start(listener),
      attach: (links) => packets.attach(links),
      send: (network, frame) => log.debug(`would send ${frame.length} bytes on ${network}`),
      stop: () => packets.stop(),
    },
    stations: {
      start: (listener) => stations.start(listener),
      refresh: () => stations.refresh(),
      hasAccessPoint: (network) => stations.hasAccessPoint(network),
      disassociate: (mac, via) => log.info(`would have ${via} remove ${mac}`),
      stop: () => stations.stop(),
    },
    linkControl: {
      settings: (names) => linkControl.settings(names),
      apply: async (changes) => {
        log.info(`would change ${changes.length} settings of the client interfaces`);
        return changes.map(() => undefined);
      },
      blockRedirects: async () => undefined,
      stop: () => undefined,
    },
    // Another server may well have the port, while we only watch.
    dhcpPort: { hold: () => undefined, stop: () => undefined },
    strays: { start: async () => undefined, refuse: () => undefined, stop: async () => undefined },
  };
}

function observingKernel(kernel: Kernel, log: Logger): Kernel {
  return {
    nexthopObjects: kernel.nexthopObjects,
    withoutIp6: kernel.withoutIp6 === true,
    installRules: async () => log.info('would install the rules to the table of host routes'),
    removeRules: async () => undefined,
    // Nothing there is ours, not even what an earlier run left: it is not to be removed either.
    state: async () => ({ routes: [], nexthops: [], neighbours: [] }),
    apply: async (changes) => {
      for (const change of changes) log.info(`would ${describe(change)}`);
      return changes.map(() => undefined);
    },
    resolve: (address) => kernel.resolve(address),
    purge: (mac, network) => log.debug(`would purge what ${network} has learnt of ${mac}`),
    forgetPort: (mac, network) => log.debug(`would make ${network} forget the port of ${mac}`),
    clientLinks: (networks) => kernel.clientLinks(networks),
    nodeAddresses: (networks) => kernel.nodeAddresses(networks),
    permanentMacs: () => kernel.permanentMacs(),
    start: (listener) => kernel.start(listener),
    stop: () => kernel.stop(),
  };
}

function describe(change: KernelChange): string {
  if ('route' in change) return `${change.op} the route ${formatPrefix(change.route.destination)} ${way(change.route.via)}`;
  if ('nexthop' in change) return `${change.op} the next hop ${change.nexthop.id}`;
  const { address, mac } = change.neighbour;
  return `${change.op} the neighbour ${address} at ${mac}`;
}

function way(via: HostRoute['via']): string {
  if (via === 'unreachable') return via;
  if ('nexthop' in via) return `by the next hop ${via.nexthop}`;
  const ifindex = 'path' in via ? via.path.ifindex : via.ifindex;
  return `by the interface ${ifindex}`;
}
