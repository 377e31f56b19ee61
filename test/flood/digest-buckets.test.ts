import fc from 'fast-check';
import t from 'tap';
import type { RecordKey } from '../../src/clients/record.js';
import { DigestBuckets } from '../../src/flood/digest-buckets.js';

const keyOf = (n: number) => `key ${n}` as RecordKey;
const steps = fc.array(
  fc.record({ what: fc.constantFrom('toggle', 'toggle', 'toggle', 'spread'), n: fc.integer({ min: 0, max: 200 }) }),
  { maxLength: 400 },
);

t.test('each key is in its bucket, once, with its hash, however they come, go and are spread anew', async () => {
  fc.assert(
    fc.property(steps, (steps) => {
      let count = 4;
      const buckets = new DigestBuckets(count);
      const model = new Set<number>();
      const bucketOf = (key: RecordKey) => Number(key.slice(4)) % count;
      for (const { what, n } of steps) {
        if (what === 'spread') {
          count = 1 + (n % 16);
          buckets.spread(count, bucketOf);
          t.equal(buckets.count, count);
        } else if (model.delete(n)) buckets.remove(n % count, buckets.find(n % count, keyOf(n))!);
        else {
          const entry = buckets.add(n % count, keyOf(n));
          t.equal(buckets.due(entry), Infinity);
          buckets.setHash(entry, 0xffff0000 + n);
          model.add(n);
        }
      }
      const found = Array.from(buckets.all(), ([bucket, entry]) => [bucket, buckets.key(entry), buckets.hash(entry)]);
      const wanted = Array.from(model, (n) => [n % count, keyOf(n), 0xffff0000 + n]);
      t.same(found.sort(), wanted.sort());
      for (let n = 0; n <= 200; n++) t.equal(buckets.find(n % count, keyOf(n)) !== undefined, model.has(n));
    }),
  );
});
