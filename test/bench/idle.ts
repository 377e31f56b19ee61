/**
 * `make bench-idle`, inside a network namespace: what a flooding session carries while nobody roams. Three nodes in a
 * line, over TLS on loopback; 4,000 clients at the first, see residents.ts. Bytes are those of whole frames,
 * acknowledgements too, as a capture sees them. Environment: CLIENTS (4000), SECONDS (60).
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseNodeId } from '../../src/clients/node-id.js';
import { BenchNode } from './bench-node.js';
import { readCapture } from './capture.js';
import { RECORDS_PER_CLIENT, Residents } from './residents.js';

const count = Number(process.env['CLIENTS'] ?? 4000);
const seconds = Number(process.env['SECONDS'] ?? 60);
const HOST = '127.0.0.1';
const PORTS = [4444, 4445, 4446] as const;
/** kbit/s on each link, measured: what 4,000 clients cost as host routes of babeld 1.14. */
const BABEL = 123;

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const nodes = ['aa', 'bb', 'cc'].map((id) => new BenchNode(parseNodeId(id.padStart(16, '0')), `router-${id}`));
const [first, , last] = nodes as [BenchNode, BenchNode, BenchNode];

async function main(): Promise<void> {
  execFileSync('ip', ['link', 'set', 'lo', 'up']);
  const directory = mkdtempSync(join(tmpdir(), 'idle-'));
  const file = join(directory, 'lo.pcap');
  try {
    const residents = new Residents(first, count);
    for (const [i, node] of nodes.entries()) {
      const next = PORTS[i + 1];
      await node.flooder.start({ port: PORTS[i]!, peers: next === undefined ? [] : [{ host: HOST, port: next }] });
    }
    while (last.db.size < RECORDS_PER_CLIENT * count) await sleep(100);
    residents.keepAlive();
    await sleep(12_000);
    const capture = spawn('dumpcap', ['-q', '-P', '-i', 'lo', '-s', '96', '-f', 'tcp', '-w', file], { stdio: 'ignore' });
    await sleep(1000);
    const [from, sent] = [Date.now(), first.flooder.counters['flood_sent']!];
    await sleep(seconds * 1000);
    const [to, told] = [Date.now(), first.flooder.counters['flood_sent']! - sent];
    const ended = once(capture, 'exit');
    capture.kill('SIGINT');
    await ended;
    report([...readCapture(readFileSync(file))].filter(({ time }) => time >= from && time < to), (to - from) / 1000, told);
  } finally {
    rmSync(directory, { recursive: true, force: true });
    await Promise.all(nodes.map((node) => node.stop()));
  }
}

function report(frames: readonly { readonly frame: Uint8Array; readonly length: number }[], duration: number, told: number): void {
  const print = (text: string) => process.stdout.write(`${text}\n`);
  print(`${count} clients, nobody roams, ${duration.toFixed(0)} s; records told again by the first node: ${(told / duration).toFixed(1)}/s\n`);
  print('session         frames/s    kbit/s   of 123 kbit/s (Babel with 4,000 clients as host routes)');
  for (const port of PORTS.slice(1)) {
    const own = frames.filter(({ frame }) => portsOf(frame).includes(port));
    const rate = (own.reduce((sum, { length }) => sum + length, 0) * 8) / duration / 1000;
    print(`to port ${port}  ${(own.length / duration).toFixed(1).padStart(10)} ${rate.toFixed(2).padStart(9)}   1/${(BABEL / rate).toFixed(0)}`);
  }
}

function portsOf(frame: Uint8Array): number[] {
  const at = 14 + (frame[14]! & 15) * 4;
  return [(frame[at]! << 8) | frame[at + 1]!, (frame[at + 2]! << 8) | frame[at + 3]!];
}

main().then(
  () => process.exit(),
  (error: Error) => {
    process.stderr.write(`${error.stack}\n`);
    process.exit(1);
  },
);
