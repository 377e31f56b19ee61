import t from 'tap';
import { count, formatAge, formatGap, formatTable, lineWidth, printable } from '../../src/cli/table.js';

t.test('columns are as wide as what they hold', async (t) => {
  t.equal(formatTable(['A', 'LONG'], [['wide cell', 'x'], ['y', '']]), 'A          LONG\nwide cell  x\ny\n');
});

t.test('as many rows as the database may have addresses', async (t) => {
  const text = formatTable(['A'], Array<string[]>(400_000).fill(['x']));
  t.equal(text.length, 2 * 400_001);
});

t.test('columns that may be cut are, the widest first, until the line fits', async (t) => {
  const rows = [['02:00:00:00:00:01', 'a'.repeat(30), 'b'.repeat(20)]];
  const text = formatTable(['MAC', 'NAME', 'ROUTER'], rows, { shrink: [1, 2], width: 50 });
  t.equal(text.split('\n')[1], `02:00:00:00:00:01  ${'a'.repeat(13)}…  ${'b'.repeat(14)}…`);
  t.ok(text.split('\n').every((line) => line.length <= 50), text);
  t.match(formatTable(['MAC'], [['02:00:00:00:00:01']], { width: 5 }), /02:00:00:00:00:01/, 'the others never are');
});

t.test('a line is as wide as the terminal, and in a pipe as long as it is', async (t) => {
  t.equal(lineWidth({ isTTY: true, columns: 200 }), 200);
  t.equal(lineWidth({ isTTY: true, columns: 0 }), 80);
  t.equal(lineWidth({ isTTY: true }), 80);
  t.equal(lineWidth({ isTTY: true, columns: 10 }), 40);
  t.equal(lineWidth({}), Infinity);
  t.equal(lineWidth({ isTTY: false, columns: 200 }), Infinity);
  const rows = [['a'.repeat(300)]];
  t.equal(formatTable(['NAME'], rows, { shrink: [0], width: lineWidth({}) }), `NAME\n${'a'.repeat(300)}\n`);
});

t.test('a name cannot move the cursor', async (t) => {
  t.equal(printable('a\x1b[2Jb\r\n\u202ec'), 'a?[2Jb???c');
  t.match(formatTable(['NAME'], [['\x07phone']]), /^NAME\n\?phone\n$/);
});

t.test('words for numbers', async (t) => {
  t.equal(count(1, 'client'), '1 client');
  t.equal(count(0, 'client'), '0 clients');
  t.same([-3, 42, 300, 10800, 200000].map(formatAge), ['0 s', '42 s', '5 min', '3 h', '2 d']);
  t.same([undefined, 3.14, 120.4, 2500].map(formatGap), ['-', '3.1 ms', '120 ms', '2.5 s']);
});
