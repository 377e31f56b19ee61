/** The commands that ask the daemon: words to a method of its ubus object, its answer to text or JSON. */
import type { Argv } from 'yargs';
import type { LeaseView } from '../status/leases.js';
import type { NodeView, PeerView } from '../status/peers.js';
import type { RoamView, TraceView } from '../status/roams.js';
import type { ClientView } from '../status/views.js';
import { ask, askOn, withUbus } from './ask.js';
import { formatMetrics } from './metrics.js';
import type { OneClient, StatusView } from './show.js';
import { showClient, showClients, showHistory, showLeases, showNodes, showPeers, showProbe, showStatus, showTrace } from './show.js';
import { watch } from './watch.js';

export const ubus = { type: 'string', describe: 'Socket of ubusd (default: where OpenWrt has it)', requiresArg: true } as const;
export const json = { type: 'boolean', default: false, describe: 'Print JSON' } as const;
const mac = { type: 'string', describe: 'Only this client', requiresArg: true } as const;
const address = { type: 'string', requiresArg: true } as const;
const client = { type: 'string', describe: 'MAC address', demandOption: true } as const;

interface Asked {
  readonly ubus: string | undefined;
  readonly json: boolean;
  readonly [argument: string]: string | number | boolean | undefined;
}

const print = (text: string) => void process.stdout.write(text);

/** Asks the daemon and prints its answer: for people, or as it is. */
async function query<T>(method: string, show: (answer: T) => string, { ubus, json, ...args }: Asked): Promise<void> {
  const given = Object.fromEntries(Object.entries(args).filter(([, value]) => value !== undefined));
  const answer = await ask(ubus, method, given as { [name: string]: string });
  print(json ? `${JSON.stringify(answer, null, 2)}\n` : show(answer as T));
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
      'clients',
      'Show clients: which addresses they have, at which router they are',
      {
        mac,
        address: { ...address, describe: 'Only the client with this address' },
        node: { type: 'string', describe: 'Only clients at this router (host name or node id)', requiresArg: true },
        json,
        ubus,
      },
      ({ mac, address, node, json, ubus }) =>
        query<{ clients: ClientView[] }>('clients', showClients, { mac, address, node, json, ubus }),
    )
    .command(
      'client <mac>',
      'Show all about one client',
      (args) => args.positional('mac', client).options({ json, ubus }),
      ({ mac, json, ubus }) => query<OneClient>('client', (one) => showClient(one, Date.now() / 1000), { mac, json, ubus }),
    )
    .command('watch', 'Follow clients as they come, roam and go', { json, ubus }, ({ json, ubus }) => watch({ json, ubus }))
    .command(
      'history',
      'Show the last roams: who, from where to where, how long without a way',
      { mac, limit: { type: 'number', default: 20, describe: 'How many at the most', requiresArg: true }, json, ubus },
      ({ mac, limit, json, ubus }) => query<{ roams: RoamView[] }>('history', showHistory, { mac, limit, json, ubus }),
    )
    .command(
      'leases',
      'Show who has which address for how long',
      { mac, address: { ...address, describe: 'Only the lease of this address' }, json, ubus },
      ({ mac, address, json, ubus }) => query<{ leases: LeaseView[] }>('leases', showLeases, { mac, address, json, ubus }),
    )
    .command('nodes', 'Show all routers of the network', { json, ubus }, ({ json, ubus }) =>
      query<{ nodes: NodeView[] }>('nodes', showNodes, { json, ubus }),
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
      'probe <mac>',
      'Ask a client of this router whether it is there',
      (args) => args.positional('mac', client).options({ json, ubus }),
      ({ mac, json, ubus }) => query('probe', showProbe, { mac, json, ubus }),
    )
    .command(
      'disassociate <mac>',
      'Have the access point here send a client away',
      (args) => args.positional('mac', client).options({ json, ubus }),
      ({ mac, json, ubus }) => query('disassociate', () => `${mac} is sent away\n`, { mac, json, ubus }),
    )
    .command(
      'release',
      'End leases: those of a client, or that of an address',
      { mac, address: { ...address, describe: 'Only the lease of this address' }, json, ubus },
      ({ mac, address, json, ubus }) =>
        query<{ released: number }>('release', ({ released }) => `${released} released\n`, { mac, address, json, ubus }),
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
