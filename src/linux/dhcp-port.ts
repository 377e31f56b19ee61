/**
 * Holds UDP port 67 on the gateway's addresses. Packet sockets do the serving; but to a renewal, which comes by unicast,
 * the kernel would answer "port unreachable" where nobody has the port, and clients take that for a server that is gone.
 *
 * Bound to the gateway's addresses alone and with SO_REUSEADDR: a dnsmasq for other networks of the router, which binds
 * its sockets likewise (bind-dynamic, OpenWrt's preset), gets its port 67, whichever starts first, and keeps its datagrams.
 */
import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import type { Ip } from '../net/ip.js';
import { isIp6 } from '../net/ip.js';
import type { DhcpPort, Logger } from '../ports.js';

const DHCP_SERVER_PORT = 67;

export class LinuxDhcpPort implements DhcpPort {
  #sockets = new Map<Ip, Socket>();

  constructor(private readonly log: Logger) {}

  /** An address that the router does not have yet is tried again at the next call. */
  hold(addresses: readonly Ip[]): void {
    for (const [address, socket] of this.#sockets) {
      if (addresses.includes(address)) continue;
      this.#sockets.delete(address);
      socket.close();
    }
    for (const address of addresses) if (!this.#sockets.has(address)) this.#open(address);
  }

  #open(address: Ip): void {
    const socket = createSocket({ type: isIp6(address) ? 'udp6' : 'udp4', reuseAddr: true });
    this.#sockets.set(address, socket);
    socket.on('error', (error: NodeJS.ErrnoException) => {
      // Taken (EADDRINUSE): then somebody holds it, which is all that is needed.
      this.log.debug(`port ${DHCP_SERVER_PORT} of ${address} is not held: ${error.code ?? error.message}`);
      if (this.#sockets.get(address) !== socket) return;
      this.#sockets.delete(address);
      socket.close();
    });
    socket.bind({ address, port: DHCP_SERVER_PORT, exclusive: true }, () => socket.unref());
  }

  stop(): void {
    this.hold([]);
  }
}
