/** What the soak takes for the cause of a gap, and its account of one. */
import t from 'tap';
import { causeOf, Timeline } from './soak-watch.js';
import type { Site } from './systems.js';

t.test('of the obstacles the one that was over last is the cause, and what came after it is ours', async (t) => {
  const [from, to] = [1000, 5000];
  t.match(causeOf(from, to, { noPath: 4400, noDaemon: 2000 }), { what: /^no path/, beyond: 600 });
  t.match(causeOf(from, to, { noPath: 2000, noDaemon: 4900 }), { what: /daemon/, beyond: 100 });
  t.match(causeOf(from, to, { noPath: undefined, noDaemon: 500 }), { what: /nothing/, beyond: 4000 }, 'over before the gap began');
  t.match(causeOf(from, to, { noPath: 5020, noDaemon: undefined }), { beyond: 0 }, 'who stayed was reached later still');
});

t.test('an account: who had which routes since when, then what happened, of the time before only what befell the network', async (t) => {
  const timeline = new Timeline({} as Site);
  timeline.note('r1', 'client', 'kernel: 10.44.0.9 dev br-client', 1000);
  timeline.note('r2', 'network', 'to-r3 fails', 3000);
  timeline.note('r1', 'client', 'the client is here', 3100);
  timeline.note('r1', 'client', 'the client is here', 4950);
  timeline.note('r2', 'client', 'kernel: 10.44.0.9 nhid 7', 5020);
  timeline.note('r2', 'client', 'kernel: Deleted 10.44.0.9 nhid 7', 5030);
  timeline.note('r3', 'network', 'too late', 9000);
  t.same(timeline.account(5000, 6000, 3000).map((line) => line.trim().replace(/ +/g, ' ')), [
    'what each kernel had in the end, and since when:',
    '-4000 ms r1 kernel: 10.44.0.9 dev br-client',
    '30 ms r2 kernel: Deleted 10.44.0.9 nhid 7',
    'what happened:',
    '-2000 ms r2 to-r3 fails',
    '-50 ms r1 the client is here',
    '20 ms r2 kernel: 10.44.0.9 nhid 7',
    '30 ms r2 kernel: Deleted 10.44.0.9 nhid 7',
  ]);
});
