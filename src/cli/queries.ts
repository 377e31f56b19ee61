/** The commands that ask the daemon: words to a method of its ubus object, its answer to text or JSON. */
import type { Argv } from 'yargs';
import type { LeaseView } from '../status/leases.js';
import type { NodeView, PeerView } from '../status/peers.js';
import { sortNodes } from '../status/peers.js';
import type { RoamView, TraceView } from '../status/roams.js';
import type { ClientView } from '../status/views.js';
import { parseMac } from '../net/mac.js';
import { ask, askOn, CliError, ExitCode, withUbus } from './ask.js';
import { findClients } from './find-clients.js';
import { formatMetrics } from './metrics.js';
import type { OneClient, StatusView } from './show.js';
import { showClient, showClients, showHistory, showLeases, showNodes, showPeers, showProbe, showStatus, showTrace } from './show.js';
import { count, lineWidth } from './table.js';
import { watch } from './watch.js';

export const ubus = { type: 'string', describe: 'Socket of ubusd (default: where OpenWrt has it)', requiresArg: true } as const;
export const json = { type: 'boolean', default: false, describe: 'Print JSON' } as const;
const mac = { type: 'string', describe: 'Only this client', requiresArg: true } as const;
const address = { type: 'string', requiresArg: true } as const;
const who = { type: 'string', describe: 'Name, MAC or address, or a part that only one client has' } as const;
const target = { type: 'string', describe: 'Name, MAC or address' } as const;
const word = { type: 'string', describe: 'Only those with this in their name, MAC or addresses, or at this router' } as const;
const client = { ...who, demandOption: true } as const;

interface Asked {
  readonly ubus: string | undefined;
  readonly json: boolean;
  readonly [argument: string]: string | number | boolean | undefined;
}

const print = (text: string) => void process.stdout.write(text);

/** Asks the daemon and prints what is selected of its answer: for people, or as it is. */
async function query<T>(
  method: string,
  show: (answer: T, width: number) => string,
  { ubus, json, ...args }: Asked,
  select: (answer: T) => T = (answer) => answer,
): Promise<void> {
  for (const [name, value] of Object.entries(args)) {
    if (Number.isNaN(value)) throw new CliError(`--${name}: a number is expected`, ExitCode.usage);
  }
  const given = Object.fromEntries(Object.entries(args).filter(([, value]) => value !== undefined));
  const answer = select((await ask(ubus, method, given as { [name: string]: string })) as T);
  print(json ? `${JSON.stringify(answer, null, 2)}\n` : show(answer, lineWidth(process.stdout)));
}

/** In a pipe each row has all, for who reads it line by line. */
function showAll(word: string | undefined, asked: Asked): Promise<void> {
  return query<{ clients: ClientView[] }>(
    'clients',
    (answer, width) => showClients(answer, width, process.stdout.isTTY !== true),
    asked,
    ({ clients }) => ({ clients: word === undefined ? clients : findClients(clients, word) }),
  );
}

async function allClients(socket: string | undefined): Promise<ClientView[]> {
  return ((await ask(socket, 'clients')) as unknown as { clients: ClientView[] }).clients;
}

/** The MAC of the one client that is meant; by a part of it only where nothing is done to it. Throws {@link CliError}. */
async function macOf(socket: string | undefined, word: string, exact = false): Promise<string> {
  // A MAC as it stands: history and leases may know more clients than there are.
  if (isMac(word)) return word;
  const found = findClients(await allClients(socket), word, exact);
  if (found.length === 1) return found[0]!.mac;
  if (found.length === 0) throw new CliError(`no client has ${exact ? `the name, MAC or address '${word}'` : `'${word}' in its name, MAC or addresses`}: see 'roaming clients'`);
  throw new CliError(`'${word}' may be ${count(found.length, 'client')}:\n${showClients({ clients: found }, lineWidth(process.stderr)).trimEnd()}`, ExitCode.usage);
}

function isMac(word: string): boolean {
  try {
    parseMac(word);
    return true;
  } catch {
    return false;
  }
}

async function metrics(socket: string | undefined): Promise<void> {
  const readings = await withUbus(socket, async (ubus) => ({
    status: (await askOn(ubus, 'status')) as unknown as StatusView,
    nodes: (await askOn(ubus, 'nodes'))['nodes'] as unknown as NodeView[],
    peers: (await askOn(ubus, 'peers'))['peers'] as unknown as PeerView[],
  }));
  print(formatMetrics(readings));
}

export function addQueries<T>(cli: Argv<T>): Argv<T> {
  cli
    .command(
      'clients [word]',
      'Show clients: which addresses they have, at which router they are',
      (args) =>
        args.positional('word', word).options({
          mac,
          address: { ...address, describe: 'Only the client with this address' },
          node: { type: 'string', describe: 'Only clients at this router (host name or node id)', requiresArg: true },
          json,
          ubus,
        }),
      ({ word, mac, address, node, json, ubus }) => showAll(word, { mac, address, node, json, ubus }),
    )
    .command(
      'client <client>',
      'Show all about one client',
      (args) => args.positional('client', client).options({ json, ubus }),
      async ({ client, json, ubus }) =>
        query<OneClient>('client', (one, width) => showClient(one, Date.now() / 1000, width), { mac: await macOf(ubus, client), json, ubus }),
    )
    .command(
      'watch [word]',
      'Follow clients as they come, roam and go',
      (args) => args.positional('word', word).options({ json, ubus }),
      ({ word, json, ubus }) => watch({ word, json, ubus }),
    )
    .command(
      'history [client]',
      'Show the last roams: who, from where to where, how long without a way',
      (args) =>
        args.positional('client', who).options({
          mac,
          limit: { type: 'number', default: 20, describe: 'How many at the most', requiresArg: true },
          json,
          ubus,
        }),
      async ({ client, mac, limit, json, ubus }) =>
        query<{ roams: RoamView[] }>('history', showHistory, {
          mac: client === undefined ? mac : await macOf(ubus, client),
          limit,
          json,
          ubus,
        }),
    )
    .command(
      'leases',
      'Show who has which address for how long',
      { mac, address: { ...address, describe: 'Only the lease of this address' }, json, ubus },
      ({ mac, address, json, ubus }) =>
        query<{ leases: LeaseView[] }>('leases', showLeases, { mac, address, json, ubus }, ({ leases }) => ({
          leases: leases.sort((a, b) => a.family - b.family),
        })),
    )
    .command('nodes', 'Show all routers of the network', { json, ubus }, ({ json, ubus }) =>
      query<{ nodes: NodeView[] }>('nodes', showNodes, { json, ubus }, ({ nodes }) => ({ nodes: sortNodes(nodes) })),
    )
    .command('peers', 'Show flooding sessions', { json, ubus }, ({ json, ubus }) =>
      query<{ peers: PeerView[] }>('peers', showPeers, { json, ubus }),
    )
    .command('status', 'Show how the daemon is', { json, ubus }, ({ json, ubus }) =>
      query<StatusView>('status', showStatus, { json, ubus }),
    )
    .command('metrics', 'Print measurements for Prometheus', { ubus }, ({ ubus }) => metrics(ubus))
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
    );
  return addActions(cli);
}

function addActions<T>(cli: Argv<T>): Argv<T> {
  return cli
    .command(
      'probe <client>',
      'Ask a client of this router whether it is there',
      (args) => args.positional('client', client).options({ json, ubus }),
      async ({ client, json, ubus }) => query('probe', showProbe, { mac: await macOf(ubus, client), json, ubus }),
    )
    .command(
      'disassociate <client>',
      'Have the access point here send a client away',
      (args) => args.positional('client', { ...target, demandOption: true }).options({ json, ubus }),
      async ({ client, json, ubus }) => {
        const mac = await macOf(ubus, client, true);
        await query('disassociate', () => `${mac} is sent away\n`, { mac, json, ubus });
      },
    )
    .command(
      'release [client]',
      'End leases: those of a client, or that of an address',
      (args) =>
        args.positional('client', target).options({ mac, address: { ...address, describe: 'Only the lease of this address' }, json, ubus }),
      async ({ client, mac, address, json, ubus }) =>
        query<{ released: number }>('release', ({ released }) => `${released} released\n`, {
          mac: client === undefined ? mac : await macOf(ubus, client, true),
          address,
          json,
          ubus,
        }),
    )
    .command('reload', 'Have the daemon read its configuration again', { json, ubus }, ({ json, ubus }) =>
      query<{ reloaded: boolean; problems: string[] }>(
        'reload',
        ({ reloaded, problems }) => {
          if (!reloaded) process.exitCode = 1;
          return reloaded ? 'reloaded\n' : problems.map((problem) => `${problem}\n`).join('');
        },
        { json, ubus },
      ),
    );
}
