/**
 * `make bench-routes`, inside a network namespace: how long the kernel takes for the routes of many clients, for all of
 * them roaming at once, for another path to the node that they are at, and for a node to which there is no path any more,
 * and then again; and in how many messages and system calls. Each client has an IPv4 address and a /64. What the kernel
 * holds in the end is looked at each time.
 */
import { execFileSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { NodeId } from '../../src/clients/node-id.js';
import type { NativeCallback, NativeSocket } from '../../src/linux/addons.js';
import { loadPacketAddon } from '../../src/linux/addons.js';
import { systemClock } from '../../src/linux/clock.js';
import { LinuxKernel } from '../../src/linux/kernel.js';
import { StreamLogger } from '../../src/linux/log.js';
import { parseIp } from '../../src/net/ip.js';
import type { Mac } from '../../src/net/mac.js';
import { parsePrefix } from '../../src/net/prefix.js';
import type { KernelChange } from '../../src/ports.js';
import { Routes } from '../../src/routes/routes.js';
import { distributionOf } from './gaps.js';

const here = dirname(fileURLToPath(import.meta.url));
const self = '0000000000000001' as NodeId;
const node = '0000000000000002' as NodeId;
const other = '0000000000000003' as NodeId;
const FLIPS = 20;

const ip = (...lines: string[]) => execFileSync('ip', ['-batch', '-'], { input: lines.join('\n'), stdio: ['pipe', 'ignore', 'inherit'] });
const set = (name: string, value: number) => execFileSync('sysctl', ['-qw', `${name}=${value}`]);
const print = (text: string) => process.stdout.write(`${text}\n`);

const log = new StreamLogger('warn');
const addon = loadPacketAddon(join(here, '../dist/packet.node'));
/** Of all netlink sockets: sendto, and recvmmsg that brought something. */
const calls = { sent: 0, received: 0 };
class CountedSocket extends addon.NetlinkSocket implements NativeSocket {
  constructor(protocol: number, receiveBuffer: number, callback: NativeCallback) {
    super(protocol, receiveBuffer, (...answers) => {
      calls.received++;
      callback(...answers);
    });
  }

  override send(bytes: Uint8Array): number {
    calls.sent++;
    return super.send(bytes);
  }
}
const kernel = await LinuxKernel.open({ addon: { ...addon, NetlinkSocket: CountedSocket }, log });
const sent: { changes: number; ms: number; end: number }[] = [];
const watched = new Proxy(kernel, {
  get: (target, name) => {
    if (name === 'apply') {
      return async (changes: readonly KernelChange[]) => {
        const start = performance.now();
        const results = await target.apply(changes);
        const end = performance.now();
        sent.push({ changes: changes.length, ms: end - start, end });
        return results;
      };
    }
    const value: unknown = Reflect.get(target, name, target);
    return typeof value === 'function' ? (value.bind(target) as unknown) : value;
  },
});

ip(
  'link set lo up',
  ...[0, 1].flatMap((n) => [
    `link add up${n} type veth peer name far${n}`,
    `link set up${n} up`,
    `link set far${n} up`,
    `address add 10.${n}.0.1/24 dev up${n}`,
    `address add fd00:${n}::1/64 dev up${n} nodad`,
  ]),
);
const destinations = ['10.9.0.1', 'fd09::1'];
/** Of the other node, whose path stays. */
const elsewhere = ['10.9.0.2', 'fd09::2'];
const flip = (n: number) => ip(`route replace 10.9.0.1 via 10.${n}.0.2 dev up${n}`, `route replace fd09::1 via fd00:${n}::2 dev up${n}`);
const cut = () => ip(...destinations.map((destination) => `route del ${destination}`));

/** Everything is done, notifications of the kernel too. */
async function settled(): Promise<void> {
  for (let i = 0; i < 2; i++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    await routes.settled();
  }
}

/** So many routes are to be there, all by objects that lead out of `device`. */
async function check(count: number, device: string): Promise<void> {
  const { routes: held, nexthops } = await kernel.state();
  const [{ ifindex }] = JSON.parse(execFileSync('ip', ['-json', 'link', 'show', device], { encoding: 'utf8' })) as [{ ifindex: number }];
  const right = new Set(nexthops.filter(({ path }) => path.ifindex === ifindex).map(({ id }) => id));
  const wrong = held.filter(({ via }) => typeof via === 'string' || !('nexthop' in via) || !right.has(via.nexthop)).length;
  if (held.length !== count || wrong > 0) throw new Error(`${held.length} routes instead of ${count}, ${wrong} of them not by ${device}`);
}

flip(0);
ip('route replace 10.9.0.2 via 10.1.0.2 dev up1', 'route replace fd09::2 via fd00:1::2 dev up1');

const routes = new Routes({ self, kernel: watched, clock: systemClock, log, installed: () => {} });
kernel.start((event) => routes.kernelChanged(event));
await routes.start();
routes.setNode(node, destinations.map(parseIp));
routes.setNode(other, elsewhere.map(parseIp));
await routes.loaded();
await routes.settled();

interface Effort {
  /** Milliseconds until the last answer of the kernel. */
  readonly ms: number;
  readonly batches: number;
  readonly changes: number;
  /** System calls; those of questions and notifications too. */
  readonly sent: number;
  readonly received: number;
}

/** What `act` brings about. */
async function timed(act: () => void): Promise<Effort> {
  sent.length = 0;
  Object.assign(calls, { sent: 0, received: 0 });
  const start = performance.now();
  act();
  await settled();
  const changes = sent.reduce((sum, one) => sum + one.changes, 0);
  return { ms: (sent.at(-1)?.end ?? start) - start, batches: sent.length, changes, ...calls };
}

function setClients(from: number, to: number, at: NodeId): void {
  for (let i = from; i < to; i++) {
    const [high, low] = [i >> 8, i & 255];
    const mac = `02:00:00:00:${high.toString(16).padStart(2, '0')}:${low.toString(16).padStart(2, '0')}` as Mac;
    const addresses = [parsePrefix(`10.44.${high}.${low}/32`), parsePrefix(`2001:db8:44:${i.toString(16)}::/64`)];
    routes.setClient({ mac, node: at, addresses, link: undefined });
  }
}

let clients = 0;
for (const target of [1000, 10_000]) {
  const count = 2 * target;
  print(`\n${target} clients, ${count} routes`);
  const line = (what: string, { ms, batches, changes, sent, received }: Effort) => {
    const calls = `${sent} sendto, ${received} recvmmsg`;
    print(`${what.padEnd(36)} ${ms.toFixed(0).padStart(7)} ms   ${changes} messages in ${batches} batches; ${calls}`);
  };
  flip(0);
  line(`${target - clients} more at once`, await timed(() => setClients(clients, target, node)));
  clients = target;
  await check(count, 'up0');
  line('all roam at once', await timed(() => setClients(0, target, other)));
  await check(count, 'up1');
  line('and back', await timed(() => setClients(0, target, node)));
  await check(count, 'up0');
  for (const compatible of [1, 0]) {
    set('net.ipv4.nexthop_compat_mode', compatible);
    const all: typeof sent = [];
    Object.assign(calls, { sent: 0, received: 0 });
    for (let i = 1; i <= FLIPS; i++) {
      sent.length = 0;
      flip(i % 2);
      await settled();
      all.push(...sent);
    }
    const { median, max } = distributionOf(all.map(({ ms }) => ms));
    const messages = (all.reduce((sum, { changes }) => sum + changes, 0) / FLIPS).toFixed(1);
    const each = Object.entries(calls).map(([name, count]) => `${(count / FLIPS).toFixed(1)} ${name === 'sent' ? 'sendto' : 'recvmmsg'}`);
    print(`another path, nexthop_compat_mode=${compatible}: ${messages} messages, ${each.join(', ')}; ${median.toFixed(2)} ms in the kernel, at most ${max.toFixed(2)}`);
    await check(count, `up${FLIPS % 2}`);
    line('no path any more', await timed(cut));
    await check(0, 'up0');
    line('and back', await timed(() => flip(0)));
    await check(count, 'up0');
  }
}
await routes.stop();
kernel.stop();
