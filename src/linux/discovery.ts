/**
 * The {@link Discovery} port: UDP over IPv6 to a multicast group of link-local scope.
 *
 * One socket serves all interfaces: it is a member of the group on those that are attached and passes over whatever
 * does not come from a link-local address on one of them. Nothing is ever answered to a sender, so that nobody can be
 * made to send to others; how much is looked at in a second is bounded.
 */
import { createSocket } from 'node:dgram';
import type { RemoteInfo, Socket } from 'node:dgram';
import { existsSync, readFileSync } from 'node:fs';
import type { Discovery, DiscoveryEvents, InterfaceChoice, Logger } from '../ports.js';
import { monotonicTime } from './clock.js';
import { seal, unseal } from './hello-seal.js';
import { ADDRESSES6 } from './ip6.js';
import { reasonOf } from './mesh-errors.js';
import { SINK } from './strays.js';

/** Transient, link-local scope (RFC 4291 2.7), the group id out of the dynamic range (RFC 3307 4.3). */
export const HELLO_GROUP = 'ff12::8000:115c';

/** Datagrams of one interface that are looked at in a second. */
const MAX_PER_SECOND = 100;

/** A hello is much shorter. */
const MAX_DATAGRAM = 512;

/** Milliseconds from a bind that failed to the next. */
const RETRY = 30_000;

/** Flags of linux/if_addr.h: duplicate address detection (RFC 4862 5.4) has failed, or is not done yet. */
const IFA_F_DADFAILED = 0x08;
const IFA_F_TENTATIVE = 0x40;

interface Attached {
  readonly ifindex: number;
  /** Datagrams looked at since `second` began. */
  looked: number;
  second: number;
}

export interface LinuxDiscoveryOptions {
  /** What derivePsk made of the key; undefined: hellos are in the clear. */
  readonly psk: Promise<Uint8Array> | undefined;
  readonly log: Logger;
  /** Interfaces that have a link-local address to send from, and their indexes. Default: as the kernel has them. */
  readonly interfaces?: () => Map<string, number>;
  /** Default {@link RETRY}. */
  readonly retry?: number;
}

export class LinuxDiscovery implements Discovery {
  readonly #options: LinuxDiscoveryOptions;
  readonly #attached = new Map<string, Attached>();
  #choice: InterfaceChoice = { only: [], except: [] };
  #psk: Uint8Array | undefined;
  #socket: Socket | undefined;
  #port = 0;
  #events: DiscoveryEvents | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Why the port cannot be had. */
  #failure: string | undefined;
  #stopped = false;
  readonly #counts = { hello_received: 0, hello_sent: 0, hello_refused: 0, hello_too_many: 0 };

  constructor(options: LinuxDiscoveryOptions) {
    this.#options = options;
  }

  get counters(): { readonly [name: `hello_${string}`]: number } {
    return this.#counts;
  }

  start(port: number, events: DiscoveryEvents): void {
    this.#port = port;
    this.#events = events;
    void Promise.resolve(this.#options.psk).then((psk) => {
      this.#psk = psk;
      this.#open();
    });
  }

  #open(): void {
    if (this.#stopped) return;
    const socket = createSocket({ type: 'udp6', ipv6Only: true });
    const failed = (error: Error) => {
      this.#failed(reasonOf(error));
      this.#socket = undefined;
      this.#attached.clear();
      socket.close();
      this.#timer = setTimeout(() => this.#open(), this.#options.retry ?? RETRY);
    };
    socket.on('error', failed);
    socket.on('message', (datagram, from) => this.#receive(datagram, from));
    socket.bind(this.#port, () => {
      if (this.#stopped) return void socket.close();
      try {
        socket.setMulticastLoopback(false);
        this.#socket = socket;
        this.attach(this.#choice);
        this.#failed(undefined);
      } catch (error) {
        failed(error as Error);
      }
    });
  }

  /** Said once for as long as it is so. */
  #failed(why: string | undefined): void {
    if (why === this.#failure) return;
    this.#failure = why;
    if (why === undefined) this.#options.log.info(`looking for neighbours on UDP port ${this.#port} again`);
    else this.#options.log.warn(`looking for neighbours on UDP port ${this.#port}: ${why}`);
  }

  attach(choice: InterfaceChoice): void {
    this.#choice = choice;
    if (this.#socket === undefined) return;
    const present = (this.#options.interfaces ?? linkLocalInterfaces)();
    const wanted = new Map([...present].filter(([name]) => isChosen(name, choice)));
    for (const [name, { ifindex }] of this.#attached) if (wanted.get(name) !== ifindex) this.#leave(this.#socket, name);
    const before = this.#attached.size;
    for (const [name, ifindex] of wanted) if (!this.#attached.has(name)) this.#join(this.#socket, name, ifindex);
    if (this.#attached.size > before) this.#events?.attached();
  }

  #join(socket: Socket, name: string, ifindex: number): void {
    try {
      socket.addMembership(HELLO_GROUP, `::%${name}`);
    } catch (error) {
      this.#options.log.debug(`${name}: cannot look for neighbours: ${reasonOf(error as Error)}`);
      return;
    }
    this.#attached.set(name, { ifindex, looked: 0, second: 0 });
  }

  #leave(socket: Socket, name: string): void {
    this.#attached.delete(name);
    try {
      socket.dropMembership(HELLO_GROUP, `::%${name}`);
    } catch {
      // The interface is gone, and its membership with it.
    }
  }

  send(content: Uint8Array): void {
    for (const name of this.#attached.keys()) {
      this.#socket?.send(seal(content, this.#psk), this.#port, `${HELLO_GROUP}%${name}`, (error) => {
        if (error === null) this.#counts.hello_sent++;
      });
    }
  }

  #receive(datagram: Uint8Array, { address }: RemoteInfo): void {
    const [host = '', name = ''] = address.split('%');
    const attached = this.#attached.get(name);
    if (attached === undefined || !/^fe[89ab]/.test(host) || datagram.length > MAX_DATAGRAM) return;
    this.#counts.hello_received++;
    if (this.#isTooMany(attached)) {
      this.#counts.hello_too_many++;
      return;
    }
    const content = unseal(datagram, this.#psk);
    if (content === undefined) this.#counts.hello_refused++;
    else this.#events?.heard(content, address);
  }

  #isTooMany(attached: Attached): boolean {
    const second = Math.floor(monotonicTime() / 1000);
    if (attached.second !== second) [attached.second, attached.looked] = [second, 0];
    return ++attached.looked > MAX_PER_SECOND;
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#socket?.close();
    this.#socket = undefined;
    this.#attached.clear();
  }
}

/** Never the interface that nothing comes back from. */
function isChosen(name: string, { only, except }: InterfaceChoice): boolean {
  return name !== SINK && (only === undefined || only.includes(name)) && !except.includes(name);
}

/** Ports of a bridge are left out: what arrives there is the bridge's, and what is sent there goes to its other side. */
function linkLocalInterfaces(): Map<string, number> {
  return new Map([...usableLinkLocals(readAddresses())].filter(([name]) => !existsSync(`/sys/class/net/${name}/master`)));
}

/** '' where the kernel has no IPv6. Throws where that is not known: then those of before are as good as any. */
function readAddresses(): string {
  try {
    return readFileSync(ADDRESSES6, 'ascii');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}

/**
 * Indexes by name of the interfaces that have a link-local address which may be used, out of what {@link ADDRESSES6} says.
 * From a tentative one nothing can be sent: a hello would be lost, and who answers another's could not be connected to.
 */
export function usableLinkLocals(text: string): Map<string, number> {
  const found = new Map<string, number>();
  for (const line of text.split('\n')) {
    const [address = '', ifindex = '', , , flags = '', name] = line.trim().split(/\s+/);
    const isUsable = (parseInt(flags, 16) & (IFA_F_TENTATIVE | IFA_F_DADFAILED)) === 0;
    if (name !== undefined && /^fe[89ab]/.test(address) && isUsable) found.set(name, parseInt(ifindex, 16));
  }
  return found;
}
