import t from 'tap';
import fc from 'fast-check';
import { readSnapshot, SnapshotWriter } from '../../src/clients/snapshot.js';
import { REST } from '../../src/clients/database.js';
import type { Record, RecordKey } from '../../src/clients/record.js';
import { MAX_RECORD_BYTES } from '../../src/clients/record.js';
import type { Instant } from '../../src/clients/time.js';
import { SECOND } from '../../src/clients/time.js';
import { BadInput, toHex } from '../../src/net/bytes.js';

const at = (seconds: number) => (seconds * SECOND) as Instant;
const TIME = 1_800_000_000;

const record: Record = { key: '\x02aaaaaa' as RecordKey, value: 'node-one', seqno: 0x0102, expires: at(160) };
const write = (records: readonly Record[], now = at(100), time = TIME) => new SnapshotWriter(records, now, time).step()!;

t.test('golden bytes', async (t) => {
  t.equal(toHex(write([record])), '526f616d00016b49d200' + '01020000003c0708' + '02616161616161' + '6e6f64652d6f6e65' + 'de06d40d');
});

t.test('lifetimes go on by the wall clock, on whatever monotonic clock', async (t) => {
  const left = (time: number) => readSnapshot(write([record]), at(5), time).map(({ expires }) => (expires - at(5)) / SECOND);
  t.same(left(TIME + 20), [40], 'twenty seconds later');
  t.same(left(TIME + 61), [-1], 'it has died meanwhile, and is remembered as dead');
  t.same(left(TIME + 60 + REST / SECOND), [], 'and is forgotten in the end');
  t.same(left(3), [60], 'a router without a clock chip: as if no time had passed');
  t.same(left(TIME - 1), [60], 'a clock that was put back');
  t.same(left(TIME + 400 * 86_400), [60], 'a clock that is far off');
  t.same(readSnapshot(write([record], at(100), 4), at(5), TIME).length, 1, 'written before the clock was set');
});

const records = fc.array(
  fc.record({
    key: fc.string({ unit: fc.nat(255).map((c) => String.fromCharCode(c)), minLength: 1, maxLength: 100 }) as unknown as fc.Arbitrary<RecordKey>,
    value: fc.string({ unit: fc.nat(255).map((c) => String.fromCharCode(c)), maxLength: MAX_RECORD_BYTES - 100 }),
    seqno: fc.nat(0xffff),
    expires: fc.nat(4_000_000).map(at),
  }),
);

t.test('what is written is read', async () => {
  fc.assert(
    fc.property(records, (all) => {
      const read = readSnapshot(write(all, at(0)), at(0), TIME);
      return JSON.stringify(read) === JSON.stringify(all);
    }),
    { numRuns: 50 },
  );
});

t.test('in slices it is the same file', async (t) => {
  const many = Array.from({ length: 25 }, (_, i) => ({ ...record, key: `\x02aaaaa${String.fromCharCode(i)}` as RecordKey }));
  const writer = new SnapshotWriter(many, at(100), TIME);
  t.equal(writer.step(10), undefined);
  t.equal(writer.step(10), undefined);
  t.same(writer.step(10), write(many));
});

t.test('cut at any byte, or with any byte changed, it is refused', async (t) => {
  const file = write([record, { ...record, key: '\x02bbbbbb' as RecordKey }]);
  for (let length = 0; length < file.length; length++) {
    t.throws(() => readSnapshot(file.subarray(0, length), at(0), TIME), BadInput, `${length} bytes`);
  }
  for (let i = 0; i < file.length; i++) {
    const damaged = file.slice();
    damaged[i]! ^= 0x10;
    t.throws(() => readSnapshot(damaged, at(0), TIME), BadInput, `byte ${i}`);
  }
});

t.test('of another version it is refused with a sentence', async (t) => {
  const file = write([record]);
  file[5] = 2;
  t.throws(() => readSnapshot(file, at(0), TIME), { message: /version 2, and 1 is known/ });
  t.throws(() => readSnapshot(new TextEncoder().encode('<html></html>'), at(0), TIME), { message: 'it is no database' });
});

t.test('whatever the bytes: a refusal or records, nothing else', async () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      try {
        return Array.isArray(readSnapshot(bytes, at(0), TIME));
      } catch (error) {
        return error instanceof BadInput;
      }
    }),
  );
});
