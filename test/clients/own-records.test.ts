import t from 'tap';
import * as claims from '../../src/clients/claims.js';
import { Database } from '../../src/clients/database.js';
import { parseNodeId } from '../../src/clients/node-id.js';
import { OwnRecords } from '../../src/clients/own-records.js';
import { nodeInfoValue, nodeKey } from '../../src/clients/record.js';
import type { Instant } from '../../src/clients/time.js';
import { after, HOUR, MINUTE } from '../../src/clients/time.js';
import { at } from '../support.js';

const key = nodeKey(parseNodeId('0000000000000001'));
const value = nodeInfoValue({ hostname: 'ours', addresses: [], port: 4444 });
const foreign = nodeInfoValue({ hostname: 'theirs', addresses: [], port: 4444 });

/** Runs `own` by its deadlines until `end`; `heard` is told of each record that it has made. */
function run(db: Database, own: OwnRecords, end: number, heard: (now: Instant) => void = () => {}): void {
  for (let now = own.nextDeadline; now !== undefined && now <= end; now = own.nextDeadline) {
    for (const record of own.poll(now)) {
      db.apply(record, now);
      own.changed(record.key, now);
      heard(now);
    }
  }
}

t.test('what a node says of itself is said once and lives as long as the node', async (t) => {
  const db = new Database();
  const own = new OwnRecords(db);
  db.apply(own.say(key, value, at(0))!, at(0));
  t.equal(own.say(key, value, at(1)), undefined);
  let count = 0;
  run(db, own, 24 * HOUR, () => count++);
  t.match(db.get(key), { value, seqno: 0 });
  t.ok(db.get(key)!.expires > 24 * HOUR);
  t.equal(count, 48, 'at half of its life');
});

t.test('something else takes the next number', async (t) => {
  const db = new Database();
  const own = new OwnRecords(db);
  db.apply(own.say(key, value, at(0))!, at(0));
  t.match(own.say(key, foreign, at(5)), { value: foreign, seqno: 1 });
});

t.test('what died while the machine slept is said anew', async (t) => {
  const db = new Database();
  const own = new OwnRecords(db);
  db.apply(own.say(key, value, at(0))!, at(0));
  db.expire(at(61 * MINUTE));
  t.match(own.say(key, value, at(61 * MINUTE)), { value, seqno: 1 });
});

t.test('a copy of an earlier run is corrected soon', async (t) => {
  const db = new Database();
  const own = new OwnRecords(db);
  db.apply(own.say(key, value, at(0))!, at(0));
  db.apply({ key, value: foreign, seqno: 7, expires: at(HOUR) }, at(10));
  own.changed(key, at(10));
  t.equal(own.nextDeadline, 60);
  run(db, own, 60);
  t.match(db.get(key), { value, seqno: 8 });
  t.ok(own.nextDeadline! > 20 * MINUTE, 'that was all');
});

t.test('with another node of the same id there is no end to it, so it goes ever slower', async (t) => {
  const db = new Database();
  const own = new OwnRecords(db);
  db.apply(own.say(key, value, at(0))!, at(0));
  const contradict = (now: Instant) => {
    db.apply({ ...claims.assert(db, key, foreign, HOUR, now), expires: after(now, HOUR) }, now);
    own.changed(key, now);
  };
  const corrections: number[] = [];
  contradict(at(0));
  run(db, own, HOUR, (now) => {
    corrections.push(now);
    contradict(now);
  });
  t.same(corrections.slice(0, 3), [50, 150, 350]);
  t.ok(corrections.length < 75, `${corrections.length} in an hour`);
});

t.test('what is not taken into the database is said again now and then, not all the time', async (t) => {
  const db = new Database();
  const own = new OwnRecords(db);
  // As where this router only observes: what an earlier run said lives on with others, and is not to be kept alive.
  db.apply({ key, value, seqno: 0, expires: at(HOUR) }, at(0));
  t.equal(own.say(key, value, at(0)), undefined);
  const said: number[] = [];
  for (let now = own.nextDeadline!; now <= HOUR && said.length < 100; now = own.nextDeadline!) {
    own.poll(now);
    said.push(now);
    if (own.say(key, value, after(now, 1)) !== undefined) said.push(now);
  }
  t.same(said, [30, 40, 50, 60].map((minutes) => minutes * MINUTE));
});

t.test('what the database had no room for is said again', async (t) => {
  const db = new Database(1);
  const own = new OwnRecords(db);
  for (let i = 0; i < 2; i++) db.apply({ key: nodeKey(parseNodeId(`00000000000000f${i}`)), value: foreign, seqno: 0, expires: at(MINUTE) }, at(0), true);
  t.same(db.apply(own.say(key, value, at(0))!, at(0), true), { kind: 'refused' });
  db.expire(at(12 * MINUTE));
  run(db, own, 20 * MINUTE);
  t.match(db.get(key), { value });
});
