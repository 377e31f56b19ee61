/** Clients are served on devices; the configuration may also name them by OpenWrt's networks. */
import type { Package, Section } from 'uci-parser';

export interface ClientNetwork {
  /** As /etc/config/network and /etc/config/dhcp call it. */
  readonly network: string;
  readonly device: string;
}

/** `names`: devices, or networks themselves (`ifname` was the option's name before OpenWrt 21.02). */
export function networksOf(network: Package, names: readonly string[]): ClientNetwork[] {
  return network.ofType('interface').flatMap((section) => {
    const device = single(section, 'device') ?? single(section, 'ifname') ?? section.name;
    return names.includes(device) || names.includes(section.name) ? [{ network: section.name, device }] : [];
  });
}

/** The value of an option that is no list. */
export function single(section: Section, name: string): string | undefined {
  const value = section.get(name);
  return typeof value === 'string' ? value : undefined;
}
