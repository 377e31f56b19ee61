/**
 * `make bench-idle`: what each link between routers carries while nobody roams. Six routers in a line, with babeld, which
 * find each other by their hellos; 4,000 clients beside the first, see residents.ts. All frames of the daemon's ports are
 * counted, whole, as a capture sees them; what belongs to sessions of two that are not on the link itself, which stand
 * by, is shown apart. Environment: CLIENTS (4000), SECONDS (60), ROUTERS (6).
 */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Cleanup, Service, sleep, until } from '../lab/shell.js';
import { loopback4 } from '../lab/topology.js';
import { programs } from './bundles.js';
import type { Captured } from './capture.js';
import { controlKindOf } from './control.js';
import { ask, Capture } from './programs.js';
import { RECORDS_PER_CLIENT } from './residents.js';
import { makeSite } from './run.js';
import { Roaming } from './systems.js';

const count = Number(process.env['CLIENTS'] ?? 4000);
const seconds = Number(process.env['SECONDS'] ?? 60);
const routers = Number(process.env['ROUTERS'] ?? 6);
/** kbit/s on each link, measured: what 4,000 clients cost as host routes of babeld 1.14. */
const BABEL = 123;

const print = (text: string) => process.stdout.write(`${text}\n`);

async function main(cleanup: Cleanup): Promise<void> {
  const site = await makeSite(routers - 1, programs, cleanup);
  const system = new Roaming({ name: 'roaming', dwell: 0, announcing: false, options: { peer: [] } });
  await system.build(site);
  const program = join(dirname(fileURLToPath(import.meta.url)), 'resident-node.mjs');
  const residents = new Service('residents', site.net.in('r1', process.execPath, program, loopback4(1), `${count}`));
  cleanup.add(() => residents.stop('SIGKILL'));
  await until('the last router knows all clients', 60, async () => {
    const { records } = (await ask(system.routers.get(site.routers.at(-1)!)!, 'status')) as { records?: number };
    return records !== undefined && records >= RECORDS_PER_CLIENT * count;
  });
  await sleep(system.settling);
  const links = site.routers.slice(1).map((far, i) => ({ near: site.routers[i]!, far }));
  const captures = links.map(({ near, far }) => new Capture(site, near, `to-${far}`, { streams: false }));
  await Promise.all(captures.map((capture) => capture.ready()));
  const from = Date.now();
  await sleep(seconds * 1000);
  const to = Date.now();
  const captured = await Promise.all(captures.map((capture) => capture.end()));
  print(`${count} clients, nobody roams, ${routers} routers in a line that find each other, ${seconds} s; kbit/s on each link\n`);
  print('link          neighbours  stand by    hellos       all   of 123 (Babel with 4,000 clients as host routes)');
  for (const [i, { near, far }] of links.entries()) {
    const own = captured[i]!.filter(({ time }) => time >= from && time < to);
    const rates = [isNeighbours, isStandby, isHello].map((is) => rateOf(own.filter(is), to - from));
    const all = rates.reduce((sum, rate) => sum + rate, 0);
    const cells = [...rates, all].map((rate) => rate.toFixed(2).padStart(10)).join('');
    print(`${`${near} - ${far}`.padEnd(13)} ${cells}   1/${(BABEL / all).toFixed(0)}`);
  }
}

/** In kbit/s, of frames in so many milliseconds. */
function rateOf(frames: readonly Captured[], duration: number): number {
  return frames.reduce((sum, { length }) => sum + length * 8, 0) / duration;
}

function isHello({ frame }: Captured): boolean {
  return controlKindOf(frame) === 'hellos';
}

/** Of a session between the two ends of the link: they know each other by link-local addresses. */
function isNeighbours({ frame }: Captured): boolean {
  return isSession(frame) && isLinkLocal(frame);
}

function isStandby({ frame }: Captured): boolean {
  return isSession(frame) && !isLinkLocal(frame);
}

function isSession(frame: Uint8Array): boolean {
  return ['data', 'acks'].includes(controlKindOf(frame));
}

/** Whether the source of an IPv6 packet is out of fe80::/10. */
function isLinkLocal(frame: Uint8Array): boolean {
  return frame[12] === 0x86 && frame[22] === 0xfe && (frame[23]! & 0xc0) === 0x80;
}

const cleanup = new Cleanup();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void cleanup.run().then(() => process.exit(130)));
main(cleanup)
  .catch((error: Error) => {
    process.stderr.write(`${error.stack}\n`);
    process.exitCode = 1;
  })
  .finally(() => cleanup.run());
