/** Some hundred runs in which all that can happen does: `make sim SEEDS=10000` has more. */
import t from 'tap';
import { runChaos } from './chaos.js';

const SEEDS = 200;

t.test(`all holds after ${SEEDS} runs of trouble and calm`, async (t) => {
  let events = 0;
  for (let seed = 1; seed <= SEEDS; seed++) {
    const { violations, world } = await runChaos(seed);
    events += world.scheduler.count;
    if (violations.length > 0) t.fail(`make sim SEEDS=1 SEED=${seed} TRACE=1: ${violations.slice(0, 4).join('; ')}`);
  }
  t.ok(events > 1000 * SEEDS, `${events} events in ${SEEDS} runs`);
});

t.test('a seed says everything: two runs are alike to the last line', async (t) => {
  const runs: string[][] = [[], []];
  for (const lines of runs) await runChaos(7, (line) => lines.push(line));
  t.ok(runs[0]!.length > 100);
  t.same(runs[0], runs[1]);
});
