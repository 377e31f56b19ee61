/** babeld: which links it speaks on, and that it carries the routers' addresses and the default route, and nothing of clients. */
import { formatPrefix } from '../../net/prefix.js';
import type { Draft } from './draft.js';
import { meshNetwork } from './network.js';
import type { SetupRequest } from './request.js';

/** Returns what a person has to know of it. */
export function planBabel(draft: Draft, { prefixes, mesh, address4, address6, routerId }: SetupRequest): string[] {
  const babeld = draft.package('babeld');
  if (babeld === undefined) return ["babeld is not installed: 'opkg update; opkg install babeld' ('apk update; apk add babeld' since OpenWrt 25.12), then this command again; or another routing protocol that carries this router's addresses"];
  // Its own choice is the first MAC that is globally unique: the clients' bridge's, which all routers share.
  const [general] = babeld.ofType('general');
  if (general === undefined) draft.section('babeld.roaming', 'general', { router_id: routerId });
  else if (general.get('router_id') === undefined) draft.set(general, 'router_id', routerId);
  for (const name of mesh) {
    const network = meshNetwork(draft, name);
    const there = babeld.ofType('interface').some((one) => one.get('ifname') === network && one.get('ignore') !== 'true');
    if (!there) draft.section(`babeld.roaming_${network}`, 'interface', { ifname: network });
  }
  const filter = (name: string, options: { readonly [option: string]: string }) =>
    draft.section(`babeld.roaming_${name}`, 'filter', { type: 'redistribute', ...options });
  prefixes.forEach((prefix, i) => filter(`clients${i + 1}`, { ip: formatPrefix(prefix), action: 'deny' }));
  filter('node4', { ip: `${address4}/32`, eq: '32', local: '1', action: 'allow' });
  filter('node6', { ip: `${address6}/128`, eq: '128', local: '1', action: 'allow' });
  filter('default4', { ip: '0.0.0.0/0', eq: '0', action: 'metric 128' });
  filter('default6', { ip: '::/0', eq: '0', action: 'metric 128' });
  // Without this all local addresses go out: 192.168.1.1, which every router has.
  filter('others', { local: '1', action: 'deny' });
  return [];
}
