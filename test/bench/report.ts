/** The table that a benchmark prints. */
import type { Shares } from './control.js';
import { CONTROL, totalBytes } from './control.js';
import type { Gap } from './gaps.js';
import { distributionOf } from './gaps.js';

export const STREAMS = ['down v4', 'down v6', 'up v4', 'up v6'] as const;
export type StreamName = (typeof STREAMS)[number];

/** What a roam does to a stream. */
export interface RoamGap extends Gap {
  /** How long the client had a carrier again when the longest silence ended, in milliseconds. */
  readonly connected: number;
}

export interface Measured {
  readonly name: string;
  readonly hops: number;
  /** For each stream the gap of each roam. */
  readonly gaps: { readonly [name in StreamName]: readonly RoamGap[] };
  /** The same where it went to another router and was back within 100 ms. */
  readonly returns: { readonly [name in StreamName]: readonly Gap[] };
  /** For each roam on each link of the backbone, beyond what flows when nothing happens. */
  readonly control: Shares;
  /** Resident memory of a router's programs, the largest, in MiB. */
  readonly memory: number;
}

export interface Conditions {
  readonly roams: number;
  /** Milliseconds between two packets of a stream. */
  readonly interval: number;
  /** Milliseconds that a client stays at a router at least, whatever the system needs. */
  readonly dwell?: number;
  /** Whether it forgets its neighbours, and so its gateway, whenever it roams. */
  readonly forgets?: boolean;
  /** How often it goes to another router and straight back, besides. Default: never. */
  readonly returns?: number;
}

const COLUMNS = [26, 8, 8, 8, 8, 8, 8, 9, 9, 10, 6, 6, 6, 6, 0];

function row(cells: readonly string[]): string {
  return cells.map((cell, i) => (i < 2 ? cell.padEnd(COLUMNS[i]!) : cell.padStart(COLUMNS[i]!))).join(' ') + '\n';
}

/** The first of the systems is the floor of all. */
export function report(results: readonly Measured[], air: string, { roams, interval, returns = 0, forgets = false }: Conditions): string {
  const floor = results[0]!;
  let text = `\n${floor.hops} hops, ${roams} roams for each system, a packet every ${interval} ms; ${air}\n`;
  text += forgets ? 'the client forgets its gateway when it roams\n\n' : '\n';
  text += row(['system', 'stream', 'median', 'p95', 'max', '+median', '+p95', 'x median', 'x p95', 'lost/roam', 'dead', '']);
  for (const result of results) {
    for (const [i, name] of STREAMS.entries()) text += row([i === 0 ? result.name : '', name, ...streamCells(result, floor, name)]);
  }
  text += '\nfrom the new carrier on\n\n' + distributions(results, ({ gaps }, name) => gaps[name].map(({ connected }) => connected));
  if (returns > 0) {
    text += `\nto another router and back within 100 ms, ${returns} times\n\n`;
    text += distributions(results, (result, name) => result.returns[name].map(({ longest }) => longest));
  }
  text += '\n' + row(['system', '', 'MiB', 'B/roam', ...CONTROL.flatMap((kind) => [kind, 'frames']), '']);
  for (const { name, control, memory } of results) {
    const shares = CONTROL.flatMap((kind) => [control[kind].bytes.toFixed(0), control[kind].frames.toFixed(2)]);
    text += row([name, '', memory.toFixed(0), totalBytes(control).toFixed(0), ...shares, '']);
  }
  return `${text}\nGaps in ms: the longest silence after each roam. +median, +p95: beyond what the first system has;
x median, x p95: of it. dead: silent until the next roam. From the new carrier on: for how long the client had one when the
silence ended, since the move itself takes longer the more programs run. MiB: memory of a router's programs. B/roam:
control bytes for a roam on a link between routers, beyond those when nobody roams; of these the segments of flooding
sessions that carry something, those that only acknowledge, what finds neighbours, Babel, all else (ARP, neighbour
discovery), each with its number of frames.\n`;
}

/** A table of times; beyond what the first system has too. */
function distributions(results: readonly Measured[], timesOf: (result: Measured, name: StreamName) => readonly number[]): string {
  let text = row(['system', 'stream', 'median', 'p95', 'max', '+median', '+p95', '']);
  for (const result of results) {
    for (const [i, name] of STREAMS.entries()) {
      const [{ median, p95, max }, base] = [distributionOf(timesOf(result, name)), distributionOf(timesOf(results[0]!, name))];
      const times = [median, p95, max, median - base.median, p95 - base.p95];
      text += row([i === 0 ? result.name : '', name, ...times.map((ms) => ms.toFixed(1)), '']);
    }
  }
  return text;
}

function streamCells(result: Measured, floor: Measured, name: StreamName): string[] {
  const gaps = result.gaps[name];
  const { median, p95, max } = distributionOf(gaps.map(({ longest }) => longest));
  const base = distributionOf(floor.gaps[name].map(({ longest }) => longest));
  const lost = gaps.reduce((sum, gap) => sum + gap.lost, 0) / gaps.length;
  const dead = gaps.filter((gap) => gap.dead).length;
  const extra = [median - base.median, p95 - base.p95];
  const times = [median / base.median, p95 / base.p95].map((ratio) => ratio.toFixed(2));
  return [...[median, p95, max, ...extra].map((ms) => ms.toFixed(1)), ...times, lost.toFixed(1), String(dead), ''];
}
