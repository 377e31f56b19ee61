/** The command line: words to functions, and nothing else. */
import yargs from 'yargs';
import { hideBin } from 'yargs/helpers';
import { ask, CliError } from './cli/ask.js';
import { generateKey } from './cli/keygen.js';
import { CONFIG_FILE, ConfigError, loadConfig } from './cli/load-config.js';
import type { PeerView, StatusView } from './cli/show.js';
import { showClients, showPeers, showStatus, showTrace } from './cli/show.js';
import { runDaemon } from './cli/daemon.js';
import type { TraceView } from './status/trace.js';
import type { ClientView } from './status/views.js';
import { VERSION } from './version.js';

const config = { type: 'string', default: CONFIG_FILE, describe: 'Configuration file', requiresArg: true } as const;
const ubus = { type: 'string', describe: 'Socket of ubusd (default: where OpenWrt has it)', requiresArg: true } as const;
const json = { type: 'boolean', default: false, describe: 'Print JSON' } as const;

const print = (text: string) => process.stdout.write(text);

/** Asks the daemon and prints its answer: for people, or as it is. */
async function query<T>(
  method: string,
  show: (answer: T) => string,
  { ubus, json, ...args }: { ubus: string | undefined; json: boolean; [argument: string]: string | boolean | undefined },
): Promise<void> {
  const given = Object.fromEntries(Object.entries(args).filter(([, value]) => value !== undefined));
  const answer = await ask(ubus, method, given as { [name: string]: string });
  print(json ? `${JSON.stringify(answer, null, 2)}\n` : show(answer as T));
}

async function check(file: string): Promise<void> {
  const { enabled, interface: interfaces, peer } = await loadConfig(file);
  const role = interfaces.length === 0 ? 'a transit node' : `clients on ${interfaces.join(', ')}`;
  print(`${file}: good (${enabled ? role : 'not enabled'}; peers: ${peer.length})\n`);
}

const cli = yargs(hideBin(process.argv))
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
      else await runDaemon({ configFile: config, ubusSocket: ubus, supervised });
    },
  )
  .command('check', 'Check the configuration', { config }, (argv) => check(argv.config))
  .command(
    'clients',
    'Show clients: which addresses they have, at which router they are',
    {
      mac: { type: 'string', describe: 'Only this client', requiresArg: true },
      address: { type: 'string', describe: 'Only the client with this address', requiresArg: true },
      node: { type: 'string', describe: 'Only clients at this router (host name or node id)', requiresArg: true },
      json,
      ubus,
    },
    ({ mac, address, node, json, ubus }) =>
      query<{ clients: ClientView[] }>('clients', showClients, { mac, address, node, json, ubus }),
  )
  .command('peers', 'Show flooding sessions', { json, ubus }, ({ json, ubus }) =>
    query<{ peers: PeerView[] }>('peers', showPeers, { json, ubus }),
  )
  .command('status', 'Show how the daemon is', { json, ubus }, ({ json, ubus }) =>
    query<StatusView>('status', showStatus, { json, ubus }),
  )
  .command(
    'trace [state]',
    'Show where the time of the last roams went, in milliseconds',
    (args) => args.positional('state', { choices: ['on', 'off'] as const, describe: 'Begin or end tracing' }).options({ json, ubus }),
    ({ state, json, ubus }) =>
      query<{ enabled: boolean; roams: TraceView[] }>('trace', showTrace, {
        enable: state === undefined ? undefined : state === 'on',
        json,
        ubus,
      }),
  )
  .command('keygen', "Make a key for 'option key'", {}, () => {
    print(`${generateKey()}\n`);
  })
  .demandCommand(1, 'Say what to do: roaming --help lists the commands.')
  .strict()
  .version(VERSION)
  .alias('help', 'h')
  .wrap(80)
  .exitProcess(false)
  .fail((message, error) => {
    throw error ?? new CliError(`${message}`, 2);
  });

async function main(): Promise<void> {
  try {
    await cli.parseAsync();
  } catch (error) {
    const lines = error instanceof ConfigError ? error.lines : [describe(error)];
    for (const line of lines) process.stderr.write(`roaming: ${line}\n`);
    process.exitCode = error instanceof CliError ? error.code : 1;
  }
}

function describe(error: unknown): string {
  if (error instanceof CliError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

void main();
