import t from 'tap';
import { Pace, Repairs, SECOND } from '../../src/clients/time.js';
import { at } from '../support.js';

t.test('a pace: a burst at once, then once in each interval', async (t) => {
  const pace = new Pace(3, SECOND);
  t.strictSame([0, 0, 0, 0, 999, 1000, 1500, 2000].map((now) => pace.take(at(now))), [true, true, true, false, false, true, false, true]);
  t.equal(pace.from, 3000);
  t.strictSame([60_000, 60_000, 60_000, 60_000].map((now) => pace.take(at(now))), [true, true, true, false], 'after a rest');
});

t.test('so many at once, then one in each interval; that is said once, and again after a rest', async (t) => {
  let said = 0;
  const repairs = new Repairs(3, 2000, () => said++);
  t.same([0, 10, 20].map((now) => repairs.done(at(now)) <= now), [true, true, false]);
  t.equal(said, 1);
  for (let now = 2000; now < 20_000; now += 2000) t.ok(repairs.done(at(now)) <= now + 2000);
  t.equal(said, 1);
  t.ok(repairs.done(at(60_000)) <= 60_000);
  for (let i = 0; i < 3; i++) repairs.done(at(60_000));
  t.equal(said, 2);
});
