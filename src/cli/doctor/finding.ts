/** What `roaming check` finds, and how it is said. */
import type { Style } from '../style.js';

/**
 * `error`: roaming cannot work so. `warning`: it works, and not as well or not for all. `good`: looked at, and as it should
 * be. `unknown`: could not be looked at.
 */
export type Level = 'error' | 'warning' | 'good' | 'unknown';

export interface Finding {
  readonly level: Level;
  readonly message: string;
  /** The commands that fix it, one a line. */
  readonly fix?: readonly string[];
}

const LABELS: { readonly [level in Level]: readonly [label: string, colour: keyof Style] } = {
  error: ['ERROR', 'red'],
  warning: ['warning', 'yellow'],
  good: ['good', 'green'],
  unknown: ['?', 'dim'],
};

/** One line for each finding, and below it the commands that fix it. */
export function formatFindings(findings: readonly Finding[], style: Style): string {
  const lines = findings.flatMap(({ level, message, fix = [] }) => {
    const [label, colour] = LABELS[level];
    return [`${style[colour](label.padEnd(7))}  ${message}`, ...fix.map((command) => `         ${style.dim('fix:')} ${command}`)];
  });
  return lines.map((line) => `${line}\n`).join('');
}

/** Whether roaming cannot work. */
export function hasErrors(findings: readonly Finding[]): boolean {
  return findings.some(({ level }) => level === 'error');
}
