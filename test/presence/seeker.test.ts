import t from 'tap';
import { ip4FromNumber, parseIp } from '../../src/net/ip.js';
import { MAX_TOLD, SEEK_INTERVAL, SEEK_RATE, Seeker } from '../../src/presence/seeker.js';
import { at } from '../support.js';

const A = parseIp('10.44.0.9');

t.test('an address is looked for once, refused meanwhile, and looked for anew later', async (t) => {
  const seeker = new Seeker();
  t.ok(seeker.stray(A, at(0)));
  t.notOk(seeker.stray(A, at(5000)));
  t.same(seeker.recent(at(500)), [A]);
  t.same(seeker.recent(at(1500)), []);
  t.equal(seeker.nextDeadline, SEEK_INTERVAL);
  t.same(seeker.poll(at(SEEK_INTERVAL - 1)), []);
  t.same(seeker.poll(at(SEEK_INTERVAL)), [A]);
  t.ok(seeker.stray(A, at(SEEK_INTERVAL)));
});

t.test('what another node looks for is asked for here, and not refused', async (t) => {
  const seeker = new Seeker();
  t.ok(seeker.asked(A, at(0)));
  t.notOk(seeker.asked(A, at(1)), 'told again with the next address');
  t.same(seeker.recent(at(2)), [], 'and not told on: the record is');
  t.same(seeker.poll(at(SEEK_INTERVAL)), []);
  t.equal(seeker.size, 0);
});

t.test('a scan of the whole /16 in ten seconds (l3roamd: mesh-wide storms and unbounded queues)', async (t) => {
  const seeker = new Seeker();
  let sought = 0;
  let most = 0;
  let told = 0;
  for (let i = 0; i < 65536; i++) {
    const now = at((i * 10_000) / 65536);
    seeker.poll(now);
    if (seeker.stray(ip4FromNumber(0x0a2c0000 + i), now)) sought++;
    told = Math.max(told, seeker.recent(now).length);
    most = Math.max(most, seeker.size);
  }
  t.ok(sought <= 12 * SEEK_RATE, `${sought} looked for`);
  t.ok(sought >= 10 * SEEK_RATE);
  t.equal(most, sought, 'and no more remembered');
  t.ok(told <= MAX_TOLD);
  t.equal(seeker.counters.limited, 65536 - sought);
});
