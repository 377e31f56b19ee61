/** In which order a table's rows come. */
import t from 'tap';
import { loadModule } from './modules.js';

type Key = string | number | null | undefined;
const { order } = loadModule<{ order(rows: readonly Key[], keyOf: (row: Key) => Key, descending: boolean): Key[] }>('table');
const self = (row: Key) => row;

t.test('texts as people sort them, numbers by size', async (t) => {
  t.same(order(['b10', 'B9', 'a'], self, false), ['a', 'B9', 'b10']);
  t.same(order(['10.44.0.10', '10.44.0.9', '10.9.0.1'], self, false), ['10.9.0.1', '10.44.0.9', '10.44.0.10']);
  t.same(order([10, 9, -1], self, false), [-1, 9, 10]);
  t.same(order([10, 9, 11], self, true), [11, 10, 9]);
});

t.test('what has no key comes last in either direction', async (t) => {
  t.same(order([null, 'b', '', 'a', undefined], self, false), ['a', 'b', null, '', undefined]);
  t.same(order([null, 'b', '', 'a', undefined], self, true), ['b', 'a', null, '', undefined]);
  t.same(order([null, 0, 1], self, false), [0, 1, null]);
});

t.test('equal keys keep the order that they came in, and the rows are left as they are', async (t) => {
  const rows = ['a1', 'b1', 'a2', 'b2'];
  const keyOf = (row: Key) => String(row)[0];
  t.same(order(rows, keyOf, false), ['a1', 'a2', 'b1', 'b2']);
  t.same(order(rows, keyOf, true), ['b1', 'b2', 'a1', 'a2']);
  t.same(rows, ['a1', 'b1', 'a2', 'b2']);
});
