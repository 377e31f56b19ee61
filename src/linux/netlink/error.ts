/** What the kernel answers when it does not want to: NLMSG_ERROR and the status in NLMSG_DONE, linux/netlink.h. */
import { errnoName, errnoText } from '../errno.js';
import type { NetlinkMessage } from './wire.js';
import { HEADER_LENGTH, NLMSG_DONE, NLM_F_ACK_TLVS, NLM_F_CAPPED, parseAttributes, readI32, readString, readU32 } from './wire.js';

const NLMSGERR_ATTR_MSG = 1;

/** A request failed. `errno` is positive. */
export class NetlinkError extends Error {
  override readonly name = 'NetlinkError';
  /** The errno's name: `EEXIST`, `ENOBUFS`, ... */
  readonly code: string;

  /** @param text what the kernel says about it, by extended acknowledgement */
  constructor(
    readonly errno: number,
    readonly text?: string,
  ) {
    const code = errnoName(errno);
    super(`${text ?? errnoText(errno)} (${code})`);
    this.code = code;
  }
}

/** For `catch`: lets errors of these codes pass. */
export function unless(...codes: string[]): (error: unknown) => undefined {
  return (error) => {
    if (!(error instanceof NetlinkError) || !codes.includes(error.code)) throw error;
  };
}

/** The status of an NLMSG_ERROR or NLMSG_DONE message: undefined when all is well. Throws {@link ShortInput}. */
export function parseStatus(message: NetlinkMessage): NetlinkError | undefined {
  const { payload, type, flags } = message;
  // NLMSG_DONE came without a status from kernels before 2.6.
  if (type === NLMSG_DONE && payload.length < 4) return undefined;
  const status = readI32(payload);
  if (status >= 0) return undefined;
  return new NetlinkError(-status, (flags & NLM_F_ACK_TLVS) === 0 ? undefined : extendedText(message));
}

/** In NLMSG_ERROR the attributes stand behind the request's header, and behind all of the request unless capped. */
function extendedText({ payload, type, flags }: NetlinkMessage): string | undefined {
  let offset = 4;
  if (type !== NLMSG_DONE) offset += (flags & NLM_F_CAPPED) !== 0 ? HEADER_LENGTH : (readU32(payload, 4) + 3) & ~3;
  const text = parseAttributes(payload, offset).get(NLMSGERR_ATTR_MSG);
  return text && readString(text);
}
