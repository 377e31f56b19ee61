/** The {@link LinkControl} port: addresses over rtnetlink, settings in /proc/sys, redirects through nf_tables. */
import { join } from 'node:path';
import type { LinkChange, LinkControl } from '../ports.js';
import type { PacketAddon } from './addons.js';
import { readFile, writeFile } from './files.js';
import { blockRedirects, NETLINK_NETFILTER } from './netlink/nftables.js';
import { NetlinkSocket } from './netlink/socket.js';
import { deleteAddress, replaceAddress } from './netlink/address.js';
import { addBridgeMac, deleteBridgeMac } from './netlink/fdb.js';
import { setLinkAddress } from './netlink/link.js';
import { Rtnetlink } from './netlink/rtnetlink.js';

const SYSCTL = '/proc/sys';

export class LinuxLinkControl implements LinkControl {
  /** The filter lasts as long as this socket. */
  #netfilter: NetlinkSocket | undefined;

  constructor(private readonly addon: PacketAddon) {}

  async blockRedirects(networks: readonly string[]): Promise<void> {
    if (networks.length === 0) return this.stop();
    this.#netfilter ??= new NetlinkSocket(this.addon, NETLINK_NETFILTER);
    const errors = await this.#netfilter.batch(blockRedirects(networks));
    const error = errors.find((one) => one !== undefined);
    if (error !== undefined) throw error;
  }

  stop(): void {
    this.#netfilter?.close();
    this.#netfilter = undefined;
  }

  async settings(names: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const found = new Map<string, string>();
    for (const name of names) {
      const value = await readFile(join(SYSCTL, name), 'ascii').catch(unlessAbsent);
      if (value !== undefined) found.set(name, value.trim());
    }
    return found;
  }

  async apply(changes: readonly LinkChange[]): Promise<(Error | undefined)[]> {
    const rtnl = new Rtnetlink(this.addon);
    const results: (Error | undefined)[] = [];
    try {
      for (const change of changes) {
        results.push(await applyOne(rtnl, change).then(() => undefined, (error: Error) => error));
      }
    } finally {
      rtnl.close();
    }
    return results;
  }
}

function applyOne(rtnl: Rtnetlink, change: LinkChange): Promise<void> {
  switch (change.op) {
    case 'setting':
      return writeFile(join(SYSCTL, change.name), change.value);
    case 'mac':
      return rtnl.apply(setLinkAddress(change.ifindex, change.mac));
    case 'addMac':
      return rtnl.apply(addBridgeMac({ port: change.to.ifindex, vlan: change.to.vlan, mac: change.mac }));
    case 'removeMac':
      return rtnl.apply(deleteBridgeMac({ port: change.to.ifindex, vlan: change.to.vlan, mac: change.mac }));
    case 'addAddress': {
      const { ifindex, address: ip, length } = change;
      return rtnl.apply(replaceAddress({ ifindex, ip, length, noDad: true }));
    }
    case 'removeAddress': {
      const { ifindex, address: ip, length } = change;
      return rtnl.apply(deleteAddress({ ifindex, ip, length }));
    }
  }
}

function unlessAbsent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}
