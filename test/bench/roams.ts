/**
 * `make bench`: the three loads, as databases and flooders without the rest of the daemon: whole daemons of the largest
 * would need hundreds of gigabytes. For the same reason the databases hold the clients that roam while it is measured;
 * what a roam costs does not depend on the others.
 */
import * as claims from '../../src/clients/claims.js';
import type { RecordKey } from '../../src/clients/record.js';
import { macFromBytes } from '../../src/net/mac.js';
import { SECOND } from '../../src/clients/time.js';
import { Fleet } from './fleet.js';

const DELAY = 5;
const DEGREE = 6;

/** Nodes, roams a second, seconds measured. */
const LOADS = [
  [200, 70, 10],
  [1200, 200, 1],
  [8000, 500, 0.1],
] as const;

const settled = () => new Promise((resolve) => setImmediate(resolve));

async function measure(nodes: number, rate: number, seconds: number): Promise<string> {
  const fleet = new Fleet(nodes, DEGREE, DELAY);
  await settled();
  fleet.run(10 * SECOND);
  const quiet = fleet.bytes;
  fleet.run(60 * SECOND);
  const idle = (fleet.bytes - quiet) / 60 / fleet.links.length;

  const open = new Map<RecordKey, { began: number; missing: number }>();
  const times: number[] = [];
  fleet.learnt = (key) => {
    const roam = open.get(key);
    if (roam === undefined || --roam.missing > 0) return;
    open.delete(key);
    times.push((fleet.scheduler.now - roam.began) / DELAY);
  };
  const roams = rate * seconds;
  const before = fleet.bytes;
  for (let i = 0; i < roams; i++) {
    fleet.scheduler.in((i * 1000) / rate, () => {
      const node = fleet.nodes[fleet.random.below(nodes)]!;
      const { now } = fleet.scheduler;
      const record = claims.claim(node.db, macFromBytes(Uint8Array.of(2, 0, 0, i >> 16, i >> 8, i)), node.id, now);
      open.set(record.key, { began: now, missing: nodes - 1 });
      node.db.apply(record, now);
      node.flooder.flood(record);
    });
  }
  const span = seconds * SECOND + 2 * SECOND;
  fleet.run(span);
  const bytes = fleet.bytes - before - (idle * fleet.links.length * span) / SECOND;
  times.sort((a, b) => a - b);
  const at = (share: number) => times[Math.min(times.length - 1, Math.floor(times.length * share))]?.toFixed(1) ?? '-';
  const cells = [nodes, rate, fleet.diameter(), at(0.5), at(0.99), at(1), open.size, (bytes / roams / fleet.links.length).toFixed(0), `${(bytes / roams / 1024).toFixed(0)} KiB`, idle.toFixed(1)];
  return cells.map((cell, i) => String(cell).padEnd(WIDTHS[i]!)).join(' ');
}

const HEADS = ['nodes', 'roams/s', 'diameter', 'median', '99 %', 'last', 'lost', 'bytes/link', 'bytes/roam', 'idle B/s/link'];
const WIDTHS = [6, 8, 9, 7, 6, 6, 5, 11, 11, 13];

console.log(`Roams until every node knows of them, in link delays; overlay of about ${DEGREE} sessions a node, ${DELAY} ms a link`);
console.log(HEADS.map((head, i) => head.padEnd(WIDTHS[i]!)).join(' '));
for (const [nodes, rate, seconds] of LOADS) {
  if (nodes > Number(process.env['BENCH_NODES'] ?? Infinity)) break;
  console.log(await measure(nodes, rate, seconds));
}
