/** `roaming setup`: says what has to change on this router, does it when asked to, and takes it back. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { InferredOptionTypes } from 'yargs';
import { GATEWAY_MAC } from '../gateway/gateway.js';
import type { Mac } from '../net/mac.js';
import { parseMac } from '../net/mac.js';
import { CliError, ExitCode } from './ask.js';
import { generateKey } from './keygen.js';
import { ensurePackage, openConfiguration } from './setup/configuration.js';
import type { UciCommand } from './setup/draft.js';
import { formatCommand, quote } from './setup/draft.js';
import type { Plan } from './setup/plan.js';
import { PACKAGES, planSetup } from './setup/plan.js';
import { setupOptions } from './setup/options.js';
import type { SetupRequest } from './setup/request.js';
import { completeRequest } from './setup/request.js';

export type SetupArguments = InferredOptionTypes<typeof setupOptions>;

export async function setup(argv: SetupArguments): Promise<void> {
  if (argv.undo) return undo(argv);
  const configuration = openConfiguration(argv.confdir);
  ensureOurs(argv);
  const packages = configuration.load(PACKAGES);
  if (!packages.has('network')) throw new CliError('there is no /etc/config/network: is this an OpenWrt router?');
  const known = packages.get('roaming')?.section('main')?.get('key');
  const key = argv.key ?? (typeof known === 'string' ? known : generateKey());
  const request = completeRequest({ ...argv, key, wifiKey: argv['wifi-key'] }, ownMac());
  const plan = planSetup(packages, request);
  process.stdout.write(describe(plan));
  if (!argv.apply) return void process.stdout.write(APPLY_HINT);
  if (plan.commands.length > 0) {
    saveUndo(argv['undo-file'], [...plan.undo, ...loadUndo(argv['undo-file'])]);
    configuration.apply(plan.commands);
    if (argv.confdir === undefined) reloadConfig();
  }
  process.stdout.write(nextRouter(request, argv));
}

const APPLY_HINT = "\n# Nothing is done yet: 'roaming setup ... --apply' does it, 'roaming setup --undo --apply' takes it back.\n";

function ensureOurs({ apply, confdir }: SetupArguments): void {
  if (apply) ensurePackage(confdir, 'roaming');
}

function describe({ commands, notes }: Plan): string {
  const lines = commands.length === 0 ? ['# All is set up already.'] : commands.map(formatCommand);
  const changed = [...new Set(commands.map(({ address }) => address.split('.', 1)[0]!))];
  const commit = changed.length === 0 ? [] : [`uci commit # ${changed.join(' ')}`, 'reload_config'];
  return [...lines, ...commit, ...notes.map((note) => `# Note: ${note}.`)].map((line) => `${line}\n`).join('');
}

/** What to type at the others: the same, with the key and a router to talk to. */
function nextRouter({ key, address4, ssid, wifiKey }: SetupRequest, { mesh, prefix, network }: SetupArguments): string {
  const options: [string, readonly string[]][] = [
    ['mesh', mesh],
    ['ssid', [ssid]],
    ['wifi-key', wifiKey === undefined ? [] : [wifiKey]],
    ['prefix', prefix],
    ['network', network === setupOptions.network.default ? [] : [network]],
    ['key', [key]],
    ['peer', [address4]],
  ];
  const words = options.flatMap(([name, values]) => values.flatMap((value) => [`--${name}`, quote(value)]));
  return `\n# On each other router, with its own ports behind --mesh:\n#   roaming setup ${words.join(' ')} --apply\n`;
}

function undo({ confdir, apply, 'undo-file': file }: SetupArguments): void {
  const commands = loadUndo(file);
  if (commands.length === 0) throw new CliError(`there is nothing to take back: ${file} is not there`, ExitCode.failure);
  process.stdout.write(commands.map((command) => `${formatCommand(command)}\n`).join(''));
  if (!apply) return void process.stdout.write("\n# Nothing is done yet: 'roaming setup --undo --apply' does it.\n");
  openConfiguration(confdir).apply(commands);
  rmSync(file);
  if (confdir === undefined) reloadConfig();
}

function loadUndo(file: string): UciCommand[] {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as UciCommand[];
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw new CliError(`${file}: ${(error as Error).message}`);
  }
}

/** Holds the old configuration's secrets as much as the configuration does. */
function saveUndo(file: string, commands: readonly UciCommand[]): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  writeFileSync(file, `${JSON.stringify(commands, null, 1)}\n`, { mode: 0o600 });
}

/** Has procd tell all services whose configuration has changed. */
function reloadConfig(): void {
  execFileSync('reload_config', { stdio: 'ignore' });
}

/** The lowest MAC of the hardware: what sets this router apart, and stays. */
function ownMac(): Mac {
  const macs = readdirSync('/sys/class/net')
    .map((name) => readFileSync(`/sys/class/net/${name}/address`, 'utf8').trim())
    .filter((mac) => mac !== GATEWAY_MAC && mac !== '00:00:00:00:00:00' && /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/.test(mac))
    .sort((a, b) => Number(isLocal(a)) - Number(isLocal(b)) || (a < b ? -1 : 1));
  if (macs[0] === undefined) throw new CliError('there is no network device with a MAC');
  return parseMac(macs[0]);
}

/** IEEE 802: locally administered, so perhaps made up at each boot. */
function isLocal(mac: string): boolean {
  return (parseInt(mac.slice(0, 2), 16) & 2) !== 0;
}
