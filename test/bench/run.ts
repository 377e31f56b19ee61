/** One system, one client that roams, and what becomes of its streams. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from '../lab/client.js';
import { Cleanup, sleep } from '../lab/shell.js';
import { Topology } from '../lab/topology.js';
import type { Air } from './air.js';
import type { Captured, StreamPacket } from './capture.js';
import { readStreamPacket } from './capture.js';
import type { Shares } from './control.js';
import { combine, countControl } from './control.js';
import { gapOf } from './gaps.js';
import { Capture, residentSet, startStreams } from './programs.js';
import type { Conditions, Measured, RoamGap, StreamName } from './report.js';
import { STREAMS } from './report.js';
import { PAYLOAD_SIZE } from './stream-format.js';
import type { Programs, Site, System } from './systems.js';

/** Begins the names of the namespaces: two benchmarks at once need two. */
const PREFIX = process.env['LAB_NAME'] ?? 'bench';
const CLIENT_MAC = '02:00:00:00:00:01';

/**
 * How long is watched what flows when nothing happens, in milliseconds. After all roams, when routers that have just
 * found each other have settled, and some time after the last.
 */
const QUIET = 15_000;
const CALM = 5000;

/** A client that goes back at once stays at the other router for less, in milliseconds. */
const BRIEFLY = 100;

/** A line of routers, a server behind the last, a client. */
export async function makeSite(hops: number, programs: Programs, cleanup: Cleanup): Promise<Site> {
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
  readonly #points: readonly string[];

  constructor(
    private readonly site: Site,
    private readonly system: System,
    private readonly air: Air,
    private readonly conditions: Conditions,
  ) {
    const { net, cleanup, routers, directory } = site;
    this.#client = new Client(net, 'client', CLIENT_MAC, join(directory, 'client'), cleanup);
    this.#points = routers.slice(0, -1);
  }

  async measure(): Promise<Measured> {
    const { system, site } = this;
    await system.build(site);
    await this.air.open(site);
    await this.air.join(this.#client, 'r1');
    if (this.conditions.forgets !== true) await this.#client.keepNeighbours();
    await system.welcome(this.#client, 'r1');
    const [down, up] = [new Capture(site, 'client', 'eth0', { streams: true }), new Capture(site, 'server', `to-${site.routers.at(-1)}`, { streams: true })];
    const streams = await startStreams(site, this.conditions.interval);
    const backbone = site.routers.slice(1).map((router, i) => new Capture(site, site.routers[i]!, `to-${router}`, { streams: false }));
    await Promise.all([down, up, ...backbone].map((capture) => capture.ready()));
    await sleep(system.settling ?? 0);
    const windows = await this.#walk();
    const returns = await this.#bounce();
    await sleep(CALM);
    const quiet = Date.now();
    await sleep(QUIET);
    const memory = await Promise.all(site.routers.map((router) => residentSet(site.net, router, system.processes)));
    for (const service of streams) await service.stop('SIGKILL');
    const [downs, ups] = [packetsOf(await down.end(), 'down'), packetsOf(await up.end(), 'up')];
    const control = await Promise.all(backbone.map((capture) => capture.end()));
    const packets = [...downs, ...ups];
    return {
      name: system.name,
      hops: site.routers.length - 1,
      gaps: gapsOf(packets, windows, this.conditions.interval),
      returns: gapsOf(packets, returns, this.conditions.interval),
      control: controlOf(control, quiet, quiet + QUIET, windows),
      memory: Math.max(...memory),
    };
  }

  async #walk(): Promise<Window[]> {
    const windows: Window[] = [];
    for (let i = 0; i < this.conditions.roams; i++) {
      const from = Date.now();
      await this.#roam(this.#elsewhere());
      const connected = this.air.connectedAt;
      await sleep(this.#dwell);
      windows.push({ from: from - 5, connected, to: Date.now() });
    }
    return windows;
  }

  /** To another router and back before many can have heard of it. */
  async #bounce(): Promise<Window[]> {
    const windows: Window[] = [];
    for (let i = 0; i < (this.conditions.returns ?? 0); i++) {
      const [back, from] = [this.#client.at, Date.now()];
      await this.#roam(this.#elsewhere());
      await sleep(Math.random() * BRIEFLY);
      await this.#roam(back);
      const connected = this.air.connectedAt;
      await sleep(this.#dwell);
      windows.push({ from: from - 5, connected, to: Date.now() });
    }
    return windows;
  }

  #elsewhere(): string {
    const others = this.#points.filter((router) => router !== this.#client.at);
    return others[Math.floor(Math.random() * others.length)]!;
  }

  async #roam(to: string): Promise<void> {
    await this.air.roam(this.#client, to);
    this.system.arrived(this.#client, to);
  }

  get #dwell(): number {
    return Math.max(this.system.dwell, this.conditions.dwell ?? 0) * (0.75 + Math.random() / 2);
  }
}

interface Window {
  readonly from: number;
  /** When the client had a carrier at the last router that it went to. */
  readonly connected: number;
  readonly to: number;
}

/** What a capture shows of the streams in one direction. */
export function packetsOf(captured: readonly Captured[], direction: 'up' | 'down'): StreamPacket[] {
  return captured.flatMap((one) => {
    const packet = readStreamPacket(one, PAYLOAD_SIZE);
    return packet?.direction === direction ? [packet] : [];
  });
}

function gapsOf(packets: readonly StreamPacket[], windows: readonly Window[], interval: number): Measured['gaps'] {
  const of = (name: StreamName): RoamGap[] => {
    const stream = packets.filter(({ family, direction }) => name === `${direction} v${family}`);
    return windows.map(({ from, connected, to }) => {
      const gap = gapOf(stream, from, to, interval);
      return { ...gap, connected: Math.max(0, gap.ended - connected) };
    });
  };
  return Object.fromEntries(STREAMS.map((name) => [name, of(name)] as const)) as { [name in StreamName]: RoamGap[] };
}

/** On a link of the backbone for one roam, on the average: beyond what flows when nothing happens. */
function controlOf(links: readonly (readonly Captured[])[], calm: number, end: number, windows: readonly Window[]): Shares {
  const [first, last] = [windows[0]!.from, windows.at(-1)!.to];
  const captured = links.flat();
  const [roaming, idle] = [countControl(captured, first, last), countControl(captured, calm, end)];
  const share = (last - first) / (end - calm);
  return combine(roaming, idle, (some, usual) => (some - usual * share) / windows.length / links.length);
}

/** Builds the network, measures, and takes it away again. */
export async function measure(
  { hops, programs }: { hops: number; programs: Programs },
  system: System,
  air: Air,
  conditions: Conditions,
): Promise<Measured> {
  const cleanup = new Cleanup();
  const interrupted = () => void cleanup.run().then(() => process.exit(130));
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted);
  try {
    return await new Run(await makeSite(hops, programs, cleanup), system, air, conditions).measure();
  } finally {
    process.off('SIGINT', interrupted).off('SIGTERM', interrupted);
    await cleanup.run();
  }
}
