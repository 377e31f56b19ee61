import { execFileSync } from 'node:child_process';
import t from 'tap';
import { LATE_OPTIMIZATION } from '../../src/cli/late-optimization.js';

t.test('this version of Node knows the flag', async (t) => {
  t.equal(execFileSync(process.execPath, [LATE_OPTIMIZATION, '-p', '6 * 7'], { encoding: 'utf8' }), '42\n');
});
