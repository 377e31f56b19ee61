/** Clock, access points, peers, MTU: small checks of what the router is and what the daemon says. */
import type { NodeView, PeerView } from '../../status/peers.js';
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
    mend: ['service sysntpd restart'],
  };
}

/**
 * `objects`: those of hostapd on ubus; undefined: ubusd does not answer. `interfaces`: those whose clients are known by
 * their access points.
 */
export function checkAccessPoints(objects: readonly string[] | undefined, interfaces: readonly string[], manager: PackageManager): Finding[] {
  if (interfaces.length === 0) return [];
  if (objects === undefined) {
    return [{ level: 'error', message: 'ubusd does not answer: nothing is known of stations', mend: ['service ubus restart'] }];
  }
  if (objects.length > 0) return [{ level: 'good', message: `access points: ${objects.join(', ')}` }];
  const message = `no access point is on ubus: no client can be known to be on ${interfaces.join(', ')}`;
  return [{ level: 'warning', message, mend: ['wifi up', installCommand(manager, 'wpad-basic-mbedtls')] }];
}

/** `peers`: undefined where the daemon does not run, which is no fault of the configuration. */
export function checkPeers(peers: readonly PeerView[] | undefined): Finding[] {
  if (peers === undefined) {
    return [{ level: 'unknown', message: 'the daemon does not answer: peers and routers not looked at', mend: ['service roaming start'] }];
  }
  const up = peers.filter(({ state }) => state === 'up');
  const findings = peers.filter(({ state, error }) => state === 'waiting' && error !== undefined).map(peerFinding);
  if (up.length > 0) return [{ level: 'good', message: `peers: ${up.length} up` }, ...findings];
  const message = 'no peer is up: this router knows its own clients only';
  return [{ level: 'warning', message, mend: ["uci add_list roaming.main.peer='<address of another router>'", 'uci commit roaming && service roaming reload'] }, ...findings];
}

function peerFinding({ remote, error = '' }: PeerView): Finding {
  const mend = /alert|decrypt|psk|handshake/i.test(error) ? ['uci get roaming.main.key   # has to be the same on both'] : [`ping ${hostOf(remote)}`];
  return { level: 'warning', message: `peer ${remote}: ${error}`, mend };
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
      mend: [`uci set roaming.main.mtu=${Math.max(1280, smallest)}`, 'uci commit roaming && service roaming reload'],
    };
  });
}

/** Two routers of one name cannot be told apart by people. */
export function checkNodes(nodes: readonly NodeView[] | undefined): Finding[] {
  const names = new Map<string, number>();
  for (const { name } of nodes ?? []) if (name !== '') names.set(name, (names.get(name) ?? 0) + 1);
  const twice = [...names].filter(([, times]) => times > 1).map(([name]) => name);
  const nameless = (nodes ?? []).filter(({ addresses, self }) => addresses.length === 0 && !self);
  return [
    ...twice.map((name): Finding => ({
      level: 'warning',
      message: `several routers call themselves ${name}`,
      mend: [`uci set system.@system[0].hostname='<another name>'`, 'uci commit system && service system reload'],
    })),
    ...nameless.map(({ node, name }): Finding => ({
      level: 'warning',
      message: `router ${name || node} has told no address: its clients are reached as the routing protocol says`,
    })),
  ];
}
