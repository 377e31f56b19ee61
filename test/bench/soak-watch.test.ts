/** What the soak takes for the cause of a gap. */
import t from 'tap';
import { causeOf } from './soak-watch.js';

t.test('of the obstacles the one that was over last is the cause, and what came after it is ours', async (t) => {
  const [from, to] = [1000, 5000];
  t.match(causeOf(from, to, { noPath: 4400, noDaemon: 2000 }), { what: /^no path/, beyond: 600 });
  t.match(causeOf(from, to, { noPath: 2000, noDaemon: 4900 }), { what: /daemon/, beyond: 100 });
  t.match(causeOf(from, to, { noPath: undefined, noDaemon: 500 }), { what: /nothing/, beyond: 4000 }, 'over before the gap began');
  t.match(causeOf(from, to, { noPath: 5020, noDaemon: undefined }), { beyond: 0 }, 'who stayed was reached later still');
});
