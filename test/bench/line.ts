/** What systems on a line of routers have in common. */
import { SERVER4, SERVER6 } from '../lab/topology.js';
import type { Site } from './systems.js';

export async function addServer({ net, routers }: Site): Promise<void> {
  const [router, device] = [routers.at(-1)!, `to-${routers.at(-1)}`];
  await net.ip(router, 'addr add 10.97.0.1/24 dev to-server');
  await net.ip(router, 'addr add fd97::1/64 dev to-server nodad');
  await net.ip('server', `addr add ${SERVER4}/24 dev ${device}`);
  await net.ip('server', `addr add ${SERVER6}/64 dev ${device} nodad`);
  await net.ip('server', 'route add default via 10.97.0.1');
  await net.ip('server', '-6 route add default via fd97::1');
}

/** The interfaces of the i-th router that lead to other routers. */
export function meshInterfaces(routers: readonly string[], i: number): string[] {
  return [routers[i - 1], routers[i + 1]].filter((to) => to !== undefined).map((to) => `to-${to}`);
}
