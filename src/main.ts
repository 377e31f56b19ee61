/** The program: its words to a function, and nothing else. The daemon is loaded without the rest. */
import { CliError, ExitCode } from './cli/ask.js';
import { readDaemonWords } from './cli/daemon-words.js';
import { optimizeLate } from './cli/late-optimization.js';
import { ConfigError } from './cli/load-config.js';

/** Who reads our output may have had enough: `roaming history | head`. */
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

async function main(): Promise<void> {
  const daemon = readDaemonWords(process.argv.slice(2));
  if (daemon !== undefined) optimizeLate();
  try {
    if (daemon !== undefined) await (await import('./cli/daemon.js')).runDaemon(daemon);
    else await (await import('./cli/commands.js')).runCommand();
  } catch (error) {
    const lines = error instanceof ConfigError ? error.lines : [describe(error)];
    for (const line of lines) process.stderr.write(`roaming: ${line}\n`);
    process.exitCode = error instanceof CliError ? error.code : ExitCode.failure;
  }
}

function describe(error: unknown): string {
  if (error instanceof CliError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

void main();
