import { CliError, ExitCode } from './ask.js';
import { ConfigError } from './load-config.js';

/** What `work` comes to. Where it fails a person is told why, and the exit code says it. */
export async function reported<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    const lines = error instanceof ConfigError ? error.lines : [describe(error)];
    for (const line of lines) process.stderr.write(`roaming: ${line}\n`);
    process.exitCode = error instanceof CliError ? error.code : ExitCode.failure;
    return undefined;
  }
}

function describe(error: unknown): string {
  // What the system refused is not a fault of the program: where in it that was helps nobody.
  if (!(error instanceof Error)) return String(error);
  if (error instanceof CliError || isRefused(error) || isRefused(error.cause)) return error.message;
  return error.stack ?? error.message;
}

/** Whether the system, or uci for it, has refused: system errors have their name as `code`, such as EACCES. */
function isRefused(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return error.name === 'UciError' || ('syscall' in error && 'code' in error);
}
