import fc from 'fast-check';
import t from 'tap';
import { Database } from '../../src/clients/database.js';
import type { Record } from '../../src/clients/record.js';
import { LONGEST_LIFETIME } from '../../src/clients/record.js';
import type { Instant, Millis } from '../../src/clients/time.js';
import { after, SECOND } from '../../src/clients/time.js';
import { DigestTree } from '../../src/flood/digest.js';
import type { ByeReason, Hello, Tlv } from '../../src/flood/frame.js';
import { decodeTlv, TlvSplitter, writeTlv } from '../../src/flood/frame.js';
import { DEFAULT_TIMING, Session } from '../../src/flood/session.js';
import { fromHex, toHex, Writer } from '../../src/net/bytes.js';
import { configOf } from '../support.js';
import { association, keyOf, lease, nodeId, START } from './support.js';

const HELLO: Hello = { type: 'hello', node: nodeId(5), instance: 1n, connection: 0, port: 4444, hostname: 'peer' };

/** One session, with all that comes out of it. */
class Fixture {
  readonly db = new Database();
  now = START;
  readonly tree: DigestTree;
  readonly session: Session;
  readonly applied: Record[] = [];
  readonly dropped: string[] = [];
  closed: { reason: string | undefined }[] = [];
  ups = 0;
  refuse: ByeReason | undefined;

  constructor(records: Record[] = []) {
    for (const record of records) this.db.apply(record, this.now);
    this.tree = new DigestTree(this.db, this.now);
    const hello = { node: nodeId(9), instance: 77n, connection: 0, port: 4444, hostname: 'us' };
    this.session = new Session(
      { hello, replica: this.db, tree: this.tree, timing: DEFAULT_TIMING },
      {
        hello: () => this.refuse,
        up: () => void this.ups++,
        record: (record) => {
          const outcome = this.db.apply(record, this.now);
          this.applied.push(record);
          this.tree.touch(record.key, this.now);
          return outcome;
        },
        dropped: (cause) => void this.dropped.push(cause),
        closed: (reason) => void this.closed.push({ reason }),
      },
      this.now,
    );
  }

  receive(bytes: Uint8Array | string): void {
    this.session.receive(typeof bytes === 'string' ? fromHex(bytes) : bytes, this.now);
  }

  receiveTlv(...tlvs: Tlv[]): void {
    const w = new Writer();
    for (const tlv of tlvs) writeTlv(w, tlv);
    this.receive(w.done());
  }

  /** All that is to be written, taken in pieces of about `limit` bytes. */
  take(limit = 4096): Uint8Array {
    const w = new Writer();
    for (let i = 0; i < 100_000; i++) {
      const bytes = this.session.take(limit, this.now);
      if (bytes === undefined) return w.done();
      w.put(bytes);
    }
    throw new Error('the session never stops to write');
  }

  takeTlvs(): Tlv[] {
    const tlvs = Array.from(new TlvSplitter().split(this.take()), ({ type, body }) => decodeTlv(type, body)!);
    return tlvs;
  }

  /** As far as a peer of our kind: handshake and hello exchanged. */
  meet(): this {
    this.take();
    this.receive('2c010001');
    this.receiveTlv(HELLO);
    return this;
  }

  advance(millis: number): void {
    const end = after(this.now, millis);
    for (let at = this.session.nextDeadline(); at !== undefined && at <= end; at = this.session.nextDeadline()) {
      this.now = Math.max(at, this.now) as Instant;
      this.session.poll(this.now);
      this.take();
    }
    this.now = end;
  }
}

t.test('with a sroamd: handshake at once, the whole database after its own, updates from then on', async (t) => {
  const f = new Fixture([lease(1, 7, after(START, 1800 * SECOND)), association(1, 3, 9, after(START, 600_999 as never))]);
  t.equal(toHex(f.take()), '2c010001');
  f.receive('2c0100');
  t.equal(f.session.state, 'handshake');
  f.receive('00');
  t.equal(f.ups, 1);
  t.equal(f.session.extended, false);
  const dump = toHex(f.take());
  t.equal(dump.length / 2, 20 + 24);
  t.ok(dump.includes('021200070000070805000a000001020000000001'), 'lease');
  t.ok(dump.includes('0216000900000258070202000000000100000000000000' + '03'), 'association: lifetime rounded down');
  f.db.apply(lease(2), f.now);
  f.session.flood(lease(2).key);
  t.equal(toHex(f.take()), '0212000100000e1005000a000002020000000002');
  t.equal(f.session.pending, false);
});

t.test('what a sroamd sends is taken; its own types and ours in its mouth are passed over', async (t) => {
  const f = new Fixture();
  f.receive('2c010000' + '00' + '0102abcd' + '021200070000070805000a2c0009020000000001' + '630101' + '8700' + '81040000000' + '7');
  t.match(f.applied, [{ key: keyOf('000a2c0009'), value: keyOf('020000000001'), seqno: 7, expires: after(START, 1800 * SECOND) }]);
  t.equal(f.closed.length, 0);
  t.equal(toHex(f.take()).slice(0, 8), '2c010001');
  f.receive('020c00010000003c03c8aabbccdd');
  t.equal(f.applied.length, 2, 'types of records that nobody knows are kept');
});

t.test('invalid records are dropped before they are stored (defect 10), the session goes on', async (t) => {
  const f = new Fixture();
  f.receive('2c010000');
  const bad: [name: string, hex: string][] = [
    ['lease of a group address', '021200070000070805000a2c0009010000000001'],
    ['lease with a short MAC', '021100070000070805000a2c00090200000000'],
    ['lease with a long key', '021300070000070806000a2c000911020000000001'],
    ['association with a long node id', '0217000300000708070202000000000101234567' + '89abcdef00'],
    ['association of the null MAC', '020e0004000002580702000000000000'],
    ['IPv6 lease without a value', '0210000100000e10090120010db800440001'],
  ];
  for (const [, hex] of bad) f.receive(hex);
  t.same(f.dropped, bad.map(() => 'invalid record'));
  f.receive('020900010000003c000102');
  f.receive('020700010000003c00');
  t.same(f.dropped.slice(bad.length), ['empty key', 'empty key']);
  f.receive('021200070000000005000a2c0009020000000001');
  t.equal(f.dropped.at(-1), 'dead record', 'and what sroamd never forgets');
  t.equal(f.db.size, 0);
  f.receive('021200070000070805000a2c0009020000000001');
  t.equal(f.db.size, 1);
  f.receive('021200080000000005000a2c0009020000000001');
  t.equal(f.db.get(keyOf('000a2c0009'))!.seqno, 8, 'a newer version that is dead counts for a record that is known');
});

t.test('lifetime 0xFFFFFFFF (defect 9): as long as any lease may be', async (t) => {
  const f = new Fixture();
  f.receive('2c010000' + '02120007ffffffff05000a2c0009020000000001');
  t.equal(f.db.get(keyOf('000a2c0009'))!.expires, after(START, LONGEST_LIFETIME));
  t.throws(() => configOf(`option lease_time '${LONGEST_LIFETIME / SECOND + 1}'`), /lease_time/);
  t.equal(configOf(`option lease_time '${LONGEST_LIFETIME / SECOND}'`).leaseTime, LONGEST_LIFETIME / SECOND);
  const g = new Fixture([lease(1, 1, Infinity as Instant)]);
  g.take();
  g.receive('2c010000');
  t.ok(toHex(g.take()).startsWith('021200017fffffff'));
});

t.test('broken protocol closes the session, once, with a reason', async (t) => {
  const cases: [name: string, bytes: string, reason: RegExp][] = [
    ['no flooding at all', toHex(Buffer.from('GET / HTTP/1.1')), /does not speak the flooding protocol/],
    ['TLS', '160301020001', /does not speak the flooding protocol/],
    ['another version', '2c020000', /version 2/],
    ['Update too short', '2c010000' + '0206000700000708', /protocol error/],
    ['key past the end', '2c010000' + '0208000700000708050a', /protocol error/],
    ['update before hello', '2c010001' + '021200070000070805000a2c0009020000000001', /update before hello/],
    ['second hello', '', /second hello/],
    ['short hello', '2c010001' + '800100', /protocol error/],
    ['digest of nowhere', '', /no place in the digest tree/],
  ];
  for (const [name, bytes, reason] of cases) {
    const f = name === 'second hello' || name === 'digest of nowhere' ? new Fixture().meet() : new Fixture();
    if (name === 'second hello') f.receiveTlv(HELLO);
    else if (name === 'digest of nowhere') f.receiveTlv({ type: 'digest', index: 6, hashes: [0, 0, 0, 0, 0, 0, 0, 0] });
    else f.receive(bytes);
    t.equal(f.closed.length, 1, name);
    t.match(f.closed[0]!.reason, reason);
    t.equal(f.db.size, 0);
    f.receive('021200070000070805000a2c0009020000000001');
    f.session.poll(after(f.now, 1e6));
    t.equal(f.closed.length, 1);
    t.equal(f.db.size, 0, 'and nothing is taken any more');
    t.equal(f.session.nextDeadline(), undefined);
  }
});

t.test('who shows nothing is closed in time', async (t) => {
  for (const opening of ['', '2c01', '2c010001']) {
    const f = new Fixture();
    f.take();
    f.receive(opening);
    f.advance(9 * SECOND);
    t.equal(f.closed.length, 0);
    f.advance(2 * SECOND);
    t.same(f.closed, [{ reason: 'no handshake in time' }]);
  }
});

t.test('between two of ours: hello, then digests instead of a dump', async (t) => {
  const f = new Fixture(Array.from({ length: 100 }, (_, i) => lease(i)));
  f.take();
  f.receive('2c010001');
  t.equal(f.session.state, 'hello');
  t.match(f.takeTlvs(), [{ type: 'hello', node: nodeId(9), instance: 77n, hostname: 'us' }]);
  f.receiveTlv(HELLO);
  t.equal(f.ups, 1);
  t.equal(f.session.node, nodeId(5));
  const [digest, ...rest] = f.takeTlvs();
  t.match(digest, { type: 'digest', index: 1 });
  t.same(rest, []);
  f.receiveTlv({ type: 'digest', index: 1, hashes: [0, 0, 0, 0, 0, 0, 0, 0] });
  t.equal(f.takeTlvs().filter(({ type }) => type === 'update').length, 100, 'a peer that has nothing gets all');
});

t.test('keepalive, round-trip time, silence', async (t) => {
  const f = new Fixture().meet();
  f.take();
  f.session.poll(f.now);
  const [ping] = f.takeTlvs();
  t.match(ping, { type: 'ping', root: 0 });
  f.now = after(f.now, 80);
  f.receiveTlv({ type: 'pong', token: 999 });
  t.equal(f.session.rtt, undefined, 'an answer to nothing');
  f.receiveTlv({ type: 'pong', token: (ping as { token: number }).token });
  t.equal(f.session.rtt, 80);
  f.receiveTlv({ type: 'ping', token: 5, root: undefined }, { type: 'ping', token: 6, root: undefined });
  t.same(f.takeTlvs(), [{ type: 'pong', token: 6 }], 'many pings get one answer, to the last');
  f.advance(24 * SECOND);
  t.equal(f.closed.length, 0);
  f.advance(2 * SECOND);
  t.match(f.closed, [{ reason: /nothing heard for 25 s/ }]);
  const s = new Fixture();
  s.take();
  s.receive('2c010000');
  s.advance(10_000 * SECOND);
  t.equal(s.closed.length, 0, 'a sroamd may be silent for ever');
});

t.test('goodbye', async (t) => {
  const f = new Fixture([lease(1)]).meet();
  f.take();
  f.session.flood(lease(1).key);
  f.session.bye('stopping', f.now);
  t.match(f.takeTlvs(), [{ type: 'update' }, { type: 'bye', reason: 'stopping' }]);
  t.equal(f.session.state, 'closing');
  f.receiveTlv({ type: 'byeAck' });
  t.same(f.closed, [{ reason: undefined }]);

  const g = new Fixture().meet();
  g.take();
  g.receiveTlv({ type: 'bye', reason: 'removed' });
  t.match(g.closed, [{ reason: /goodbye: removed/ }]);
  t.same(g.takeTlvs(), [{ type: 'byeAck' }], 'the answer is still to be written');

  const h = new Fixture([lease(1)]);
  h.take();
  h.receive('2c010000');
  h.take();
  h.session.flood(lease(1).key);
  h.session.bye('stopping', h.now);
  t.equal(h.closed.length, 1, 'a sroamd knows no goodbye');
  t.equal(h.takeTlvs().length, 1, 'but gets what was said last');

  const r = new Fixture();
  r.refuse = 'duplicate';
  r.meet();
  t.match(r.takeTlvs(), [{ type: 'hello' }, { type: 'bye', reason: 'duplicate' }]);
  t.equal(r.ups, 0);
  r.advance(3 * SECOND);
  t.equal(r.closed.length, 1);
});

t.test('what the peer sends itself is not sent back to it', async (t) => {
  const f = new Fixture([lease(1, 4)]).meet();
  f.take();
  f.session.flood(lease(1).key);
  f.receiveTlv({ type: 'update', key: lease(1).key, value: lease(1).value, seqno: 4, lifetime: 3600 });
  t.same(f.takeTlvs(), []);
  f.session.flood(lease(1).key);
  f.receiveTlv({ type: 'update', key: lease(1).key, value: lease(1).value, seqno: 3, lifetime: 3600 });
  t.match(f.takeTlvs(), [{ type: 'update', seqno: 4 }], 'an older version is answered');
});

t.test('a sroamd, which knows no keepalive, is told of longer lives at once', async (t) => {
  const f = new Fixture([lease(1, 4)]);
  f.receive('2c010000');
  f.take();
  f.session.flood(lease(1).key, true);
  t.match(f.takeTlvs(), [{ type: 'update', seqno: 4 }]);

  const g = new Fixture([lease(1, 4)]).meet();
  g.take();
  g.session.flood(lease(1).key, true);
  t.notOk(g.session.pending);
  g.receiveTlv({ type: 'update', key: lease(1).key, value: lease(1).value, seqno: 4, lifetime: 3600 });
  g.now = after(g.now, DEFAULT_TIMING.keepalive);
  g.session.poll(g.now);
  t.match(g.takeTlvs().map(({ type }) => type), ['ping'], 'the peer has said so itself meanwhile');
});

t.test('a peer that asks without end does not fill the memory', async (t) => {
  const f = new Fixture(Array.from({ length: 2000 }, (_, i) => lease(i))).meet();
  const before = process.memoryUsage().heapUsed;
  const started = process.cpuUsage();
  for (let i = 0; i < 50_000; i++) {
    f.receiveTlv(
      { type: 'digest', index: 8 ** 9 + i, hashes: [1, 2, 3, 4, 5, 6, 7, 8] },
      { type: 'summary', index: 1, entries: [{ keyHash: i * 7919, seqno: 1, tag: 1 }] },
      { type: 'request', keyHashes: [i * 7919, i] },
      { type: 'ping', token: i, root: 1 },
    );
  }
  t.ok(process.cpuUsage(started).user < 30e6, 'nor burn the processor');
  t.ok(process.memoryUsage().heapUsed - before < 64 << 20);
  t.ok(f.take().length < 4 << 20, 'and what is answered in the end is bounded');
});

/** Runs a piece of work, which must not take longer than ten seconds of the processor. */
function watched(work: () => void): void {
  const started = process.cpuUsage();
  work();
  if (process.cpuUsage(started).user > 10e6) throw new Error('took too long');
}

const RECORDS = Array.from({ length: 30 }, (_, i) => (i % 2 === 0 ? lease(i) : association(i, 4)));

const anyTlv: fc.Arbitrary<Tlv> = fc.oneof(
  fc.record({
    type: fc.constant('update' as const),
    key: fc.oneof(fc.constantFrom(...RECORDS.map((record) => record.key)), fc.string({ maxLength: 20 }) as fc.Arbitrary<never>),
    value: fc.oneof(fc.constantFrom(...RECORDS.map((record) => record.value)), fc.string({ maxLength: 20 })),
    seqno: fc.nat(0xffff),
    lifetime: fc.nat(0x7fffffff),
  }),
  fc.record({ type: fc.constant('ping' as const), token: fc.nat(), root: fc.option(fc.nat(), { nil: undefined }) }),
  fc.record({ type: fc.constant('pong' as const), token: fc.nat(9) }),
  fc.record({
    type: fc.constant('digest' as const),
    index: fc.nat(10).chain((level) => fc.nat(8 ** level - 1).map((place) => 8 ** level + place)),
    hashes: fc.array(fc.nat(0xffffffff), { minLength: 8, maxLength: 8 }),
  }),
  fc.record({
    type: fc.constant('summary' as const),
    index: fc.nat(10).chain((level) => fc.nat(8 ** level - 1).map((place) => 8 ** level + place)),
    entries: fc.array(fc.record({ keyHash: fc.nat(), seqno: fc.nat(0xffff), tag: fc.nat(0xffff) }), { maxLength: 31 }),
  }),
  fc.record({ type: fc.constant('request' as const), keyHashes: fc.array(fc.nat(), { maxLength: 63 }) }),
  fc.constant({ type: 'byeAck' as const }),
  fc.constant({ type: 'bye' as const, reason: 'stopping' as const }),
  fc.constant(HELLO),
);

t.test('TLVs that make no sense together, cut anywhere, broken anywhere', async () => {
  fc.assert(
    fc.property(fc.array(anyTlv, { maxLength: 40 }), fc.nat(), fc.nat(), fc.boolean(), (tlvs, cut, flip, extended) => {
      const f = new Fixture(RECORDS);
      if (extended) f.meet();
      else f.receive('2c010000');
      const w = new Writer();
      for (const tlv of tlvs) writeTlv(w, tlv);
      const bytes = w.done();
      if (bytes.length > 0 && flip % 3 === 0) bytes[flip % bytes.length]! ^= 1 << flip % 8;
      const at = cut % (bytes.length + 1);
      watched(() => {
        f.receive(bytes.subarray(0, at));
        f.take();
        f.receive(bytes.subarray(at));
        f.take();
        f.advance(60 * SECOND);
      });
      return f.closed.length <= 1 && f.take().length === 0;
    }),
    { numRuns: 500 },
  );
});

t.test('noise behind either handshake', async () => {
  fc.assert(
    fc.property(fc.constantFrom('', '2c010000', '2c010001'), fc.uint8Array({ maxLength: 3000 }), (opening, noise) => {
      const f = new Fixture(RECORDS);
      watched(() => {
        f.receive(opening);
        f.receive(noise);
        f.take();
        f.advance(60 * SECOND);
      });
      return f.closed.length <= 1;
    }),
    { numRuns: 1000 },
  );
});

t.test('a megabyte of everything', async (t) => {
  for (const byte of [0, 1, 2, 44, 128, 131, 255]) {
    const f = new Fixture(RECORDS);
    f.receive('2c010000');
    watched(() => f.receive(new Uint8Array(1 << 20).fill(byte)));
    t.ok(f.take().length < 10_000);
  }
});

t.test('a byte of padding follows live changes that are not acknowledged, so that TCP notices the loss of the last segment', async (t) => {
  for (const peer of ['of ours', 'sroamd']) {
    const f = new Fixture();
    if (peer === 'sroamd') f.receive('2c010000');
    else f.meet();
    f.advance(1);
    const change = (n: number) => {
      f.db.apply(lease(n), f.now);
      f.session.flood(lease(n).key);
      f.take();
    };
    let acknowledged = false;
    const silentUntil = (at: Instant) => {
      f.now = at;
      f.session.poll(at, () => acknowledged);
      return toHex(f.take());
    };
    change(1);
    t.equal(f.session.nextDeadline(), after(f.now, DEFAULT_TIMING.trailer), `${peer}: due`);
    t.equal(silentUntil(after(f.now, DEFAULT_TIMING.trailer - 1)), '', `${peer}: not before`);
    t.equal(silentUntil(after(f.now, 1)), '00', `${peer}: one byte`);
    t.not(f.session.nextDeadline(), after(f.now, DEFAULT_TIMING.trailer), `${peer}: once`);
    t.equal(silentUntil(after(f.now, DEFAULT_TIMING.trailer)), '', `${peer}: nothing follows it`);

    change(2);
    f.now = after(f.now, 2);
    change(3);
    t.equal(silentUntil(after(f.now, DEFAULT_TIMING.trailer - 1)), '', `${peer}: the second change follows the first`);
    t.equal(silentUntil(after(f.now, 1)), '00', `${peer}: and is followed itself`);

    acknowledged = true;
    change(4);
    t.equal(silentUntil(after(f.now, DEFAULT_TIMING.trailer)), '', `${peer}: nothing is lost`);
    t.notOk(f.session.pending);
  }
});

t.test('standing by: changes are not sent, keepalives are rare, and what was missed is told once it is over', async (t) => {
  const f = new Fixture();
  f.meet();
  f.takeTlvs();
  f.session.standBy(true, f.now);
  const record = association(1, 9);
  f.db.apply(record, f.now);
  f.tree.touch(record.key, f.now);
  f.session.flood(record.key);
  t.notOk(f.session.pending);
  const pingsAfter = (delay: Millis) => {
    f.now = after(f.now, delay);
    f.session.poll(f.now);
    return f.takeTlvs().map(({ type }) => type);
  };
  // The interval that had begun goes on.
  t.same(pingsAfter(DEFAULT_TIMING.keepalive), ['ping'], 'with the root of all that is known here');
  t.same(pingsAfter(2 * DEFAULT_TIMING.keepalive), [], 'nothing heard for longer than a session may be silent that is needed');
  t.same(pingsAfter(DEFAULT_TIMING.keepalive), ['ping']);
  f.session.standBy(false, f.now);
  t.same(f.takeTlvs().map(({ type }) => type), ['summary'], 'the databases are compared at once');
  t.same(pingsAfter(0), ['ping'], 'and whether the peer is there is asked at once');
  f.session.flood(record.key);
  t.same(f.takeTlvs().map(({ type }) => type), ['update'], 'and changes flow again');
});
