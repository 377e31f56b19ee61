import t from 'tap';
import { HostAddresses, MAX_ASKS, STALE_AFTER } from '../../src/gateway/host-addresses.js';
import type { Ip6 } from '../../src/net/ip.js';
import { parseMac } from '../../src/net/mac.js';
import { at } from '../support.js';

const A = parseMac('02:00:00:00:00:0a');
const B = parseMac('02:00:00:00:00:0b');
const ip = (n: number) => `2001:db8:44:1::${n.toString(16)}` as Ip6;

/** Runs until `end`; what was asked for, and lost, and when. */
function run(addresses: HostAddresses, end: number): { asked: number[]; lost: [Ip6, number][] } {
  const asked: number[] = [];
  const lost: [Ip6, number][] = [];
  for (let next = addresses.nextDeadline; next !== undefined && next <= end; next = addresses.nextDeadline) {
    const due = addresses.poll(next);
    asked.push(...due.ask.map(() => next));
    lost.push(...due.lost.map(({ address }): [Ip6, number] => [address, next]));
  }
  return { asked, lost };
}

t.test('an address that is silent is asked for ever more rarely, and then lost', async (t) => {
  const addresses = new HostAddresses(4);
  addresses.seen(A, ip(1), false, at(0));
  const { asked, lost } = run(addresses, 3_600_000);
  t.equal(asked.length, MAX_ASKS);
  t.same(asked.slice(0, 4), [0, 1000, 3000, 7000].map((ms) => STALE_AFTER + ms));
  t.same(lost, [[ip(1), STALE_AFTER + 255_000]]);
  t.equal(addresses.size, 0);
});

t.test('one that answers, or is used, is not asked for', async (t) => {
  const addresses = new HostAddresses(4);
  addresses.seen(A, ip(1), false, at(0));
  for (let now = 0; now < 3_600_000; now += STALE_AFTER - 1) {
    t.same(run(addresses, now), { asked: [], lost: [] });
    addresses.seen(A, ip(1), false, at(now));
  }
  const later = 3_600_000 + STALE_AFTER;
  t.ok(run(addresses, later + 500).asked.length > 0);
  addresses.seen(A, ip(1), false, at(later + 600));
  t.same(run(addresses, later + STALE_AFTER), { asked: [], lost: [] }, 'answered');
});

t.test('one that was only asked about is confirmed soon, or lost', async (t) => {
  const addresses = new HostAddresses(4);
  addresses.seen(A, ip(1), true, at(0));
  t.ok(addresses.isTentative({ mac: A, address: ip(1) }));
  t.notOk(addresses.isTentative({ mac: B, address: ip(1) }));
  t.same(run(addresses, 60_000).lost, [[ip(1), 9000]]);
  addresses.seen(A, ip(2), true, at(0));
  addresses.seen(A, ip(2), false, at(2500));
  t.notOk(addresses.isTentative({ mac: A, address: ip(2) }));
  t.same(run(addresses, 60_000).lost, []);
});

t.test('a client with too many: the one unseen the longest gives way, unless all are in use', async (t) => {
  const addresses = new HostAddresses(3);
  for (const n of [1, 2, 3]) addresses.seen(A, ip(n), false, at(n * 1000));
  t.same(addresses.room(A, at(4000)), { free: false });
  t.same(addresses.room(B, at(4000)), { free: true });
  addresses.seen(A, ip(1), false, at(50_000));
  t.same(addresses.room(A, at(70_000)), { free: true, evict: ip(2) });
});

t.test('what the kernel could not reach is asked for at once; what left is not', async (t) => {
  const addresses = new HostAddresses(3);
  addresses.seen(A, ip(1), false, at(0));
  addresses.doubt(ip(1), at(100));
  t.same(run(addresses, 100).asked, [100]);
  addresses.forget(A);
  t.same(run(addresses, 3_600_000), { asked: [], lost: [] });
  t.equal(addresses.size, 0);
});

t.test('an address that is doubted and answers, again and again, waits in one place', async (t) => {
  const addresses = new HostAddresses(3);
  addresses.seen(A, ip(1), false, at(0));
  for (let n = 1; n <= 1000; n++) {
    addresses.doubt(ip(1), at(n * 1000));
    t.equal(addresses.poll(at(n * 1000)).ask.length, 1);
    addresses.seen(A, ip(1), false, at(n * 1000 + 500));
    addresses.poll(at(n * 1000 + 500));
  }
  t.ok(addresses.pending <= 2, `${addresses.pending} deadlines`);
  t.same(run(addresses, 1_000_500 + STALE_AFTER).asked, [1_000_500 + STALE_AFTER]);
});
