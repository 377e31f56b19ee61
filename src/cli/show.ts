/** Answers of the daemon as tables for people. */
import type { TraceView } from '../status/trace.js';
import { TRACE_STEPS } from '../status/trace.js';
import type { ClientView } from '../status/views.js';
import { count, formatAge, formatTable } from './table.js';

export interface PeerView {
  readonly remote: string;
  readonly node: string;
  readonly node_name: string;
  readonly state: string;
  /** Seconds in this state. */
  readonly since: number;
  /** Milliseconds; absent where not measured. */
  readonly rtt?: number;
  readonly error?: string;
}

export interface StatusView {
  readonly version: string;
  readonly node: string;
  readonly hostname: string;
  readonly uptime: number;
  readonly clients_here: number;
  readonly clients: number;
  readonly nodes: number;
  readonly peers: number;
  readonly records: number;
  readonly routes: { readonly installed: number; readonly pending: number };
  readonly counters: { readonly [name: string]: number };
}

export function showClients({ clients }: { clients: readonly ClientView[] }): string {
  if (clients.length === 0) return 'no clients\n';
  // One row an address: a client may have many, and a terminal has 80 columns.
  const rows = clients.flatMap(({ mac, hostname, addresses, node, node_name, here }) => {
    const place = node === '' ? '-' : `${node_name === '' ? node : node_name}${here ? ' *' : ''}`;
    const [first = '-', ...more] = addresses;
    return [[mac, hostname || '-', place, first], ...more.map((address) => ['', '', '', address])];
  });
  const note = clients.some(({ here }) => here) ? ' (* at this router)' : '';
  return `${formatTable(['MAC', 'NAME', 'ROUTER', 'ADDRESSES'], rows)}${count(clients.length, 'client')}${note}\n`;
}

export function showPeers({ peers }: { peers: readonly PeerView[] }): string {
  if (peers.length === 0) return 'no peers\n';
  const rows = peers.map(({ remote, node, node_name, state, since, rtt, error }) => [
    remote,
    node_name || node || '-',
    state,
    formatAge(since),
    rtt === undefined ? '-' : `${rtt.toFixed(1)} ms`,
    error ?? '',
  ]);
  return formatTable(['REMOTE', 'ROUTER', 'STATE', 'SINCE', 'RTT', 'LAST ERROR'], rows);
}

export function showStatus(status: StatusView): string {
  const rows = [
    ['version', status.version],
    ['router', `${status.hostname} (${status.node})`],
    ['up for', formatAge(status.uptime)],
    ['clients', `${status.clients_here} here, ${status.clients} in all`],
    ['routers', `${status.nodes} known, ${count(status.peers, 'session')} up`],
    ['database', count(status.records, 'record')],
    ['routes', `${status.routes.installed} in the kernel, ${status.routes.pending} pending`],
    ...Object.entries(status.counters).map(([name, value]) => [name.replaceAll('_', ' '), String(value)]),
  ];
  return formatTable(rows[0]!, rows.slice(1));
}

/** Milliseconds from a roam's first step to each of the others. */
export function showTrace({ enabled, roams }: { enabled: boolean; roams: readonly TraceView[] }): string {
  if (!enabled) return "tracing is off: 'roaming trace on' begins it\n";
  if (roams.length === 0) return 'no roams yet\n';
  const rows = roams.map(({ mac, age, steps }) => [
    mac,
    formatAge(age),
    ...TRACE_STEPS.map((step) => steps[step]?.toFixed(3) ?? ''),
  ]);
  return formatTable(['MAC', 'AGO', ...TRACE_STEPS.map((step) => step.toUpperCase())], rows);
}
