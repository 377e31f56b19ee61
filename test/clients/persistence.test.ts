import t from 'tap';
import * as claims from '../../src/clients/claims.js';
import { Database } from '../../src/clients/database.js';
import { parseNodeId } from '../../src/clients/node-id.js';
import { loadRecords, Persistence, restore } from '../../src/clients/persistence.js';
import { MINUTE, SECOND } from '../../src/clients/time.js';
import { macFromBytes } from '../../src/net/mac.js';
import type { Storage } from '../../src/ports.js';
import { TestClock, TestLog, turn } from '../support.js';

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
  const ports = { clock: new TestClock(), wallClock: { time: () => 1_800_000_000 }, storage: new MemoryStorage(), log: new TestLog() };
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
  t.same(await loadRecords(ports), []);
  t.same(ports.log.lines, ['error the stored database is unusable: its checksum is wrong; it is kept as /state/database.bad']);
  t.same([...ports.storage.files.keys()], ['database.bad']);
  t.same(await loadRecords(ports), [], 'now there is none');
});

t.test('a disk that cannot be read does not keep the daemon from starting', async (t) => {
  const { ports } = setUp();
  ports.storage.failing = new Error('input/output error');
  t.same(await loadRecords(ports), []);
  t.match(ports.log.lines, ['error the stored database cannot be read: input/output error']);
});

t.test('the wall clock jumps while it runs: writes come when they are due, and what was stored is all there after a restart', async (t) => {
  const year = 365 * 86_400;
  for (const [name, before, later] of [
    ['set from 1970', 5, 1_800_000_000],
    ['put back by a year', 1_800_000_000, 1_800_000_000 - year],
    ['put on by a year', 1_800_000_000, 1_800_000_000 + year],
    ['back to 1970', 1_800_000_000, 5],
  ] as const) {
    const { ports, db, persistence, claim } = setUp();
    let time: number = before;
    ports.wallClock.time = () => time;
    claim(1);
    await ports.clock.pass(MINUTE / 2);
    time = later;
    await ports.clock.pass(MINUTE / 2);
    t.equal(ports.storage.saves, 1, `${name}: written after a minute`);
    const left = [...db.records()].map(({ expires }) => Math.floor((expires - ports.clock.now()) / SECOND));
    for (const [when, restart] of [['the new time', later], ['the old time', before]] as const) {
      time = restart;
      const read = await loadRecords(ports);
      const kept = read.map(({ expires }) => (expires - ports.clock.now()) / SECOND);
      t.same(kept, left, `${name}, started under ${when}`);
    }
    await persistence.stop();
  }
});
