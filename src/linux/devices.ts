/** What sysfs says of network interfaces, at once: station events cannot wait for an answer from netlink. */
import { existsSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';

/** The bridge that an interface is a port of, or else the interface itself. */
export function networkOf(device: string): string {
  try {
    return basename(readlinkSync(`/sys/class/net/${device}/master`));
  } catch {
    return device;
  }
}

/** Whether it is a Wi-Fi interface of this router. */
export function isWireless(device: string): boolean {
  return existsSync(`/sys/class/net/${device}/phy80211`);
}
