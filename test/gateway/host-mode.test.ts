import t from 'tap';
import * as claims from '../../src/clients/claims.js';
import { Database } from '../../src/clients/database.js';
import { parseNodeId } from '../../src/clients/node-id.js';
import { MINUTE, SECOND } from '../../src/clients/time.js';
import { GATEWAY_LINK_LOCAL, GATEWAY_MAC } from '../../src/gateway/gateway.js';
import { HostMode } from '../../src/gateway/host-mode.js';
import type { Ip6 } from '../../src/net/ip.js';
import { parseLinkFrame } from '../../src/net/link-frame.js';
import type { Mac } from '../../src/net/mac.js';
import { parseMac } from '../../src/net/mac.js';
import { hostPrefix } from '../../src/net/prefix.js';
import { at } from '../support.js';

const A = parseMac('02:00:00:00:00:0a');
const B = parseMac('02:00:00:00:00:0b');
const HERE = parseNodeId('0000000000000001');
const THERE = parseNodeId('0000000000000002');
const X = '2001:db8:44:1::77' as Ip6;
const ROUTER = '2001:db8:44:1::1' as Ip6;
const GATEWAY = { mac: GATEWAY_MAC, linkLocal: GATEWAY_LINK_LOCAL, addresses4: [] };

function scene(limit = 16) {
  const db = new Database();
  const sent: { mac: Mac; frame: Uint8Array }[] = [];
  const clock = { now: at(0) };
  const mode = new HostMode({
    db,
    apply: (record) => void db.apply(record, clock.now),
    send: (mac, frame) => sent.push({ mac, frame }),
    isReserved: (address) => address === ROUTER,
    limit,
    lifetime: 60 * MINUTE,
  });
  for (const [mac, node] of [[A, HERE], [B, THERE]] as const) db.apply(claims.claim(db, mac, node, at(0)), at(0));
  return { db, sent, mode, clock };
}

t.test('an address that a client uses, or asks about, is told; a router\'s is not, nor another client\'s', async (t) => {
  const { db, mode } = scene();
  mode.seen(A, X, true, at(0));
  t.equal(db.owner(X), A);
  mode.seen(B, X, false, at(10));
  t.equal(db.owner(X), A, 'another cannot take it');
  mode.seen(A, ROUTER, false, at(20));
  t.equal(db.owner(ROUTER), undefined);
});

t.test('a client that has left has no more right to an address than anybody', async (t) => {
  const { db, mode } = scene();
  db.apply(claims.host(db, X, B, 60 * MINUTE, at(0)), at(0));
  mode.seen(A, X, false, at(0));
  t.equal(db.owner(X), B);
  db.apply(claims.gone(db, B, THERE, at(0))!, at(0));
  mode.seen(A, X, false, at(1));
  t.equal(db.owner(X), A);
});

t.test('two that ask at the same moment: the one whose record loses is told that it is taken', async (t) => {
  const { sent, mode } = scene();
  mode.seen(A, X, true, at(0));
  mode.taken(X, A, B, GATEWAY);
  t.equal(sent.length, 1);
  const link = parseLinkFrame(sent[0]!.frame)!;
  t.match(link, { protocol: 'nd', ethernet: { destination: A }, packet: { destination: 'ff02::1', message: { type: 'na', target: X, override: false } } });
  mode.seen(A, X, false, at(SECOND));
});

t.test('more addresses than the limit: refused while all are in use, else the oldest gives way', async (t) => {
  const { db, mode, clock } = scene(2);
  const ip = (n: number) => `2001:db8:44:1::${n}` as Ip6;
  for (const n of [10, 11, 12]) mode.seen(A, ip(n), false, at(n));
  t.same(db.client(A)?.addresses.map(({ address }) => address), [ip(10), ip(11)]);
  t.equal(mode.refused, 1);
  clock.now = at(2 * MINUTE);
  mode.seen(A, ip(12), false, clock.now);
  t.same(db.client(A)?.addresses.map(({ address }) => address), [ip(11), ip(12)]);
});

t.test('another asks for an address that a client here has: the owner is asked at once, and loses it where it is silent', async (t) => {
  for (const answers of [true, false]) {
    const { db, sent, mode, clock } = scene();
    mode.seen(A, X, false, at(0));
    db.apply(claims.claim(db, B, HERE, at(SECOND)), at(SECOND));
    mode.seen(B, X, true, at(MINUTE));
    t.equal(mode.nextDeadline, at(MINUTE));
    mode.poll(GATEWAY, at(MINUTE));
    t.same(sent.map(({ mac }) => mac), [A]);
    if (answers) mode.seen(A, X, false, at(MINUTE + SECOND));
    clock.now = at(6 * MINUTE);
    for (let next = mode.nextDeadline; next !== undefined && next <= clock.now; next = mode.nextDeadline) mode.poll(GATEWAY, next);
    t.equal(db.owner(X), answers ? A : undefined);
  }
});

t.test('nobody answers for an address any more: it is withdrawn; after a roam the new router watches it', async (t) => {
  const { db, sent, mode, clock } = scene();
  db.apply(claims.host(db, X, A, 60 * MINUTE, at(0)), at(0));
  mode.arrived(A, [hostPrefix(X)], at(0));
  for (let next = mode.nextDeadline; next !== undefined; next = mode.nextDeadline) {
    clock.now = next;
    mode.poll(GATEWAY, next);
  }
  t.equal(sent.length, 8, 'asked for');
  t.ok(sent.every(({ mac }) => mac === A));
  t.equal(db.owner(X), undefined);
});
