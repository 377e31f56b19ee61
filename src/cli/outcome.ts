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
  if (error instanceof CliError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
