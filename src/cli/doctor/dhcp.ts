/** Other servers on the client interfaces: dnsmasq and odhcpd, by /etc/config/dhcp. */
import type { Package, Section } from 'uci-parser';
import type { Finding } from './finding.js';
import type { ClientNetwork } from './uci.js';
import { single } from './uci.js';

const SERVICES = ['dhcpv4', 'dhcpv6', 'ra', 'ndp'] as const;

/** `networks`: those that clients are on. */
export function checkDhcp(dhcp: Package, networks: readonly ClientNetwork[]): Finding[] {
  return networks.map(({ network, device }) => {
    const sections = dhcp.ofType('dhcp').filter((section) => single(section, 'interface') === network);
    const active = [...new Set(sections.flatMap((section) => activeIn(section)))];
    if (active.length === 0) return { level: 'good', message: `${device}: no other server of DHCP or router advertisements` };
    const fix = sections.flatMap((section) => {
      const name = section.anonymous ? `@dhcp[${dhcp.ofType('dhcp').indexOf(section)}]` : section.name;
      return [`uci set dhcp.${name}.ignore=1`, ...SERVICES.map((service) => `uci set dhcp.${name}.${service}=disabled`)];
    });
    return {
      level: 'error',
      message: `${device}: ${active.join(' and ')} too: clients would get two answers, and lose their addresses when they roam`,
      fix: [...fix, 'uci commit dhcp && service dnsmasq restart && service odhcpd restart'],
    };
  });
}

/** dnsmasq serves wherever there is a section without `ignore`; odhcpd what is set to other than `disabled`. */
function activeIn(section: Section): string[] {
  const ignored = ['1', 'on', 'true', 'yes', 'enabled'].includes(single(section, 'ignore') ?? '0');
  const dhcpv4 = single(section, 'dhcpv4') ?? 'server';
  const odhcpd = (['dhcpv6', 'ra', 'ndp'] as const).filter((service) => (single(section, service) ?? 'disabled') !== 'disabled');
  return [...(ignored || dhcpv4 === 'disabled' ? [] : ['dnsmasq gives addresses']), ...odhcpd.map((service) => `odhcpd does ${service}`)];
}
