/** Reading /etc/config/roaming for the command line: what is wrong becomes lines for a person. */
import { parse, UciParseError } from 'uci-parser';
import type { Config } from '../config/config.js';
import { formatProblem, readConfig } from '../config/config.js';
import { readFile } from '../linux/files.js';
import { serviceProblem } from '../service-config.js';

/** The configuration cannot be used; `lines` say what to fix, each with file, section and option. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  constructor(readonly lines: readonly string[]) {
    super(lines.join('\n'));
  }
}

/** Committed configuration only: what is staged and not committed is not meant yet. Throws {@link ConfigError}. */
export async function loadConfig(file: string): Promise<Config> {
  const { config, problems } = readConfig(parsePackage(await readText(file), file), file);
  if (config === undefined) throw new ConfigError(problems.map(formatProblem));
  const problem = serviceProblem(config);
  if (problem !== undefined) throw new ConfigError([`${file}: ${problem}`]);
  return config;
}

async function readText(file: string): Promise<Uint8Array> {
  try {
    return await readFile(file);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw new ConfigError([`${file}: there is no such file: 'roaming setup' says what makes one`]);
    // Each commit of uci makes the file anew, for root alone; the service's own user is given it when procd reloads.
    const fix = code === 'EACCES' ? ": root can read it; 'service roaming reload' hands it to the daemon" : '';
    throw new ConfigError([`${file}: cannot be read (${code ?? message})${fix}`]);
  }
}

function parsePackage(text: Uint8Array, file: string) {
  try {
    return parse(text, { name: 'roaming', file });
  } catch (error) {
    if (error instanceof UciParseError) throw new ConfigError([error.message]);
    throw error;
  }
}
