/** What `roaming watch` shows, as text made from what has been heard. Nothing here reads a clock or a terminal. */
import type { ClientView } from '../status/views.js';
import { nameOf } from './show.js';
import type { Style } from './style.js';
import { count, formatAge, formatTable, formatTime, printable } from './table.js';

/** A notification of the daemon, with the time at which it came: seconds since 1970. */
export interface Heard {
  readonly time: number;
  readonly type: string;
  readonly data: { readonly [name: string]: unknown };
}

export interface WatchState {
  /** Undefined while the daemon does not answer. */
  readonly clients: readonly ClientView[] | undefined;
  /** Signal of the clients at this router, in dBm, by MAC. */
  readonly signals: ReadonlyMap<string, number>;
  /** Latest last. */
  readonly events: readonly Heard[];
}

export interface Screen {
  readonly columns: number;
  readonly rows: number;
}

/** The whole screen: clients, those that moved last first, and below them what happened. `now`: seconds since 1970. */
export function renderScreen(state: WatchState, now: number, { columns, rows }: Screen, style: Style): string {
  const width = Math.max(40, columns);
  const events = state.events.slice(-5).map((event) => printable(describeEvent(event)).slice(0, width));
  const room = Math.max(1, rows - events.length - 6);
  const title = `roaming  ${formatTime(now)}`;
  return `${style.bold(title)}\n\n${renderClients(state, now, room, width, style)}\n${events.map((line) => `${style.dim(line)}\n`).join('')}`;
}

function renderClients({ clients, signals, events }: WatchState, now: number, room: number, width: number, style: Style): string {
  if (clients === undefined) return `${style.yellow('the daemon does not answer')}\n`;
  const present = clients.filter(({ node }) => node !== '').sort((a, b) => b.since - a.since || (a.mac < b.mac ? -1 : 1));
  if (present.length === 0) return 'no clients\n';
  const rows = present.slice(0, room).map((client) => {
    const signal = signals.get(client.mac);
    return [
      client.mac,
      client.hostname || '-',
      `${nameOf(client.node, client.node_name)}${client.here ? ' *' : ''}`,
      signal === undefined ? '-' : `${signal} dBm`,
      formatAge(now - client.since),
      String(client.roams),
      lastRoam(events, client.mac),
    ];
  });
  const table = formatTable(['MAC', 'NAME', 'ROUTER', 'SIGNAL', 'SINCE', 'ROAMS', 'LAST ROAM'], rows, { shrink: [1, 2, 6], width });
  const [head, ...lines] = table.split('\n').map((line) => line.slice(0, width));
  const fresh = lines.map((line, i) => (i < present.length && now - present[i]!.since < 5 ? style.green(line) : line));
  const hidden = present.length - rows.length;
  const note = `${count(present.length, 'client')}${hidden > 0 ? `, ${hidden} not shown` : ''}`;
  return `${style.bold(head!)}\n${fresh.join('\n')}${note}\n`;
}

function lastRoam(events: readonly Heard[], mac: string): string {
  const last = events.filter(({ type, data }) => type === 'roam' && data['mac'] === mac).at(-1);
  if (last === undefined) return '-';
  return `from ${nameOf(text(last, 'from'), text(last, 'from_name'))}`;
}

/** `2026-01-31 23:59:59 roam     02:00:00:00:00:01 phone  r1 -> r2`: one line for one notification. */
export function describeEvent(event: Heard): string {
  const words = describe(event);
  return `${formatTime(event.time)} ${event.type.padEnd(8)} ${words}`.trimEnd();
}

function describe(event: Heard): string {
  const who = () => [text(event, 'mac'), text(event, 'hostname')].filter((word) => word !== '').join(' ');
  const to = nameOf(text(event, 'node'), text(event, 'node_name'));
  const from = nameOf(text(event, 'from'), text(event, 'from_name'));
  switch (event.type) {
    case 'join':
      return `${who()} at ${to}`;
    case 'leave':
      return `${who()} from ${from}`;
    case 'roam':
      return `${who()} ${from} -> ${to}`;
    case 'peer': {
      const reason = text(event, 'reason');
      return `${text(event, 'remote')} ${to === '-' ? '' : `${to} `}is ${text(event, 'state')}${reason === '' ? '' : `: ${reason}`}`;
    }
    case 'conflict':
      return `${text(event, 'kind')}: ${[who(), text(event, 'address'), to === '-' ? '' : to].filter((word) => word !== '').join(' ')}`;
    default:
      return JSON.stringify(event.data);
  }
}

function text({ data }: Heard, name: string): string {
  const value = data[name];
  return typeof value === 'string' ? value : '';
}
