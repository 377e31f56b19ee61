import fc from 'fast-check';
import t from 'tap';
import { parseNodeId } from '../../src/clients/node-id.js';
import { gapOf, History } from '../../src/status/history.js';
import { laptop, other, phone, self } from './support.js';
import { at } from '../support.js';

const third = parseNodeId('0000000000000003');

t.test('a client that comes here: every step, and how long it had no way', async (t) => {
  const history = new History(self);
  history.moved(phone, undefined, other, at(0));
  history.authorized(phone, other, at(100));
  history.moved(phone, other, self, at(101));
  history.step(phone, 'routed', at(103));
  history.step(phone, 'announced', at(104));
  history.step(phone, 'routed', at(900));
  const [roam] = history.roams();
  t.same(roam, { mac: phone, from: other, to: self, times: { authorized: 100, known: 101, routed: 103, announced: 104 } });
  t.equal(gapOf(roam!), 3, 'routes that follow later change nothing');
  t.same(history.whereabouts(phone), { since: 101, roams: 1 });
});

t.test('a client that goes from here: counted from when it was lost', async (t) => {
  const history = new History(self);
  history.moved(phone, undefined, self, at(0));
  history.left(phone, at(50));
  history.moved(phone, self, other, at(80));
  t.equal(gapOf([...history.roams()][0]!), undefined, 'not known yet');
  history.step(phone, 'routed', at(82));
  t.equal(gapOf([...history.roams()][0]!), 32);
});

t.test('a client that was lost here and came back has not left', async (t) => {
  const history = new History(self);
  history.moved(phone, undefined, self, at(0));
  history.left(phone, at(50));
  history.authorized(phone, self, at(60));
  history.moved(phone, self, other, at(80));
  t.same([...history.roams()][0]!.times, { known: 80 });
});

t.test('steps of an earlier stay here are not those of a roam between others', async (t) => {
  const history = new History(self);
  history.authorized(phone, other, at(10));
  history.moved(phone, other, third, at(20));
  history.moved(phone, third, self, at(30));
  t.same([...history.roams()].map(({ times }) => times), [{ known: 30 }, { known: 20 }]);
});

t.test('joins and leaves are no roams; a client that has left begins anew', async (t) => {
  const history = new History(self);
  history.moved(phone, undefined, self, at(0));
  history.moved(phone, self, other, at(1));
  history.moved(phone, other, undefined, at(2));
  t.equal(history.whereabouts(phone), undefined);
  history.step(phone, 'routed', at(3));
  t.same([...history.roams()][0]!.times, { known: 1 }, 'what the kernel did after it left is no step');
  history.moved(phone, undefined, self, at(4));
  t.same(history.whereabouts(phone), { since: 4, roams: 0 });
  t.equal([...history.roams()].length, 1);
  t.equal(history.roamed, 1);
});

t.test('while tracing, joins and changes of the access point are moves too', async (t) => {
  const history = new History(self);
  history.moved(phone, undefined, self, at(0));
  history.tracing = true;
  t.same([...history.traced()], []);
  history.authorized(laptop, undefined, at(1));
  history.moved(laptop, undefined, self, at(2));
  history.authorized(laptop, self, at(3));
  history.step(laptop, 'announced', at(4));
  history.tracing = true;
  const join = { mac: laptop, from: undefined, to: self, times: { authorized: 1, known: 2 } };
  const change = { mac: laptop, from: self, to: self, times: { authorized: 3, announced: 4 } };
  t.same([...history.traced()], [change, join]);
  t.same([...history.roams()], [], 'none of them is a roam');
  history.tracing = false;
  history.authorized(laptop, self, at(5));
  t.same([...history.traced()], []);
  history.tracing = true;
  history.moved(laptop, self, other, at(6));
  t.same([...history.traced()], [...history.roams()], 'begun anew');
});

t.test('a ring: the latest first, and never more than its limit', async (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), fc.array(fc.constantFrom(phone, laptop), { maxLength: 20 }), fc.nat(20), (limit, macs, tracedFrom) => {
      const history = new History(self, limit);
      macs.forEach((mac, i) => {
        if (i === tracedFrom) history.tracing = true;
        history.moved(mac, self, other, at(i));
        history.step(mac, 'routed', at(i + 0.5));
      });
      const expected = macs.map((mac, i) => ({ mac, from: self, to: other, times: { known: i, routed: i + 0.5 } }));
      t.same([...history.traced()], expected.slice(tracedFrom).reverse().slice(0, limit));
      t.same([...history.roams()], expected.reverse().slice(0, limit));
    }),
    { numRuns: 50 },
  );
});

t.test('since when clients are where they are, whoever comes and goes', async (t) => {
  const macs = Array.from({ length: 200 }, (_, i) => `02:00:00:00:01:${i.toString(16).padStart(2, '0')}` as typeof phone);
  const move = fc.record({ mac: fc.constantFrom(...macs), to: fc.constantFrom(undefined, self, other, third) });
  fc.assert(
    fc.property(fc.array(move, { maxLength: 600 }), (moves) => {
      const history = new History(self);
      const model = new Map<string, { to: string; since: number; roams: number }>();
      moves.forEach(({ mac, to }, i) => {
        const known = model.get(mac);
        if (known?.to === to) return;
        history.moved(mac, known?.to as typeof self | undefined, to, at(i));
        if (to === undefined) model.delete(mac);
        else model.set(mac, { to, since: i, roams: known === undefined ? 0 : known.roams + 1 });
      });
      for (const mac of macs) {
        const known = model.get(mac);
        t.same(history.whereabouts(mac), known && { since: known.since, roams: known.roams });
      }
    }),
    { numRuns: 20 },
  );
});
