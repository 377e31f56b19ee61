import t from 'tap';
import fc from 'fast-check';
import { DeadlineHeap } from '../../src/clients/heap.js';
import type { Instant } from '../../src/clients/time.js';

t.test('items come out in the order of their deadlines, and none before its time', async () => {
  fc.assert(
    fc.property(fc.array(fc.nat(50)), fc.nat(60), (deadlines, now) => {
      const heap = new DeadlineHeap<number>();
      for (const at of deadlines) heap.push(at as Instant, at);
      const out: number[] = [];
      for (let item = heap.popDue(now as Instant); item !== undefined; item = heap.popDue(now as Instant)) out.push(item);
      const due = deadlines.filter((at) => at <= now).sort((a, b) => a - b);
      const later = deadlines.filter((at) => at > now);
      return String(out) === String(due) && heap.size === later.length && heap.next === (later.length ? Math.min(...later) : undefined);
    }),
  );
});
