/** The command line: words to functions, and nothing else. What only one command needs is loaded with it. */
import yargs from 'yargs';
import { hideBin } from 'yargs/helpers';
import { CliError, ExitCode } from './cli/ask.js';
import { generateKey } from './cli/keygen.js';
import { CONFIG_FILE, ConfigError, loadConfig } from './cli/load-config.js';
import { addQueries, json, ubus } from './cli/queries.js';
import { setupOptions } from './cli/setup/options.js';
import { VERSION } from './version.js';

const config = { type: 'string', default: CONFIG_FILE, describe: 'Configuration file', requiresArg: true } as const;
const offline = { type: 'boolean', default: false, describe: 'Only the configuration file' } as const;

const base = yargs(hideBin(process.argv))
  .scriptName('roaming')
  .usage('$0 <command>\n\nLets Wi-Fi clients keep their addresses and connections from router to router of a routed mesh.')
  .command(
    'daemon',
    'Run the daemon in the foreground',
    {
      config,
      ubus,
      check: { type: 'boolean', default: false, describe: 'Only read the configuration; exit code 1 if it is wrong' },
      supervised: { type: 'boolean', default: false, describe: 'Started again whenever it ends, as procd does: wait for a usable configuration' },
    },
    async ({ config, ubus, check, supervised }) => {
      if (check) await loadConfig(config);
      else await (await import('./cli/daemon.js')).runDaemon({ configFile: config, ubusSocket: ubus, supervised });
    },
  )
  .command('check', 'Look for what keeps roaming from working', { config, offline, json, ubus }, async (argv) => {
    const { check } = await import('./cli/check.js');
    if (!(await check(argv))) process.exitCode = ExitCode.failure;
  });

const cli = addQueries(base)
  .command('setup', 'Set this router up, or say what that takes', setupOptions, async (argv) =>
    (await import('./cli/setup.js')).setup(argv),
  )
  .command('keygen', "Make a key for 'option key'", {}, () => {
    process.stdout.write(`${generateKey()}\n`);
  })
  .completion('completion', 'Print a script that completes words in bash')
  .demandCommand(1, 'Say what to do: roaming --help lists the commands.')
  .strict()
  .version(VERSION)
  .alias('help', 'h')
  .wrap(80)
  .exitProcess(false)
  .fail((message, error) => {
    throw error ?? new CliError(`${message}`, ExitCode.usage);
  });

/** Who reads our output may have had enough: `roaming history | head`. */
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

async function main(): Promise<void> {
  try {
    await cli.parseAsync();
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
