import t from 'tap';
import { Pace, SECOND } from '../../src/clients/time.js';
import { at } from '../support.js';

t.test('a pace: a burst at once, then once in each interval', async (t) => {
  const pace = new Pace(3, SECOND);
  t.strictSame([0, 0, 0, 0, 999, 1000, 1500, 2000].map((now) => pace.take(at(now))), [true, true, true, false, false, true, false, true]);
  t.equal(pace.from, 3000);
  t.strictSame([60_000, 60_000, 60_000, 60_000].map((now) => pace.take(at(now))), [true, true, true, false], 'after a rest');
});
