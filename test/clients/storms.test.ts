import t from 'tap';
import { Storms } from '../../src/clients/storms.js';
import type { Record, RecordKey } from '../../src/clients/record.js';
import { HOUR, MINUTE, SECOND } from '../../src/clients/time.js';
import { at } from '../support.js';

const copy = (seqno: number, value = 'x', key = 'key'): Record => ({ key: key as RecordKey, value, seqno, expires: at(HOUR) });

t.test('numbers that go round once are in the order of the circle, those that go on and on by size', async (t) => {
  const storms = new Storms();
  let known = copy(0);
  let refused: number | undefined;
  for (let i = 1; refused === undefined; i++) {
    const next = copy((0x4000 * i) & 0xffff);
    if (storms.compare(next, known, at(i)) > 0) known = next;
    else refused = i;
  }
  t.equal(refused, 20, 'four times round, and at the end of the fifth');
  t.ok(storms.compare(copy(0xc001), known, at(SECOND)) > 0, 'a greater one is newer still');
  t.ok(storms.compare(copy(0xc000, 'y'), known, at(SECOND)) > 0);
  t.equal(storms.compare(known, known, at(SECOND)), 0);
  t.ok(storms.compare(copy(0, 'x', 'other'), copy(0xffff, 'x', 'other'), at(SECOND)) > 0, 'another record has nothing to do with it');
  t.ok(storms.compare(known, copy(0), at(SECOND)) > 0, 'and the other way round: who comes late has to give in');
  t.ok(storms.compare(copy(0), known, at(MINUTE + SECOND)) < 0, 'for the next window');
  t.ok(storms.compare(copy(0), known, at(4 * MINUTE)) > 0, 'and then it is over');
});

t.test('old copies that come late, from however many peers, are old', async (t) => {
  const storms = new Storms();
  t.ok(storms.compare(copy(0), copy(0xffff), at(0)) > 0);
  for (let i = 0; i < 100; i++) t.ok(storms.compare(copy(0xffff), copy(0), at(i)) < 0, `copy ${i}`);
});

t.test('numbers that go round slowly', async (t) => {
  const storms = new Storms();
  for (let i = 0; i < 100; i++) {
    if (storms.compare(copy(0), copy(0xffff), at(i * 30 * SECOND)) < 0) t.fail(`after ${i}`);
  }
});
