/** What `roaming check` looks at, gathered: files, programs, ubus. What cannot be had is undefined, never an error. */
import { execFile } from 'node:child_process';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { Package } from 'uci-parser';
import { parse } from 'uci-parser';
import type { PlainTable, UbusClient } from 'ubus-ts';
import type { LeaseView } from '../../status/leases.js';
import type { NodeView, PeerView } from '../../status/peers.js';
import type { ClientView } from '../../status/views.js';
import { askOn, withUbus } from '../ask.js';
import type { BabelFacts } from './babel.js';
import type { MeshLink } from './network.js';
import { leasesOfPresent } from './network.js';
import { single } from './uci.js';

const run = promisify(execFile);

/** Milliseconds that another program or object may take. */
const TIMEOUT = 2000;

/** Where programs are on OpenWrt and elsewhere: PATH of a plain user may lack the second half. */
const PATH = `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`;

export interface BusFacts {
  /** hostapd's objects; undefined: ubusd does not answer. */
  readonly accessPoints: readonly string[] | undefined;
  readonly peers: readonly PeerView[] | undefined;
  readonly nodes: readonly NodeView[] | undefined;
  /** Those of clients that are at a router now. */
  readonly leases: readonly LeaseView[];
  /** What the daemon itself says is not as it should be. */
  readonly problems: readonly string[];
  readonly babelId: string | undefined;
}

const NO_BUS: BusFacts = { accessPoints: undefined, peers: undefined, nodes: undefined, leases: [], problems: [], babelId: undefined };

export async function gatherBus(socket: string | undefined): Promise<BusFacts> {
  return withUbus(socket, async (ubus) => ({
    accessPoints: (await ubus.list('hostapd.*').catch(() => [])).map(({ path }) => path),
    peers: (await tryCall(() => askOn(ubus, 'peers')))?.['peers'] as PeerView[] | undefined,
    nodes: (await tryCall(() => askOn(ubus, 'nodes')))?.['nodes'] as NodeView[] | undefined,
    leases: await presentLeases(ubus),
    problems: ((await tryCall(() => askOn(ubus, 'status')))?.['problems'] as string[] | undefined) ?? [],
    babelId: await babelId(ubus),
  })).catch(() => NO_BUS);
}

async function presentLeases(ubus: UbusClient): Promise<LeaseView[]> {
  const leases = (await tryCall(() => askOn(ubus, 'leases')))?.['leases'] as LeaseView[] | undefined;
  const clients = (await tryCall(() => askOn(ubus, 'clients')))?.['clients'] as ClientView[] | undefined;
  return leasesOfPresent(leases ?? [], clients ?? []);
}

/** With `option ubus_bindings` babeld says who it is. */
async function babelId(ubus: UbusClient): Promise<string | undefined> {
  const info = await tryCall(() => ubus.call('babeld', 'get_info', {}, { timeout: TIMEOUT }));
  const id = info?.['my-id'] ?? info?.['my_id'];
  return typeof id === 'string' ? id : undefined;
}

async function tryCall(call: () => Promise<PlainTable | undefined>): Promise<PlainTable | undefined> {
  try {
    return await call();
  } catch {
    return undefined;
  }
}

export async function gatherBabel(directory: string, routerId: string | undefined): Promise<BabelFacts> {
  const version = await output('babeld', '-V');
  const general = (await readUci(directory, 'babeld'))?.ofType('general')[0];
  const words = await commandLine('babeld');
  const files = (words ?? []).filter((_, i, all) => all[i - 1] === '-c');
  const texts = await Promise.all([...files, '/etc/babeld.conf'].map(readText));
  return {
    version: version?.trim().split('\n')[0],
    routerId: routerId ?? idInState(await readText('/var/lib/babel-state')),
    configuredId: (general && single(general, 'router_id')) ?? texts.map(idInConfig).find((id) => id !== undefined),
    running: words !== undefined,
  };
}

/** The words with which a program of that name was started that runs in our network namespace; undefined: none does. */
async function commandLine(name: string): Promise<string[] | undefined> {
  const own = await readlink('/proc/self/ns/net').catch(() => undefined);
  for (const pid of await readdir('/proc').catch(() => [])) {
    if (!/^\d+$/.test(pid) || (await readText(`/proc/${pid}/comm`))?.trim() !== name) continue;
    if ((await readlink(`/proc/${pid}/ns/net`).catch(() => undefined)) !== own) continue;
    return (await readText(`/proc/${pid}/cmdline`))?.split('\0');
  }
  return undefined;
}

function idInConfig(text: string | undefined): string | undefined {
  return /^\s*router-id\s+(\S+)/m.exec(text ?? '')?.[1];
}

/** babeld's state file, written when it stops: id, sequence number, time. */
function idInState(text: string | undefined): string | undefined {
  return /^([0-9a-f]{2}(?::[0-9a-f]{2}){7}) /.exec(text ?? '')?.[1];
}

export interface MeshFacts {
  /** The interfaces that lead to other routers, by the kernel's routes to their first addresses. */
  readonly links: readonly MeshLink[];
  /** Routers to none of whose addresses the kernel has a route. */
  readonly unreachable: readonly NodeView[];
}

export async function gatherMesh(nodes: readonly NodeView[]): Promise<MeshFacts> {
  const devices = new Set<string>();
  const unreachable: NodeView[] = [];
  for (const node of nodes) {
    if (node.self || node.addresses.length === 0) continue;
    const ways = await Promise.all(node.addresses.map(deviceTo));
    if (ways[0] !== undefined) devices.add(ways[0]);
    if (ways.every((way) => way === undefined)) unreachable.push(node);
  }
  return { links: await readMtus([...devices]), unreachable };
}

/** The interface of the kernel's route to an address; undefined: there is none. */
async function deviceTo(address: string): Promise<string | undefined> {
  const route = (await output('ip', 'route', 'get', address)) ?? '';
  return route.startsWith('unreachable') ? undefined : / dev (\S+)/.exec(route)?.[1];
}

export async function readMtus(devices: readonly string[]): Promise<MeshLink[]> {
  const links = await Promise.all(
    devices.map(async (device) => ({ device, mtu: Number(await readText(`/sys/class/net/${device}/mtu`)) })),
  );
  return links.filter(({ mtu }) => mtu > 0);
}

export async function readUci(directory: string, name: string): Promise<Package | undefined> {
  try {
    const file = `${directory}/${name}`;
    return parse(await readFile(file), { name, file });
  } catch {
    return undefined;
  }
}

async function readText(file: string): Promise<string | undefined> {
  return readFile(file, 'utf8').catch(() => undefined);
}

/** What a program prints, on either stream: babeld tells its version on standard error. */
async function output(program: string, ...words: string[]): Promise<string | undefined> {
  try {
    const { stdout, stderr } = await run(program, words, { timeout: TIMEOUT, env: { ...process.env, PATH, LC_ALL: 'C' } });
    return stdout || stderr;
  } catch {
    return undefined;
  }
}
