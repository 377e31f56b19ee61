/** `option setup`: what is to be changed so that a client interface is the gateway that all routers show. */
import type { Ip4 } from '../net/ip.js';
import { isIp6 } from '../net/ip.js';
import type { Prefix4 } from '../net/prefix.js';
import { contains } from '../net/prefix.js';
import type { ClientLink, LinkChange } from '../ports.js';
import type { NeededSetting } from './check.js';
import { neededSettings } from './check.js';
import type { Gateway } from './gateway.js';

/** A change, and what takes it back. */
export interface Step {
  readonly change: LinkChange;
  readonly undo: LinkChange;
}

/** Link-local addresses have 64 bits of prefix (RFC 4291 2.5.6). */
const LINK_LOCAL_LENGTH = 64;

/** Settings come first: an address must not go through duplicate address detection. Empty where all is as it should be. */
export function planSetup(
  link: ClientLink,
  gateway: Gateway,
  prefixes: readonly Prefix4[],
  settings: ReadonlyMap<string, string>,
  needed: readonly NeededSetting[] = neededSettings(link.network),
): Step[] {
  const { ifindex } = link;
  const steps: Step[] = [];
  for (const { name, value } of needed) {
    const found = settings.get(name);
    if (found === undefined || found === value) continue;
    steps.push({ change: { op: 'setting', name, value }, undo: { op: 'setting', name, value: found } });
  }
  if (link.mac !== gateway.mac) {
    steps.push({ change: { op: 'mac', ifindex, mac: gateway.mac }, undo: { op: 'mac', ifindex, mac: link.mac } });
  } else if (link.unknownTo !== undefined) {
    const what = { ifindex, to: link.unknownTo, mac: link.mac };
    steps.push({ change: { op: 'addMac', ...what }, undo: { op: 'removeMac', ...what } });
  }
  for (const address of [...(link.withoutIp6 ? [] : [gateway.linkLocal]), ...gateway.addresses4]) {
    if (link.addresses.some((own) => own.address === address)) continue;
    const length = isIp6(address) ? LINK_LOCAL_LENGTH : lengthFor(address, prefixes);
    const where = { ifindex, address, length };
    steps.push({ change: { op: 'addAddress', ...where }, undo: { op: 'removeAddress', ...where } });
  }
  return steps;
}

function lengthFor(address: Ip4, prefixes: readonly Prefix4[]): number {
  return prefixes.find((prefix) => contains(prefix, address))?.length ?? 32;
}

/** What a step is about: done twice, it is still taken back to what was there at first. */
export function subjectOf(change: LinkChange): string {
  switch (change.op) {
    case 'setting':
      return change.name;
    case 'mac':
      return `${change.ifindex} mac`;
    case 'addMac':
    case 'removeMac':
      return `${change.ifindex} ${change.mac}`;
    default:
      return `${change.ifindex} ${change.address}`;
  }
}

/**
 * All that may be set. Settings of an interface that is missing for the moment are among it: one of them is for all of the
 * router. Its addresses are not, which go with it.
 */
export function subjectsOf(links: readonly ClientLink[], interfaces: readonly string[], gateway: Gateway): Set<string> {
  const settings = interfaces.flatMap((network) => neededSettings(network, false).map(({ name }) => name));
  const ofLinks = links.flatMap(({ ifindex }) => ['mac', gateway.mac, gateway.linkLocal, ...gateway.addresses4].map((what) => `${ifindex} ${what}`));
  return new Set([...settings, ...ofLinks]);
}

/** For the log: `MAC 00:00:5e:00:52:13`. */
export function describeChange(change: LinkChange): string {
  switch (change.op) {
    case 'setting':
      return `${change.name} = ${change.value}`;
    case 'mac':
      return `MAC ${change.mac}`;
    case 'addMac':
      return `MAC ${change.mac} in VLAN ${change.to.vlan} of ${change.to.bridge}`;
    case 'removeMac':
      return `no MAC ${change.mac} in VLAN ${change.to.vlan} of ${change.to.bridge}`;
    case 'addAddress':
      return `address ${change.address}/${change.length}`;
    case 'removeAddress':
      return `no address ${change.address}/${change.length}`;
  }
}
