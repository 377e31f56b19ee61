import t from 'tap';
import type { Instant, Millis } from '../../src/clients/time.js';
import { after, HOUR, MINUTE, SECOND } from '../../src/clients/time.js';
import type { Delivery } from '../../src/flood/ack-watch.js';
import { AckWatch } from '../../src/flood/ack-watch.js';
import { SeededRandom } from '../random.js';
import { START } from './support.js';

/** A watch, and the time as it passes for it. */
class Watched {
  readonly watch = new AckWatch();
  now: Instant = START;
  /** When it was found to be another, in milliseconds since the start. */
  readonly changes: Millis[] = [];
  looks = 0;
  delivery: (at: Millis) => Delivery = () => ({ acknowledged: true, timeouts: 0 });

  get elapsed(): Millis {
    return this.now - START;
  }

  send(): void {
    this.watch.sent(this.now);
  }

  run(duration: Millis): void {
    const end = after(this.now, duration);
    for (let at = this.watch.nextDeadline; at !== undefined && at <= end; at = this.watch.nextDeadline) {
      this.now = Math.max(at, this.now) as Instant;
      const look = () => {
        this.looks++;
        return this.delivery(this.elapsed);
      };
      if (this.watch.poll(this.now, look)) this.changes.push(this.elapsed);
    }
    this.now = end;
  }
}

/** From `from` on nothing is acknowledged: TCP's timeouts come one every 200 ms, and then ever less often. */
const dead = (from: Millis) => (at: Millis): Delivery => {
  const timeouts = at < from ? 0 : Math.floor((at - from) / 200);
  return { acknowledged: false, timeouts: Math.min(timeouts, 6) };
};

t.test('a peer that is dead is found so within two seconds of the first bytes, and looked at until the session ends', (t) => {
  const one = new Watched();
  one.delivery = dead(0);
  one.send();
  t.equal(one.watch.unresponsive, false);
  one.run(10 * SECOND);
  t.same(one.changes, [1500]);
  t.ok(one.watch.unresponsive);
  t.equal(one.looks, 20);
  t.end();
});

t.test('what is acknowledged at once is not looked at, and nothing waits for it', (t) => {
  const one = new Watched();
  for (let i = 0; i < 100; i++) {
    one.send();
    one.run(20);
    one.watch.acknowledged(one.now);
    t.equal(one.watch.nextDeadline, undefined);
    one.run(SECOND);
  }
  t.equal(one.looks, 0);
  one.send();
  one.run(SECOND);
  t.equal(one.looks, 1, 'nor twice, if nobody has asked before');
  t.equal(one.watch.nextDeadline, undefined);
  t.same(one.changes, []);
  t.end();
});

t.test('one that dies while much is on its way to it, all of which it acknowledged so far', (t) => {
  const one = new Watched();
  one.delivery = dead(10_200);
  for (let i = 0; i < 200; i++) {
    one.send();
    one.run(100);
  }
  t.same(one.changes, [11_500], 'since the last look at which it was well');
  t.end();
});

t.test('where nobody can tell it is taken to be well', (t) => {
  const one = new Watched();
  one.delivery = () => ({ acknowledged: false, timeouts: undefined });
  for (let i = 0; i < 100; i++) {
    one.send();
    one.run(SECOND);
  }
  t.same(one.changes, []);
  t.end();
});

t.test('slow is not dead: a full queue, a delay of seconds, a timeout or two', (t) => {
  const deliveries: { readonly [what: string]: (at: Millis) => Delivery } = {
    'acknowledgements come one after the other, and never of all': () => ({ acknowledged: false, timeouts: 0 }),
    'a round trip of 3 s': (at) => ({ acknowledged: at % 6000 >= 3000, timeouts: 0 }),
    'the delay has risen to 2.5 s: one or two timeouts': (at) => ({ acknowledged: false, timeouts: Math.floor((at % 2500) / 1000) }),
    'a peer that does not read, and acknowledges probes': () => ({ acknowledged: false, timeouts: 0 }),
  };
  for (const [what, delivery] of Object.entries(deliveries)) {
    const one = new Watched();
    one.delivery = delivery;
    for (let i = 0; i < 600; i++) {
      one.send();
      one.run(100);
    }
    t.same(one.changes, [], what);
  }
  t.end();
});

t.test('many timeouts within less than 1.5 s prove nothing', (t) => {
  const one = new Watched();
  one.delivery = (at) => (at < 1400 ? { acknowledged: false, timeouts: 9 } : { acknowledged: true, timeouts: 0 });
  one.send();
  one.run(MINUTE);
  t.same(one.changes, []);
  t.end();
});

t.test('one that acknowledges again has to do so for ten seconds', (t) => {
  const one = new Watched();
  one.delivery = (at) => (at < 5000 ? dead(0)(at) : { acknowledged: true, timeouts: 0 });
  one.send();
  one.run(MINUTE);
  t.same(one.changes, [1500, 15_000]);
  t.notOk(one.watch.unresponsive);
  t.equal(one.watch.nextDeadline, undefined);
  t.end();
});

t.test('the probation ends while more and more is under way, unless TCP waits for something at that moment', (t) => {
  for (const [timeoutAt, trusted] of [[60_000, 15_000], [14_600, 16_500]] as const) {
    const one = new Watched();
    one.delivery = (at) => {
      if (at < 5000) return dead(0)(at);
      return { acknowledged: false, timeouts: at >= timeoutAt && at < timeoutAt + 1500 ? 1 : 0 };
    };
    for (let i = 0; i < 300; i++) {
      one.send();
      one.run(100);
    }
    t.same(one.changes, [1500, trusted]);
  }
  t.end();
});

/** What is written every 100 ms gets through half of the time: for `period` it does, for another it does not. */
function flap(period: Millis, duration: Millis): Watched {
  const one = new Watched();
  one.delivery = (at) => {
    const down = at % (2 * period);
    return down >= period ? { acknowledged: true, timeouts: 0 } : dead(0)(down);
  };
  for (let at = 0; at < duration; at += 100) {
    one.send();
    one.run(100);
  }
  return one;
}

t.test('a link that comes and goes is told of ever less often', (t) => {
  t.equal(flap(3 * SECOND, HOUR).changes.length, 1, 'and not at all while it is not well for ten seconds');
  t.equal(flap(SECOND, HOUR).changes.length, 0, 'TCP gets over a second');
  const { changes } = flap(15 * SECOND, HOUR);
  t.ok(changes.length >= 3 && changes.length <= 5, `${changes.length} changes while the link changes 240 times`);
  for (const period of [30, 60, 120, 300, 600]) {
    const { changes } = flap(period * SECOND, 6 * HOUR);
    t.ok(changes.length <= 6 * 24 + 2, `${changes.length} changes in six hours of ${period} s each`);
  }
  t.end();
});

t.test('one that fails again long after is as new', (t) => {
  const one = new Watched();
  const fails = (from: Millis) => {
    one.delivery = (at) => (at < from + 3000 ? dead(from)(at) : { acknowledged: true, timeouts: 0 });
    one.send();
  };
  fails(0);
  one.run(5 * MINUTE);
  fails(5 * MINUTE);
  one.run(25 * MINUTE);
  fails(30 * MINUTE);
  one.run(5 * MINUTE);
  const lasting = [0, 2, 4].map((i) => Math.round((one.changes[i + 1]! - one.changes[i]!) / SECOND));
  t.same(lasting, [12, 22, 12], 'and the second of two within ten minutes is not');
  t.end();
});

t.test('heavy loss: what is acknowledged after some attempts leads to few changes', (t) => {
  const random = new SeededRandom(7);
  for (const [loss, most] of [[0.2, 2], [0.3, 16], [0.5, 24]] as const) {
    const one = new Watched();
    // A change every five seconds. An attempt takes a way there and one back.
    for (let i = 0; i < 720; i++) {
      const start = one.elapsed;
      let attempts = 1;
      while (!random.chance((1 - loss) ** 2)) attempts++;
      one.delivery = (at) => (at < start + 200 * attempts ? dead(start)(at) : { acknowledged: true, timeouts: 0 });
      one.send();
      one.run(5 * SECOND);
    }
    t.ok(one.changes.length <= most, `${one.changes.length} changes in an hour with ${100 * loss} % lost`);
  }
  t.end();
});
