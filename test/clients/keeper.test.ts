import t from 'tap';
import * as claims from '../../src/clients/claims.js';
import { Database } from '../../src/clients/database.js';
import { Keeper } from '../../src/clients/keeper.js';
import { parseNodeId } from '../../src/clients/node-id.js';
import { HOUR, MINUTE } from '../../src/clients/time.js';
import { parseIp4 } from '../../src/net/ip.js';
import { parseMac } from '../../src/net/mac.js';
import { at } from '../support.js';

const mac = parseMac('02:00:00:00:00:01');
const self = parseNodeId('0000000000000001');
const address = parseIp4('10.44.0.9');

/** Runs the keeper by its own deadlines until `end`; returns how many records it extended. */
function run(db: Database, keeper: Keeper, end: number): number {
  let extended = 0;
  for (let now = keeper.nextDeadline; now !== undefined && now <= end; now = keeper.nextDeadline) {
    db.expire(now);
    for (const record of keeper.poll(now)) {
      extended++;
      db.apply(record, now);
    }
  }
  return extended;
}

t.test('a client that stays keeps what it has, for few messages', async (t) => {
  const db = new Database();
  const keeper = new Keeper(db, 20 * MINUTE, () => true);
  db.apply(claims.claim(db, mac, self, at(0)), at(0));
  db.apply(claims.lease4(db, address, mac, 20 * MINUTE, at(0)), at(0));
  keeper.keep(mac, at(0));
  const before = db.get(claims.claim(db, mac, self, at(0)).key);
  const extended = run(db, keeper, 24 * HOUR);
  t.equal(db.client(mac)?.node, self);
  t.equal(db.owner(address), mac);
  t.equal(db.get(before!.key)?.seqno, before?.seqno, 'the same version all day');
  t.ok(extended <= 24 * 6 + 24 * 2 + 2, `${extended} extensions in a day`);
});

t.test('a client that roams on before any node has made its round keeps what it has', async (t) => {
  const db = new Database();
  db.apply(claims.lease4(db, address, mac, HOUR, at(0)), at(0));
  const keepers = Array.from({ length: 12 }, () => new Keeper(db, HOUR, () => true));
  let extended = 0;
  for (let stay = 0; stay < 36; stay++) {
    const [begin, end] = [at(stay * 10 * MINUTE), at((stay + 1) * 10 * MINUTE - 1)];
    const keeper = keepers[stay % keepers.length]!;
    keeper.keep(mac, begin);
    extended += run(db, keeper, end);
    keeper.release(mac);
    db.expire(end);
    t.equal(db.owner(address), mac, `until the end of stay ${stay}`);
  }
  t.ok(extended <= 12, `${extended} extensions in six hours`);
});

t.test('a shorter lifetime holds for clients that are here already', async (t) => {
  const db = new Database();
  const keeper = new Keeper(db, HOUR, () => true);
  db.apply(claims.claim(db, mac, self, at(0)), at(0));
  keeper.keep(mac, at(0));
  keeper.setLeaseLifetime(2 * MINUTE, at(MINUTE));
  db.apply(claims.lease4(db, address, mac, 2 * MINUTE, at(MINUTE)), at(MINUTE));
  const extended = run(db, keeper, 20 * MINUTE);
  t.equal(db.owner(address), mac, 'an address that it takes then does not run out before its first round');
  t.ok(extended <= 20, `${extended} extensions in twenty minutes`);
  keeper.setLeaseLifetime(HOUR, at(20 * MINUTE));
  t.ok(run(db, keeper, 10 * HOUR) <= 60, 'a longer one makes the rounds rarer again');
  t.equal(db.owner(address), mac);
});

t.test('a client that left is not kept, and one that came back is kept once', async (t) => {
  const db = new Database();
  const keeper = new Keeper(db, HOUR, () => true);
  db.apply(claims.lease4(db, address, mac, HOUR, at(0)), at(0));
  keeper.keep(mac, at(0));
  keeper.release(mac);
  keeper.keep(mac, at(1));
  keeper.keep(mac, at(2));
  t.ok(run(db, keeper, 4 * HOUR) <= 8);
  keeper.release(mac);
  t.equal(run(db, keeper, 9 * HOUR), 0);
  t.equal(keeper.nextDeadline, undefined);
  db.expire(at(9 * HOUR));
  t.equal(db.owner(address), undefined);
});

t.test('what a client has of a prefix that is not configured any more runs out', async (t) => {
  const db = new Database();
  const old = parseIp4('192.0.2.9');
  const keeper = new Keeper(db, HOUR, (ip) => ip !== old);
  db.apply(claims.claim(db, mac, self, at(0)), at(0));
  db.apply(claims.lease4(db, address, mac, HOUR, at(0)), at(0));
  db.apply(claims.lease4(db, old, mac, HOUR, at(0)), at(0));
  keeper.keep(mac, at(0));
  run(db, keeper, 3 * HOUR);
  db.expire(at(3 * HOUR));
  t.same(db.leases4Of(mac).map((lease) => lease.address), [address]);
});
