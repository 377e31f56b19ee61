/** What Node does not offer of its TCP sockets, by their options: tcp(7). */
import type { Socket } from 'node:net';
import type { PacketAddon } from './addons.js';
import { int } from './addons.js';

const IPPROTO_TCP = 6;
const TCP_INFO = 11;
const TCP_CONGESTION = 13;
const TCP_THIN_LINEAR_TIMEOUTS = 16;

/** In every kernel, and with it a stream counts as thin, which with BBR it never does: that knows no slow start threshold. */
const RENO = new Uint8Array([...'reno'].map((character) => character.charCodeAt(0)));

/** struct tcp_info of linux/tcp.h: how many words of 32 bits are read here, and where its fields are: two bytes, and words. */
const Info = { words: 37, retransmitsByte: 2, probesByte: 3, unacked: 6, notsentBytes: 36 } as const;

export class TcpOptions {
  readonly #addon: Pick<PacketAddon, 'getOption' | 'setOption'>;
  readonly #info = new Uint32Array(Info.words);
  readonly #infoBytes = new Uint8Array(this.#info.buffer);

  constructor(addon: Pick<PacketAddon, 'getOption' | 'setOption'>) {
    this.#addon = addon;
  }

  /**
   * What is lost is sent again every 200 ms or so for more than a second, before the time between two attempts is doubled
   * each time: a stream of a few small segments congests nothing (Linux: Documentation/networking/tcp-thin.rst). So what
   * is lost while a link is down for a second follows soon when it is back.
   */
  insist(socket: Socket): void {
    const fd = descriptorOf(socket);
    if (fd === undefined) return;
    this.#addon.setOption(fd, IPPROTO_TCP, TCP_CONGESTION, RENO);
    this.#addon.setOption(fd, IPPROTO_TCP, TCP_THIN_LINEAR_TIMEOUTS, int(1));
  }

  /** Whether the other end has acknowledged all that was written; false where the kernel does not say. */
  isAcknowledged(socket: Socket): boolean {
    if (socket.writableLength > 0 || !this.#readInfo(socket)) return false;
    return this.#info[Info.unacked] === 0 && this.#info[Info.notsentBytes] === 0;
  }

  /**
   * See {@link PeerStream.timeouts}; undefined where the kernel does not say. Where nothing is on its way, because the other
   * end has no room or this one cannot send, probes are counted instead, until one is answered.
   */
  timeouts(socket: Socket): number | undefined {
    if (!this.#readInfo(socket)) return undefined;
    return Math.max(this.#infoBytes[Info.retransmitsByte]!, this.#infoBytes[Info.probesByte]!);
  }

  #readInfo(socket: Socket): boolean {
    const fd = descriptorOf(socket);
    if (fd === undefined) return false;
    this.#info.fill(0);
    return this.#addon.getOption(fd, IPPROTO_TCP, TCP_INFO, this.#infoBytes) === 0;
  }
}

/** That of the TCP socket below where it is one of TLS. */
function descriptorOf(socket: Socket): number | undefined {
  const { _handle: handle } = socket as Socket & { readonly _handle?: { readonly fd?: number } | null };
  return handle?.fd !== undefined && handle.fd >= 0 ? handle.fd : undefined;
}
