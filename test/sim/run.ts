/** `make sim SEEDS=n SEED=x`: so many runs from that seed on; the first that fails is said, and how to see it again. */
import { performance } from 'node:perf_hooks';
import { runChaos } from './chaos.js';

const count = Number(process.env['SEEDS'] ?? 1000);
const first = Number(process.env['SEED'] ?? 1);
const verbose = process.env['TRACE'] === '1';

const began = performance.now();
let tasks = 0;
let failed = 0;
for (let seed = first; seed < first + count; seed++) {
  const { violations, world } = await runChaos(seed, verbose ? (line) => console.log(line) : undefined);
  tasks += world.scheduler.count;
  if (violations.length === 0) continue;
  failed++;
  console.log(`seed ${seed}: ${violations.length} things do not hold:`);
  for (const line of violations.slice(0, 8)) console.log(`    ${line}`);
  console.log(`  again, with all that happens: make sim SEEDS=1 SEED=${seed} TRACE=1`);
}
const seconds = (performance.now() - began) / 1000;
const { user, system } = process.cpuUsage();
const busy = (user + system) / 1e6;
const pace = Math.round((60 * count) / busy);
console.log(`${count} seeds from ${first}, ${failed} failed; ${tasks} events in ${seconds.toFixed(1)} s, ${busy.toFixed(1)} s of them busy: ${pace} seeds a minute of processor time`);
process.exitCode = failed > 0 ? 1 : 0;
