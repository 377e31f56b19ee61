/** A client walks from router to router while pings and a TCP connection run; what it noticed is measured. */
import type { Client } from './client.js';
import { PingStream } from './client.js';
import type { Lab, RouterName } from './lab.js';
import type { Gap } from './pings.js';
import { Service, sleep, until } from './shell.js';
import { SERVER4, SERVER6 } from './topology.js';

export const PING_INTERVAL = 10;

/** The four streams: family, and who asks. */
export const STREAMS = ['v4 down', 'v4 up', 'v6 down', 'v6 up'] as const;
export type StreamName = (typeof STREAMS)[number];

export interface Roam {
  readonly from: string;
  readonly to: string;
  /** Milliseconds for which the cable was in neither bridge. */
  readonly away: number;
  readonly gaps: { readonly [name in StreamName]: Gap };
  /** Streams that had no answer any more when the time for this roam was over, nor in some seconds more. */
  readonly dead: readonly StreamName[];
}

export class Journey {
  readonly streams: { readonly [name in StreamName]: PingStream };
  readonly #tcp: Service;
  #echoed = -1;
  #tcpEnded = false;

  private constructor(
    private readonly lab: Lab,
    private readonly client: Client,
    private readonly listener: Service,
    address4: string,
    address6: string,
    tcpPeer: string,
  ) {
    const ping = (from: string, to: string) => new PingStream(lab.net, from, to, PING_INTERVAL, lab.cleanup);
    this.streams = {
      'v4 down': ping('server', address4),
      'v4 up': ping(client.name, SERVER4),
      'v6 down': ping('server', address6),
      'v6 up': ping(client.name, SERVER6),
    };
    this.#tcp = lab.service(client.name, process.execPath, tcpPeer, 'connect', SERVER4, '7777');
    this.#tcp.onLine = (line) => {
      if (/^\d+$/.test(line)) this.#echoed = Number(line);
      else this.#tcpEnded = true;
    };
  }

  /** Starts the streams and waits until all of them flow. */
  static async start(lab: Lab, client: Client, tcpPeer: string): Promise<Journey> {
    const [address4, address6] = [await client.address(4), await client.address(6)];
    const listener = lab.service('server', process.execPath, tcpPeer, 'listen', SERVER4, '7777');
    await until('the TCP server listens', 10, async () => listener.output.includes('listening'));
    const journey = new Journey(lab, client, listener, address4, address6, tcpPeer);
    await until('pings and TCP flow', 20, async () => journey.flowing);
    return journey;
  }

  get flowing(): boolean {
    return this.#echoed >= 0 && STREAMS.every((name) => this.streams[name].answers > 20);
  }

  /** Numbers that came back over the one TCP connection so far; it is alive while this grows. */
  get echoed(): number {
    return this.#echoed;
  }

  get tcpEnded(): boolean {
    return this.#tcpEnded;
  }

  /** Roams, waits `settle` milliseconds, and says what was lost meanwhile. */
  async roam(to: RouterName, settle = 2500): Promise<Roam> {
    const start = Date.now();
    const { from, away } = await this.lab.roam(this.client, to);
    await sleep(settle);
    const end = Date.now() - 300;
    const gaps = Object.fromEntries(STREAMS.map((name) => [name, this.streams[name].gap(start - 200, end)]));
    const silent = () => STREAMS.filter((name) => !this.streams[name].answeredSince(end - 500));
    await until('all streams are back', 5, async () => silent().length === 0).catch(() => {});
    const dead = silent();
    return { from, to, away, gaps: gaps as Roam['gaps'], dead };
  }

  async stop(): Promise<void> {
    await this.#tcp.stop();
    await this.listener.stop();
    for (const name of STREAMS) await this.streams[name].stop();
  }
}
