/**
 * The native addon, and how it is loaded.
 *
 * It carries AF_NETLINK beside AF_PACKET. The `netlink` package from npm was weighed for that and set aside: an
 * exception in one of its listeners aborts the process, an overrun closes its socket, a worker that ends with a
 * socket open dies of a segmentation fault, it cannot set socket options (extended acknowledgements, strict dumps,
 * receive buffer), and its prebuilt binaries need glibc, which OpenWrt does not have.
 */
import { realpathSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

/**
 * A batch that came in, or an error of the socket.
 *
 * @param errno 0, or a positive errno; then the other two are undefined. The socket stays open.
 * @param messages frames, or netlink datagrams from the kernel
 * @param metadata of a packet socket: five numbers a frame, see {@link FrameField}
 */
export type NativeCallback = (errno: number, messages?: Uint8Array[], metadata?: Int32Array) => void;

/** Where in a frame's metadata each number stands. */
export const FrameField = { type: 0, ifindex: 1, vlan: 2, flags: 3, length: 4, count: 5 } as const;

/** Set in the flags of a frame whose transport checksum the hardware was to fill in: it came from this machine. */
export const CHECKSUM_NOT_READY = 1;

/** What both kinds of socket do. Errors are positive errno numbers, 0 is success; EBADF when closed. */
export interface NativeSocket {
  /** Sends without ever blocking. */
  send(bytes: Uint8Array): number;
  /** Calls back with what is waiting, a batch at the most, from within the call. */
  receive(): void;
  /** setsockopt(2), the value in host byte order. For SOL_PACKET and SOL_NETLINK: SOL_SOCKET has other numbers on MIPS. */
  setOption(level: number, name: number, value: Uint8Array): number;
  /** From now on only messages are received that the filter lets pass: an array of struct sock_filter in host byte order. */
  attachFilter(filter: Uint8Array): number;
  /** getsockopt(2) into `value`. */
  getOption(level: number, name: number, value: Uint8Array): number;
  /** Closes at once; no callback follows. May be called again, and from within the callback. */
  close(): void;
}

/** What packet.node exports. Constructors throw an `Error` with `errno`, `code` and `syscall`. */
export interface PacketAddon {
  readonly PacketSocket: new (
    ifindex: number,
    ethertype: number,
    filter: Uint8Array,
    slotLength: number,
    callback: NativeCallback,
  ) => NativeSocket;
  readonly NetlinkSocket: new (protocol: number, receiveBuffer: number, callback: NativeCallback) => NativeSocket;
  /** Calls back once, with EPIPE, when nobody reads any more what is written to a pipe or a socket. */
  readonly Hangup: new (fd: number, callback: NativeCallback) => Pick<NativeSocket, 'close'>;
  /** {@link NativeSocket.setOption} of any descriptor. */
  setOption(fd: number, level: number, name: number, value: Uint8Array): number;
  /** {@link NativeSocket.getOption} of any descriptor. */
  getOption(fd: number, level: number, name: number, value: Uint8Array): number;
}

/** An int, as setsockopt(2) takes it. */
export function int(value: number): Uint8Array {
  return new Uint8Array(Int32Array.of(value).buffer);
}

/** The addon is missing, or is not for this machine or this Node. */
export class AddonError extends Error {
  override readonly name = 'AddonError';
}

/**
 * Loads packet.node. Loading it twice gives the same code; each worker thread has sockets of its own.
 *
 * @throws {@link AddonError}
 */
export function loadPacketAddon(path: string): PacketAddon {
  const file = resolve(path);
  const module: { exports: unknown } = { exports: {} };
  try {
    // Not require(): this works the same from a bundle and from the sources.
    process.dlopen(module, file);
  } catch (error) {
    throw new AddonError(`cannot load the addon ${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
  return module.exports as PacketAddon;
}

/**
 * The one beside the program, wherever links to it lie: /usr/sbin/roaming is one.
 *
 * @throws {@link AddonError}
 */
export function installedAddon(): PacketAddon {
  return loadPacketAddon(join(dirname(realpathSync(process.argv[1]!)), 'packet.node'));
}
