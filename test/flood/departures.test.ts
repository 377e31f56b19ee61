import t from 'tap';
import { SECOND } from '../../src/clients/time.js';
import { reachedByAdjacencies } from '../../src/flood/adjacency.js';
import { Departures } from '../../src/flood/departures.js';
import { at } from '../support.js';
import { nodeId } from './support.js';

const [R1, R2, R3, R4] = [1, 2, 3, 4].map(nodeId) as [ReturnType<typeof nodeId>, ReturnType<typeof nodeId>, ReturnType<typeof nodeId>, ReturnType<typeof nodeId>];

t.test('who has left counts as adjacent to those that it was adjacent to, for fifteen seconds', async (t) => {
  const departures = new Departures();
  t.equal(departures.nextDeadline, undefined);
  t.strictSame(departures.adjacencies(R1, [R2]), [R2]);
  departures.left(R2, [R1, R3], at(0));
  t.strictSame(departures.adjacencies(R2, []), [R1, R3]);
  t.strictSame(departures.adjacencies(R1, []), [R2], 'its neighbour has noticed');
  t.strictSame(departures.adjacencies(R3, [R2, R4]), [R2, R4], 'its neighbour has not yet');
  t.strictSame(departures.adjacencies(R4, [R3]), [R3]);
  t.equal(departures.nextDeadline, at(15 * SECOND));
  t.notOk(departures.poll(at(15 * SECOND - 1)));
  t.ok(departures.poll(at(15 * SECOND)));
  t.equal(departures.nextDeadline, undefined);
  t.strictSame(departures.adjacencies(R1, []), []);
});

t.test('who is back counts by what it tells; who had nobody was nothing', async (t) => {
  const departures = new Departures();
  departures.left(R2, [R1, R3], at(0));
  departures.returned(R2);
  t.strictSame([departures.adjacencies(R2, [R1]), departures.adjacencies(R3, [])], [[R1], []]);
  departures.left(R2, [], at(0));
  t.equal(departures.nextDeadline, undefined);
});

t.test('another that dies meanwhile is missed at once', async (t) => {
  const departures = new Departures();
  // A line of four: the second has left, then the third has died, and the fourth tells so.
  departures.left(R2, [R1, R3], at(0));
  const records = new Map([[R1, []], [R2, []], [R3, [R4]], [R4, [R3]]]);
  const told = (node: typeof R1) => departures.adjacencies(node, records.get(node)!);
  t.strictSame([...reachedByAdjacencies(R1, told(R1), told)], [R2, R3, R4]);
  records.set(R4, []);
  t.strictSame([...reachedByAdjacencies(R1, told(R1), told)], [R2, R3]);
});
