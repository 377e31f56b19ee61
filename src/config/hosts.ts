/** `config host`: addresses that are one client's for ever. */
import type { Section } from 'uci-parser';
import type { Ip4 } from '../net/ip.js';
import type { Mac } from '../net/mac.js';
import type { Prefix4 } from '../net/prefix.js';
import { broadcastOf, contains, formatPrefix } from '../net/prefix.js';
import { hostSchema } from './schema.js';
import type { Report } from './section.js';
import { readSection } from './section.js';

export interface Host {
  readonly mac: Mac;
  readonly address: Ip4;
  /** The host name that the client is told. */
  readonly name?: string;
}

/** What reservations have to fit. */
export interface Network4 {
  readonly prefixes4: readonly Prefix4[];
  readonly gateway4: Ip4 | undefined;
  readonly exclude: readonly Ip4[];
}

/** Reads the sections, each by itself. */
export function readHosts(sections: readonly Section[], report: Report): [Section, Host][] {
  return sections.flatMap((section) => {
    const host = readHost(section, report);
    return host === undefined ? [] : [[section, host] as [Section, Host]];
  });
}

function readHost(section: Section, report: Report): Host | undefined {
  const options = readSection(section, hostSchema, report);
  if (options === undefined) return undefined;
  const { mac, ip, name } = options;
  const [only, second] = mac;
  if (only === undefined) report(section, 'mac', 'missing: which client is it?');
  else if (second !== undefined) report(section, 'mac', 'more than one: an address belongs to one client, so each needs a section');
  if (ip === undefined) report(section, 'ip', 'missing: which address shall the client have?');
  if (only === undefined || second !== undefined || ip === undefined) return undefined;
  return { mac: only, address: ip, ...(name === undefined ? {} : { name }) };
}

/** Whether clients can have their reservations, and each only one. */
export function checkHosts(hosts: readonly [Section, Host][], network: Network4, report: Report): void {
  const seen = { mac: new Set<string>(), ip: new Set<string>(), name: new Set<string>() };
  for (const [section, { mac, address, name }] of hosts) {
    const values = { mac, ip: address, name };
    for (const option of ['mac', 'ip', 'name'] as const) {
      const value = values[option];
      if (value === undefined) continue;
      if (seen[option].has(value)) report(section, option, `${value} is that of another section of type host`);
      seen[option].add(value);
    }
    const wrong = whyNotFor(address, network);
    if (wrong !== undefined) report(section, 'ip', `${address} ${wrong}`);
  }
}

/** Why no client can have an address; undefined where one can. */
function whyNotFor(address: Ip4, { prefixes4, gateway4, exclude }: Network4): string | undefined {
  const home = prefixes4.find((prefix) => contains(prefix, address));
  if (home === undefined) return 'lies in none of the IPv4 prefixes';
  if (address === home.address || address === broadcastOf(home)) {
    return `is the network or broadcast address of ${formatPrefix(home)}`;
  }
  if (address === gateway4) return "is the gateway's";
  return exclude.includes(address) ? 'is excluded by option exclude' : undefined;
}
