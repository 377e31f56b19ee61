/**
 * The program: its words to a function, and nothing else. The daemon and the commands are in files of their own (see the
 * Makefile), so that neither reads nor holds what is the other's.
 */
import { readDaemonWords } from './cli/daemon-words.js';
import { optimizeLate } from './cli/late-optimization.js';

/** Who reads our output may have had enough: `roaming history | head`. Where it cannot be written there is nothing to mend here. */
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') return;
  process.stderr.write(`roaming: the output cannot be written: ${error.message}\n`);
  process.exitCode = 1;
});

async function main(): Promise<void> {
  const daemon = readDaemonWords(process.argv.slice(2)) ?? (await (await import('./cli/commands.js')).runCommand());
  if (daemon === undefined) return;
  optimizeLate();
  await (await import('./cli/daemon.js')).runDaemon(daemon);
}

void main();
