/** `make bench`: how fast records are merged, and what one takes. Each size is measured in a process of its own. */
import { execFileSync } from 'node:child_process';
import { performance } from 'node:perf_hooks';
import { Database } from '../../src/clients/database.js';
import { SnapshotWriter } from '../../src/clients/snapshot.js';
import type { Instant } from '../../src/clients/time.js';
import { DigestTree } from '../../src/flood/digest.js';
import { recordsOfClients } from './records.js';
import { SHIPPED_FLAGS } from './shipped.js';

const SIZES = [1000, 10_000, 100_000];

const NOW = 0 as Instant;

interface Result {
  readonly size: number;
  readonly newPerSecond: number;
  readonly samePerSecond: number;
  readonly movePerSecond: number;
  readonly bytesPerRecord: number;
  readonly heap: number;
  readonly resident: number;
  readonly fileMs: number;
}

/** Records a second that `work` goes through. */
function rate(size: number, work: () => void): number {
  const began = performance.now();
  work();
  return Math.round((1000 * size) / (performance.now() - began));
}

function collect(): NodeJS.MemoryUsage {
  globalThis.gc!();
  globalThis.gc!();
  return process.memoryUsage();
}

function measure(size: number): Result {
  for (const record of recordsOfClients(100)) new Database().apply(record, NOW);
  const before = collect();
  const db = new Database();
  const tree = new DigestTree(db, NOW);
  const fresh = rate(size, () => {
    for (const record of recordsOfClients(size / 4)) {
      db.apply(record, NOW);
      tree.touch(record.key, NOW);
    }
  });
  const after = collect();
  const again = [...recordsOfClients(size / 4)];
  const same = rate(size, () => again.forEach((record) => void db.apply(record, NOW)));
  const moved = again.filter((_, i) => i % 4 === 0).map((record) => ({ ...record, seqno: 1 }));
  const move = rate(moved.length, () => moved.forEach((record) => void db.apply(record, NOW)));
  const began = performance.now();
  new SnapshotWriter(db.records(), { instant: NOW, time: 0, boot: '' }).step();
  return {
    size,
    newPerSecond: fresh,
    samePerSecond: same,
    movePerSecond: move,
    bytesPerRecord: Math.round((after.heapUsed + after.external - before.heapUsed - before.external) / size),
    heap: (after.heapUsed + after.external - before.heapUsed - before.external) / 2 ** 20,
    resident: (after.rss - before.rss) / 2 ** 20,
    fileMs: performance.now() - began,
  };
}

const size = process.argv[2];
if (size !== undefined) console.log(JSON.stringify(measure(Number(size))));
else {
  console.log(`Database and digest tree, four records a client; node ${SHIPPED_FLAGS.join(' ')}`);
  console.log('records   new/s     same/s    moves/s   bytes each  heap MiB  resident MiB  file ms');
  for (const each of SIZES) {
    const output = execFileSync(process.execPath, [...SHIPPED_FLAGS, '--expose-gc', process.argv[1]!, String(each)], { encoding: 'utf8' });
    const r = JSON.parse(output) as Result;
    const row = [r.newPerSecond, r.samePerSecond, r.movePerSecond, r.bytesPerRecord, r.heap.toFixed(1), r.resident.toFixed(1), r.fileMs.toFixed(0)];
    console.log([String(r.size).padEnd(9), ...row.map((cell, i) => String(cell).padEnd([9, 9, 9, 11, 9, 13, 7][i]!))].join(' '));
  }
}
