/** Whole databases, given the same records in any order, some twice and some only later: what they say is the same. */
import t from 'tap';
import fc from 'fast-check';
import { Database, EXTENSION_SLACK, LONGEST_MEMORY } from '../../src/clients/database.js';
import { parseNodeId } from '../../src/clients/node-id.js';
import type { Record } from '../../src/clients/record.js';
import { associationKey, hostKey, lease4Key, macValue, nodeValue } from '../../src/clients/record.js';
import type { Instant } from '../../src/clients/time.js';
import { after, SECOND } from '../../src/clients/time.js';
import { parseIp4, parseIp6 } from '../../src/net/ip.js';
import { parseMac } from '../../src/net/mac.js';

const macs = ['02:00:00:00:00:0a', '02:00:00:00:00:0b'].map(parseMac);
const nodes = ['0000000000000001', '0000000000000002'].map(parseNodeId);
const at = (seconds: number) => (seconds * SECOND) as Instant;

const contents = fc.oneof(
  fc.record({ key: fc.constantFrom(...macs.map(associationKey)), value: fc.constantFrom('', ...nodes.map(nodeValue)) }),
  fc.record({ key: fc.constantFrom(lease4Key(parseIp4('10.44.0.2')), lease4Key(parseIp4('10.44.0.3'))), value: fc.constantFrom(...macs.map(macValue)) }),
  fc.record({ key: fc.constant(hostKey(parseIp6('fd44::9'))), value: fc.constantFrom('', ...macs.map(macValue)) }),
);

/** Records whose numbers lie within half the circle, anywhere on it. Lifetimes are further apart than the slack. */
const history = fc.nat(0xffff).chain((base) =>
  fc.array(
    fc.tuple(contents, fc.nat(40), fc.constantFrom(20, 60, 600)).map(
      ([content, step, seconds]): Record => ({ ...content, seqno: (base + step) & 0xffff, expires: at(seconds) }),
    ),
    { minLength: 1, maxLength: 25 },
  ),
);

/** The same records in two orders, some of them twice. */
const deliveries = history.chain((all) =>
  fc.tuple(fc.constant(all), fc.shuffledSubarray([...all, ...all], { minLength: all.length }), fc.shuffledSubarray(all, { minLength: all.length })),
);

function fill(records: readonly Record[], now = at(0)): Database {
  const db = new Database();
  for (const record of records) db.apply(record, now);
  return db;
}

/** All that a database says, in an order that does not depend on how it came to it. */
function stateOf(db: Database): string {
  const records = [...db.records()].map(({ key, value, seqno, expires }) => [key, value, seqno, expires]);
  const clients = [...db.clients()].map(({ mac, node, addresses }) => [mac, node, addresses.map(({ address }) => address).sort()]);
  return JSON.stringify([records.sort(), clients.sort()]);
}

t.test('any order and any repetition', async () => {
  fc.assert(
    fc.property(deliveries, ([all, repeated, shuffled]) => {
      const missing = all.filter((record) => !repeated.includes(record));
      return stateOf(fill(all)) === stateOf(fill([...repeated, ...missing])) && stateOf(fill(all)) === stateOf(fill(shuffled));
    }),
    { numRuns: 300 },
  );
});

t.test('what was lost on the way is made up by telling each other everything, whoever begins', async () => {
  fc.assert(
    fc.property(history, fc.infiniteStream(fc.boolean()), fc.boolean(), (all, lost, flip) => {
      const [a, b] = [fill(all.filter(() => lost.next().value === true)), fill(all.filter(() => lost.next().value === true))];
      const [first, second] = flip ? [a, b] : [b, a];
      for (const record of [...first.records()]) second.apply(record, at(0));
      for (const record of [...second.records()]) first.apply(record, at(0));
      return stateOf(a) === stateOf(b);
    }),
    { numRuns: 300 },
  );
});

t.test('with time going on: the index is what the live records say, and nothing dead comes back', async () => {
  const steps = fc.tuple(history, fc.array(fc.nat(30), { minLength: 25, maxLength: 25 }));
  fc.assert(
    fc.property(steps, ([all, pauses]) => {
      const db = new Database();
      let now = at(0);
      for (const [i, record] of all.entries()) {
        now = after(now, pauses[i]! * SECOND);
        db.expire(now);
        db.apply({ ...record, expires: after(now, record.expires) }, now);
      }
      const fresh = new Database();
      for (const record of db.records()) fresh.apply(record, now);
      if (stateOf(db) !== stateOf(fresh)) return false;
      // Old copies of all that was ever said change nothing.
      const before = stateOf(db);
      for (const record of all) db.apply({ ...record, expires: at(0) }, now);
      if (stateOf(db) !== before) return false;
      db.expire(after(now, 2 * LONGEST_MEMORY));
      return db.size === 0 && [...db.clients()].length === 0 && db.nextDeadline === undefined;
    }),
    { numRuns: 300 },
  );
});

t.test('numbers wrap: seventy thousand claims in turn, and each is newer than the one before', async (t) => {
  const db = new Database();
  let refused = 0;
  for (let i = 0; i < 70_000; i++) {
    const record = { key: associationKey(macs[0]!), value: nodeValue(nodes[i & 1]), seqno: i & 0xffff, expires: at(60) };
    if (db.apply(record, at(0)).kind !== 'newer') refused++;
  }
  t.equal(refused, 0);
});

t.test('the longest lifetime of the wire is just a long one (sroamd defect 9)', async (t) => {
  const db = new Database();
  const expires = after(at(5), 0xffffffff * SECOND);
  t.equal(db.apply({ key: associationKey(macs[0]!), value: nodeValue(nodes[0]), seqno: 1, expires }, at(5)).kind, 'newer');
  t.same(db.expire(at(86_400 * 365)), []);
  t.equal(db.nextDeadline, expires);
  t.equal(db.client(macs[0]!)?.node, nodes[0]);
});

t.test('lifetimes do not creep: a copy that lives a little longer is no news (sroamd defect 8)', async (t) => {
  const db = new Database();
  const record = { key: associationKey(macs[0]!), value: nodeValue(nodes[0]), seqno: 1, expires: at(60) };
  db.apply(record, at(0));
  t.equal(db.apply({ ...record, expires: after(record.expires, EXTENSION_SLACK) }, at(0)).kind, 'same');
  t.equal(db.get(record.key)?.expires, at(60), 'and is not taken, so that many littles do not make a lot');
});
