/** The daemon's routes on the real kernel, in the namespace that a test runs in. */
import type { Test } from 'tap';
import { execFileSync } from 'node:child_process';
import type { NodeId } from '../../src/clients/node-id.js';
import type { Instant } from '../../src/clients/time.js';
import { LinuxKernel } from '../../src/linux/kernel.js';
import type { Ip } from '../../src/net/ip.js';
import { parseIp } from '../../src/net/ip.js';
import type { Clock, KernelChange, KernelEvent } from '../../src/ports.js';
import type { ClientView } from '../../src/routes/desired.js';
import { Routes } from '../../src/routes/routes.js';
import { client as clientOn9, SELF } from '../routes/helpers.js';
import { addon, ifindex, ipJson } from './namespace.js';
import { TestLog } from '../support.js';

const clock: Clock = {
  now: () => performance.now() as Instant,
  schedule(at, task) {
    const timer = setTimeout(task, Math.max(0, at - performance.now()));
    return { cancel: () => clearTimeout(timer) };
  },
};

export const ipBatch = (lines: string[]) =>
  execFileSync('ip', ['-batch', '-'], { input: lines.join('\n'), stdio: ['pipe', 'ignore', 'pipe'] });

export const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Addresses of the nodes A and B. */
export const A4 = parseIp('10.9.0.1');
export const A6 = parseIp('2001:db8:9::1');
export const B6 = parseIp('2001:db8:9::2');

/** Two uplinks to "the mesh", and a client bridge with one port; node A by one uplink, node B by the other. */
export function topology(): void {
  ipBatch([
    'link add up0 type veth peer name far0',
    'link add up1 type veth peer name far1',
    'link add br-client address 00:00:5e:00:52:13 type bridge',
    'link add port0 type veth peer name station0',
    'link set port0 master br-client',
    'address add 10.0.0.1/24 dev up0',
    'address add 10.9.0.99/32 dev lo',
    'address add 2001:db8:9::99/128 dev lo nodad',
    'address add 2001:db8:1::1/64 dev up0 nodad',
    'address add 169.254.7.7/16 dev up1',
    'address add 10.44.0.1/16 dev br-client',
    'address add fe80::200:5eff:fe00:5213/64 dev br-client nodad',
    ...['up0', 'far0', 'up1', 'far1', 'br-client', 'port0', 'station0'].map((name) => `link set ${name} up`),
    'route add 10.9.0.1 via 10.0.0.2 dev up0',
    'route add 2001:db8:9::1 via fe80::1:1 dev up0',
    'route add 2001:db8:9::2 via fe80::1:2 dev up1',
  ]);
}

export interface Run {
  readonly kernel: LinuxKernel;
  readonly routes: Routes;
  readonly log: TestLog;
  /** What was sent to the kernel. */
  readonly batches: (readonly KernelChange[])[];
  readonly events: KernelEvent[];
  /** Addresses of {@link Routes.watch} that there was a path to, as it was told. */
  readonly found: Ip[];
}

export async function open(log = new TestLog()): Promise<LinuxKernel> {
  return LinuxKernel.open({ addon: addon(), log });
}

/** Runs them as the daemon does. */
export async function run(t: Test, { nexthopObjects = true } = {}): Promise<Run> {
  const log = new TestLog();
  const kernel = await open(log);
  if (!nexthopObjects) Object.defineProperty(kernel, 'nexthopObjects', { value: false });
  t.teardown(() => kernel.stop());
  const batches: (readonly KernelChange[])[] = [];
  const apply = kernel.apply.bind(kernel);
  kernel.apply = (changes) => {
    batches.push(changes);
    return apply(changes);
  };
  const found: Ip[] = [];
  const routes = new Routes({ self: SELF, kernel, clock, log, installed: () => undefined, pathFound: (address) => void found.push(address) });
  const events: KernelEvent[] = [];
  kernel.start((event) => {
    events.push(event);
    routes.kernelChanged(event);
  });
  await routes.start();
  return { kernel, routes, log, batches, events, found };
}

/** See {@link clientOn9}: on br-client where it is here. */
export const client = (number: number, node: NodeId | undefined, ...prefixes: string[]): ClientView => {
  const view = clientOn9(number, node, ...prefixes);
  return view.link === undefined ? view : { ...view, link: { network: 'br-client', ifindex: ifindex('br-client') } };
};

/** Our table as ip(8) shows it, nexthop objects by their number from 0. */
export const table = (family: 4 | 6) =>
  ipJson(`-${family} route show table 44`).map(({ dst, dev, protocol, nhid, gateway, via }) => ({
    dst, dev, protocol, ...(nhid !== undefined && { nhid: Number(nhid) - 0x526f0000 }),
    ...((gateway ?? via) !== undefined && { gateway: gateway ?? (via as { host: string }).host }),
  }));
