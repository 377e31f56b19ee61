/**
 * Answers of the daemon as tables for people. Names can be cut, where a line would have more than `width`; addresses, MACs
 * and node ids never are.
 */
import type { LeaseView } from '../status/leases.js';
import type { NodeView, PeerView } from '../status/peers.js';
import type { RoamView, TraceStep, TraceView } from '../status/roams.js';
import { TRACE_STEPS } from '../status/roams.js';
import type { ClientView } from '../status/views.js';
import { count, formatAge, formatGap, formatTable, formatTime } from './table.js';

export interface StatusView {
  readonly version: string;
  readonly node: string;
  readonly hostname: string;
  /** Seconds since 1970. */
  readonly time: number;
  /** Seconds. */
  readonly uptime: number;
  readonly clients_here: number;
  readonly clients: number;
  readonly nodes: number;
  readonly peers: number;
  readonly records: number;
  readonly routes: { readonly installed: number; readonly pending: number };
  readonly problems: readonly string[];
  readonly counters: { readonly [name: string]: number };
}

export interface OneClient extends ClientView {
  readonly leases: readonly LeaseView[];
  readonly history: readonly RoamView[];
}

/** A node by its name, else by its id; `-` for none. */
export function nameOf(node: string, name: string): string {
  return name || node || '-';
}

/** One row an address. `whole`: what is said of a client stands in each of its rows, not in the first alone. */
export function showClients({ clients }: { clients: readonly ClientView[] }, width?: number, whole = false): string {
  if (clients.length === 0) return 'no clients\n';
  const rows = clients.flatMap(({ mac, hostname, addresses, node, node_name, here }) => {
    const place = `${nameOf(node, node_name)}${here ? ' *' : ''}`;
    const about = [mac, hostname || '-', place];
    const [first = '-', ...more] = addresses;
    return [[...about, first], ...more.map((address) => [...(whole ? about : ['', '', '']), address])];
  });
  const note = clients.some(({ here }) => here) ? ' (* at this router)' : '';
  const table = formatTable(['MAC', 'NAME', 'ROUTER', 'ADDRESSES'], rows, { shrink: [1, 2], width });
  return `${table}${count(clients.length, 'client')}${note}\n`;
}

/** `now`: seconds since 1970. */
export function showClient(client: OneClient, now: number, width?: number): string {
  const { mac, hostname, ssid, addresses, node, node_name, here, since, roams, leases, history } = client;
  const rows = [
    ['client', mac],
    ['name', hostname || '-'],
    ['network', ssid || '-'],
    ['router', node === '' ? 'at none' : `${nameOf(node, node_name)}${here ? ', this one' : ''}`],
    ...(since === 0 ? [] : [['since', `${formatTime(since)}, ${formatAge(now - since)} ago, after ${count(roams, 'roam')}`]]),
    ...addresses.map((address, i) => {
      const lease = leases.find((one) => one.address === address);
      return [i === 0 ? 'addresses' : '', lease === undefined ? address : `${address}, leased for ${formatAge(lease.remaining)}`];
    }),
  ];
  const roamTable = history.length === 0 ? '' : `\n${showHistory({ roams: history }, width)}`;
  return formatTable(rows[0]!, rows.slice(1)) + roamTable;
}

export function showLeases({ leases }: { leases: readonly LeaseView[] }, width?: number): string {
  if (leases.length === 0) return 'no leases\n';
  const rows = leases.map(({ address, mac, hostname, remaining }) => [address, mac, formatAge(remaining), hostname || '-']);
  return `${formatTable(['ADDRESS', 'MAC', 'LEFT', 'NAME'], rows, { shrink: [3], width })}${count(leases.length, 'lease')}\n`;
}

export function showHistory({ roams }: { roams: readonly RoamView[] }, width?: number): string {
  if (roams.length === 0) return 'no roams yet\n';
  const rows = roams.map((roam) => {
    const [from, to] = [nameOf(roam.from, roam.from_name), nameOf(roam.to, roam.to_name)];
    return [formatTime(roam.time), roam.mac, formatGap(roam.gap), from, to, roam.hostname || '-'];
  });
  return formatTable(['TIME', 'MAC', 'GAP', 'FROM', 'TO', 'NAME'], rows, { shrink: [3, 4, 5], width });
}

export function showNodes({ nodes }: { nodes: readonly NodeView[] }, width?: number): string {
  const rows = nodes.flatMap(({ node, name, addresses, clients, self, peer }) => {
    const [first = '-', ...more] = addresses;
    const relation = self ? 'this' : peer ? 'peer' : '';
    return [[name || '-', node, String(clients), relation, first], ...more.map((address) => ['', '', '', '', address])];
  });
  return formatTable(['NAME', 'NODE', 'CLIENTS', '', 'ADDRESSES'], rows, { shrink: [0], width });
}

export function showPeers({ peers }: { peers: readonly PeerView[] }, width?: number): string {
  if (peers.length === 0) return 'no peers\n';
  const rows = peers.map(({ remote, node, node_name, state, standby, unresponsive, since, rtt, error }) => [
    remote,
    nameOf(node, node_name),
    unresponsive ? 'unresponsive' : standby ? 'standby' : state,
    formatAge(since),
    rtt === undefined ? '-' : `${rtt.toFixed(1)} ms`,
    error ?? '',
  ]);
  return formatTable(['REMOTE', 'ROUTER', 'STATE', 'SINCE', 'RTT', 'LAST ERROR'], rows, { shrink: [1, 5], width });
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
  const problems = status.problems.map((problem) => `problem: ${problem}\n`);
  return formatTable(rows[0]!, rows.slice(1)) + problems.join('');
}

export function showProbe({ answered, address, time }: { answered: boolean; address?: string; time?: number }): string {
  return answered ? `${address} answered after ${formatGap(time)}\n` : 'no answer\n';
}

/** With which a trace begins: its access point's word at the router that a client comes to, elsewhere the claim's arrival. */
const FIRST_STEPS: readonly TraceStep[] = ['station', 'received'];
const LATER_STEPS = TRACE_STEPS.filter((step) => !FIRST_STEPS.includes(step));

/** Milliseconds from a move's first step to each of the others. */
export function showTrace({ enabled, roams }: { enabled: boolean; roams: readonly TraceView[] }): string {
  if (!enabled) return "tracing is off: 'roaming trace on' begins it\n";
  if (roams.length === 0) return 'no roams yet\n';
  const rows = roams.map(({ mac, age, steps }) => [
    mac,
    formatAge(age),
    FIRST_STEPS.find((step) => steps[step] !== undefined) ?? '-',
    ...LATER_STEPS.map((step) => steps[step]?.toFixed(3) ?? ''),
  ]);
  return formatTable(['MAC', 'AGO', 'FIRST', ...LATER_STEPS.map((step) => step.toUpperCase())], rows);
}
