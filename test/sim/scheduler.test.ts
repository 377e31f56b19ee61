/** The simulation's time: clocks that are off, at any age of the world. */
import fc from 'fast-check';
import t from 'tap';
import type { Instant } from '../../src/clients/time.js';
import { at } from '../support.js';
import { Scheduler, SimClock } from './scheduler.js';

const DAY = 86_400_000;

t.test('what waits for a time runs once it is that time by its own clock, and hardly later', async (t) => {
  const rate = fc.double({ min: 0.5, max: 2, noNaN: true });
  const years = fc.double({ min: 0, max: 3650 * DAY, noNaN: true });
  const delay = fc.oneof(fc.double({ min: 0, max: 10, noNaN: true }), fc.double({ min: 0, max: DAY, noNaN: true }));
  fc.assert(
    fc.property(rate, years, years, delay, (rate, age, zero, delay) => {
      const scheduler = new Scheduler();
      scheduler.runAtOnce(age);
      const clock = new SimClock(scheduler, rate, zero);
      const due = (clock.now() + delay) as Instant;
      const ran: number[] = [];
      clock.schedule(due, () => ran.push(clock.now()));
      scheduler.runAtOnce(2 * DAY);
      return ran.length === 1 && ran[0]! >= due && ran[0]! - due < 0.001;
    }),
  );
  t.pass();
});

t.test('a deadline that is polled again until it is over comes to its end after a year too', async (t) => {
  const scheduler = new Scheduler();
  const clock = new SimClock(scheduler, 1.0001, 123_456.789);
  scheduler.runAtOnce(365 * DAY);
  for (let i = 0; i < 1000; i++) {
    const due = (clock.now() + 0.1 * i) as Instant;
    const poll = () => {
      if (clock.now() < due) clock.schedule(due, poll);
    };
    clock.schedule(due, poll);
    scheduler.runAtOnce(1000);
  }
  t.equal(scheduler.count, 1000, 'none had to be waited for twice');
});

t.test('tasks of one moment run in the order in which they were made, those that are too late at once', async (t) => {
  const scheduler = new Scheduler();
  const ran: string[] = [];
  scheduler.schedule(20, () => ran.push('c'));
  scheduler.schedule(10, () => {
    ran.push('a');
    scheduler.schedule(5, () => ran.push('late'));
  });
  scheduler.schedule(10, () => ran.push('b'));
  scheduler.schedule(15, () => ran.push('never')).cancel();
  scheduler.runAtOnce(30);
  t.same(ran, ['a', 'b', 'late', 'c']);
  t.equal(scheduler.now, at(30));
});
