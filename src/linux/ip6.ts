import { existsSync } from 'node:fs';

/** Whether the kernel has IPv6: not where it was built without, or was started with `ipv6.disable=1`. */
export function hasIp6(): boolean {
  return existsSync('/proc/net/if_inet6');
}
