/**
 * `make bench-routes`, inside a network namespace: how long the kernel takes for the routes of many clients, and for
 * another path to the node that they are at. Each client has an IPv4 address and a /64.
 */
import { execFileSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { NodeId } from '../../src/clients/node-id.js';
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
const FLIPS = 20;

const ip = (...lines: string[]) => execFileSync('ip', ['-batch', '-'], { input: lines.join('\n'), stdio: ['pipe', 'ignore', 'inherit'] });
const set = (name: string, value: number) => execFileSync('sysctl', ['-qw', `${name}=${value}`]);
const print = (text: string) => process.stdout.write(`${text}\n`);

const log = new StreamLogger('warn');
const kernel = await LinuxKernel.open({ addon: loadPacketAddon(join(here, '../dist/packet.node')), log });
const sent: { changes: number; ms: number }[] = [];
const timed = new Proxy(kernel, {
  get: (target, name) => {
    if (name === 'apply') {
      return async (changes: readonly KernelChange[]) => {
        const start = performance.now();
        const results = await target.apply(changes);
        sent.push({ changes: changes.length, ms: performance.now() - start });
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
const flip = (n: number) => ip(`route replace 10.9.0.1 via 10.${n}.0.2 dev up${n}`, `route replace fd09::1 via fd00:${n}::2 dev up${n}`);
flip(0);

const routes = new Routes({ self, kernel: timed, clock: systemClock, log, installed: () => {} });
kernel.start((event) => routes.kernelChanged(event));
await routes.start();
routes.setNode(node, [parseIp('10.9.0.1'), parseIp('fd09::1')]);
await routes.settled();

print('clients   routes    made in   another path: messages   kernel median      max');
let clients = 0;
for (const target of [1000, 10_000]) {
  sent.length = 0;
  const start = performance.now();
  for (; clients < target; clients++) {
    const [high, low] = [clients >> 8, clients & 255];
    const mac = `02:00:00:00:${high.toString(16).padStart(2, '0')}:${low.toString(16).padStart(2, '0')}` as Mac;
    const addresses = [parsePrefix(`10.44.${high}.${low}/32`), parsePrefix(`2001:db8:44:${clients.toString(16)}::/64`)];
    routes.setClient({ mac, node, addresses, link: undefined });
  }
  await routes.settled();
  const made = performance.now() - start;
  for (const compatible of [1, 0]) {
    set('net.ipv4.nexthop_compat_mode', compatible);
    sent.length = 0;
    for (let i = 1; i <= FLIPS; i++) {
      flip(i % 2);
      await new Promise((resolve) => setTimeout(resolve, 50));
      await routes.settled();
    }
    const { median, max } = distributionOf(sent.map(({ ms }) => ms));
    const messages = (sent.reduce((sum, { changes }) => sum + changes, 0) / FLIPS).toFixed(1);
    print(
      `${String(target).padStart(7)} ${String(2 * target).padStart(8)} ${made.toFixed(0).padStart(7)} ms ${messages.padStart(25)} ` +
        `${median.toFixed(2).padStart(12)} ms ${max.toFixed(2).padStart(5)} ms   nexthop_compat_mode=${compatible}`,
    );
  }
}
await routes.stop();
kernel.stop();
