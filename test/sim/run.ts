/** `make sim SEEDS=n SEED=x`: so many runs from that seed on, on all cores; those that fail are said, and how to see them again. */
import { fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { performance } from 'node:perf_hooks';
import { runChaos } from './chaos.js';

const count = Number(process.env['SEEDS'] ?? 1000);
const first = Number(process.env['SEED'] ?? 1);
const verbose = process.env['TRACE'] === '1';

/** What a seed leaves behind is garbage before it is collected for the first time. */
const YOUNG_SPACE = '--max-semi-space-size=64';

interface Report {
  readonly failed: number;
  readonly events: number;
}

async function runSeeds(from: number, to: number, step: number): Promise<Report> {
  let [failed, events] = [0, 0];
  for (let seed = from; seed < to; seed += step) {
    const { violations, world } = await runChaos(seed, verbose ? (line) => console.log(line) : undefined);
    events += world.scheduler.count;
    if (violations.length === 0) continue;
    failed++;
    const lines = violations.slice(0, 8).map((line) => `    ${line}\n`);
    const again = `  again, with all that happens: make sim SEEDS=1 SEED=${seed} TRACE=1`;
    console.log(`seed ${seed}: ${violations.length} things do not hold:\n${lines.join('')}${again}`);
  }
  return { failed, events };
}

/** A process that does every n-th seed. */
function runApart(worker: number, workers: number): Promise<Report> {
  return new Promise((resolve, reject) => {
    const child = fork(process.argv[1]!, [String(worker), String(workers)], { execArgv: [...process.execArgv, YOUNG_SPACE] });
    child.once('message', (report) => resolve(report as Report));
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`a process of the simulation ended with ${code}`)));
  });
}

const [worker, workers] = process.argv.slice(2).map(Number);
if (worker !== undefined && workers !== undefined) {
  const report = await runSeeds(first + worker, first + count, workers);
  process.send!(report, () => process.disconnect());
} else {
  const began = performance.now();
  const cores = Math.min(availableParallelism(), count);
  const reports = cores < 2 ? [await runSeeds(first, first + count, 1)] : await Promise.all(Array.from({ length: cores }, (_, i) => runApart(i, cores)));
  const sum = (of: (report: Report) => number) => reports.reduce((total, report) => total + of(report), 0);
  const seconds = (performance.now() - began) / 1000;
  const failed = sum((report) => report.failed);
  const pace = Math.round((60 * count) / seconds);
  console.log(`${count} seeds from ${first}, ${failed} failed; ${sum((report) => report.events)} events in ${seconds.toFixed(1)} s: ${pace} seeds a minute`);
  process.exitCode = failed > 0 ? 1 : 0;
}
