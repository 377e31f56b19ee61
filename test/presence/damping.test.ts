import t from 'tap';
import { Damping, FLAP_MOVES, FLAP_WINDOW } from '../../src/presence/damping.js';
import { macFromBytes } from '../../src/net/mac.js';
import { at } from '../support.js';

const mac = (n: number) => macFromBytes(Uint8Array.of(2, 0, 0, n >> 16, n >> 8, n & 255));

t.test('four moves are free, then each waits twice as long (RFC 7432 15.1)', async (t) => {
  const damping = new Damping();
  const flapping = Array.from({ length: 8 }, (_, i) => damping.moved(mac(1), at(i)));
  t.same(flapping, [false, false, false, false, true, false, false, false], 'said once');
  t.equal(damping.allowed(mac(1), at(7)), 7 + 8000);
  t.equal(damping.allowed(mac(2), at(7)), 7, 'others are not damped');
  for (let i = 8; i < 40; i++) damping.moved(mac(1), at(i));
  t.equal(damping.allowed(mac(1), at(40)), 39 + FLAP_WINDOW, 'at the most the window');
});

t.test('what is long ago does not count', async (t) => {
  const damping = new Damping();
  for (let i = 0; i < FLAP_MOVES; i++) damping.moved(mac(1), at(i * 1000));
  t.ok(damping.allowed(mac(1), at(4000)) > 4000);
  t.equal(damping.allowed(mac(1), at(FLAP_WINDOW + 500)), FLAP_WINDOW + 500);
  t.notOk(damping.moved(mac(1), at(FLAP_WINDOW * 3)));
});

t.test('memory is bounded by the moves of three minutes', async (t) => {
  const damping = new Damping();
  for (let i = 0; i < 10_000; i++) damping.moved(mac(i), at(i * 100));
  t.ok(damping.size <= FLAP_WINDOW / 100 + 1, `${damping.size}`);
});
