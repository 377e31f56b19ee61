/**
 * A rehearsal: two daemons whose ports lead nowhere but to each other have a client move to and fro. V8 compiles a function
 * when it is first called: by that a router's first handover was measured to take more than ten times as long as its
 * second. Nothing of the rehearsal stays but what is compiled, 0.8 MiB that the first handover would take otherwise.
 */
import { parse } from 'uci-parser';
import type { Instant, Millis } from '../clients/time.js';
import { after, SECOND } from '../clients/time.js';
import type { Config } from '../config/config.js';
import { readConfig } from '../config/config.js';
import type { Ports } from '../daemon.js';
import { Daemon } from '../daemon.js';
import { arpFrame, ArpOperation } from '../net/arp.js';
import type { Ip } from '../net/ip.js';
import { parseIp, parseIp4 } from '../net/ip.js';
import type { Mac } from '../net/mac.js';
import { BROADCAST_MAC, parseMac } from '../net/mac.js';
import type { Clock, Logger, Mesh, PeerStream, PeerStreamEvents, ReceivedFrame, Timer } from '../ports.js';
import { systemRandom } from '../linux/clock.js';
import { WifiStations } from '../linux/wifi-stations.js';
import { StageKernel } from './stage-kernel.js';

const NETWORK = 'stage';
const IFINDEX = 1;
const CLIENT = parseMac('02:00:00:00:00:01');
const CLIENT_ADDRESS = parseIp4('192.0.2.9');
const PREFIXES = ['192.0.2.0/24', '2001:db8::/56'];

/** Twice to each router: newly come, and come back. */
const ROUNDS = 2;

/** Between two moves: the old router gives a client up after half a second, and nobody takes it for one that flaps. */
const STAY: Millis = 30 * SECOND;

/** Time that passes when it is told to. */
class StageClock implements Clock {
  #now = SECOND as Instant;
  #tasks: { readonly at: Instant; readonly task: () => void }[] = [];

  now(): Instant {
    return this.#now;
  }

  schedule(at: Instant, task: () => void): Timer {
    const entry = { at, task };
    this.#tasks.push(entry);
    return {
      cancel: () => {
        this.#tasks = this.#tasks.filter((one) => one !== entry);
      },
    };
  }

  /** Whatever else the process has to do has its turn after every task. */
  async pass(time: Millis): Promise<void> {
    const end = this.#now + time;
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve));
      const next = this.#tasks.reduce((a, b) => (b.at < a.at ? b : a), { at: Infinity as Instant, task: () => {} });
      if (next.at > end) break;
      this.#tasks = this.#tasks.filter((one) => one !== next);
      this.#now = Math.max(this.#now, next.at) as Instant;
      next.task();
    }
    this.#now = end as Instant;
  }
}

/** Connects whoever dials with the one that listens. */
class StageMesh {
  #accept: ((stream: PeerStream) => PeerStreamEvents) | undefined;

  readonly port: Mesh = {
    listen: async (accept) => void (this.#accept ??= accept),
    dial: (_, opened, failed) => {
      if (this.#accept === undefined) return failed('nobody listens');
      const near = new StageStream();
      const far = new StageStream();
      near.other = far;
      far.other = near;
      near.events = opened(near);
      far.events = this.#accept(far);
    },
    stop: () => {},
  };
}

class StageStream implements PeerStream {
  readonly remote = NETWORK;
  readonly queued = 0;
  readonly acknowledged = true;
  readonly timeouts = undefined;
  other: StageStream | undefined;
  events: PeerStreamEvents | undefined;

  write(bytes: Uint8Array): boolean {
    queueMicrotask(() => this.other?.events?.data(bytes));
    return true;
  }

  end(): void {
    queueMicrotask(() => this.destroy());
  }

  destroy(): void {
    for (const end of [this, this.other]) {
      end?.events?.closed(undefined);
      if (end !== undefined) end.events = undefined;
    }
  }
}

/** A router of the stage. */
class Actor {
  readonly #kernel = new StageKernel(NETWORK, IFINDEX, CLIENT);
  readonly #stations: WifiStations;
  hear: (received: ReceivedFrame) => void = () => {};
  #moved: (mac: Mac) => void = () => {};
  readonly notified: string[] = [];
  readonly ports: Ports;

  constructor(clock: Clock, mesh: Mesh, address: Ip) {
    const log: Logger = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} };
    this.#stations = new WifiStations({
      open: (handlers) => this.#kernel.open(handlers),
      listen: (_, moved) => {
        this.#moved = moved;
        return () => {};
      },
      log,
      after: (ms, task) => void clock.schedule(after(clock.now(), ms), task),
      networkOf: () => NETWORK,
    });
    this.ports = {
      clock,
      wallClock: { time: () => 0, boot: '' },
      random: systemRandom,
      log,
      mesh,
      kernel: {
        nexthopObjects: true,
        installRules: async () => {},
        removeRules: async () => {},
        state: async () => ({ routes: [], nexthops: [], neighbours: [] }),
        apply: (changes) => this.#kernel.apply(changes),
        resolve: async () => ({ ifindex: 2, gateway: undefined }),
        purge: () => {},
        forgetPort: () => {},
        clientLinks: async () => [{ network: NETWORK, ifindex: IFINDEX, mac: CLIENT, mtu: 1500, up: true, addresses: [] }],
        nodeAddresses: async () => [address],
        permanentMacs: async () => [],
        start: () => {},
        stop: () => {},
      },
      packets: { start: (listener) => void (this.hear = listener), attach: () => [], send: () => {}, stop: () => {} },
      stations: this.#stations,
      storage: { load: async () => undefined, save: async () => {}, setAside: async (name) => name },
      bus: { publish: () => {}, notify: (type) => void this.notified.push(type), stop: () => {} },
      linkControl: { settings: async () => new Map(), apply: async () => [], blockRedirects: async () => {}, stop: () => {} },
      dhcpPort: { hold: () => {}, stop: () => {} },
      strays: { start: async () => {}, refuse: () => {}, stop: async () => {} },
    };
  }

  /** The client comes to the access point here, which lets it pass; then it says what its address is. */
  async join(clock: StageClock): Promise<void> {
    this.#kernel.appear();
    this.#moved(CLIENT);
    await clock.pass(0);
    const packet = { operation: ArpOperation.request, senderMac: CLIENT, senderIp: CLIENT_ADDRESS, targetMac: CLIENT, targetIp: CLIENT_ADDRESS };
    this.hear({ network: NETWORK, frame: arpFrame(BROADCAST_MAC, packet) });
  }
}

function configOf(peers: readonly string[]): Config {
  const options = ["enabled '1'", "auth 'none'", "discovery '0'"].map((option) => `option ${option}`);
  const lists = [`interface '${NETWORK}'`, ...PREFIXES.map((prefix) => `prefix '${prefix}'`), ...peers.map((peer) => `peer '${peer}'`)];
  const text = ['config roaming', ...options, ...lists.map((item) => `list ${item}`)].join('\n');
  const { config, problems } = readConfig(parse(text, { name: NETWORK, file: NETWORK }), NETWORK);
  if (config === undefined) throw new Error(problems.map(({ message }) => message).join('; '));
  return config;
}

/** In small pieces, between which the process does what else it has to. Resolves to how many handovers there were. */
export async function rehearse(): Promise<number> {
  const clock = new StageClock();
  const mesh = new StageMesh();
  const start = async (n: number, peers: readonly string[]) => {
    const actor = new Actor(clock, mesh.port, parseIp(`198.51.100.${n}`));
    const options = { config: configOf(peers), hostname: `${NETWORK}${n}`, version: '', reload: async () => [] };
    return { actor, daemon: await Daemon.start(actor.ports, options) };
  };
  const cast = [await start(1, []), await start(2, ['198.51.100.1'])];
  await clock.pass(STAY);
  for (let round = 0; round < ROUNDS; round++) {
    for (const { actor } of cast) {
      await actor.join(clock);
      await clock.pass(STAY);
    }
  }
  const handovers = cast.reduce((sum, { actor }) => sum + actor.notified.filter((type) => type === 'roam').length, 0) / cast.length;
  const ends = cast.map(({ daemon }) => daemon.stop());
  await clock.pass(STAY);
  await Promise.all(ends);
  return handovers;
}
