import fc from 'fast-check';
import t from 'tap';
import { Database } from '../../src/clients/database.js';
import type { Record } from '../../src/clients/record.js';
import { after, HOUR, SECOND } from '../../src/clients/time.js';
import { DigestTree, hashKey, hashRecord, LAST_MOMENTS, ROOT } from '../../src/flood/digest.js';
import { Outbox } from '../../src/flood/outbox.js';
import { answerDigest, answerSummary } from '../../src/flood/reconcile.js';
import { decodeTlv, TlvSplitter } from '../../src/flood/frame.js';
import { Writer } from '../../src/net/bytes.js';
import { association, lease, START } from './support.js';

/** A database with its tree, and what it would write to the other. */
class Side {
  readonly db = new Database();
  readonly tree = new DigestTree(this.db, START);
  readonly outbox = new Outbox(this.db, this.tree);
  written = 0;

  put(record: Record, now = START): void {
    this.db.apply(record, now);
    this.tree.touch(record.key, now);
  }

  /** Gives all that waits to the other side. */
  talk(other: Side): boolean {
    const w = new Writer();
    this.outbox.drain(w, Infinity, START);
    const bytes = w.done();
    this.written += bytes.length;
    for (const { type, body } of new TlvSplitter().split(bytes)) {
      const tlv = decodeTlv(type, body)!;
      if (tlv.type === 'update') other.put({ ...tlv, expires: after(START, tlv.lifetime * SECOND) });
      else if (tlv.type === 'digest') answerDigest(other.tree, other.outbox, tlv.index, tlv.hashes);
      else if (tlv.type === 'summary') answerSummary(other.tree, other.outbox, tlv.index, tlv.entries);
      else if (tlv.type === 'request') {
        for (const hash of tlv.keyHashes) for (const key of other.tree.keysOf(hash)) other.outbox.repair(key);
      }
    }
    return bytes.length > 0;
  }
}

function reconcile(a: Side, b: Side): number {
  a.outbox.compare(ROOT);
  let turns = 0;
  for (let talking = true; talking; turns++) {
    talking = a.talk(b);
    if (b.talk(a)) talking = true;
    if (turns > 40) throw new Error('they never come to an end');
  }
  return turns;
}

function versions(side: Side): string[] {
  return Array.from(side.db.records(), ({ key, seqno, value }) => `${key}|${seqno}|${value}`).sort();
}

t.test('hashes stay what they are: nodes of all releases have to agree', async (t) => {
  t.equal(hashKey(lease(1).key), 0xa63a7414);
  t.equal(hashRecord(lease(1)), 0xaa39ed8f);
  t.not(hashRecord(lease(1, 2)), hashRecord(lease(1, 1)));
  t.equal(hashRecord(lease(1, 1, START)), hashRecord(lease(1)), 'the expiry is no part of it');
});

t.test('the tree is a function of the records, whatever the way to them', async () => {
  const step = fc.record({ n: fc.nat(300), seqno: fc.nat(20), place: fc.nat(3), life: fc.nat(200) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
      const db = new Database();
      const tree = new DigestTree(db, START);
      let now = START;
      for (const { n, seqno, place, life } of steps) {
        now = after(now, 200);
        const record = association(n, place + 1, seqno, after(now, life * SECOND));
        db.apply(record, now);
        tree.touch(record.key, now);
        if (n % 7 === 0) tree.poll(now);
        if (n % 11 === 0) db.expire(now);
      }
      tree.poll(now);
      const fresh = new DigestTree(db, now);
      for (const index of [ROOT, 8, 15, 64, 100, 4096, 5000, 8 ** 5 + 17]) {
        if (tree.hash(index) !== fresh.hash(index) || tree.count(index) !== fresh.count(index)) return false;
      }
      return tree.size === Array.from(db.records()).filter((record) => record.expires > now + LAST_MOMENTS).length;
    }),
    { numRuns: 200 },
  );
});

t.test("a node's hash and count are the sum of its children's, down to the deepest level", async (t) => {
  const side = new Side();
  for (let i = 0; i < 3000; i++) side.put(lease(i));
  const walk = (index: number): void => {
    const children = side.tree.children(index);
    if (children.length === 0 || side.tree.count(index) === 0) return;
    const sum = children.reduce((total, child) => (total + side.tree.hash(child)) >>> 0, 0);
    const count = children.reduce((total, child) => total + side.tree.count(child), 0);
    if (sum !== side.tree.hash(index) || count !== side.tree.count(index)) t.fail(`node ${index}`);
    children.forEach(walk);
  };
  walk(ROOT);
  t.equal([...side.tree.keys(ROOT)].length, 3000);
  t.equal(new Set(side.tree.keys(ROOT)).size, 3000);
  t.equal(side.tree.children(8 ** 10).length, 0);
  for (const key of side.tree.keys(8 ** 6 + 5)) t.equal(hashKey(key) >>> 14, 5);
  for (let i = 0; i < 50; i++) t.same(side.tree.keysOf(hashKey(lease(i).key)), [lease(i).key]);
});

t.test('the tree grows with the database; a walk that goes on meanwhile meets each key once', async (t) => {
  const side = new Side();
  for (let i = 0; i < 100; i++) side.put(lease(i));
  const early = new Set(side.tree.keys(ROOT));
  const met: string[] = [];
  let n = 100;
  for (const key of side.tree.keys(ROOT)) {
    met.push(key);
    for (let i = 0; i < 50 && n < 5000; i++) side.put(lease(n++));
  }
  t.equal(new Set(met).size, met.length, 'none twice');
  t.ok([...early].every((key) => met.includes(key)), 'all that were there');
  t.equal(side.tree.size, n);
  const fresh = new DigestTree(side.db, START);
  for (let index = 1; index < 8 ** 4; index++) {
    const level = Math.floor(Math.log2(index)) / 3;
    if (Number.isInteger(level) && fresh.hash(index) !== side.tree.hash(index)) t.fail(`node ${index}`);
  }
});

t.test('an empty tree costs little', async (t) => {
  const db = new Database();
  globalThis.gc?.();
  const before = process.memoryUsage();
  const trees = Array.from({ length: 1000 }, () => new DigestTree(db, START));
  const after = process.memoryUsage();
  const bytes = (after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers) / trees.length;
  t.ok(bytes < 4000, `${Math.round(bytes)} bytes`);
});

t.test('what is about to expire leaves the tree, what is extended stays', async (t) => {
  const side = new Side();
  side.put(lease(1, 1, after(START, 100 * SECOND)));
  side.put(lease(2, 1, after(START, 100 * SECOND)));
  t.equal(side.tree.nextDeadline, after(START, 60 * SECOND));
  side.put(lease(2, 1, after(START, 200 * SECOND)));
  side.tree.poll(after(START, 60 * SECOND));
  t.equal(side.tree.size, 1);
  side.put(lease(1, 1, after(START, 300 * SECOND)), after(START, 70 * SECOND));
  t.equal(side.tree.size, 2, 'back with a new life');
  side.tree.poll(after(START, 160 * SECOND));
  t.equal(side.tree.size, 1);
  for (let i = 0; i < 1000; i++) side.tree.poll(after(START, (160 + i) * SECOND));
  t.equal(side.tree.size, 0);
  t.equal(side.tree.nextDeadline, undefined, 'nothing is left behind');
  t.equal(side.tree.root, 0);
});

t.test('any two databases become one', async () => {
  const records = fc.array(fc.record({ n: fc.nat(400), seqno: fc.nat(3), place: fc.nat(2) }), { maxLength: 600 });
  fc.assert(
    fc.property(records, records, records, (common, left, right) => {
      const [a, b] = [new Side(), new Side()];
      for (const { n, seqno, place } of common) for (const side of [a, b]) side.put(association(n, place + 1, seqno));
      for (const { n, seqno, place } of left) a.put(association(n, place + 1, seqno));
      for (const { n, seqno, place } of right) b.put(association(n, place + 1, seqno));
      reconcile(a, b);
      return versions(a).join() === versions(b).join() && a.tree.root === b.tree.root;
    }),
    { numRuns: 200 },
  );
});

t.test('the bytes of a comparison, by size and difference', async (t) => {
  const table: [records: number, changes: number, share: number][] = [
    [1000, 0, 0.002],
    [1000, 10, 0.1],
    [50_000, 0, 0.0001],
    [50_000, 1, 0.0005],
    [50_000, 100, 0.02],
    [50_000, 5000, 0.5],
    [50_000, 50_000, 2],
  ];
  for (const [records, changes, limit] of table) {
    const [a, b] = [new Side(), new Side()];
    for (let i = 0; i < records; i++) for (const side of [a, b]) side.put(association(i, 1));
    for (let i = 0; i < changes; i++) (i % 2 === 0 ? a : b).put(association((i * 997) % records, 2, 2));
    const turns = reconcile(a, b);
    const bytes = a.written + b.written;
    const share = bytes / (records * 24);
    t.equal(a.tree.root, b.tree.root);
    t.ok(share < limit, `${changes} of ${records}: ${bytes} bytes, ${(100 * share).toFixed(2)} %, ${turns} turns`);
    t.comment(`${changes} of ${records}: ${bytes} bytes, ${(100 * share).toFixed(2)} % of a dump, ${turns} turns`);
  }
});

t.test('a newcomer gets the dump, and little else', async (t) => {
  const [a, b] = [new Side(), new Side()];
  for (let i = 0; i < 20_000; i++) a.put(association(i, 1));
  reconcile(a, b);
  t.ok(a.written + b.written < 20_000 * 24 + 200);
  const [c, d] = [new Side(), new Side()];
  for (let i = 0; i < 20_000; i++) d.put(association(i, 1));
  reconcile(c, d);
  t.ok(c.written + d.written < 20_000 * 24 + 200, 'whoever begins');
  t.same(versions(c), versions(d));
});

t.test('a sequence number that has wrapped', async (t) => {
  const [a, b] = [new Side(), new Side()];
  for (let i = 0; i < 50; i++) {
    a.put(association(i, 1, 65_535));
    b.put(association(i, 2, 2));
  }
  reconcile(a, b);
  t.equal(a.db.get(association(7, 2).key)!.seqno, 2);
  t.same(versions(a), versions(b));
});


t.test('records that are given ever shorter lives are left out in time', async (t) => {
  const side = new Side();
  for (let round = 1; round <= 20; round++) {
    for (let n = 0; n < 300; n++) side.put(lease(n, round, after(START, HOUR - round * SECOND)));
  }
  t.equal(side.tree.size, 300);
  const due = after(START, HOUR - 20 * SECOND - LAST_MOMENTS);
  t.equal(side.tree.nextDeadline, due);
  side.tree.poll(due);
  t.equal(side.tree.size, 0);
  t.equal(side.tree.root, 0);
});
