/** Ethernet frames on one interface: AF_PACKET sockets, packet(7). */
import type { NativeSocket, PacketAddon } from './addons.js';
import { CHECKSUM_NOT_READY, FrameField, int } from './addons.js';
import type { BpfProgram } from './bpf.js';
import { encodeBpf } from './bpf.js';
import { errnoName, errnoText } from './errno.js';

/** ETH_P_ALL: frames of every protocol, outgoing ones too unless they are left out. */
const ETH_P_ALL = 0x0003;

const SOL_PACKET = 263;
const PACKET_ADD_MEMBERSHIP = 1;
const PACKET_STATISTICS = 6;
const PACKET_IGNORE_OUTGOING = 23;
const PACKET_MR_ALLMULTI = 2;

/** Where a frame was going, sll_pkttype in linux/if_packet.h; `other` comes with promiscuous interfaces and bridges. */
export type PacketType = 'host' | 'broadcast' | 'multicast' | 'other' | 'outgoing';

const PACKET_TYPES: readonly PacketType[] = ['host', 'broadcast', 'multicast', 'other', 'outgoing'];

export interface Frame {
  /** From the Ethernet header on, without an 802.1Q tag. Cut at the socket's snap length. */
  readonly bytes: Uint8Array;
  /** Length on the wire: more than `bytes.length` when the frame was cut. */
  readonly length: number;
  readonly type: PacketType;
  /** The interface it came in by. */
  readonly ifindex: number;
  /** Tag control information of the 802.1Q tag that the frame carried. */
  readonly vlan: number | undefined;
  /** False when a sender on this machine left the transport checksum to hardware that was never there. */
  readonly checksumReady: boolean;
}

export interface PacketSocketOptions {
  /** 0: all interfaces. */
  readonly ifindex: number;
  /** Default: every frame. */
  readonly filter?: BpfProgram;
  /** Bytes kept of a frame: 64 to 65,536, default 2,048. */
  readonly snapLength?: number;
  /** Receive every multicast group of the link, not only those joined (PACKET_MR_ALLMULTI). */
  readonly allMulticast?: boolean;
  /** See also what this machine sends. */
  readonly outgoing?: boolean;
  /** All that was waiting, at most 32 frames a call. */
  readonly onFrames: (frames: Frame[]) => void;
  /**
   * An error of the interface, by its errno name. ENETDOWN: the interface went down, and frames will come again once
   * it is up; or it is gone, and the socket with it is of no more use.
   */
  readonly onError: (code: string) => void;
}

/** Counts since the socket was opened. */
export interface PacketStatistics {
  /** Frames that passed the filter. */
  readonly received: number;
  /** Of those: dropped by the kernel, for want of room. */
  readonly dropped: number;
  readonly sent: number;
  /** Frames that could not be sent, for whatever reason. */
  readonly sendErrors: number;
}

export class PacketSocket {
  readonly #native: NativeSocket;
  readonly #options: PacketSocketOptions;
  #received = 0;
  #dropped = 0;
  #sent = 0;
  #sendErrors = 0;

  /** @throws Error with `code`: EPERM without CAP_NET_RAW, ENODEV when there is no such interface */
  constructor(addon: PacketAddon, options: PacketSocketOptions) {
    this.#options = options;
    this.#native = new addon.PacketSocket(
      options.ifindex,
      ETH_P_ALL,
      encodeBpf(options.filter ?? []),
      options.snapLength ?? 2048,
      (errno, messages, metadata) => {
        if (errno !== 0) options.onError(errnoName(errno));
        else this.#receive(messages!, metadata!);
      },
    );
    // Kernels before 4.20 cannot leave outgoing frames out, hence the second look in #receive.
    if (!options.outgoing) this.#native.setOption(SOL_PACKET, PACKET_IGNORE_OUTGOING, int(1));
    if (options.allMulticast) {
      // struct packet_mreq { int ifindex; u16 type; u16 alen; u8 address[8]; }
      const request = new Uint8Array(16);
      new Int32Array(request.buffer)[0] = options.ifindex;
      new Uint16Array(request.buffer)[2] = PACKET_MR_ALLMULTI;
      const errno = this.#native.setOption(SOL_PACKET, PACKET_ADD_MEMBERSHIP, request);
      if (errno !== 0) {
        this.#native.close();
        throw Object.assign(new Error(`PACKET_MR_ALLMULTI: ${errnoText(errno)}`), { code: errnoName(errno) });
      }
    }
  }

  /**
   * Sends one frame as it stands, never blocking: a full queue loses it.
   *
   * @returns the errno name of what went wrong: EAGAIN or ENOBUFS for a full queue, ENETDOWN, ENXIO, EMSGSIZE, EBADF
   *   when closed
   */
  send(frame: Uint8Array): string | undefined {
    const errno = this.#native.send(frame);
    if (errno === 0) {
      this.#sent++;
      return undefined;
    }
    this.#sendErrors++;
    return errnoName(errno);
  }

  statistics(): PacketStatistics {
    // struct tpacket_stats { unsigned packets, drops; }; the kernel starts again from zero at every reading.
    const counts = new Uint32Array(2);
    if (this.#native.getOption(SOL_PACKET, PACKET_STATISTICS, new Uint8Array(counts.buffer)) === 0) {
      this.#received += counts[0]!;
      this.#dropped += counts[1]!;
    }
    return { received: this.#received, dropped: this.#dropped, sent: this.#sent, sendErrors: this.#sendErrors };
  }

  /** No frame comes any more. May be called again, and from within {@link PacketSocketOptions.onFrames}. */
  close(): void {
    this.statistics();
    this.#native.close();
  }

  #receive(messages: Uint8Array[], metadata: Int32Array): void {
    const frames = messages.map((bytes, i) => toFrame(bytes, metadata, i * FrameField.count));
    const wanted = this.#options.outgoing ? frames : frames.filter((frame) => frame.type !== 'outgoing');
    if (wanted.length > 0) this.#options.onFrames(wanted);
  }
}

function toFrame(bytes: Uint8Array, metadata: Int32Array, at: number): Frame {
  const vlan = metadata[at + FrameField.vlan]!;
  return {
    bytes,
    length: metadata[at + FrameField.length]!,
    type: PACKET_TYPES[metadata[at + FrameField.type]!] ?? 'other',
    ifindex: metadata[at + FrameField.ifindex]!,
    vlan: vlan < 0 ? undefined : vlan,
    checksumReady: (metadata[at + FrameField.flags]! & CHECKSUM_NOT_READY) === 0,
  };
}
