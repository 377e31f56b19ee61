/**
 * Tests that change the network run in a network namespace of their own. A process cannot enter one, so the test file
 * runs itself once more inside `unshare --net`; the namespace goes when that process ends.
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { TAP, Test } from 'tap';
import { loadPacketAddon } from '../../src/linux/addons.js';

const INSIDE = 'ROAMING_TEST_NAMESPACE';

/** Runs `body` in a new network namespace, as a subtest. Skipped, by name, without root. */
export async function inNamespace(t: TAP, url: string, body: (t: TAP) => Promise<void> | void): Promise<void> {
  const file = fileURLToPath(url);
  if (process.env[INSIDE]) {
    ip('link set lo up');
    await body(t);
  } else if (process.getuid?.() !== 0) {
    await t.test('in a network namespace', { skip: 'needs root' }, () => undefined);
  } else {
    const env = { ...process.env, [INSIDE]: '1' };
    await t.spawn('unshare', ['--net', process.execPath, ...process.execArgv, file], { env }, 'in a network namespace');
  }
}

/** Runs ip(8) with the words of `command`, and returns what it prints. */
export function ip(command: string): string {
  return execFileSync('ip', command.split(' '), { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

/** What `ip -j` prints. */
export function ipJson(command: string): Record<string, unknown>[] {
  const text = ip(`-j -d ${command}`).trim();
  return text === '' ? [] : (JSON.parse(text) as Record<string, unknown>[]);
}

/** Interface index by name. */
export function ifindex(name: string): number {
  return Number(ipJson(`link show dev ${name}`)[0]!['ifindex']);
}

/**
 * Waits until the interfaces may be used: their queues run, which they do a moment after the carrier is there, and what is
 * sent before is lost; and they have link-local addresses that duplicate address detection is done with.
 */
export async function settled(...names: string[]): Promise<void> {
  const isSettled = (name: string) => {
    const [link] = ipJson(`-6 addr show dev ${name}`);
    const own = (link?.['addr_info'] ?? []) as { scope: string; tentative?: boolean }[];
    return link?.['qdisc'] !== 'noop' && own.some(({ scope, tentative }) => scope === 'link' && tentative !== true);
  };
  for (let i = 0; !names.every(isSettled); i++) {
    if (i === 600) throw new Error(`${names.join()}: no address that may be used`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** The addon as the build leaves it. */
export const addon = () => loadPacketAddon(fileURLToPath(new URL('../../dist/packet.node', import.meta.url)));

/** Waits until `condition` holds, and fails the test when it does not within half a minute. */
export async function until(t: Test | TAP, what: string, condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!condition() && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 5));
  t.ok(condition(), what);
}
