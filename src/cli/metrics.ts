/** `roaming metrics`: the text format of Prometheus, version 0.0.4. The Lua collector in files/ gives the same. */
import type { NodeView, PeerView } from '../status/peers.js';
import { isUp } from '../status/peers.js';
import type { StatusView } from './show.js';

export interface Readings {
  readonly status: StatusView;
  readonly nodes: readonly NodeView[];
  readonly peers: readonly PeerView[];
}

type Labels = { readonly [name: string]: string };

interface Sample {
  readonly labels: Labels;
  readonly value: number;
}

interface Metric {
  readonly name: string;
  readonly type: 'gauge' | 'counter';
  readonly help: string;
  readonly samples: readonly Sample[];
}

const one = (value: number, labels: Labels = {}): Sample[] => [{ labels, value }];

/** All metrics, each with its samples together, as the format asks. */
export function formatMetrics(readings: Readings): string {
  return metricsOf(readings).map(formatMetric).join('');
}

function metricsOf({ status, nodes, peers }: Readings): Metric[] {
  const gauge = (name: string, help: string, samples: readonly Sample[]): Metric => ({ name, type: 'gauge', help, samples });
  const counter = (name: string, help: string, samples: readonly Sample[]): Metric => ({ name, type: 'counter', help, samples });
  const { version, node, hostname, routes } = status;
  // What can become less is no counter.
  const { neighbours = 0, addresses_set_aside: setAside = 0, ...counters } = status.counters;
  const series = seriesOf(peers);
  const ofPeer = (value: (peer: PeerView) => number | undefined): Sample[] =>
    [...series].flatMap(([remote, peer]) => {
      const found = value(peer);
      return found === undefined ? [] : one(found, { remote, node: peer.node, node_name: peer.node_name });
    });
  return [
    gauge('roaming_info', 'The daemon and the router it runs on.', one(1, { version, node, hostname })),
    gauge('roaming_uptime_seconds', 'Time since the daemon started.', one(status.uptime)),
    gauge('roaming_clients_here', 'Clients at this router.', one(status.clients_here)),
    gauge(
      'roaming_clients',
      'Clients at each router of the network.',
      nodes.map(({ node, name, clients }) => ({ labels: { node, node_name: name }, value: clients })),
    ),
    gauge('roaming_records', 'Records in the database.', one(status.records)),
    gauge('roaming_routes_installed', 'Host routes in the kernel.', one(routes.installed)),
    gauge('roaming_routes_pending', 'Changes that the kernel has not taken yet.', one(routes.pending)),
    gauge('roaming_problems', 'What is not as clients need it.', one(status.problems.length)),
    gauge('roaming_peer_up', 'Whether records flow to and from a peer.', ofPeer((peer) => (isUp(peer) ? 1 : 0))),
    gauge('roaming_peer_rtt_seconds', 'Round-trip time to a peer.', ofPeer(({ rtt }) => (rtt === undefined ? undefined : rtt / 1000))),
    gauge('roaming_peer_received_bytes', 'Bytes received in the session.', ofPeer(({ bytes_in }) => bytes_in)),
    gauge('roaming_peer_sent_bytes', 'Bytes sent in the session.', ofPeer(({ bytes_out }) => bytes_out)),
    gauge('roaming_neighbours', 'Routers heard on the same links.', one(neighbours)),
    gauge('roaming_addresses_set_aside', 'IPv4 addresses that clients found in use and nobody gets.', one(setAside)),
    ...Object.entries(counters).map(([name, value]) =>
      counter(`roaming_${name}_total`, `Since the start: ${name.replaceAll('_', ' ')}.`, one(value)),
    ),
  ];
}

/**
 * Peers by what is constant of their remote end: a peer that dials has another port each time, which would be a time series
 * each. Of two sessions with one peer the one that is up counts.
 */
function seriesOf(peers: readonly PeerView[]): Map<string, PeerView> {
  const series = new Map<string, PeerView>();
  for (const peer of peers) {
    const remote = peer.direction === 'in' ? peer.remote.replace(/:\d+$/, '') : peer.remote;
    if (series.get(remote)?.state !== 'up') series.set(remote, peer);
  }
  return series;
}

function formatMetric({ name, type, help, samples }: Metric): string {
  if (samples.length === 0) return '';
  const lines = samples.map(({ labels, value }) => `${name}${formatLabels(labels)} ${value}\n`);
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`;
}

function formatLabels(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escape(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escape(value: string): string {
  return value.replace(/[\\"\n]/g, (character) => (character === '\n' ? '\\n' : `\\${character}`));
}
