import t from 'tap';
import * as claims from '../../src/clients/claims.js';
import { Database } from '../../src/clients/database.js';
import { parseNodeId } from '../../src/clients/node-id.js';
import { admit, loadRecords, Persistence, restore, wasClockSet } from '../../src/clients/persistence.js';
import type { Record, RecordKey } from '../../src/clients/record.js';
import { HOUR, MINUTE, SECOND } from '../../src/clients/time.js';
import { macFromBytes } from '../../src/net/mac.js';
import type { Storage } from '../../src/ports.js';
import { at, nodeRecord, TestClock, TestLog, turn } from '../support.js';

const TIME = 1_800_000_000;
const DAY = 86_400;
const self = parseNodeId('0000000000000001');

class MemoryStorage implements Storage {
  readonly files = new Map<string, Uint8Array>();
  saves = 0;
  failing: Error | undefined;
  load = async (name: string) => {
    if (this.failing !== undefined) throw this.failing;
    return this.files.get(name);
  };
  save = async (name: string, content: Uint8Array) => {
    if (this.failing !== undefined) throw this.failing;
    this.saves++;
    this.files.set(name, content.slice());
  };
  setAside = async (name: string) => {
    this.files.set(`${name}.bad`, this.files.get(name)!);
    this.files.delete(name);
    return `/state/${name}.bad`;
  };
}

function setUp() {
  const clock = new TestClock();
  const wallClock = {
    zero: TIME,
    boot: 'first',
    time: () => wallClock.zero + clock.now() / SECOND,
  };
  const ports = { clock, wallClock, storage: new MemoryStorage(), log: new TestLog() };
  const db = new Database();
  const persistence = new Persistence(db, ports, MINUTE);
  const claim = (n: number) => {
    db.apply(claims.claim(db, macFromBytes(Uint8Array.of(2, 0, 0, 0, n >> 8, n & 255)), self, ports.clock.now()), ports.clock.now());
    persistence.changed();
  };
  return { ports, db, persistence, claim };
}

t.test('many changes are one write, a minute later; none is none', async (t) => {
  const { ports, persistence, claim } = setUp();
  for (let n = 0; n < 5000; n++) claim(n);
  await ports.clock.pass(MINUTE - 1);
  t.equal(ports.storage.saves, 0);
  await ports.clock.pass(1);
  t.equal(ports.storage.saves, 1);
  await ports.clock.pass(10 * MINUTE);
  t.equal(ports.storage.saves, 1);
  claim(1);
  await ports.clock.pass(MINUTE);
  t.equal(ports.storage.saves, 2);
  await persistence.stop();
  t.equal(ports.storage.saves, 2, 'all is stored');
  const restored = new Database();
  restore(restored, await loadRecords(ports), ports);
  t.equal(restored.size, 5000);
  t.equal([...restored.clients()].length, 5000);
});

t.test('a shorter interval holds for what waits to be written', async (t) => {
  const { ports, persistence, claim } = setUp();
  persistence.setInterval(24 * HOUR);
  claim(1);
  await ports.clock.pass(10 * MINUTE);
  persistence.setInterval(MINUTE);
  await ports.clock.pass(MINUTE);
  t.equal(ports.storage.saves, 1);
  claim(2);
  persistence.setInterval(HOUR);
  await ports.clock.pass(MINUTE);
  t.equal(ports.storage.saves, 2, 'what was begun goes on');
  await ports.clock.pass(24 * HOUR);
  t.equal(ports.storage.saves, 2);
});

t.test('what changes while it is written, and what has changed at the end, is stored', async (t) => {
  const { ports, persistence, claim, db } = setUp();
  for (let n = 0; n < 5000; n++) claim(n);
  await ports.clock.pass(MINUTE);
  claim(5001);
  await persistence.stop();
  await turn();
  t.equal(ports.storage.saves, 2);
  const restored = new Database();
  restore(restored, await loadRecords(ports), ports);
  t.equal(restored.size, db.size);
  claim(5002);
  await ports.clock.pass(10 * MINUTE);
  t.equal(ports.storage.saves, 2, 'nothing is written after the end');
});

t.test('a disk that is full: said once, and tried again', async (t) => {
  const { ports, persistence, claim } = setUp();
  ports.storage.failing = new Error('no space left on device');
  claim(1);
  await ports.clock.pass(5 * MINUTE);
  t.same(ports.log.lines, ['error the database cannot be stored: no space left on device']);
  t.same(persistence.problems, ['the database cannot be stored: no space left on device']);
  ports.storage.failing = undefined;
  await ports.clock.pass(MINUTE + SECOND);
  t.equal(ports.storage.saves, 1);
  t.same(ports.log.lines.slice(1), ['info the database is stored again']);
  t.same(persistence.problems, []);
});

t.test('a damaged file is set aside and said, and the start goes on', async (t) => {
  const { ports, persistence, claim } = setUp();
  claim(1);
  await persistence.stop();
  const file = ports.storage.files.get('database')!;
  ports.storage.files.set('database', file.subarray(0, file.length - 7));
  t.same((await loadRecords(ports)).records, []);
  t.same(ports.log.lines, ['error the stored database is unusable: its checksum is wrong; it is kept as /state/database.bad']);
  t.same([...ports.storage.files.keys()], ['database.bad']);
  t.same((await loadRecords(ports)).records, [], 'now there is none');
});

t.test('a disk that cannot be read does not keep the daemon from starting', async (t) => {
  const { ports } = setUp();
  ports.storage.failing = new Error('input/output error');
  t.same((await loadRecords(ports)).records, []);
  t.match(ports.log.lines, ['error the stored database cannot be read: input/output error']);
});

t.test('the wall clock was set: it went another way than the monotonic one, by more than some seconds', async (t) => {
  const start = { instant: at(5000), time: TIME };
  const wasSet = (millis: number, time: number) => wasClockSet(start, { instant: at(millis), time });
  t.notOk(wasSet(5000, TIME));
  t.notOk(wasSet(5000 + DAY * SECOND, TIME + DAY), 'time passes');
  t.notOk(wasSet(65_000, TIME + 70), 'ten seconds');
  t.notOk(wasSet(65_000, TIME + 50));
  t.ok(wasSet(65_000, TIME + 71));
  t.ok(wasSet(65_000, TIME + 49));
});

/** What was stored, as seconds left at the next boot. */
async function storedLifetimes(ports: ReturnType<typeof setUp>['ports']): Promise<number[]> {
  ports.wallClock.boot = 'next';
  return (await loadRecords(ports)).records.map(({ expires }) => Math.round((expires - ports.clock.now()) / SECOND));
}

t.test('the wall clock is set while it runs: all is there after a restart, under the new time or the old', async (t) => {
  for (const [name, before, later] of [
    ['from 1970', 5, TIME],
    ['on by five days', TIME - 5 * DAY, TIME],
    ['on by a minute', TIME - 60, TIME],
    ['back by a year', TIME + 365 * DAY, TIME],
    ['on by a year', TIME - 365 * DAY, TIME],
    ['back to 1970', TIME, 5],
  ] as const) {
    const { ports, persistence, claim } = setUp();
    ports.wallClock.zero = before;
    persistence.poll(ports.clock.now());
    claim(1);
    await ports.clock.pass(MINUTE);
    const { saves } = ports.storage;
    ports.wallClock.zero = later;
    persistence.poll(ports.clock.now());
    await turn();
    t.equal(ports.storage.saves, saves + 1, `${name}: written at once, though nothing has changed`);
    t.same(await storedLifetimes(ports), [59 * 60], `${name}, started under the new time`);
    ports.wallClock.zero = before;
    t.same(await storedLifetimes(ports), [59 * 60], `${name}, started under the old time`);
    ports.wallClock.zero = later;
    await ports.clock.pass(10 * MINUTE);
    persistence.poll(ports.clock.now());
    t.equal(ports.storage.saves, saves + 1, `${name}: and once`);
    await persistence.stop();
    t.equal(ports.storage.saves, saves + 1, `${name}: nothing to do at the end`);
  }
});

t.test('the wall clock is found to have been set when the daemon wakes, at the end, and before the first write', async (t) => {
  const at5DaysSlow = async () => {
    const all = setUp();
    all.ports.wallClock.zero = TIME - 5 * DAY;
    all.claim(1);
    await all.ports.clock.pass(MINUTE);
    all.ports.wallClock.zero = TIME;
    return all;
  };
  const changing = await at5DaysSlow();
  changing.claim(2);
  changing.persistence.poll(changing.ports.clock.now());
  await turn();
  t.same(await storedLifetimes(changing.ports), [59 * 60, 60 * 60], 'a change does not wait for the interval then');

  const ending = await at5DaysSlow();
  await ending.persistence.stop();
  t.same(await storedLifetimes(ending.ports), [59 * 60]);
  ending.ports.wallClock.zero += DAY;
  ending.persistence.poll(ending.ports.clock.now());
  await turn();
  t.same(await storedLifetimes(ending.ports), [], 'nothing is written after the end');

  const { ports } = await at5DaysSlow();
  ports.wallClock.zero = TIME - 5 * DAY;
  const db = new Database();
  restore(db, await loadRecords(ports), ports);
  const started = new Persistence(db, ports, MINUTE);
  ports.wallClock.zero = TIME;
  started.poll(ports.clock.now());
  await turn();
  t.same(await storedLifetimes(ports), [59 * 60], 'as it was read under the old time');
});

t.test('a crash right after the wall clock was set: what is left is known all the same', async (t) => {
  const { ports, claim } = setUp();
  ports.wallClock.zero = TIME - 5 * DAY;
  claim(1);
  await ports.clock.pass(MINUTE);
  ports.wallClock.zero = TIME;
  const { records, doubtful } = await loadRecords(ports);
  t.same(records.map(({ expires }) => (expires - ports.clock.now()) / SECOND), [59 * 60]);
  t.notOk(doubtful);
});

t.test('after a reboot what clients had waits for peers to speak, and what they say stands whatever its number', async (t) => {
  const { ports, db, persistence, claim } = setUp();
  const now = () => ports.clock.now();
  for (const n of [1, 2]) claim(n);
  db.apply(nodeRecord(db, self, { hostname: 'a', addresses: [], port: 4444 }, now()), now());
  await persistence.stop();
  ports.wallClock.boot = 'next';
  ports.wallClock.zero = 5;
  const stored = await loadRecords(ports);
  t.ok(stored.doubtful);
  const next = new Database();
  const held = restore(next, stored, ports);
  t.same([held.length, next.size], [2, 1], 'what nodes say of themselves does not wait');
  const there = { ...held[0]!, seqno: (held[0]!.seqno - 1) & 0xffff, value: '' };
  next.apply(there, now());
  const admitted: Record[] = [];
  admit(next, [...held, { ...held[1]!, key: '\x02' as RecordKey }], (record) => {
    next.apply(record, now());
    admitted.push(record);
  });
  t.same(admitted, [held[1]]);
  t.equal(next.get(there.key)?.value, '');
  ports.wallClock.boot = 'first';
  const same = new Database();
  t.same(restore(same, await loadRecords(ports), ports), []);
  t.equal(same.size, 3, 'the same run of the system: nothing is in doubt');
});

t.test('while the file knows more than the database it is not written, whatever happens', async (t) => {
  const { ports, persistence, claim } = setUp();
  persistence.hold();
  claim(1);
  ports.wallClock.zero += 5 * DAY;
  persistence.poll(ports.clock.now());
  await ports.clock.pass(2 * MINUTE);
  t.equal(ports.storage.saves, 0);
  persistence.release();
  await turn();
  t.equal(ports.storage.saves, 1, 'the clock was set');
  claim(2);
  persistence.release();
  await ports.clock.pass(MINUTE);
  t.equal(ports.storage.saves, 2);
});

t.test('the wall clock is looked at once a minute at the least', async (t) => {
  const { ports, persistence } = setUp();
  t.equal(persistence.nextDeadline, MINUTE);
  await ports.clock.pass(20 * SECOND);
  persistence.poll(ports.clock.now());
  t.equal(persistence.nextDeadline, 20 * SECOND + MINUTE);
});

t.test('the wall clock is set while the file is written: it is written again', async (t) => {
  const { ports, persistence, claim } = setUp();
  for (let n = 0; n < 5000; n++) claim(n);
  ports.wallClock.zero -= 5 * DAY;
  persistence.poll(ports.clock.now());
  ports.wallClock.zero += 5 * DAY;
  persistence.poll(ports.clock.now());
  t.equal(ports.storage.saves, 0);
  await ports.clock.pass(SECOND);
  t.equal(ports.storage.saves, 2);
  t.equal((await loadRecords(ports)).records.length, 5000);
});

t.test('the wall clock is set while the disk is full: tried again after the interval, not in a circle', async (t) => {
  const { ports, persistence, claim } = setUp();
  claim(1);
  await ports.clock.pass(MINUTE);
  ports.storage.failing = new Error('no space left on device');
  ports.wallClock.zero += 5 * DAY;
  persistence.poll(ports.clock.now());
  await turn();
  ports.storage.failing = undefined;
  persistence.poll(ports.clock.now());
  await turn();
  t.equal(ports.storage.saves, 1);
  await ports.clock.pass(MINUTE);
  t.equal(ports.storage.saves, 2);
});
