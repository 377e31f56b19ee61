import t from 'tap';
import { rehearse } from '../../src/cli/rehearsal.js';

t.test('the client moves to and fro, and both routers follow', async (t) => {
  t.equal(await rehearse(), 3);
  t.equal(await rehearse(), 3, 'nothing is left of the first');
});
