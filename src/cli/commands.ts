/** The commands and their words, read by yargs. What only one command needs is loaded with it. */
import yargs from 'yargs';
import { hideBin } from 'yargs/helpers';
import { VERSION } from '../version.js';
import { CliError, ExitCode } from './ask.js';
import { explain } from './explain.js';
import { generateKey } from './keygen.js';
import type { DaemonArguments } from './daemon.js';
import { CONFIG_FILE } from './daemon-words.js';
import { loadConfig } from './load-config.js';
import { reported } from './outcome.js';
import { addQueries, json, ubus } from './queries.js';
import { setupOptions } from './setup/options.js';
import { lineWidth } from './table.js';

const config = { type: 'string', default: CONFIG_FILE, describe: 'Configuration file', requiresArg: true } as const;
const offline = { type: 'boolean', default: false, describe: 'Only the configuration file' } as const;

/** What the words asked a daemon to be run with. */
let daemon: DaemonArguments | undefined;

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
      else daemon = { configFile: config, ubusSocket: ubus, supervised };
    },
  )
  .command('check', 'Look for what keeps roaming from working', { config, offline, json, ubus }, async (argv) => {
    const { check } = await import('./check.js');
    if (!(await check(argv))) process.exitCode = ExitCode.failure;
  });

const cli = addQueries(base)
  .command('setup', 'Set this router up, or say what that takes', setupOptions, async (argv) =>
    (await import('./setup.js')).setup(argv),
  )
  .command('keygen', "Make a key for 'option key'", {}, () => {
    process.stdout.write(`${generateKey()}\n`);
  })
  .completion('completion', 'Print a script that completes words in bash')
  .demandCommand(1, 'say what to do: roaming --help lists the commands')
  .recommendCommands()
  .strictCommands()
  .strict()
  .version(VERSION)
  .alias('help', 'h')
  .wrap(Math.min(80, lineWidth(process.stdout)))
  .exitProcess(false)
  .fail((message: string | null, error: Error | undefined) => {
    // yargs throws what it has to say of some words.
    const isUsage = error === undefined || error.name === 'YError';
    throw isUsage ? new CliError(explain(message ?? error?.message ?? '', hideBin(process.argv)), ExitCode.usage) : error;
  });

/** Does what the words on the command line say, but for running a daemon: with what to run it is the result. */
export async function runCommand(): Promise<DaemonArguments | undefined> {
  await reported(() => cli.parseAsync());
  return daemon;
}
