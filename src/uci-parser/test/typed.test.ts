import t from 'tap';
import { parse, UciValueError } from 'uci-parser';
import type { Section } from 'uci-parser';

function section(options: string): Section {
  const parsed = parse(`config thing 'first'\n\nconfig thing\n${options}`, { name: 'demo', file: '/etc/config/demo' });
  return parsed.ofType('thing')[1] as Section;
}

t.test('strings', async (t) => {
  const s = section("\toption a 'x y'\n\tlist b 1\n\tlist b 2\n");
  t.equal(s.string('a'), 'x y');
  t.equal(s.string('none'), undefined);
  t.equal(s.string('none', 'else'), 'else');
  t.throws(() => s.string('b'), {
    message: "/etc/config/demo:6: demo.@thing[1].b: '1' '2' is a list where one value is expected",
  });
});

t.test('integers, read as strtol with base 0', async (t) => {
  const cases: [text: string, value: number][] = [
    ['0', 0], ['42', 42], ['-7', -7], ['+7', 7], ['0x10', 16], ['-0X1f', -31], ['010', 8], [' 5', 5], ['-0', 0],
    ['9007199254740991', Number.MAX_SAFE_INTEGER],
  ];
  for (const [text, value] of cases) t.equal(section(`\toption n '${text}'\n`).integer('n'), value, text);
  for (const text of ['x', '1x', '1.5', '1e3', '5 ', '0x', '08', '--1', '+', ' ', '१']) {
    t.throws(() => section(`\toption n '${text}'\n`).integer('n'), { name: 'UciValueError', reason: 'is not an integer', value: text }, text);
  }
  t.throws(() => section('\toption n 9007199254740993\n').integer('n'), { name: 'UciValueError', reason: /^is out of range/ });
});

t.test('the range of an integer', async (t) => {
  const s = section('\toption mtu 1280\n');
  t.equal(s.integer('mtu', { min: 1280, max: 1280 }), 1280);
  t.equal(s.integer('none', { min: 1280 }, 1500), 1500);
  t.throws(() => s.integer('mtu', { min: 1281, max: 9000 }), {
    name: 'UciValueError',
    message: "/etc/config/demo:4: demo.@thing[1].mtu: '1280' is out of range, 1281 to 9000",
    file: '/etc/config/demo',
    line: 4,
    section: 'demo.@thing[1]',
    option: 'mtu',
    value: '1280',
  });
  t.throws(() => s.integer('mtu', { max: 1279 }), { name: 'UciValueError', reason: /^is out of range/ });
});

t.test('booleans by the words of the shell', async (t) => {
  for (const word of ['1', 'on', 'true', 'yes', 'enabled']) t.equal(section(`\toption b ${word}\n`).boolean('b'), true, word);
  for (const word of ['0', 'off', 'false', 'no', 'disabled']) t.equal(section(`\toption b ${word}\n`).boolean('b'), false, word);
  for (const word of ['True', 'YES', 'enable', '2', 'y']) {
    t.throws(() => section(`\toption b ${word}\n`).boolean('b'), UciValueError, word);
  }
  t.equal(section('').boolean('b'), undefined);
  t.equal(section('').boolean('b', true), true);
  t.equal(section('\toption b 0\n').boolean('b', true), false);
});

t.test('lists, and options with blanks as lists', async (t) => {
  t.strictSame(section("\tlist l 'a b'\n\tlist l ''\n").list('l'), ['a b', '']);
  t.strictSame(section("\toption l ' a  b\tc '\n").list('l'), ['a', 'b', 'c']);
  t.strictSame(section('').list('l'), []);
});

t.test('a changed value is not said to stand on a line', async (t) => {
  const s = section('\toption n 1\n');
  s.options.get('n')?.assign('x');
  t.throws(() => s.integer('n'), { message: "/etc/config/demo: demo.@thing[1].n: 'x' is not an integer" });
});
