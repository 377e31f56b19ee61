import { existsSync } from 'node:fs';

/** The kernel's addresses: address, interface index, prefix length, scope and flags in hexadecimal, name. */
export const ADDRESSES6 = '/proc/net/if_inet6';

/** Whether the kernel has IPv6: not where it was built without, or was started with `ipv6.disable=1`. */
export function hasIp6(): boolean {
  return existsSync(ADDRESSES6);
}
