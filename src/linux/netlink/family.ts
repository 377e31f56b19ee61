/** Address families, linux/socket.h. */
import type { Family } from '../../net/ip.js';

export const AF_UNSPEC = 0;
const AF_INET = 2;
export const AF_BRIDGE = 7;
export const AF_INET6 = 10;

export function toAf(family: Family | undefined): number {
  return family === undefined ? AF_UNSPEC : family === 4 ? AF_INET : AF_INET6;
}

/** The family of an AF_ number; undefined for any that is not IP. */
export function fromAf(af: number): Family | undefined {
  return af === AF_INET ? 4 : af === AF_INET6 ? 6 : undefined;
}
