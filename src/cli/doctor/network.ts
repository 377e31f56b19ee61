/** Clock, access points, peers, MTU: small checks of what the router is and what the daemon says. */
import { NO_IP6 } from '../../config/without-ip6.js';
import { parseIp } from '../../net/ip.js';
import type { Prefix } from '../../net/prefix.js';
import { anyContains } from '../../net/prefix.js';
import type { LeaseView } from '../../status/leases.js';
import type { NodeView, PeerView } from '../../status/peers.js';
import { isUp } from '../../status/peers.js';
import type { ClientView } from '../../status/views.js';
import type { PackageManager } from '../packages.js';
import { installCommand } from '../packages.js';
import type { Finding } from './finding.js';

/** A router without a battery wakes up in 1970; nothing of this project is older than this. */
const EARLIEST = Date.UTC(2025, 0, 1) / 1000;

/** `time`: seconds since 1970. */
export function checkClock(time: number): Finding {
  if (time >= EARLIEST) return { level: 'good', message: 'the clock is set' };
  return {
    level: 'warning',
    message: `the clock says ${new Date(time * 1000).toISOString().slice(0, 10)}: times in logs and in the history are wrong`,
    fix: ['service sysntpd restart'],
  };
}

export function checkIp6(has: boolean): Finding[] {
  return has ? [] : [{ level: 'warning', message: NO_IP6, fix: ['cat /proc/cmdline   # ipv6.disable=1 switches it off; reboot without'] }];
}

/**
 * `objects`: those of hostapd on ubus; undefined: ubusd does not answer. `interfaces`: those whose clients are known by
 * their access points.
 */
export function checkAccessPoints(objects: readonly string[] | undefined, interfaces: readonly string[], manager: PackageManager): Finding[] {
  if (interfaces.length === 0) return [];
  if (objects === undefined) {
    return [{ level: 'error', message: 'ubusd does not answer: nothing is known of stations', fix: ['service ubus restart'] }];
  }
  if (objects.length > 0) return [{ level: 'good', message: `access points: ${objects.join(', ')}` }];
  const message = `no access point is on ubus: no client can be known to be on ${interfaces.join(', ')}`;
  return [{ level: 'warning', message, fix: ['wifi up', installCommand(manager, 'wpad-basic-mbedtls')] }];
}

/** `peers`: undefined where the daemon does not run, which is no fault of the configuration. */
export function checkPeers(peers: readonly PeerView[] | undefined): Finding[] {
  if (peers === undefined) {
    return [{ level: 'unknown', message: 'the daemon does not answer: peers and routers not looked at', fix: ['service roaming start'] }];
  }
  const up = peers.filter(isUp);
  const findings = [
    ...peers.filter(({ unresponsive }) => unresponsive).map((peer) => peerFinding(peer, 'it does not acknowledge what it is sent')),
    ...peers.filter(({ state, error }) => state === 'waiting' && error !== undefined).map((peer) => peerFinding(peer, peer.error!)),
  ];
  if (up.length > 0) return [{ level: 'good', message: `peers: ${up.length} up` }, ...findings];
  const message = 'no peer is up: this router knows its own clients only';
  const fix = ["uci add_list roaming.main.peer='<address of another router>'", 'uci commit roaming && service roaming reload'];
  return [{ level: 'warning', message, ...(findings.length > 0 ? {} : { fix }) }, ...findings];
}

function peerFinding({ remote }: PeerView, error: string): Finding {
  const fix = /alert|decrypt|psk|handshake/i.test(error) ? ['uci get roaming.main.key   # has to be the same on both'] : [`ping ${hostOf(remote)}`];
  return { level: 'warning', message: `peer ${remote}: ${error}`, fix };
}

function hostOf(remote: string): string {
  return /^\[(.*)\]/.exec(remote)?.[1] ?? remote.replace(/:\d+$/, '');
}

/** An interface that leads to other routers. */
export interface MeshLink {
  readonly device: string;
  readonly mtu: number;
}

/** Clients send packets as large as their own link takes; a smaller one on the way costs them path MTU discovery. */
export function checkMtu(clients: readonly MeshLink[], mesh: readonly MeshLink[], told: number | undefined): Finding[] {
  return clients.map(({ device, mtu }) => {
    const effective = told ?? mtu;
    const narrow = mesh.filter((link) => link.mtu < effective);
    if (narrow.length === 0) return { level: 'good', message: `${device}: packets of ${effective} bytes fit the mesh` };
    const smallest = Math.min(...narrow.map((link) => link.mtu));
    const which = narrow.map((link) => `${link.device} (${link.mtu})`).join(', ');
    return {
      level: 'warning',
      message: `${device}: clients may send ${effective} bytes, and there is less on ${which}`,
      fix: [`uci set roaming.main.mtu=${Math.max(1280, smallest)}`, 'uci commit roaming && service roaming reload'],
    };
  });
}

/** `unreachable`: routers to which there is no route. */
export function checkReach(unreachable: readonly NodeView[]): Finding[] {
  return unreachable.map(({ name, node, addresses }) => ({
    level: 'warning',
    message: `there is no route to router ${name || node} (${addresses.join(', ')}): its clients are not reached`,
    fix: [`ip route get ${addresses[0]}   # the routing protocol has to carry it`],
  }));
}

/** The leases of clients that are at a router now: those of the others may be from before something was mended. */
export function leasesOfPresent(leases: readonly LeaseView[], clients: readonly Pick<ClientView, 'mac' | 'node'>[]): LeaseView[] {
  const present = new Set(clients.filter(({ node }) => node !== '').map(({ mac }) => mac));
  return leases.filter(({ mac }) => present.has(mac));
}

/** All routers have to give addresses from the same prefixes. */
export function checkPrefixes(leases: readonly LeaseView[], prefixes: readonly Prefix[]): Finding[] {
  const strange = leases.filter(({ address }) => !anyContains(prefixes, parseIp(address.replace(/\/\d+$/, ''))));
  if (prefixes.length === 0 || strange.length === 0) return [];
  const { address, mac } = strange[0]!;
  return [
    {
      level: 'error',
      message: `${mac} has ${address}, which is in none of our prefixes${strange.length > 1 ? `, and so have ${strange.length - 1} more leases` : ''}: other routers have another option prefix`,
      fix: ['uci get roaming.main.prefix   # has to be the same on all routers'],
    },
  ];
}

/** What the daemon itself says, but for what has been `found` already. */
export function checkProblems(problems: readonly string[], found: readonly Finding[]): Finding[] {
  const known = new Set(found.map(({ message }) => message));
  return problems
    .filter((problem) => !known.has(problem))
    .map((message) => ({ level: 'warning', message, fix: REMEDIES.flatMap(([sign, fix]) => (sign.test(message) ? [fix(sign.exec(message)![1]!)] : [])) }));
}

/** By what a problem says: where to look, or what to do. */
const REMEDIES: readonly (readonly [sign: RegExp, fix: (which: string) => string])[] = [
  [/^(\S+) flaps /, (mac) => `roaming history ${mac}   # between which routers`],
  [/^(\S+) says that it has the gateway's address/, (mac) => `roaming disassociate ${mac}   # or give it another address`],
  [/^another DHCP server, .* on (\S+)$/, (device) => `tcpdump -eni ${device} udp src port 67   # whose MAC it is`],
  [/^the database cannot be stored/, () => 'df -h   # and ls -ld the state_dir'],
  [/has the same node id as (?:this node|another peer), (\S+):/, (id) => `grep -r ${id} /etc/config/roaming   # at both; else remove node-id from the state_dir of one`],
];

/** Whether they are two routers; with an address in common they are one that has had another id before. */
function areTwo(one: NodeView, other: NodeView): boolean {
  return one !== other && !one.addresses.some((address) => other.addresses.includes(address));
}

/** Two routers of one name cannot be told apart by people. */
export function checkNodes(nodes: readonly NodeView[] | undefined): Finding[] {
  const names = new Map<string, NodeView[]>();
  for (const node of nodes ?? []) if (node.name !== '') names.set(node.name, [...(names.get(node.name) ?? []), node]);
  const twice = [...names].filter(([, same]) => same.some((one) => same.some((other) => areTwo(one, other)))).map(([name]) => name);
  const nameless = (nodes ?? []).filter(({ addresses, self }) => addresses.length === 0 && !self);
  return [
    ...twice.map((name): Finding => ({
      level: 'warning',
      message: `several routers call themselves ${name}`,
      fix: [`uci set system.@system[0].hostname='<another name>'`, 'uci commit system && service system reload'],
    })),
    ...nameless.map(({ node, name }): Finding => ({
      level: 'warning',
      message: `router ${name || node} has told no address: its clients are reached as the routing protocol says`,
    })),
  ];
}
