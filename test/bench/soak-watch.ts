/**
 * What the soak keeps beside the client that roams: what happened when, and clients that stay, one at each access point.
 * A gap that the one which stays has too is the mesh's: the routing protocol had no path.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { NodeView } from '../../src/status/peers.js';
import { Client, PingStream } from '../lab/client.js';
import { networkOf } from '../lab/forwarding.js';
import type { Router } from '../lab/router.js';
import { Service, until } from '../lab/shell.js';
import { SERVER4, SERVER6 } from '../lab/topology.js';
import { ask } from './programs.js';
import type { Roaming, Site } from './systems.js';

/** Milliseconds between two questions of a stream. */
const INTERVAL = 25;
/** Milliseconds without an answer that are a silence, and no single packet lost. */
const SILENCE = 4 * INTERVAL;
const MAX_EVENTS = 20_000;

/** Begins what a kernel said. */
const KERNEL = 'kernel: ';

/** Milliseconds: what befell the client so long before a gap says nothing about it. */
const RECENT = 300;

/** `client`: where it is, and who knows; `network`: links, paths, daemons. */
export type Subject = 'client' | 'network';

interface Happening {
  readonly at: number;
  readonly where: string;
  readonly about: Subject;
  readonly what: string;
}

/** What happened in the network; times in milliseconds since 1970. */
export class Timeline {
  #events: Happening[] = [];
  /** Since when each router's daemon runs; undefined: it does not, or not yet. */
  readonly #started = new Map<string, number | undefined>();

  constructor(private readonly site: Site) {}

  note(where: string, about: Subject, what: string, at = Date.now()): void {
    this.#events.push({ at, where, about, what });
    if (this.#events.length > 2 * MAX_EVENTS) this.#events = this.#events.slice(-MAX_EVENTS);
  }

  /** A router's kernel says which routes of the client's, and which ways to other routers, change. */
  watchKernel(router: string, client: { readonly address4: string; readonly address6: string }): void {
    const { net, cleanup } = this.site;
    const monitor = new Service('ip monitor', net.in(router, 'ip', '-oneline', 'monitor', 'route', 'nexthop'));
    cleanup.add(() => monitor.stop('SIGKILL'));
    const subjects: { readonly [subject in Subject]: readonly string[] } = {
      client: [`${client.address4} `, `${networkOf(client.address6)} `],
      network: ['10.97.0.0/24 ', 'fd97::/64 ', '10.99.0.', 'id '],
    };
    monitor.onLine = (line) => {
      for (const about of ['client', 'network'] as const) {
        const isAbout = subjects[about].some((word) => line.replace('Deleted ', '').startsWith(word));
        if (isAbout) this.note(router, about, `${KERNEL}${line.trim()}`);
      }
    };
  }

  /** To be called again for each daemon that starts. `mac`: the client's. */
  watchDaemon({ name, daemon }: Router, mac: string): void {
    const runs = (text: string) => text.includes('started as');
    this.#started.set(name, runs(daemon!.output) ? Date.now() : undefined);
    daemon!.onLine = (line) => {
      if (runs(line)) this.#started.set(name, Date.now());
      this.note(name, line.includes(mac) ? 'client' : 'network', `daemon: ${line}`);
    };
  }

  /** Since when a router's daemon runs; now, where it does not. */
  daemonStarted(router: string): number {
    return this.#started.get(router) ?? Date.now();
  }

  /**
   * What happened in a gap, in milliseconds from its beginning: first which routes each kernel had for the client at its
   * end, and since when; then all in order, of the time before it only what befell the network.
   */
  account(from: number, to: number, before: number): string[] {
    const line = ({ at, where, what }: Happening) => `${(at - from).toFixed(0).padStart(7)} ms  ${where.padEnd(6)} ${what}`;
    const events = this.#events.filter(({ at, about }) => at >= from - (about === 'client' ? RECENT : before) && at <= to);
    const latest = new Map<string, Happening>();
    for (const event of this.#events) {
      if (event.at > to || event.about !== 'client' || !event.what.startsWith(KERNEL)) continue;
      const [destination = ''] = event.what.slice(KERNEL.length).replace('Deleted ', '').split(' ');
      latest.set(`${event.where} ${destination}`, event);
    }
    const known = [...latest.values()].sort((a, b) => (a.where < b.where ? -1 : a.where > b.where ? 1 : 0));
    return ['what each kernel had in the end, and since when:', ...known.map(line), 'what happened:', ...events.map(line)];
  }
}

/** Seconds: longer than any node rests from dialling. */
const LONGEST_REST = 120;

/** Waits until all routers say of each router of the line that it floods to those next to it. */
export async function flooding(line: readonly Router[]): Promise<void> {
  const isNext = (i: number, j: number) => Math.abs(i - j) === 1;
  await Promise.all(
    line.map((router) =>
      until(`${router.name}: all routers flood to their neighbours`, LONGEST_REST, async () => {
        const { nodes } = (await ask(router, 'nodes')) as unknown as { nodes: NodeView[] };
        const known = line.map(({ name }) => nodes.find((node) => node.name === name));
        return known.every((one, i) => known.every((other, j) => !isNext(i, j) || (other !== undefined && one?.adjacencies.includes(other.node))));
      }),
    ),
  );
}

/** The ways between the server and a client, each asked all the time. */
export class Ways {
  readonly #streams: PingStream[];

  constructor({ net, cleanup }: Site, ways: readonly (readonly [from: string, to: string])[]) {
    this.#streams = ways.map(([from, to]) => new PingStream(net, from, to, INTERVAL, cleanup));
  }

  /** When the first questions since `time` that had an answer were sent; undefined while a way has none. */
  openSince(time: number): number | undefined {
    return latest(this.#streams.map((stream) => stream.firstSince(time)));
  }

  /** Ways without an answer since `time`. */
  closedSince(time: number): string[] {
    return this.#streams.filter((stream) => !stream.answeredSince(time)).map(({ from, to }) => `${from} to ${to}`);
  }

  /** The end of the last silence of any way that began before `to` and ended after `from`. */
  silentUntil(from: number, to: number): number | undefined {
    const silences = this.#streams.flatMap((stream) => stream.silences(from, to, SILENCE));
    return silences.length === 0 ? undefined : Math.max(...silences.map((silence) => silence.to));
  }
}

function latest(times: readonly (number | undefined)[]): number | undefined {
  return times.some((time) => time === undefined) ? undefined : Math.max(...(times as number[]));
}

/** The ways of a client in all four directions. */
export function waysOf(site: Site, client: string, [address4, address6]: readonly [string, string]): Ways {
  return new Ways(site, [['server', address4], ['server', address6], [client, SERVER4], [client, SERVER6]]);
}

/** A client that joins a router and stays there. */
export async function stay(site: Site, system: Roaming, router: string, n: number): Promise<Ways> {
  const { net, cleanup, directory } = site;
  const name = `stay-${router}`;
  await net.addHost(name, false);
  await mkdir(join(directory, name));
  const client = new Client(net, name, `02:00:00:00:01:f${n}`, join(directory, name), cleanup);
  await client.plugIn(router);
  await system.welcome(client, router);
  return waysOf(site, name, [await client.address(4), await client.address(6)]);
}

export interface Cause {
  readonly what: string;
  /** Milliseconds of the gap that it does not explain. */
  readonly beyond: number;
}

/** Until when what was the case that keeps a client from being reached, in milliseconds since 1970; undefined: never. */
export interface Obstacles {
  /** A client that was at the same router all the time was not reached either. */
  readonly noPath: number | undefined;
  /** The router's daemon did not run. */
  readonly noDaemon: number | undefined;
}

/** Why a client that came to a router at `from` was reached at `to` only: what was over last. */
export function causeOf(from: number, to: number, { noPath = from, noDaemon = from }: Obstacles): Cause {
  const until = Math.max(from, noPath, noDaemon);
  const beyond = Math.max(0, to - until);
  if (until === from) return { what: 'nothing known', beyond };
  return { what: until === noPath ? 'no path: who stayed was cut off too' : "the new router's daemon was starting", beyond };
}

/** The steps of the client's last moves, as each router's daemon has traced them. */
export async function tracesOf(routers: Iterable<Router>, mac: string): Promise<string[]> {
  const lines: string[] = [];
  for (const router of routers) {
    const { roams } = (await ask(router, 'trace', { enable: true }).catch(() => ({ roams: [] }))) as { roams?: { mac: string }[] };
    for (const move of (roams ?? []).filter((one) => one.mac === mac).slice(0, 3)) lines.push(`${router.name} traced ${JSON.stringify(move)}`);
  }
  return lines;
}
