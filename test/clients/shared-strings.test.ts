import t from 'tap';
import { SharedStrings } from '../../src/clients/shared-strings.js';

t.test('equal strings come back equal, however many there are', async (t) => {
  const shared = new SharedStrings();
  for (let round = 0; round < 3; round++) for (let i = 0; i < 5000; i++) if (shared.share(`node ${i}`) !== `node ${i}`) t.fail(`${i}`);
  t.equal(shared.share(''), '');
});
