/** What wakes the daemon of all that rtnetlink tells. */
import type { BpfProgram, BpfTest } from './bpf.js';
import { anyOf, byteAt, halfAt, is, wordAt } from './bpf.js';
import { OWN_PROTOCOLS } from './kernel-messages.js';
import { toAf } from './netlink/family.js';
import { RTM_DELNEIGH, RTM_NEWNEIGH } from './netlink/neighbour.js';
import { RTM_NEWROUTE } from './netlink/route.js';
import { HEADER_LENGTH } from './netlink/wire.js';

/** Where things stand in messages: in struct nlmsghdr, and behind it in struct rtmsg and struct ndmsg. */
const TYPE = 4;
const PORT = 12;
const RTM_PROTOCOL = HEADER_LENGTH + 5;
const NDM_FAMILY = HEADER_LENGTH;

/** As a load of two bytes sees a message's type, which stands there in host byte order. */
const type = (number: number) => new DataView(Uint16Array.of(number).buffer).getUint16(0);
const port = (number: number) => new DataView(Uint32Array.of(number).buffer).getUint32(0);

/**
 * All but what was done by the socket with the port id `own`, the daemon's own routes, which are by far the most, and the
 * comings and changes of neighbours and of what bridges have learnt: of those only what goes is of account, and only
 * neighbours.
 */
export function kernelNews(own: number | undefined): BpfProgram {
  const byOthers: BpfTest = own === undefined ? [] : [wordAt(PORT), { noneOf: [port(own)] }];
  return anyOf(
    [...byOthers, halfAt(TYPE), { noneOf: [RTM_NEWROUTE, RTM_NEWNEIGH, RTM_DELNEIGH].map(type) }],
    [...byOthers, halfAt(TYPE), is(type(RTM_NEWROUTE)), byteAt(RTM_PROTOCOL), { noneOf: [...OWN_PROTOCOLS] }],
    [...byOthers, halfAt(TYPE), is(type(RTM_DELNEIGH)), byteAt(NDM_FAMILY), { oneOf: [toAf(4), toAf(6)] }],
  );
}
