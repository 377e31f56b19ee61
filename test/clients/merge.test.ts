import t from 'tap';
import fc from 'fast-check';
import { compareSeqno, compareVersions, merge, nextSeqno } from '../../src/clients/merge.js';
import type { Record, RecordKey } from '../../src/clients/record.js';
import type { Instant } from '../../src/clients/time.js';

const key = '\x02aaaaaa' as RecordKey;

/** Copies whose numbers lie within half the circle, anywhere on it, so that they wrap. */
const copies = (count: number) =>
  fc.nat(0xffff).chain((base) =>
    fc.tuple(
      ...Array.from({ length: count }, () =>
        fc.record({
          key: fc.constant(key),
          value: fc.constantFrom('', 'node-one', 'node-two'),
          seqno: fc.constantFrom(0, 1, 2, 0x7ffe).map((d) => (base + d) & 0xffff),
          expires: fc.nat(5) as fc.Arbitrary<Instant>,
        }),
      ),
    ),
  );

const mergeAll = (all: readonly Record[]) => all.reduce((a, b) => merge(a, b));
const same = (a: Record, b: Record) => compareVersions(a, b) === 0 && a.expires === b.expires;

t.test('serial numbers', async (t) => {
  t.equal(compareSeqno(7, 7), 0);
  t.ok(compareSeqno(8, 7) > 0);
  t.ok(compareSeqno(7, 8) < 0);
  t.ok(compareSeqno(0, 0xffff) > 0, 'zero follows the highest');
  t.ok(compareSeqno(nextSeqno(0xffff), 0xffff) > 0);
  fc.assert(fc.property(fc.nat(0xffff), (n) => compareSeqno(nextSeqno(n), n) > 0 && compareSeqno(n, nextSeqno(n)) < 0));
});

t.test('half the circle apart, which no order can be told from: one and the same wins at every node', async (t) => {
  fc.assert(fc.property(fc.nat(0xffff), fc.nat(0xffff), (a, b) => Math.sign(compareSeqno(a, b)) === -Math.sign(compareSeqno(b, a)) || a === b));
  const [old, young] = [0x1234, 0x9234].map((seqno): Record => ({ key, value: 'node-one', seqno, expires: 9 as Instant }));
  t.equal(merge(old!, young!), merge(young!, old!));
});

t.test('commutative', async () => {
  fc.assert(fc.property(copies(2), ([a, b]) => same(merge(a!, b!), merge(b!, a!))));
});

t.test('associative', async () => {
  fc.assert(fc.property(copies(3), ([a, b, c]) => same(merge(merge(a!, b!), c!), merge(a!, merge(b!, c!)))));
});

t.test('idempotent', async () => {
  fc.assert(fc.property(copies(1), ([a]) => same(merge(a!, a!), a!)));
});

t.test('convergent: any order, with any copy repeated, gives the same', async () => {
  const deliveries = copies(6).chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray([...all, ...all], { minLength: 12 })));
  fc.assert(fc.property(deliveries, ([all, shuffled]) => same(mergeAll(all), mergeAll(shuffled))));
});

t.test('a claim beats "gone" of the same number: a client that is somewhere is not lost', async (t) => {
  const claim: Record = { key, value: 'node-one', seqno: 5, expires: 10 as Instant };
  const gone: Record = { key, value: '', seqno: 5, expires: 99 as Instant };
  t.equal(merge(claim, gone), claim);
});
