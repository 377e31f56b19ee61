import type { Config } from './config.js';

/** Options that take effect at a start only: sockets, tables and files are bound to them. */
const RESTART_OPTIONS = [
  'port',
  'key',
  'auth',
  'discovery',
  'maxPeers',
  'maxSessions',
  'table',
  'rulePriority',
  'stateDir',
  'nodeId',
  'maxRecords',
  'maxRecordBytes',
  'presence',
  'mode',
  'ipv6Mode',
] as const;

/** Whether a daemon that runs with one configuration has to be started anew for the other. */
export function needsRestart(before: Config, after: Config): boolean {
  return RESTART_OPTIONS.some((option) => JSON.stringify(before[option]) !== JSON.stringify(after[option]));
}
