/** What the kernel tells of its own accord: netlink multicast groups. */
import type { NativeSocket, PacketAddon } from '../addons.js';
import { int } from '../addons.js';
import type { BpfProgram } from '../bpf.js';
import { encodeBpf } from '../bpf.js';
import { errnoName } from '../errno.js';
import { NetlinkError } from './error.js';
import { SOL_NETLINK } from './socket.js';
import type { NetlinkMessage } from './wire.js';
import { parseMessages } from './wire.js';

const NETLINK_ADD_MEMBERSHIP = 1;
const NETLINK_DROP_MEMBERSHIP = 2;

export interface NetlinkMonitorOptions {
  /** NETLINK_ROUTE or NETLINK_GENERIC. */
  readonly protocol: number;
  /** Numbers of the groups, RTNLGRP_... or as generic netlink resolves them. */
  readonly groups: readonly number[];
  /** Messages that it does not let pass wake nobody. Default: all pass. */
  readonly filter?: BpfProgram;
  /** The messages of one wake-up, in the kernel's order. */
  readonly onMessages: (messages: NetlinkMessage[]) => void;
  /**
   * Messages were lost: read anew everything that is watched. ENOBUFS: they came faster than they were read; EMSGSIZE
   * or EBADMSG: one could not be read.
   */
  readonly onOverrun: (code: string) => void;
  /** Bytes of messages that may wait, as SO_RCVBUF counts them. Default 1 MiB. */
  readonly receiveBuffer?: number;
}

export class NetlinkMonitor {
  readonly #native: NativeSocket;
  #closed = false;

  /** @throws Error with `code`, {@link NetlinkError} when a group cannot be joined */
  constructor(addon: PacketAddon, options: NetlinkMonitorOptions) {
    this.#native = new addon.NetlinkSocket(options.protocol, options.receiveBuffer ?? 1 << 20, (errno, datagrams) => {
      if (errno === 0) this.#receive(datagrams!, options);
      else options.onOverrun(errnoName(errno));
    });
    try {
      if (options.filter !== undefined) check(this.#native.attachFilter(encodeBpf(options.filter)));
      for (const group of options.groups) this.join(group);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** @throws {@link NetlinkError} */
  join(group: number): void {
    this.#membership(NETLINK_ADD_MEMBERSHIP, group);
  }

  /** @throws {@link NetlinkError} */
  leave(group: number): void {
    this.#membership(NETLINK_DROP_MEMBERSHIP, group);
  }

  /** No message comes any more. May be called again, and from within a callback. */
  close(): void {
    this.#closed = true;
    this.#native.close();
  }

  #membership(option: number, group: number): void {
    check(this.#native.setOption(SOL_NETLINK, option, int(group)));
  }

  #receive(datagrams: Uint8Array[], options: NetlinkMonitorOptions): void {
    const messages: NetlinkMessage[] = [];
    let bad = false;
    for (const datagram of datagrams) {
      try {
        messages.push(...parseMessages(datagram));
      } catch {
        bad = true;
      }
    }
    if (messages.length > 0) options.onMessages(messages);
    if (bad && !this.#closed) options.onOverrun('EBADMSG');
  }
}

function check(errno: number): void {
  if (errno !== 0) throw new NetlinkError(errno);
}
