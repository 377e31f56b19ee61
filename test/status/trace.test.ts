import t from 'tap';
import type { Instant } from '../../src/clients/time.js';
import { parseMac } from '../../src/net/mac.js';
import { Trace } from '../../src/status/trace.js';

const [phone, laptop] = [parseMac('02:00:00:00:00:01'), parseMac('02:00:00:00:00:02')];
const at = (ms: number) => ms as Instant;

t.test('steps of roams, latest roam first, in milliseconds from the first step', async (t) => {
  const trace = new Trace();
  trace.begin(phone, 'station', at(1000));
  trace.step(phone, 'claimed', at(1000.25));
  trace.step(phone, 'flooded', at(1001));
  trace.begin(laptop, 'received', at(1500));
  trace.step(phone, 'acknowledged', at(1501.0004));
  trace.step(phone, 'acknowledged', at(1600));
  trace.step(laptop, 'acknowledged', at(1500.5));
  t.same(trace.view(at(4200)), [
    { mac: laptop, age: 2, steps: { received: 0, acknowledged: 0.5 } },
    { mac: phone, age: 3, steps: { station: 0, claimed: 0.25, flooded: 1, acknowledged: 501 } },
  ]);
});

t.test('a step counts for the latest roam of its client, and for none where there is none', async (t) => {
  const trace = new Trace();
  trace.step(phone, 'acknowledged', at(1));
  trace.begin(phone, 'station', at(2));
  trace.begin(phone, 'received', at(3));
  trace.step(phone, 'acknowledged', at(5));
  t.same(trace.view(at(5)).map(({ steps }) => steps), [{ received: 0, acknowledged: 2 }, { station: 0 }]);
});

t.test('keeps so many roams and no more', async (t) => {
  const trace = new Trace(2);
  trace.begin(phone, 'station', at(1));
  trace.begin(laptop, 'station', at(2));
  trace.begin(laptop, 'received', at(3));
  trace.step(phone, 'acknowledged', at(4));
  t.same(trace.view(at(4)), [
    { mac: laptop, age: 0, steps: { received: 0 } },
    { mac: laptop, age: 0, steps: { station: 0 } },
  ], 'of the oldest nothing is left, nor does a late step of it count for another');
});
