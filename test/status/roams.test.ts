import t from 'tap';
import { viewTrace } from '../../src/status/roams.js';
import { laptop, makeSource, other, phone, self } from './support.js';
import { at } from '../support.js';

t.test('a trace: latest move first, in milliseconds from the first step, to a microsecond', async (t) => {
  const { source, clock, history } = makeSource();
  history.tracing = true;
  history.authorized(phone, other, at(1000));
  history.moved(phone, other, self, at(1000.25));
  history.step(phone, 'flooded', at(1001));
  history.left(laptop, at(1400));
  history.moved(laptop, self, other, at(1500));
  history.step(phone, 'routed', at(1501.0004));
  history.step(phone, 'routed', at(1600));
  history.step(laptop, 'routed', at(1500.5));
  history.authorized(phone, self, at(1700));
  history.step(phone, 'announced', at(1702));
  clock.now = at(4200);
  t.same(viewTrace(source), [
    { mac: phone, age: 2, steps: { station: 0, announced: 2 } },
    { mac: laptop, age: 2, steps: { received: 0, acknowledged: 0.5 } },
    { mac: phone, age: 3, steps: { station: 0, claimed: 0.25, flooded: 1, acknowledged: 501 } },
  ]);
});
