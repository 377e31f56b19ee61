import fc from 'fast-check';
import t from 'tap';
import type { Record, RecordKey } from '../../src/clients/record.js';
import { RecordTable } from '../../src/clients/record-table.js';
import type { Instant } from '../../src/clients/time.js';

const keys = fc.integer({ min: 0, max: 40 }).map((n) => `key ${n}` as RecordKey);
const records: fc.Arbitrary<Record> = fc.record({
  key: keys,
  value: fc.string({ maxLength: 4 }),
  seqno: fc.integer({ min: 0, max: 0xffff }),
  expires: fc.double({ min: 0, noNaN: true }) as fc.Arbitrary<number> as fc.Arbitrary<Instant>,
});
const steps = fc.array(fc.oneof(fc.record({ put: records }), fc.record({ delete: keys })), { maxLength: 300 });

t.test('holds what a Map of records would', async () => {
  fc.assert(
    fc.property(steps, (steps) => {
      const table = new RecordTable();
      const model = new Map<RecordKey, Record>();
      for (const step of steps) {
        if ('put' in step) {
          table.put(step.put);
          model.set(step.put.key, step.put);
        } else {
          table.delete(step.delete);
          model.delete(step.delete);
        }
        t.equal(table.size, model.size);
      }
      t.same([...table.records()], [...model.values()]);
      for (let n = 0; n <= 40; n++) {
        const key = `key ${n}` as RecordKey;
        t.same(table.get(key), model.get(key));
        t.equal(table.row(key) === undefined, !model.has(key));
      }
    }),
  );
});

t.test('notes of a record outlive its next version, and do not pass to the next user of its row', async (t) => {
  const table = new RecordTable();
  const record = { key: 'a' as RecordKey, value: 'x', seqno: 1, expires: 5.5 as Instant };
  const row = table.put(record);
  t.same([table.isLive(row), table.forget(row), table.queued(row)], [false, Infinity, Infinity]);
  table.setLive(row, true);
  table.setForget(row, 7.25 as Instant);
  table.setQueued(row, 6 as Instant);
  t.equal(table.put({ ...record, value: 'y', seqno: 2, expires: 9 as Instant }), row);
  t.same([table.isLive(row), table.forget(row), table.queued(row)], [true, 7.25, 6]);
  t.same([table.value(row), table.expires(row)], ['y', 9]);
  table.delete(record.key);
  const next = table.put({ ...record, key: 'b' as RecordKey });
  t.equal(next, row, 'the row is used again');
  t.same([table.isLive(next), table.forget(next), table.queued(next)], [false, Infinity, Infinity]);
});
