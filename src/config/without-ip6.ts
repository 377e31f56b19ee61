import { isPrefix4 } from '../net/prefix.js';
import type { Config } from './config.js';

/** Said where {@link withoutIp6} holds, and by `roaming check`. */
export const NO_IP6 = 'the kernel has no IPv6: clients get IPv4 alone here, and of other routers only those are found that are configured as peer, or known to one';

/** What of a configuration can be done where the kernel has no IPv6, by which neighbours are looked for too. */
export function withoutIp6(config: Config): Config {
  return {
    ...config,
    prefix: config.prefix.filter(isPrefix4),
    prefixes6: [],
    dns6: [],
    route: config.route.filter(({ destination }) => isPrefix4(destination)),
    discovery: false,
  };
}
