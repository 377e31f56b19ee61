/**
 * Which interfaces belong to which access point. hostapd makes more than one of them where stations are on VLANs
 * (dynamic_vlan) or send frames with four addresses (WDS): `ap0.1`, `ap0.sta1`, each a port of some bridge for itself.
 */
import type { WirelessInterface } from './netlink/nl80211.js';

export interface AccessPoint {
  readonly ifindex: number;
  readonly name: string;
  readonly ssid: string;
  /** All interfaces that its stations may be on, those of VLANs first. */
  readonly interfaces: readonly WirelessInterface[];
}

/**
 * By the index of each of their interfaces. The kernel binds the interface of a VLAN to the access point that has its MAC
 * (net/mac80211/iface.c); one that has none stands for itself.
 */
export function accessPointsOf(all: readonly WirelessInterface[]): Map<number, AccessPoint> {
  const interfaces = all.filter(({ accessPoint }) => accessPoint);
  const ownerOf = (one: WirelessInterface) => (one.vlan ? interfaces.find((other) => !other.vlan && isSameCell(one, other)) : one) ?? one;
  const found = new Map<number, AccessPoint>();
  for (const owner of interfaces.filter((one) => ownerOf(one) === one)) {
    const vlans = interfaces.filter((one) => one !== owner && ownerOf(one) === owner);
    const { ifindex, name, ssid } = owner;
    const accessPoint = { ifindex, name, ssid: new TextDecoder().decode(ssid), interfaces: [...vlans, owner] };
    for (const one of accessPoint.interfaces) found.set(one.ifindex, accessPoint);
  }
  return found;
}

function isSameCell(a: WirelessInterface, b: WirelessInterface): boolean {
  return a.radio === b.radio && a.mac !== undefined && a.mac === b.mac;
}
