import t from 'tap';
import { encodeText, exportPackage, parse, show, UciParseError } from 'uci-parser';
import type { Package } from 'uci-parser';
import { expectedHex, fixtures } from './fixtures.js';

function hex(text: string): string {
  return Buffer.from(encodeText(text)).toString('hex');
}

function errorOf(source: Uint8Array, name: string): UciParseError {
  try {
    parse(source, { name });
  } catch (error) {
    if (error instanceof UciParseError) return error;
    throw error;
  }
  throw new Error('parsed without an error');
}

const all = fixtures();
const valid = all.filter(({ expected }) => expected.exit === 0);
const invalid = all.filter(({ expected }) => expected.exit !== 0);

t.test('the fixtures are all there', async (t) => {
  t.equal(valid.length, 33);
  t.equal(invalid.length, 36);
});

t.test('valid files: the same export and show as uci', async (t) => {
  for (const { id, source, expected } of valid) {
    const forms: Record<string, (parsed: Package) => string> = {
      export: (parsed) => exportPackage(parsed),
      exportNamed: (parsed) => exportPackage(parsed, { names: true }),
      show: (parsed) => show(parsed),
      showNames: (parsed) => show(parsed, { names: true }),
    };
    for (const [key, print] of Object.entries(forms)) {
      const wanted = expectedHex(expected, key);
      t.type(wanted, 'string', `${id} has ${key}`);
      t.equal(hex(print(parse(source, { name: expected.name }))), wanted, `${id}: ${key}`);
    }
  }
});

t.test('valid files: the export, read again, exports the same', async (t) => {
  for (const { id, source, expected } of valid) {
    const once = exportPackage(parse(source, { name: expected.name }));
    t.equal(expected.exportIsStable, true, id);
    t.equal(exportPackage(parse(once, { name: expected.name })), once, id);
  }
});

t.test('invalid files: the same words, line and byte as uci', async (t) => {
  for (const { id, source, expected } of invalid) {
    t.equal(`uci: ${errorOf(source, expected.name).text}\n`, expected.stderr, id);
  }
});

t.test('without strictness: the same skipped errors and the same rest', async (t) => {
  for (const { id, source, expected } of invalid) {
    const errors: string[] = [];
    const parsed = parse(source, {
      name: expected.name,
      strict: false,
      onError: (error) => errors.push(`${error.text}\n`),
    });
    t.equal(hex(exportPackage(parsed)), expectedHex(expected.nonStrict ?? {}, 'export'), `${id}: export`);
    t.equal(errors.join(''), expected.nonStrict?.stderr, `${id}: errors`);
  }
});

t.test('an error says file, line and column of the offending word', async (t) => {
  const cases: [source: string, message: string][] = [
    ['config a\n\toption b\n\tnonsense 1\n', '/etc/config/x:3:2: invalid command'],
    ["config a 'a b'\n", '/etc/config/x:1:10: invalid character in name field'],
    ["config a\n\toption b 'open\n\nend", "/etc/config/x:2:11: EOF with unterminated '"],
    ['config a\n\toption b "one\ntwo" three\n', '/etc/config/x:3:6: too many arguments'],
    ['config a\n\toption \\\n  b.c 1\n', '/etc/config/x:2:9: insufficient arguments'],
    ['nonsense', '/etc/config/x:1:1: invalid command'],
    ["config a x\nconfig b x", '/etc/config/x:2:8: section of different type overwrites prior section with same name'],
  ];
  for (const [source, message] of cases) {
    t.throws(() => parse(source, { name: 'x', file: '/etc/config/x' }), { name: 'UciParseError', message });
  }
});

t.test('sections and options know their lines', async (t) => {
  const parsed = parse("# head\nconfig a 'a'\n\n\toption x 'one\n\ttwo'\n\tlist y 1; list z 2\n", { name: 'n' });
  const [section] = parsed.sections;
  t.equal(section?.line, 2);
  t.strictSame([...(section?.options ?? [])].map(({ name, line }) => [name, line]), [['x', 4], ['y', 6]]);
  t.equal(section?.get('x'), 'one\n\ttwo');
});

t.test('a name that cannot be a file is refused', async (t) => {
  t.throws(() => parse('', { name: 'a b' }), { code: 'INVAL' });
  t.throws(() => parse('', { name: '' }), { code: 'INVAL' });
});
