/** Text for a terminal: tables of columns, ages and counts in words. */

/** What a line may have at the most, where the terminal does not say otherwise. */
const LINE_WIDTH = 80;

/** With less nobody can read a table: its lines go on in the next one then. */
const LEAST_WIDTH = 40;

/** What a line may have: as much as the terminal has columns; in a pipe or a file, where nobody cuts it, all. */
export function lineWidth({ isTTY, columns }: { readonly isTTY?: boolean; readonly columns?: number }): number {
  // A serial console does not say how wide it is: 0, or nothing.
  return isTTY === true ? Math.max(LEAST_WIDTH, columns || LINE_WIDTH) : Infinity;
}

export interface TableOptions {
  /** Columns that may be cut off, with an ellipsis, where a line would be too long: the widest first. */
  readonly shrink?: readonly number[];
  readonly width?: number | undefined;
}

/** A column that may be cut keeps this much. */
const NARROWEST = 6;

/** Columns with a head, as wide as what they hold; nothing behind the last one. */
export function formatTable(head: readonly string[], rows: readonly (readonly string[])[], options: TableOptions = {}): string {
  const lines = [head, ...rows.map((row) => row.map(printable))];
  const widths = fit(head.map((_, i) => lines.reduce((widest, row) => Math.max(widest, row[i]?.length ?? 0), 0)), options);
  const line = (cells: readonly string[]) => cells.map((cell, i) => cut(cell, widths[i]!).padEnd(widths[i]!)).join('  ').trimEnd();
  return lines.map(line).join('\n') + '\n';
}

function fit(widths: number[], { shrink = [], width = LINE_WIDTH }: TableOptions): number[] {
  const gaps = 2 * (widths.length - 1);
  const fitted = [...widths];
  for (;;) {
    const widest = shrink.reduce((a, b) => (fitted[b]! > fitted[a]! ? b : a), shrink[0] ?? -1);
    const total = fitted.reduce((sum, one) => sum + one, gaps);
    if (total <= width || widest < 0 || fitted[widest]! <= NARROWEST) return fitted;
    fitted[widest]! -= 1;
  }
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
}

/** Names come from clients: what would move a terminal's cursor, or turn the direction of writing, is shown as `?`. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, '?');
}

/** `3 clients`, `1 client`. */
export function count(n: number, thing: string): string {
  return `${n} ${thing}${n === 1 ? '' : 's'}`;
}

/** Seconds for people: `42 s`, `5 min`, `3 h`, `2 d`. */
export function formatAge(seconds: number): string {
  if (seconds < 120) return `${Math.max(0, Math.floor(seconds))} s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 172800) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86400)} d`;
}

/** Seconds since 1970 in the router's own time zone: `2026-01-31 23:59:59`. */
export function formatTime(seconds: number): string {
  const date = new Date(seconds * 1000);
  const two = (value: number) => String(value).padStart(2, '0');
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join('-');
  return `${day} ${[date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':')}`;
}

/** Milliseconds: `3.1 ms`, `120 ms`, `2.5 s`; `-` where not known. */
export function formatGap(millis: number | undefined): string {
  if (millis === undefined) return '-';
  if (millis < 100) return `${millis.toFixed(1)} ms`;
  return millis < 1000 ? `${millis.toFixed(0)} ms` : `${(millis / 1000).toFixed(1)} s`;
}
