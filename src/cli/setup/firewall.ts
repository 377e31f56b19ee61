/** Zones for clients and for the links between routers, and what may pass: all else stays as it is. */
import type { Section } from 'uci-parser';
import type { Draft } from './draft.js';
import { meshNetwork } from './network.js';
import type { SetupRequest } from './request.js';

const BABEL_PORT = '6696';
const FLOODING_PORT = '4444';

export function planFirewall(draft: Draft, { network, mesh }: SetupRequest): void {
  const firewall = draft.package('firewall');
  if (firewall === undefined) return;
  const zones = firewall.ofType('zone');
  const zoneOf = (name: string) => zones.find((zone) => zone.list('network').includes(name));
  const networks = mesh.map((name) => meshNetwork(draft, name));
  const own = networks.filter((name) => [undefined, 'mesh'].includes(zoneOf(name)?.string('name')));
  const meshZones = new Set(networks.map((name) => zoneOf(name)?.string('name') ?? 'mesh'));

  draft.section(`firewall.${network}_zone`, 'zone', { name: network, network: [network], input: 'REJECT', output: 'ACCEPT', forward: 'ACCEPT' });
  rule(draft, network, 'dhcp', { proto: 'udp', dest_port: '67', family: 'ipv4' });
  rule(draft, network, 'dns', { proto: 'tcp udp', dest_port: '53' });
  rule(draft, network, 'icmp', { proto: 'icmp' });
  if (own.length > 0) {
    draft.section('firewall.roaming_mesh', 'zone', { name: 'mesh', network: [...own, 'roaming_node'], input: 'REJECT', output: 'ACCEPT', forward: 'ACCEPT' });
  }
  for (const zone of meshZones) {
    if (accepts(zones.find((section) => section.get('name') === zone))) continue;
    rule(draft, zone, 'babel', { proto: 'udp', dest_port: BABEL_PORT, family: 'ipv6' });
    rule(draft, zone, 'flooding', { proto: 'tcp', dest_port: FLOODING_PORT });
    rule(draft, zone, 'icmp', { proto: 'icmp' });
  }
  const wan = zones.some((zone) => zone.get('name') === 'wan') ? ['wan'] : [];
  for (const zone of meshZones) {
    forward(draft, network, zone);
    forward(draft, zone, network);
    // Clients at routers without a way to the Internet come through here.
    for (const out of wan) if (zone !== out) forward(draft, zone, out);
  }
  for (const out of wan) if (!meshZones.has(out)) forward(draft, network, out);
}

function accepts(zone: Section | undefined): boolean {
  return zone?.get('input') === 'ACCEPT';
}

function rule(draft: Draft, zone: string, name: string, match: { readonly [option: string]: string }): void {
  draft.section(`firewall.roaming_${zone}_${name}`, 'rule', { name: `Roaming-${zone}-${name}`, src: zone, ...match, target: 'ACCEPT' });
}

/** Where there is none yet. */
function forward(draft: Draft, src: string, dest: string): void {
  const there = draft.package('firewall')!.ofType('forwarding').some((one) => one.get('src') === src && one.get('dest') === dest);
  if (!there) draft.section(`firewall.roaming_${src}_${dest}`, 'forwarding', { src, dest });
}
