/** What the compiler says of all types, in sources and tests: nothing else that runs a test looks at them. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import t from 'tap';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

t.test('tsc has nothing to say', async (t) => {
  const { stdout, status } = spawnSync('node_modules/.bin/tsc', { cwd: ROOT, encoding: 'utf8' });
  t.equal(stdout, '');
  t.equal(status, 0);
});
