import t from 'tap';
import fc from 'fast-check';
import * as claims from '../../src/clients/claims.js';
import { clientsOf, Database, EXTENSION_SLACK, LONGEST_MEMORY, REST } from '../../src/clients/database.js';
import { compareVersions } from '../../src/clients/merge.js';
import { parseNodeId } from '../../src/clients/node-id.js';
import type { Record, RecordKey } from '../../src/clients/record.js';
import { associationKey, lease4Key, macValue, nodeValue } from '../../src/clients/record.js';
import type { Instant } from '../../src/clients/time.js';
import { after, HOUR, SECOND } from '../../src/clients/time.js';
import { parseIp, parseIp4, parseIp6 } from '../../src/net/ip.js';
import { parseMac } from '../../src/net/mac.js';
import { formatPrefix } from '../../src/net/prefix.js';

const mac = parseMac('02:00:00:00:00:0a');
const other = parseMac('02:00:00:00:00:0b');
const [one, two] = [parseNodeId('0000000000000001'), parseNodeId('0000000000000002')];
const address = parseIp4('10.44.1.2');
const at = (seconds: number) => (seconds * SECOND) as Instant;

function association(node: typeof one | undefined, seqno: number, expires: Instant): Record {
  return { key: associationKey(mac), value: nodeValue(node), seqno, expires };
}

t.test('a client is what its live records say', async (t) => {
  const db = new Database();
  db.apply(claims.claim(db, mac, one, at(0)), at(0));
  db.apply(claims.lease4(db, address, mac, HOUR, at(0)), at(0));
  db.apply(claims.lease6(db, parseIp6('2001:db8:44:7::'), mac, HOUR, at(0)), at(0));
  db.apply(claims.host(db, parseIp6('2001:db8:44:7::9'), mac, HOUR, at(0)), at(0));
  db.apply(claims.clientInfo(db, mac, { hostname: 'phone', ssid: 'mesh' }, at(0))!, at(0));
  const client = db.client(mac)!;
  t.equal(client.node, one);
  t.same(client.addresses.map(formatPrefix), ['10.44.1.2/32', '2001:db8:44:7::/64', '2001:db8:44:7::9/128']);
  t.same(client.info, { hostname: 'phone', ssid: 'mesh' });
  t.equal(db.owner(address), mac);
  t.equal(db.owner(parseIp('2001:db8:44:7::1234')), mac, 'any address of its /64');
  t.same(db.leases4Of(mac), [{ address, expires: at(3600) }]);
  t.same(db.leases6Of(mac), [{ address: '2001:db8:44:7::', expires: at(3600) }]);
  t.same(claims.keysOf(db, mac, () => true).length, 5);

  db.expire(at(3600));
  t.equal(db.client(mac), undefined, 'nothing live is left');
  t.equal(db.owner(address), undefined);
  t.equal(db.holder(address), mac, 'the address rests');
  db.expire(after(at(3600), REST));
  t.equal(db.holder(address), undefined, 'and is free again');
  t.equal(db.size, 0);
});

t.test('what was given of a client stays as it was, and what is left of nothing is nothing', async (t) => {
  const db = new Database();
  const given: [unknown, string][] = [];
  const applied = (record: Record) => {
    db.apply(record, at(0));
    const client = db.client(mac);
    given.push([client, JSON.stringify(client)]);
  };
  applied(association(one, 1, at(100)));
  applied(claims.lease4(db, address, mac, HOUR, at(0)));
  applied(claims.clientInfo(db, mac, { hostname: 'phone', ssid: 'mesh' }, at(0))!);
  applied(association(two, 2, at(100)));
  applied(association(undefined, 3, at(100)));
  db.expire(at(100_000));
  for (const [client, text] of given) t.equal(JSON.stringify(client), text);
  t.equal(new Set(given.map(([, text]) => text)).size, 5, 'each said something else');
  t.same([...db.clients()], []);
});

t.test('outcomes', async (t) => {
  const db = new Database();
  const first = association(one, 5, at(100));
  t.match(db.apply(first, at(0)), { kind: 'newer', previous: undefined });
  t.match(db.apply(first, at(0)), { kind: 'same' });
  t.match(db.apply(association(one, 5, after(at(100), EXTENSION_SLACK)), at(0)), { kind: 'same' }, 'rounding does not go round');
  t.match(db.apply(association(one, 5, at(200)), at(0)), { kind: 'extended', previous: { node: one } });
  t.match(db.apply(association(two, 4, at(900)), at(0)), { kind: 'older', record: { seqno: 5 } });
  t.match(db.apply(association(two, 6, at(100)), at(0)), { kind: 'newer', meaning: { node: two }, previous: { node: one } });
  t.equal(db.client(mac)?.node, two);
});

t.test('a lease that changes hands leaves the first client', async (t) => {
  const db = new Database();
  db.apply({ key: lease4Key(address), value: macValue(mac), seqno: 1, expires: at(100) }, at(0));
  const outcome = db.apply({ key: lease4Key(address), value: macValue(other), seqno: 2, expires: at(100) }, at(0));
  t.equal(db.client(mac), undefined);
  t.equal(db.owner(address), other);
  t.same(outcome.kind === 'newer' && clientsOf(outcome.meaning, outcome.previous), [other, mac]);
});

t.test('an old copy cannot revive what is gone (sroamd defect 6)', async (t) => {
  const db = new Database();
  const old = association(one, 1, at(3600));
  db.apply(old, at(0));
  db.apply(association(undefined, 2, at(60)), at(1));
  db.expire(at(3599));
  t.equal(db.apply(old, at(3599)).kind, 'older', 'known to be gone as long as the old copy may live anywhere');
  db.expire(after(at(3600), REST));
  db.expire(after(at(3600), LONGEST_MEMORY));
  t.equal(db.size, 0, 'and forgotten in the end');
});

t.test('a dead record comes to life only by a newer version or a later expiry', async (t) => {
  const db = new Database();
  db.apply(association(one, 1, at(10)), at(0));
  t.same(db.expire(at(10)).map(({ meaning }) => meaning.type), ['association']);
  t.equal(db.apply(association(one, 1, at(10)), at(11)).kind, 'same');
  t.equal(db.client(mac), undefined);
  t.equal(db.apply(association(one, 1, at(50)), at(11)).kind, 'extended', 'sroamd extends a lease that just ended');
  t.equal(db.client(mac)?.node, one);
});

t.test('ten thousand clients that come and go leave nothing (sroamd defect 6)', async (t) => {
  const db = new Database();
  let now = at(0);
  for (let i = 0; i < 10_000; i++) {
    const m = parseMac(`02:00:00:00:${(i >> 8).toString(16).padStart(2, '0')}:${(i & 255).toString(16).padStart(2, '0')}`);
    now = after(now, SECOND);
    db.expire(now);
    db.apply(claims.claim(db, m, one, now), now);
    db.apply(claims.gone(db, m, one, now)!, now);
  }
  t.ok(db.size < 4300, `${db.size} records: those of the last hour and of the rest after it`);
  db.expire(after(now, LONGEST_MEMORY));
  t.equal(db.size, 0);
  t.equal(db.nextDeadline, undefined);
});

t.test('a full database takes news of what it knows, and no new keys', async (t) => {
  const db = new Database(1);
  db.apply(association(one, 1, at(10)), at(0));
  t.equal(db.apply({ key: lease4Key(address), value: macValue(mac), seqno: 1, expires: at(9) }, at(0)).kind, 'refused');
  t.equal(db.apply(association(two, 2, at(10)), at(0)).kind, 'newer');
  t.equal(db.size, 1);
});

t.test('content that cannot be changes nothing (sroamd defect 10)', async (t) => {
  const db = new Database();
  t.throws(() => db.apply({ key: lease4Key(address), value: 'x', seqno: 1, expires: at(9) }, at(0)));
  t.equal(db.size, 0);
});

t.test('unknown types are kept', async (t) => {
  const db = new Database();
  const record = { key: '\x63abc' as RecordKey, value: 'anything', seqno: 1, expires: at(9) };
  t.equal(db.apply(record, at(0)).kind, 'newer');
  t.same([...db.records()], [record]);
});

t.test('a claim outdoes what was known, a renewal does not wear the number', async (t) => {
  const db = new Database();
  db.apply(association(two, 41, at(100)), at(0));
  const claim = claims.claim(db, mac, one, at(1));
  t.equal(claim.seqno, 42);
  db.apply(claim, at(1));
  t.equal(claims.claim(db, mac, one, at(1000)).seqno, 42);
  t.equal(claims.gone(db, mac, two, at(2)), undefined, 'it is not there any more');
  t.match(claims.gone(db, mac, one, at(2)), { seqno: 43, value: '' });
});

t.test('a released address is free at once here, and nobody else gets it while it rests', async (t) => {
  const db = new Database();
  db.apply(claims.lease4(db, address, mac, HOUR, at(0)), at(0));
  t.equal(claims.release4(db, address, other, at(1)), undefined, "only the client's own");
  db.apply(claims.release4(db, address, mac, at(1))!, at(1));
  t.equal(db.owner(address), undefined);
  t.same(db.leases4Of(mac), []);
  t.equal(db.holder(address), mac);
});

t.test('records that are given ever shorter lives: each dies once, in time', async (t) => {
  const db = new Database();
  const keys = Array.from({ length: 300 }, (_, n) => lease4Key(parseIp4(`10.45.${n >> 8}.${n & 255}`)));
  for (let round = 1; round <= 20; round++) {
    for (const key of keys) db.apply({ key, value: macValue(mac), seqno: round, expires: at(3600 - round) }, at(0));
  }
  t.equal(db.nextDeadline, at(3580));
  t.equal(db.expire(at(3579)).length, 0);
  t.same(db.expire(at(3580)).map(({ record }) => record.key).sort(), [...keys].sort());
  t.same(db.expire(at(3600)), []);
  db.expire(at(3 * 3600));
  t.equal(db.size, 0);
});

t.test('whatever the order of arrival, the same version wins and the index follows', async () => {
  const record = fc.record({
    key: fc.constantFrom(associationKey(mac), associationKey(other)),
    value: fc.constantFrom('', nodeValue(one), nodeValue(two)),
    seqno: fc.nat(4),
    expires: fc.constantFrom(at(50), at(100)),
  }) as fc.Arbitrary<Record>;
  const deliveries = fc.array(record, { minLength: 1 }).chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })));
  fc.assert(
    fc.property(deliveries, ([all, shuffled]) => {
      const [a, b] = [new Database(), new Database()];
      for (const r of all) a.apply(r, at(0));
      for (const r of shuffled) b.apply(r, at(0));
      return [...a.records()].every((r) => compareVersions(r, b.get(r.key)!) === 0) &&
        [mac, other].every((m) => a.client(m)?.node === b.client(m)?.node);
    }),
  );
});
