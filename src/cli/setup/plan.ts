/** What has to change on a stock OpenWrt router for it to take part: pure, from its configuration to commands of `uci`. */
import type { Package } from 'uci-parser';
import { formatPrefix } from '../../net/prefix.js';
import { planBabel } from './babel.js';
import type { UciCommand } from './draft.js';
import { Draft } from './draft.js';
import { planFirewall } from './firewall.js';
import { planDhcp, planNetwork } from './network.js';
import type { SetupRequest } from './request.js';
import { planWireless } from './wireless.js';

/** The files that are read, and changed where they are there. */
export const PACKAGES = ['network', 'wireless', 'dhcp', 'firewall', 'babeld', 'roaming'] as const;

export interface Plan {
  readonly commands: readonly UciCommand[];
  /** What takes the commands back, in the order to do it in. */
  readonly undo: readonly UciCommand[];
  /** Sentences for a person: what this does not do. */
  readonly notes: readonly string[];
}

/** @param packages the router's configuration by name, what is missing left out */
export function planSetup(packages: ReadonlyMap<string, Package>, request: SetupRequest): Plan {
  const draft = new Draft(packages);
  planNetwork(draft, request);
  const notes = planWireless(draft, request);
  planDhcp(draft, request);
  planFirewall(draft, request);
  notes.push(...planBabel(draft, request));
  planRoaming(draft, request);
  if (request.mesh.length === 0) notes.push('no link to other routers is named (--mesh): this router stays alone');
  return { commands: draft.commands, undo: draft.undo, notes };
}

function planRoaming(draft: Draft, { network, prefixes, key, peers, address4, address6 }: SetupRequest): void {
  draft.section('roaming.main', 'roaming', {
    enabled: '1',
    interface: [network],
    prefix: prefixes.map(formatPrefix),
    key,
    node_address: [address4, address6],
    peer: peers.length === 0 ? undefined : peers,
    // Flash, which wears: leases and the node's id outlive a restart of the router.
    state_dir: '/etc/roaming',
    state_interval: '1h',
  });
}
