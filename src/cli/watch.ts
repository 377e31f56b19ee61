/** `roaming watch`: follows the daemon's notifications, on a terminal as a table that changes, elsewhere as lines. */
import { fstatSync } from 'node:fs';
import type { PlainTable } from 'ubus-ts';
import { UbusClient } from 'ubus-ts';
import { installedAddon } from '../linux/addons.js';
import type { RoamView } from '../status/roams.js';
import type { ClientView } from '../status/views.js';
import { askOn, OBJECT } from './ask.js';
import { findClients, isAbout } from './find-clients.js';
import { chooseStyle } from './style.js';
import type { Heard } from './watch-view.js';
import { describeEvent, renderScreen } from './watch-view.js';
import { printable } from './table.js';

/** How many notifications are remembered for the last roam of each client. */
const MAX_EVENTS = 1000;

/** Ages count on, and signals change, without a notification: milliseconds. */
const REFRESH = 1000;

/** After this many milliseconds a user who waits is told what for. */
const PATIENCE = 2000;

/** What names begin with that hostapd's objects have. */
const ACCESS_POINTS = 'hostapd.*';

export interface WatchOptions {
  /** Only clients that are found by this word; undefined: all, and routers that come and go. */
  readonly word: string | undefined;
  readonly ubus: string | undefined;
  readonly json: boolean;
}

const wallTime = () => Date.now() / 1000;

/** Resolves when the user has had enough: at SIGINT, SIGTERM, or the end of who reads our output. */
export async function watch({ word, ubus: path, json }: WatchOptions): Promise<void> {
  const ubus = new UbusClient(path === undefined ? {} : { path });
  const screen = process.stdout.isTTY && !json ? new LiveScreen(ubus, word) : undefined;
  const write = (text: string) => void process.stdout.write(text);
  const heard = (event: Heard) => {
    if (screen !== undefined) screen.heard(event);
    else if (json) write(`${JSON.stringify({ time: event.time, type: event.type, ...event.data })}\n`);
    else write(`${printable(describeEvent(event))}\n`);
  };
  const patience = setTimeout(() => void process.stderr.write('roaming: waiting for the daemon to answer on ubus\n'), PATIENCE);
  try {
    await ubus.connect({ persist: true });
    await ubus.watch(OBJECT, {
      appeared: () => {
        clearTimeout(patience);
        screen?.appeared();
      },
      gone: () => screen?.gone(),
      notified: (_, type, data) => {
        if (isAbout(data, word)) heard({ time: wallTime(), type, data });
      },
    });
    await screen?.start();
    await untilStopped();
  } finally {
    clearTimeout(patience);
    screen?.stop();
    ubus.close();
  }
}

function untilStopped(): Promise<void> {
  return new Promise((resolve) => {
    const stop = () => {
      reader?.close();
      resolve();
    };
    const reader = watchReader(stop);
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop);
    process.stdout.on('error', stop);
  });
}

/**
 * Whoever reads our output through a pipe may go while nothing is told: `roaming watch | head -1`. Node would notice with the
 * next line. Undefined where the output has no end.
 */
function watchReader(gone: () => void): { close(): void } | undefined {
  const { fd } = process.stdout;
  const kind = fstatSync(fd);
  if (!kind.isFIFO() && !kind.isSocket()) return undefined;
  try {
    return new (installedAddon().Hangup)(fd, gone);
  } catch {
    return undefined;
  }
}

/** The table on a terminal. */
class LiveScreen {
  #clients: readonly ClientView[] | undefined;
  #signals = new Map<string, number>();
  #events: Heard[] = [];
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  #refreshing = false;
  /** Something has changed since what is being read was asked for. */
  #stale = false;
  readonly #style = chooseStyle(true, process.env);

  constructor(
    private readonly ubus: UbusClient,
    private readonly word: string | undefined,
  ) {}

  async start(): Promise<void> {
    this.#events = (await readRoams(this.ubus)).filter(({ data }) => isAbout(data, this.word));
    await this.#refresh();
    this.#timer = setInterval(() => void this.#refresh(), REFRESH);
  }

  stop(): void {
    this.#stopped = true;
    clearInterval(this.#timer);
  }

  appeared(): void {
    void this.#refresh();
  }

  gone(): void {
    this.#clients = undefined;
    this.#draw();
  }

  heard(event: Heard): void {
    this.#events = [...this.#events, event].slice(-MAX_EVENTS);
    void this.#refresh();
  }

  /** One at a time: of a large network it takes longer than until the next. */
  async #refresh(): Promise<void> {
    this.#stale = true;
    if (this.#refreshing) return;
    this.#refreshing = true;
    while (this.#stale && !this.#stopped) {
      this.#stale = false;
      await this.#read();
    }
    this.#refreshing = false;
  }

  async #read(): Promise<void> {
    try {
      this.#signals = await readSignals(this.ubus);
      const clients = (await askOn(this.ubus, 'clients'))['clients'] as unknown as ClientView[];
      this.#clients = this.word === undefined ? clients : findClients(clients, this.word);
    } catch {
      this.#clients = undefined;
    }
    this.#draw();
  }

  #draw(): void {
    if (this.#stopped) return;
    const { columns = 80, rows = 24 } = process.stdout;
    const state = { clients: this.#clients, signals: this.#signals, events: this.#events };
    const text = renderScreen(state, wallTime(), { columns, rows }, this.#style);
    // Home, each line cleared behind its end, and what is below: no flicker, and the scrollback stays as it is.
    process.stdout.write(`\x1b[H${text.replaceAll('\n', '\x1b[K\n')}\x1b[J`);
  }
}

/** Roams from before we looked, as if they had been heard. */
async function readRoams(ubus: UbusClient): Promise<Heard[]> {
  const { roams = [] } = (await askOn(ubus, 'history', { limit: MAX_EVENTS }).catch(() => ({}))) as { roams?: RoamView[] };
  return roams.reverse().map(({ time, to, to_name, ...roam }) => ({
    time,
    type: 'roam',
    data: { ...roam, node: to, node_name: to_name },
  }));
}

/** The signals of the stations of this router's access points, in dBm by MAC; of those that may be asked. */
async function readSignals(ubus: UbusClient): Promise<Map<string, number>> {
  const signals = new Map<string, number>();
  const accessPoints = await ubus.list(ACCESS_POINTS).catch(() => []);
  for (const { path } of accessPoints) {
    const answer = await ubus.call(path, 'get_clients').catch(() => undefined);
    const clients = answer?.['clients'] as PlainTable | undefined;
    for (const [mac, station] of Object.entries(clients ?? {})) {
      const signal = (station as PlainTable)['signal'];
      if (typeof signal === 'number') signals.set(mac.toLowerCase(), signal);
    }
  }
  return signals;
}
