/** The clients' bridge with the gateway that never changes, this router's own addresses, the links to other routers. */
import type { Section } from 'uci-parser';
import { GATEWAY_MAC } from '../../gateway/gateway.js';
import type { Draft } from './draft.js';
import type { SetupRequest } from './request.js';

/** The UCI network of a link to other routers: the given one, or what is made for a device. */
export function meshNetwork(draft: Draft, name: string): string {
  return isNetwork(draft, name) ? name : `mesh_${name.replace(/\W/g, '_')}`;
}

function isNetwork(draft: Draft, name: string): boolean {
  return /^\w+$/.test(name) && draft.package('network')?.section(name)?.type === 'interface';
}

export function planNetwork(draft: Draft, request: SetupRequest): void {
  const { network, gateway4, prefix4, address4, address6, mesh } = request;
  const bridge = `br-${network}`;
  draft.section(`network.${network}_bridge`, 'device', { name: bridge, type: 'bridge', macaddr: GATEWAY_MAC, bridge_empty: '1' });
  draft.section(`network.${network}`, 'interface', {
    device: bridge,
    proto: 'static',
    ipaddr: gateway4 === undefined ? undefined : [`${gateway4}/${prefix4!.length}`],
    delegate: '0',
  });
  const own = { proto: 'static', ipaddr: [`${address4}/32`], ip6addr: [`${address6}/128`] };
  draft.section('network.roaming_node', 'interface', { device: 'lo', ...own });
  for (const name of mesh) {
    if (isNetwork(draft, name)) continue;
    // A device of its own: out of the bridge that it may be a port of.
    for (const section of bridgesWith(draft, name)) draft.removeItem(section, 'ports', name);
    draft.section(`network.${meshNetwork(draft, name)}`, 'interface', { device: name, proto: 'static', ipaddr: [`${address4}/32`] });
  }
}

function bridgesWith(draft: Draft, port: string): Section[] {
  return (draft.package('network')?.ofType('device') ?? []).filter((section) => section.list('ports').includes(port));
}

/** DHCP and router advertisements on the clients' network are roaming's; DNS stays dnsmasq's. */
export function planDhcp(draft: Draft, { network }: SetupRequest): void {
  const off = 'disabled';
  if (draft.package('dhcp') === undefined) return;
  draft.section(`dhcp.${network}`, 'dhcp', { interface: network, ignore: '1', dhcpv4: off, dhcpv6: off, ra: off, ndp: off });
}
