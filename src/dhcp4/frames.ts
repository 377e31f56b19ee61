/** Between frames of a client network and messages. */
import type { Ip4 } from '../net/ip.js';
import type { Mac } from '../net/mac.js';
import { BadInput } from '../net/bytes.js';
import { parseUdpFrame4, writeUdpFrame4 } from '../net/frame4.js';
import type { Dhcp4Reply, RequestMeta } from './exchange.js';
import type { Dhcp4Message } from './message.js';
import { DHCP_SERVER_PORT, parseDhcp4, writeDhcp4 } from './message.js';

/** Throws BadInput or ShortInput where the frame holds no whole DHCP message to a server. */
export function parseRequestFrame(network: string, frame: Uint8Array): { message: Dhcp4Message; meta: RequestMeta } {
  const { sourceMac, source, destination, destinationPort, payload } = parseUdpFrame4(frame);
  if (destinationPort !== DHCP_SERVER_PORT) throw new BadInput(`UDP port ${destinationPort}`);
  const meta = { network, sourceMac, sourceIp: source, destinationIp: destination };
  return { message: parseDhcp4(payload), meta };
}

/** The frame of a reply from the gateway's addresses. */
export function writeReplyFrame(reply: Dhcp4Reply, gateway: { readonly mac: Mac; readonly ip: Ip4 }): Uint8Array {
  return writeUdpFrame4({
    sourceMac: gateway.mac,
    destinationMac: reply.to.mac,
    source: gateway.ip,
    destination: reply.to.ip,
    sourcePort: DHCP_SERVER_PORT,
    destinationPort: reply.to.port,
    payload: writeDhcp4(reply.message, reply.limit),
  });
}
