import t from 'tap';
import { EarlyFrames } from '../../src/gateway/early-frames.js';
import type { Mac } from '../../src/net/mac.js';
import { at } from '../support.js';

const A = '02:00:00:00:00:0a' as Mac;
const frame = (n: number) => Uint8Array.of(n);

t.test('the first frames of a station, once, in their order, and copied', async (t) => {
  const early = new EarlyFrames();
  const first = frame(0);
  early.keep(A, 'br-client', first, at(0));
  first[0] = 99;
  for (let n = 1; n < 9; n++) early.keep(A, 'br-client', frame(n), at(n));
  t.same(early.take(A, 'br-client', at(1000)), [0, 1, 2, 3].map(frame));
  t.same(early.take(A, 'br-client', at(1000)), []);
});

t.test('not what was said long ago, nor what was said elsewhere', async (t) => {
  const early = new EarlyFrames();
  early.keep(A, 'br-client', frame(1), at(0));
  t.same(early.take(A, 'br-client', at(1001)), []);
  early.keep(A, 'br-client', frame(1), at(2000));
  early.keep(A, 'br-client', frame(2), at(4000));
  t.same(early.take(A, 'br-client', at(4100)), [frame(2)]);
  early.keep(A, 'br-client', frame(1), at(5000));
  early.keep(A, 'br-guest', frame(2), at(5001));
  t.same(early.take(A, 'br-client', at(5002)), []);
});

t.test('strangers do not fill the memory', async (t) => {
  const early = new EarlyFrames();
  for (let n = 0; n < 10_000; n++) early.keep(`02:00:00:00:${n}` as Mac, 'br-client', frame(1), at(n));
  t.ok(early.size <= 256);
});
