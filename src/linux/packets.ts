/** Frames on the client interfaces: the Packets port over AF_PACKET sockets, one for each interface. */
import type { ClientLink, Logger, Packets, ReceivedFrame } from '../ports.js';
import type { PacketAddon } from './addons.js';
import { anyOf, clientTraffic } from './bpf.js';
import { PacketSocket } from './packet-socket.js';

interface Attached {
  readonly ifindex: number;
  readonly socket: PacketSocket;
}

export class PacketSockets implements Packets {
  #attached = new Map<string, Attached>();
  #listener: (received: ReceivedFrame) => void = () => {};

  constructor(
    private readonly addon: PacketAddon,
    private readonly log: Logger,
  ) {}

  start(listener: (received: ReceivedFrame) => void): void {
    this.#listener = listener;
  }

  attach(links: readonly ClientLink[]): readonly Error[] {
    const wanted = new Map(links.map((link) => [link.network, link]));
    for (const [network, { ifindex, socket }] of this.#attached) {
      if (wanted.get(network)?.ifindex === ifindex) continue;
      socket.close();
      this.#attached.delete(network);
    }
    const fresh = [...wanted].filter(([network]) => !this.#attached.has(network));
    return fresh.flatMap(([network, { ifindex }]) => this.#open(network, ifindex) ?? []);
  }

  #open(network: string, ifindex: number): Error | undefined {
    try {
      const socket = new PacketSocket(this.addon, {
        ifindex,
        filter: anyOf(...clientTraffic),
        // Solicitations for addresses of clients elsewhere go to groups that this router has not joined.
        allMulticast: true,
        onFrames: (frames) => {
          for (const { bytes, vlan } of frames) if (vlan === undefined) this.#listener({ network, frame: bytes });
        },
        // The interface went down or away; the kernel tells of that too, and of its return.
        onError: (code) => this.log.debug(`${network}: ${code}`),
      });
      this.#attached.set(network, { ifindex, socket });
      return undefined;
    } catch (error) {
      return new Error(`${network}: cannot open a packet socket: ${(error as Error).message}`, { cause: error });
    }
  }

  send(network: string, frame: Uint8Array): void {
    const error = this.#attached.get(network)?.socket.send(frame);
    if (error !== undefined) this.log.debug(`${network}: a frame was not sent: ${error}`);
  }

  stop(): void {
    for (const { socket } of this.#attached.values()) socket.close();
    this.#attached.clear();
  }
}
