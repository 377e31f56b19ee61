/** Generic netlink: families by name, linux/genetlink.h. */
import { ShortInput } from '../../net/bytes.js';
import { unless } from './error.js';
import type { NetlinkSocket } from './socket.js';
import type { NetlinkMessage } from './wire.js';
import { MessageWriter, parseArray, parseAttributes, readString, readU16, readU32 } from './wire.js';

/** Length of struct genlmsghdr: command, version, two reserved bytes. Attributes follow. */
export const GENERIC_HEADER_LENGTH = 4;

/** The family that knows all others. */
const GENL_ID_CTRL = 16;
const CTRL_CMD_GETFAMILY = 3;
const CTRL_ATTR_FAMILY_ID = 1;
const CTRL_ATTR_FAMILY_NAME = 2;
const CTRL_ATTR_MCAST_GROUPS = 7;
const CTRL_ATTR_MCAST_GRP_NAME = 1;
const CTRL_ATTR_MCAST_GRP_ID = 2;

export interface GenericFamily {
  /** The message type of its messages. The kernel assigns it. */
  readonly id: number;
  /** Multicast groups, by name. */
  readonly groups: ReadonlyMap<string, number>;
}

export function getFamily(name: string): Uint8Array {
  return new MessageWriter(GENL_ID_CTRL)
    .u8(CTRL_CMD_GETFAMILY, 1, 0, 0)
    .attributeString(CTRL_ATTR_FAMILY_NAME, name)
    .done();
}

/** The family in the answer to {@link getFamily}. Throws {@link ShortInput}, {@link BadInput}. */
export function parseFamily({ payload }: NetlinkMessage): GenericFamily {
  const attributes = parseAttributes(payload, GENERIC_HEADER_LENGTH);
  const id = attributes.get(CTRL_ATTR_FAMILY_ID);
  if (!id) throw new ShortInput(2, 0);
  const groups = new Map<string, number>();
  for (const group of parseArray(attributes.get(CTRL_ATTR_MCAST_GROUPS) ?? new Uint8Array(0))) {
    const fields = parseAttributes(group);
    const name = fields.get(CTRL_ATTR_MCAST_GRP_NAME);
    const number = fields.get(CTRL_ATTR_MCAST_GRP_ID);
    if (name && number) groups.set(readString(name), readU32(number));
  }
  return { id: readU16(id), groups };
}

/** Asks for a family; undefined when the kernel has none of this name. Throws {@link NetlinkError}. */
export async function resolveFamily(socket: NetlinkSocket, name: string): Promise<GenericFamily | undefined> {
  const [reply] = (await socket.request(getFamily(name)).catch(unless('ENOENT'))) ?? [];
  return reply && parseFamily(reply);
}
