/** What is read from a stream of pings. */
import t from 'tap';
import { silencesBetween } from './pings.js';

const answers = [0, 1, 2, 6, 7, 30, 31].map((sequence) => ({ sequence, sent: 1000 + 25 * sequence }));

t.test('silences are told where they reach into the time that is asked for', async (t) => {
  const long = { from: 1175, to: 1750 };
  t.same(silencesBetween(answers, 0, 5000, 100), [long], 'shorter ones are packets lost');
  t.same(silencesBetween(answers, 0, 5000, 50), [{ from: 1050, to: 1150 }, long]);
  t.same(silencesBetween(answers, 1700, 5000, 100), [long], 'it began before');
  t.same(silencesBetween(answers, 0, 1200, 100), [long], 'it ended after');
  t.same(silencesBetween(answers, 1750, 5000, 100), []);
  t.same(silencesBetween([], 0, 5000, 100), []);
});
