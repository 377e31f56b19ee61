import type { DaemonArguments } from './daemon.js';

export const CONFIG_FILE = '/etc/config/roaming';

/**
 * What `roaming daemon` is told, where it is told plainly: as the init script does. Undefined for all other words,
 * `--check` and `--help` among them: those are read by yargs, which a daemon would hold in memory to its end.
 */
export function readDaemonWords(words: readonly string[]): DaemonArguments | undefined {
  if (words[0] !== 'daemon') return undefined;
  let configFile = CONFIG_FILE;
  let ubusSocket: string | undefined;
  let supervised = false;
  for (let i = 1; i < words.length; i++) {
    if (words[i] === '--supervised') supervised = true;
    else {
      const value = words[i + 1];
      if (value === undefined || value === '' || value.startsWith('-')) return undefined;
      if (words[i] === '--config') configFile = value;
      else if (words[i] === '--ubus') ubusSocket = value;
      else return undefined;
      i++;
    }
  }
  return { configFile, ubusSocket, supervised };
}
