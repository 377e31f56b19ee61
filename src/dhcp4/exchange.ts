/** What goes into the server and what comes out of it. */
import type { Ip4 } from '../net/ip.js';
import { ANY4, BROADCAST4 } from '../net/ip.js';
import type { Mac } from '../net/mac.js';
import { BROADCAST_MAC } from '../net/mac.js';
import type { Dhcp4Message } from './message.js';
import { DHCP_CLIENT_PORT, DHCP_SERVER_PORT, MIN_DATAGRAM_BYTES, Op } from './message.js';
import type { Options } from './options.js';
import { OptionCode, optionU16 } from './options.js';

/** How a message arrived. */
export interface RequestMeta {
  /** The client interface. */
  readonly network: string;
  /** Source address of the frame: the client, or the relay agent. */
  readonly sourceMac: Mac;
  readonly sourceIp: Ip4;
  readonly destinationIp: Ip4;
}

export interface Dhcp4Reply {
  readonly message: Dhcp4Message;
  readonly to: { readonly mac: Mac; readonly ip: Ip4; readonly port: number };
  /** Bytes of IP datagram that the client takes: what writeDhcp4 has to keep to. */
  readonly limit: number;
}

/** What the database has to learn. */
export type Dhcp4Effect =
  /** The client has the address from now on, for that long. */
  | { readonly kind: 'lease'; readonly address: Ip4; readonly mac: Mac; readonly lifetimeSeconds: number }
  /** The client gave the address back, or has another. */
  | { readonly kind: 'release'; readonly address: Ip4; readonly mac: Mac }
  /** Somebody else seems to use the address: the client has it no more, it rests for a while, and is worth a probe. */
  | { readonly kind: 'decline'; readonly address: Ip4; readonly mac: Mac; readonly restsSeconds: number }
  /** The client has taken what another server on its link offered. */
  | { readonly kind: 'rival'; readonly server: Ip4; readonly mac: Mac }
  | { readonly kind: 'hostname'; readonly mac: Mac; readonly name: string };

/** Why a message was not answered and changed nothing. */
export type DropReason =
  | 'malformed'
  /** A reply, BOOTP, or a type that servers do not take. */
  | 'not for a server'
  /** The IP destination is another host. */
  | 'other destination'
  /** The frame is not from the client in whose name it speaks. */
  | 'spoofed'
  | 'unknown relay'
  /** The client chose another server. */
  | 'other server'
  | 'rate limited'
  | 'no address left'
  /** RELEASE or DECLINE of an address that is not the client's. */
  | 'not its address';

export interface Dhcp4Result {
  readonly reply?: Dhcp4Reply;
  readonly effects: readonly Dhcp4Effect[];
  readonly dropped?: DropReason;
}

/** Longest datagram sent: what one frame holds. */
const MAX_DATAGRAM_BYTES = 1500;

/** The reply to `request` (RFC 2131 table 3), addressed as 4.1 says. */
export function replyTo(
  request: Dhcp4Message,
  meta: RequestMeta,
  fields: { readonly yiaddr: Ip4; readonly ciaddr: Ip4; readonly options: Options; readonly isNak: boolean },
): Dhcp4Reply {
  const { options, ciaddr, yiaddr, isNak } = fields;
  const isRelayed = request.giaddr !== ANY4;
  const message: Dhcp4Message = {
    op: Op.bootReply,
    hops: 0,
    xid: request.xid,
    secs: 0,
    // 4.3.2: so that the relay agent broadcasts the NAK to a client whose address may be wrong.
    broadcast: request.broadcast || (isNak && isRelayed),
    ciaddr,
    yiaddr,
    siaddr: ANY4,
    giaddr: request.giaddr,
    chaddr: request.chaddr,
    sname: new Uint8Array(0),
    file: new Uint8Array(0),
    options: withEchoes(options, request.options),
  };
  const asked = optionU16(request.options, OptionCode.maximumMessageSize) ?? MIN_DATAGRAM_BYTES;
  const limit = Math.max(MIN_DATAGRAM_BYTES, Math.min(asked, MAX_DATAGRAM_BYTES));
  return { message, to: destination(request, meta, yiaddr, isNak), limit };
}

/** RFC 6842 and RFC 3046: what goes back as it came. */
function withEchoes(options: Options, asked: Options): Options {
  const all = new Map(options);
  for (const code of [OptionCode.clientIdentifier, OptionCode.relayAgentInformation]) {
    const value = asked.get(code);
    if (value !== undefined) all.set(code, value);
  }
  return all;
}

function destination(request: Dhcp4Message, meta: RequestMeta, yiaddr: Ip4, isNak: boolean): Dhcp4Reply['to'] {
  const { giaddr, ciaddr, chaddr, broadcast } = request;
  if (giaddr !== ANY4) return { mac: meta.sourceMac, ip: giaddr, port: DHCP_SERVER_PORT };
  const everybody = { mac: BROADCAST_MAC, ip: BROADCAST4, port: DHCP_CLIENT_PORT };
  if (isNak) return everybody;
  // Behind a relay agent it is reached by that.
  if (ciaddr !== ANY4) return { mac: meta.sourceMac, ip: ciaddr, port: DHCP_CLIENT_PORT };
  if (broadcast || yiaddr === ANY4) return everybody;
  return { mac: chaddr, ip: yiaddr, port: DHCP_CLIENT_PORT };
}
