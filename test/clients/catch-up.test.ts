import t from 'tap';
import { CatchUp, LONGEST_CATCH_UP, LONGEST_HOLD } from '../../src/clients/catch-up.js';
import { at } from '../support.js';

t.test('without peers there is nothing to wait for', async (t) => {
  const catchUp = new CatchUp(false, at(7));
  t.same([catchUp.claimsFrom, catchUp.admitsFrom], [7, 7]);
});

t.test('until a peer has nothing new to tell', async (t) => {
  const catchUp = new CatchUp(true, at(0));
  catchUp.news(at(10));
  t.equal(catchUp.claimsFrom, LONGEST_CATCH_UP, 'news of our own, before any peer is there');
  t.equal(catchUp.admitsFrom, LONGEST_HOLD);
  catchUp.peerUp(at(100));
  t.same([catchUp.claimsFrom, catchUp.admitsFrom], [250, 250]);
  catchUp.news(at(200));
  t.same([catchUp.claimsFrom, catchUp.admitsFrom], [350, 350]);
});

t.test('not for long, however much there is', async (t) => {
  const catchUp = new CatchUp(true, at(0));
  catchUp.peerUp(at(100));
  for (let ms = 100; ms < 5000; ms += 100) catchUp.news(at(ms));
  t.equal(catchUp.claimsFrom, LONGEST_CATCH_UP);
  for (let ms = 5000; ms < 40_000; ms += 100) catchUp.news(at(ms));
  t.equal(catchUp.admitsFrom, LONGEST_HOLD);
});
