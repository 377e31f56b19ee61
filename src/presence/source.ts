/**
 * What tells of stations. `hostapd`, `nl80211`: the access point, by either way. `fdb`: the bridge learnt the MAC on a
 * port that is no access point of ours. `neighbour`: the kernel's neighbour cache. `traffic`: frames from the client.
 */
export const PRESENCE_SOURCES = ['hostapd', 'nl80211', 'fdb', 'neighbour', 'traffic'] as const;

export type PresenceSource = (typeof PRESENCE_SOURCES)[number];

/** Whether it is an access point of this router that tells. */
export function isAccessPoint(source: PresenceSource): boolean {
  return source === 'hostapd' || source === 'nl80211';
}

/** Whether it knows the port that a host is behind, and tells of it once. The others do each time that the host speaks. */
export function knowsPort(source: PresenceSource): boolean {
  return isAccessPoint(source) || source === 'fdb';
}
