import fc from 'fast-check';
import t from 'tap';
import { gapOf, History } from '../../src/status/history.js';
import { at, laptop, other, phone, self } from './support.js';

t.test('a client that comes here: every step, and how long it had no way', async (t) => {
  const history = new History();
  history.moved(phone, undefined, other, self, at(0));
  history.before(phone, 'authorized', at(100));
  history.moved(phone, other, self, self, at(101));
  history.after(phone, 'routed', at(103));
  history.after(phone, 'announced', at(104));
  history.after(phone, 'routed', at(900));
  const [roam] = history.roams();
  t.same(roam, { mac: phone, from: other, to: self, times: { authorized: 100, known: 101, routed: 103, announced: 104 } });
  t.equal(gapOf(roam!), 3, 'routes that follow later change nothing');
  t.same(history.whereabouts(phone), { since: 101, roams: 1 });
});

t.test('a client that goes from here: counted from when it was lost', async (t) => {
  const history = new History();
  history.moved(phone, undefined, self, self, at(0));
  history.before(phone, 'left', at(50));
  history.moved(phone, self, other, self, at(80));
  t.equal(gapOf([...history.roams()][0]!), undefined, 'not known yet');
  history.after(phone, 'routed', at(82));
  t.equal(gapOf([...history.roams()][0]!), 32);
});

t.test('steps of an earlier stay here are not those of a roam between others', async (t) => {
  const history = new History();
  history.before(phone, 'authorized', at(10));
  history.moved(phone, other, other, self, at(20));
  t.same([...history.roams()][0]!.times, { known: 20 });
});

t.test('joins and leaves are no roams; a client that has left begins anew', async (t) => {
  const history = new History();
  history.moved(phone, undefined, self, self, at(0));
  history.moved(phone, self, other, self, at(1));
  history.moved(phone, other, undefined, self, at(2));
  t.equal(history.whereabouts(phone), undefined);
  history.after(phone, 'routed', at(3));
  t.same([...history.roams()][0]!.times, { known: 1 }, 'what the kernel did after it left is no step');
  history.moved(phone, undefined, self, self, at(4));
  t.same(history.whereabouts(phone), { since: 4, roams: 0 });
  t.equal([...history.roams()].length, 1);
});

t.test('a ring: the latest first, and never more than its limit', async (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), fc.array(fc.constantFrom(phone, laptop), { maxLength: 20 }), (limit, macs) => {
      const history = new History(limit);
      macs.forEach((mac, i) => {
        history.moved(mac, self, other, self, at(i));
        history.after(mac, 'routed', at(i + 0.5));
      });
      const expected = macs.map((mac, i) => ({ mac, from: self, to: other, times: { known: i, routed: i + 0.5 } }));
      t.same([...history.roams()], expected.reverse().slice(0, limit));
    }),
    { numRuns: 50 },
  );
});
