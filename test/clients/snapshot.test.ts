import t from 'tap';
import fc from 'fast-check';
import { readSnapshot, SnapshotWriter } from '../../src/clients/snapshot.js';
import { REST } from '../../src/clients/database.js';
import type { Record, RecordKey } from '../../src/clients/record.js';
import { MAX_RECORD_BYTES } from '../../src/clients/record.js';
import type { Instant } from '../../src/clients/time.js';
import { SECOND } from '../../src/clients/time.js';
import { BadInput, fromHex, toHex } from '../../src/net/bytes.js';

const at = (seconds: number) => (seconds * SECOND) as Instant;
const TIME = 1_800_000_000;

const record: Record = { key: '\x02aaaaaa' as RecordKey, value: 'node-one', seqno: 0x0102, expires: at(160) };
const moment = (instant: Instant, time: number, boot = 'first') => ({ instant, time, boot });
const write = (records: readonly Record[], now = at(100), time = TIME) => new SnapshotWriter(records, moment(now, time)).step()!;
const read = (file: Uint8Array, instant = at(0), time = TIME, boot = 'second') => readSnapshot(file, moment(instant, time, boot));

t.test('golden bytes', async (t) => {
  t.equal(toHex(write([record])), '526f616d00026b49d200' + '00000000000186a0' + '056669727374' + '01020000003c0708' + '02616161616161' + '6e6f64652d6f6e65' + '1f8dfb55');
});

t.test('a file of version 1, which says less', async (t) => {
  const file = fromHex('526f616d00016b49d200' + '01020000003c0708' + '02616161616161' + '6e6f64652d6f6e65' + 'de06d40d');
  t.same(read(file, at(5), TIME + 20), { records: [{ ...record, expires: at(45) }], doubtful: true });
});

t.test('the same run of the system: lifetimes go on by the monotonic clock, whatever the other says', async (t) => {
  for (const time of [TIME + 20, 3, TIME + 86_400]) {
    t.same(read(write([record]), at(120), time, 'first'), { records: [record], doubtful: false });
  }
  t.same(read(write([record]), at(99), TIME, 'first').doubtful, true, 'that cannot be');
  const nameless = new SnapshotWriter([record], moment(at(100), TIME, '')).step()!;
  t.same(read(nameless, at(120), TIME, '').doubtful, true, 'runs that have no name');
});

t.test('after a reboot lifetimes go on by the wall clock, but that may be wrong', async (t) => {
  t.ok(read(write([record])).doubtful);
  const left = (time: number) => read(write([record]), at(5), time).records.map(({ expires }) => (expires - at(5)) / SECOND);
  t.same(left(TIME + 20), [40], 'twenty seconds later');
  t.same(left(TIME + 61), [-1], 'it has died meanwhile, and is remembered as dead');
  t.same(left(TIME + 60 + REST / SECOND), [], 'and is forgotten in the end');
  t.same(left(3), [60], 'a router without a clock chip: as if no time had passed');
  t.same(left(TIME - 1), [60], 'a clock that was put back');
  t.same(left(TIME + 400 * 86_400), [60], 'a clock that is far off');
  t.same(read(write([record], at(100), 4), at(5)).records.length, 1, 'written before the clock was set');
});

const records = fc.array(
  fc.record({
    key: fc.string({ unit: fc.nat(255).map((c) => String.fromCharCode(c)), minLength: 1, maxLength: 100 }) as unknown as fc.Arbitrary<RecordKey>,
    value: fc.string({ unit: fc.nat(255).map((c) => String.fromCharCode(c)), maxLength: MAX_RECORD_BYTES - 100 }),
    seqno: fc.nat(0xffff),
    expires: fc.nat(604_800).map(at),
  }),
);

t.test('what is written is read', async () => {
  fc.assert(
    fc.property(records, (all) => {
      return JSON.stringify(read(write(all, at(0))).records) === JSON.stringify(all);
    }),
    { numRuns: 50 },
  );
});

t.test('a lifetime longer than any is cut', async (t) => {
  t.same(read(write([{ ...record, expires: at(10_000_000) }]), at(100)).records, [{ ...record, expires: at(100 + 604_800) }]);
});

t.test('in slices it is the same file', async (t) => {
  const many = Array.from({ length: 25 }, (_, i) => ({ ...record, key: `\x02aaaaa${String.fromCharCode(i)}` as RecordKey }));
  const writer = new SnapshotWriter(many, moment(at(100), TIME));
  t.equal(writer.step(10), undefined);
  t.equal(writer.step(10), undefined);
  t.same(writer.step(10), write(many));
});

t.test('cut at any byte, or with any byte changed, it is refused', async (t) => {
  const file = write([record, { ...record, key: '\x02bbbbbb' as RecordKey }]);
  for (let length = 0; length < file.length; length++) {
    t.throws(() => read(file.subarray(0, length)), BadInput, `${length} bytes`);
  }
  for (let i = 0; i < file.length; i++) {
    const damaged = file.slice();
    damaged[i]! ^= 0x10;
    t.throws(() => read(damaged), BadInput, `byte ${i}`);
  }
});

t.test('of another version it is refused with a sentence', async (t) => {
  const file = write([record]);
  file[5] = 3;
  t.throws(() => read(file), { message: /version 3, and 1 to 2 are known/ });
  t.throws(() => read(new TextEncoder().encode('<html></html>')), { message: 'it is no database' });
});

t.test('whatever the bytes: a refusal or records, nothing else', async () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      try {
        return Array.isArray(read(bytes).records);
      } catch (error) {
        return error instanceof BadInput;
      }
    }),
  );
});
