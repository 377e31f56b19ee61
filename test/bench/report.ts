/** The table that a benchmark prints. */
import type { Gap } from './gaps.js';
import { distributionOf } from './gaps.js';

export const STREAMS = ['down v4', 'down v6', 'up v4', 'up v6'] as const;
export type StreamName = (typeof STREAMS)[number];

export interface Measured {
  readonly name: string;
  readonly hops: number;
  /** For each stream the gap of each roam. */
  readonly gaps: { readonly [name in StreamName]: readonly Gap[] };
  /** Bytes for each roam on each link of the backbone, beyond what flows when nothing happens. */
  readonly controlBytes: number;
  /** Resident memory of a router's programs, the largest, in MiB. */
  readonly memory: number;
}

export interface Conditions {
  readonly roams: number;
  /** Milliseconds between two packets of a stream. */
  readonly interval: number;
  /** Milliseconds that a client stays at a router at least, whatever the system needs. */
  readonly dwell?: number;
}

const COLUMNS = [26, 8, 8, 8, 8, 8, 8, 9, 9, 10, 6, 0];

function row(cells: readonly string[]): string {
  return cells.map((cell, i) => (i < 2 ? cell.padEnd(COLUMNS[i]!) : cell.padStart(COLUMNS[i]!))).join(' ') + '\n';
}

/** The first of the systems is the floor of all. */
export function report(results: readonly Measured[], air: string, { roams, interval }: Conditions): string {
  const floor = results[0]!;
  let text = `\n${floor.hops} hops, ${roams} roams for each system, a packet every ${interval} ms; ${air}\n\n`;
  text += row(['system', 'stream', 'median', 'p95', 'max', '+median', '+p95', 'x median', 'x p95', 'lost/roam', 'dead', '']);
  for (const result of results) {
    for (const [i, name] of STREAMS.entries()) text += row([i === 0 ? result.name : '', name, ...streamCells(result, floor, name)]);
  }
  text += '\n' + row(['system', '', 'B/roam', 'MiB', '']);
  for (const { name, controlBytes, memory } of results) text += row([name, '', controlBytes.toFixed(0), memory.toFixed(0), '']);
  return `${text}\nGaps in ms: the longest silence after each roam. +median, +p95: beyond what the first system has;
x median, x p95: of it. dead: silent until the next roam. B/roam: control bytes for a roam on a link between routers.
MiB: memory of a router's programs.\n`;
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
