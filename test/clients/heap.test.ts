import t from 'tap';
import fc from 'fast-check';
import { DeadlineHeap } from '../../src/clients/heap.js';
import type { Instant } from '../../src/clients/time.js';

t.test('what was put in anew with an earlier deadline does not pile up', async (t) => {
  const deadlines = new Map<string, Instant>();
  const heap = new DeadlineHeap<string>((item, at) => deadlines.get(item) === at);
  const put = (item: string, at: Instant) => {
    deadlines.set(item, at);
    heap.push(at, item);
  };
  for (let i = 0; i < 5000; i++) put(`stays ${i}`, i as Instant);
  for (let at = 1_000_000; at > 5000; at--) put('restless', at as Instant);
  t.ok(heap.size < 15_000, `${heap.size} entries`);
  for (let i = 0; i < 5000; i++) if (heap.popDue(i as Instant) !== `stays ${i}`) t.fail(`stays ${i}`);
  t.equal(heap.next, 5001);
  t.equal(heap.popDue(5001 as Instant), 'restless');
});

t.test('what was put in anew comes out once, when it is due by its latest deadline', async (t) => {
  const deadlines = new Map<string, Instant>();
  const heap = new DeadlineHeap<string>((item, at) => deadlines.get(item) === at);
  const put = (item: string, at: number) => {
    deadlines.set(item, at as Instant);
    heap.push(at as Instant, item);
  };
  put('later', 10);
  put('other', 15);
  put('later', 20);
  t.equal(heap.popDue(12 as Instant), undefined);
  t.equal(heap.popDue(30 as Instant), 'other');
  t.equal(heap.popDue(30 as Instant), 'later');
  t.equal(heap.popDue(30 as Instant), undefined);
  t.equal(heap.size, 0);
});

t.test('items come out in the order of their deadlines, and none before its time', async () => {
  fc.assert(
    fc.property(fc.array(fc.nat(50)), fc.nat(60), (deadlines, now) => {
      const heap = new DeadlineHeap<number>(() => true);
      for (const at of deadlines) heap.push(at as Instant, at);
      const out: number[] = [];
      for (let item = heap.popDue(now as Instant); item !== undefined; item = heap.popDue(now as Instant)) out.push(item);
      const due = deadlines.filter((at) => at <= now).sort((a, b) => a - b);
      const later = deadlines.filter((at) => at > now);
      return String(out) === String(due) && heap.size === later.length && heap.next === (later.length ? Math.min(...later) : undefined);
    }),
  );
});
