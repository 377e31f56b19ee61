/**
 * `make bench-handover`: how long a client's streams stop when it roams, and what that costs, system against system in
 * one run. Environment: ROAMS (for each system, 50), HOPS (3,6), INTERVAL (2 ms), SYSTEMS (names' first letters: l,r,a,b).
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client } from '../lab/client.js';
import { Cleanup, Service, sleep, until } from '../lab/shell.js';
import { SERVER4, SERVER6, Topology } from '../lab/topology.js';
import type { Captured, StreamPacket } from './capture.js';
import { readStreamPacket } from './capture.js';
import type { Gap } from './gaps.js';
import { gapOf } from './gaps.js';
import { Capture, IpShell, residentSet } from './programs.js';
import type { Measured, StreamName } from './report.js';
import { report, STREAMS } from './report.js';
import { PAYLOAD_SIZE, STREAM_PORT } from './stream-format.js';
import type { Site, System } from './systems.js';
import { LayerTwo, Renumbering, Roaming } from './systems.js';

const here = dirname(fileURLToPath(import.meta.url));
const programs = { roaming: join(here, '../dist/roaming.js'), accessPoint: join(here, 'access-point.mjs') };
const stream = join(here, 'stream.mjs');

const roams = Number(process.env['ROAMS'] ?? 50);
const interval = Number(process.env['INTERVAL'] ?? 2);
const hopCounts = (process.env['HOPS'] ?? '3,6').split(',').map(Number);
const wanted = process.env['SYSTEMS'] ?? 'lrab';

const PREFIX = 'bench';
const CLIENT_MAC = '02:00:00:00:00:01';

function systems(): System[] {
  const all = {
    l: () => new LayerTwo(),
    r: () => new Roaming({ name: 'roaming', dwell: 800, announcing: false }),
    a: () => new Roaming({ name: 'roaming, announcing only', dwell: 6000, announcing: true }),
    b: () => new Renumbering(),
  };
  return Object.entries(all).flatMap(([letter, make]) => (wanted.includes(letter) ? [make()] : []));
}

/** A line of routers, a server behind the last, a client. */
async function makeSite(hops: number, cleanup: Cleanup): Promise<Site> {
  const directory = await mkdtemp(join(tmpdir(), `${PREFIX}-`));
  cleanup.add(() => rm(directory, { recursive: true, force: true }));
  const net = new Topology(PREFIX, cleanup);
  await net.sweep();
  const routers = Array.from({ length: hops + 1 }, (_, i) => `r${i + 1}`);
  for (const router of routers) await net.addHost(router, true);
  for (let i = 1; i < routers.length; i++) await net.link(routers[i - 1]!, routers[i]!);
  await net.addHost('server', false);
  await net.link(routers.at(-1)!, 'server');
  await net.addHost('client', false);
  await mkdir(join(directory, 'client'));
  return { net, cleanup, directory, programs, routers };
}

class Run {
  readonly #client: Client;
  readonly #shells: Map<string, IpShell>;
  readonly #points: readonly string[];

  constructor(
    private readonly site: Site,
    private readonly system: System,
  ) {
    const { net, cleanup, routers, directory } = site;
    this.#client = new Client(net, 'client', CLIENT_MAC, join(directory, 'client'), cleanup);
    this.#points = routers.slice(0, -1);
    this.#shells = new Map(this.#points.map((router) => [router, new IpShell(net, router, cleanup)]));
  }

  async measure(): Promise<Measured> {
    const { system, site } = this;
    await system.build(site);
    await this.#client.plugIn('r1');
    await system.welcome(this.#client, 'r1');
    const [down, up] = [this.#capture('client', 'eth0', true), this.#capture('server', `to-${site.routers.at(-1)}`, true)];
    const streams = await this.#startStreams();
    const backbone = site.routers.slice(1).map((router, i) => this.#capture(site.routers[i]!, `to-${router}`, false));
    await Promise.all([down, up, ...backbone].map((capture) => capture.ready()));
    const quiet = Date.now();
    await sleep(5000);
    if (system instanceof Roaming) await system.trace(true);
    const windows = await this.#walk();
    if (system instanceof Roaming && process.env['TRACE']) {
      for (const [name, text] of Object.entries(await system.trace(false))) console.log(`${name}\n${text}`);
    }
    const memory = await Promise.all(site.routers.map((router) => residentSet(site.net, router, system.processes)));
    for (const service of streams) await service.stop('SIGKILL');
    const [downs, ups] = [packetsOf(await down.end(), 'down'), packetsOf(await up.end(), 'up')];
    const control = await Promise.all(backbone.map((capture) => capture.end()));
    return {
      name: system.name,
      hops: site.routers.length - 1,
      gaps: gapsOf([...downs, ...ups], windows),
      controlBytes: controlBytes(control, quiet, windows),
      memory: Math.max(...memory),
    };
  }

  async #walk(): Promise<Window[]> {
    const windows: Window[] = [];
    for (let i = 0; i < roams; i++) {
      const others = this.#points.filter((router) => router !== this.#client.at);
      const to = others[Math.floor(Math.random() * others.length)]!;
      const from = Date.now();
      await this.#roam(to);
      await sleep(this.system.dwell * (0.75 + Math.random() / 2));
      windows.push({ from: from - 5, to: Date.now() });
    }
    return windows;
  }

  async #roam(to: string): Promise<void> {
    const client = this.#client;
    const { net } = this.site;
    await this.#shells.get(client.at)!.run(`link set ${client.plug} netns ${net.ns(to)}`);
    client.at = to;
    await this.#shells.get(to)!.run(`link set ${client.plug} master br-client up`);
    this.system.arrived(client, to);
  }

  /** Until all four flow. */
  async #startStreams(): Promise<Service[]> {
    const { net, cleanup } = this.site;
    const start = (host: string, ...words: string[]) => {
      const command = ['chrt', '-f', '1', process.execPath, stream, ...words];
      const service = new Service('stream', net.in(host, ...command));
      cleanup.add(() => service.stop('SIGKILL'));
      return service;
    };
    const services = [start('server', 'server', `${interval}`), start('client', 'client', `${interval}`, SERVER4, SERVER6)];
    for (const server of [SERVER4, SERVER6]) {
      await until(`the client reaches ${server}`, 90, () =>
        net.exec('client', 'ping', '-c', '1', '-W', '1', server).then(() => true, () => false),
      );
    }
    return services;
  }

  /** Of the streams, or of everything else. */
  #capture(host: string, device: string, streams: boolean): Capture {
    const { net, directory, cleanup } = this.site;
    const filter = `${streams ? '' : 'not '}udp port ${STREAM_PORT}`;
    return new Capture(net, host, device, join(directory, `${host}-${device}.pcap`), filter, cleanup);
  }
}

interface Window {
  readonly from: number;
  readonly to: number;
}

function packetsOf(captured: readonly Captured[], direction: 'up' | 'down'): StreamPacket[] {
  return captured.flatMap((one) => {
    const packet = readStreamPacket(one, PAYLOAD_SIZE);
    return packet?.direction === direction ? [packet] : [];
  });
}

function gapsOf(packets: readonly StreamPacket[], windows: readonly Window[]): Measured['gaps'] {
  const of = (name: StreamName) => {
    const stream = packets.filter(({ family, direction }) => name === `${direction} v${family}`);
    return windows.map(({ from, to }) => gapOf(stream, from, to, interval));
  };
  return Object.fromEntries(STREAMS.map((name) => [name, of(name)] as const)) as { [name in StreamName]: Gap[] };
}

/** On a link of the backbone for one roam, on the average: beyond what flows when nothing happens. */
function controlBytes(links: readonly (readonly Captured[])[], quiet: number, windows: readonly Window[]): number {
  const [begin, end] = [windows[0]!.from, windows.at(-1)!.to];
  const bytes = (from: number, to: number) =>
    links.flat().reduce((sum, { time, length }) => sum + (time >= from && time < to ? length : 0), 0);
  const idle = bytes(quiet, begin) / (begin - quiet);
  return Math.max(0, bytes(begin, end) - idle * (end - begin)) / windows.length / links.length;
}

async function measure(hops: number, system: System): Promise<Measured> {
  const cleanup = new Cleanup();
  const interrupted = () => void cleanup.run().then(() => process.exit(130));
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted);
  try {
    return await new Run(await makeSite(hops, cleanup), system).measure();
  } finally {
    process.off('SIGINT', interrupted).off('SIGTERM', interrupted);
    await cleanup.run();
  }
}

async function main(): Promise<void> {
  for (const hops of hopCounts) {
    const results: Measured[] = [];
    for (const system of systems()) results.push(await measure(hops, system));
    process.stdout.write(report(results, { roams, interval, air: 'cables between network namespaces' }));
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`${(error as Error).stack}\n`);
  process.exitCode = 1;
});
