import t from 'tap';
import { applyDelta, encodeText, exportPackage, parse, rewrite } from 'uci-parser';
import { fixtures } from './fixtures.js';

const SOURCE = `# Main configuration
# (two lines)

# the lamp
config gadget 'lamp'   # in the hall
	option colour red
	# how bright
	option level "7"	# of ten
	list tag a
	list tag 'b'	# second
	list tag c

# left door
config door
  option side 'left'

#config door
#  option side 'old'

config door
  option side right
# the end
`;

/** The source after staged changes, by line: what is gone with `-`, what is new with `+`. */
function difference(source: string, delta: string): string[] {
  const wanted = parse(source, { name: 'p' });
  applyDelta(wanted, delta);
  const result = rewrite(source, wanted);
  const again = parse(result, { name: 'p' });
  t.equal(exportPackage(again), exportPackage(wanted), `reads as wanted: ${delta.trim()}`);
  const before = source.split('\n');
  const after = result.split('\n');
  const out: string[] = [];
  while (before.length > 0 || after.length > 0) {
    const [old, young] = [before[0], after[0]];
    if (old === young) {
      before.shift();
      after.shift();
    } else if (old !== undefined && !after.includes(old)) out.push(`-${before.shift()}`);
    else out.push(`+${after.shift()}`);
  }
  return out;
}

t.test('only what has changed is written', async (t) => {
  const cases: [delta: string, lines: string[]][] = [
    ['', []],
    ["p.lamp.colour='it'\\''s'\n", ['-\toption colour red', "+\toption colour 'it'\\''s'"]],
    ["p.lamp.level='8'\n", ['-\toption level "7"\t# of ten', "+\toption level '8'\t# of ten"]],
    ["@p.lamp.level='bright'\n", ['-\toption level "7"\t# of ten', "+\toption bright '7'\t# of ten"]],
    ["-p.lamp.level\n", ['-\toption level "7"\t# of ten']],
    ["p.lamp.new='1'\n", ["+\toption new '1'"]],
    ["|p.lamp.tag='d'\n", ["+\tlist tag 'd'"]],
    ["~p.lamp.tag='b'\n", ["-\tlist tag 'b'\t# second"]],
    ["-p.lamp.tag='0'\n", ['-\tlist tag a']],
    ["p.lamp.tag='one'\n", ['-\tlist tag a', "-\tlist tag 'b'\t# second", '-\tlist tag c', "+\toption tag 'one'"]],
    ["|p.lamp.colour='blue'\n", ['-\toption colour red', "+\tlist colour 'red'", "+\tlist colour 'blue'"]],
    ["p.lamp='device'\n", ["-config gadget 'lamp'   # in the hall", "+config device 'lamp'   # in the hall"]],
    ["@p.lamp='light'\n", ["-config gadget 'lamp'   # in the hall", "+config gadget 'light'   # in the hall"]],
  ];
  for (const [delta, lines] of cases) t.strictSame(difference(SOURCE, delta), lines, delta);
});

t.test('sections are indented and placed as their neighbours', async (t) => {
  const wanted = parse(SOURCE, { name: 'p' });
  const [lamp, first, second] = wanted.sections;
  applyDelta(wanted, `p.${first?.name}.lock='1'\np.tv='gadget'\np.tv.on='1'\n`);
  t.match(rewrite(SOURCE, wanted), "  option side 'left'\n  option lock '1'\n\n#config door");
  t.ok(rewrite(SOURCE, wanted).endsWith("# the end\n\nconfig gadget 'tv'\n\toption on '1'\n\n"));
  t.ok(lamp && second);
});

t.test('a section goes with the comments above it', async (t) => {
  const wanted = parse(SOURCE, { name: 'p' });
  applyDelta(wanted, '-p.lamp\n');
  const from = SOURCE.indexOf('# the lamp');
  t.equal(rewrite(SOURCE, wanted), SOURCE.slice(0, from) + SOURCE.slice(SOURCE.indexOf('# left door')));
});

t.test('a section moves with the comments above it', async (t) => {
  const wanted = parse(SOURCE, { name: 'p' });
  applyDelta(wanted, `^p.lamp='9'\n`);
  const text = rewrite(SOURCE, wanted);
  t.ok(text.startsWith("# Main configuration\n# (two lines)\n\n# left door\nconfig door\n"));
  t.match(text, "# the end\n\n# the lamp\nconfig gadget 'lamp'   # in the hall\n");
  t.equal(exportPackage(parse(text, { name: 'p' })), exportPackage(wanted));
});

t.test('lines end as they did', async (t) => {
  const source = "config a 'x'\r\n\toption o 1\r\n";
  t.strictSame(difference(source, "p.x.n='2'\np.x.o='3'\n"), ["-\toption o 1\r", "+\toption o '3'\r", "+\toption n '2'\r"]);
});

t.test('a last line without newline', async (t) => {
  t.strictSame(difference("config a x\n\toption o 1", "p.x.n='2'\n"), ["+\toption n '2'", '+']);
  t.strictSame(difference('config a x', "p.x.n='2'\n"), ["+\toption n '2'", '+']);
});

t.test('what cannot be had in place is written as libuci writes it', async (t) => {
  const cases: [source: string, delta: string][] = [
    ["config a x # one\n\toption o 1\nconfig b y\nconfig a x\n\toption q 1\n", "p.x.o='2'\n"],
    ['config a "x";config b y\n', "p.y.o='2'\n"],
    ["nonsense\n", ''],
    ["config a x\n\toption o 1\n\toption q 1\n", "@p.x.q='o'\n"],
  ];
  for (const [source, delta] of cases) {
    const wanted = parse(source, { name: 'p', strict: false });
    applyDelta(wanted, delta);
    t.equal(rewrite(source, wanted), exportPackage(wanted, { header: false }), JSON.stringify(source));
  }
});

t.test('statements that share a line cost the layout of their section only', async (t) => {
  const source = "# top\nconfig a x # one\n\toption o \"1\";option q 1\n\n# two\nconfig b y\n";
  const wanted = parse(source, { name: 'p' });
  applyDelta(wanted, '-p.x.o\n');
  t.equal(rewrite(source, wanted), "# top\nconfig a 'x'\n\toption q '1'\n\n# two\nconfig b y\n");
});

t.test('a source that is written back unchanged stays as it is', async (t) => {
  for (const { id, source, expected } of fixtures().filter((fixture) => fixture.expected.exit === 0)) {
    const text = rewrite(source, parse(source, { name: expected.name }));
    t.strictSame(Buffer.from(encodeText(text)), Buffer.from(source), id);
  }
});
