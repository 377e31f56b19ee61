import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import {
  applyDelta, decodeText, encodeText, exportPackage, formatDelta, mergePackage, Package, parse, parseDelta, parsePackages,
  rewrite, show, UciParseError,
} from 'uci-parser';
import type { Change, Command } from 'uci-parser';
import { appendItem, setOption } from '../src/edit.js';
import { fixtures } from './fixtures.js';

const name = fc.stringMatching(/^[a-z_][a-zA-Z0-9_]{0,6}$/);
const type = fc.stringMatching(/^[a-z!$%&()*+,./:<=>?@[\]^_`{|}~-]{1,8}$/);
// Any bytes but NUL, seen as the library's strings.
const text = fc.uint8Array({ min: 1, max: 255, maxLength: 12 }).map(decodeText);
const value = text.filter((one) => one !== '');
const stagedValue = fc.stringMatching(/^[a-z'"\\ \t\n#;=.]{0,8}$/);

interface SectionPlan {
  readonly type: string;
  readonly name: string | undefined;
  readonly options: readonly { readonly name: string; readonly value: string | string[] }[];
}

const plan: fc.Arbitrary<SectionPlan> = fc.record({
  type,
  name: fc.option(name, { nil: undefined }),
  options: fc.uniqueArray(
    fc.record({ name, value: fc.oneof(value, fc.array(text, { minLength: 1, maxLength: 3 })) }),
    { selector: (option) => option.name, maxLength: 4 },
  ),
});

function build(sections: readonly SectionPlan[]): Package {
  const owner = new Package('p');
  for (const planned of sections) {
    if (planned.name !== undefined && owner.section(planned.name) !== undefined) continue;
    const section = owner.addSection(planned.type, planned.name);
    for (const option of planned.options) {
      if (typeof option.value === 'string') setOption(section, option.name, option.value);
      else for (const item of option.value) appendItem(section, option.name, item);
    }
  }
  return owner;
}

const packages = fc.array(plan, { maxLength: 5 }).map(build);

/** All that a reader can see of a package. */
function seen(owner: Package): unknown {
  return owner.sections.map((section) => ({
    type: section.type,
    name: section.name,
    anonymous: section.anonymous,
    options: [...section.options].map((option) => [option.name, option.value]),
  }));
}

t.test('parse(export(x)) = x', async (t) => {
  fc.assert(
    fc.property(packages, fc.boolean(), (owner, header) => {
      const again = parse(encodeText(exportPackage(owner, { header })), { name: 'p' });
      assert.deepEqual(seen(again), seen(owner));
    }),
    { numRuns: 500 },
  );
  t.pass('held');
});

t.test('export is a fixed point, also through a string', async (t) => {
  fc.assert(
    fc.property(packages, (owner) => {
      const once = exportPackage(owner);
      assert.equal(exportPackage(parse(once, { name: 'p' })), once);
    }),
  );
  t.pass('held');
});

t.test('bytes and strings are one to one', async (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      assert.deepEqual([...encodeText(decodeText(bytes))], [...bytes]);
    }),
    { numRuns: 1000 },
  );
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (one) => assert.equal(decodeText(encodeText(one)), one)));
  t.pass('held');
});

const changes: fc.Arbitrary<Change> = fc
  .record(
    {
    command: fc.constantFrom<Command>('set', 'add', 'delete', 'rename', 'reorder', 'add_list', 'del_list'),
    package: fc.constant('p'),
    section: fc.constantFrom('a', 'b', 'c', 'd'),
    option: fc.option(fc.constantFrom('x', 'y', 'z'), { nil: undefined }),
    value: stagedValue,
    },
    { noNullPrototype: true },
  )
  .map((change): Change => {
    if (change.command === 'reorder') return { ...change, option: undefined, value: String(change.value.length) };
    if (change.command === 'rename') return { ...change, value: `n${change.value.length}` };
    if (change.command === 'delete') return { ...change, value: undefined };
    if (change.command === 'set' || change.command === 'add') {
      return change.option === undefined ? { ...change, value: `t${change.value.length}` } : change;
    }
    return { ...change, option: change.option ?? 'x' };
  });

t.test('staged changes: parse(format(x)) = x', async (t) => {
  fc.assert(
    fc.property(fc.array(changes, { maxLength: 8 }), (all) => {
      assert.deepEqual(parseDelta(all.map(formatDelta).join('')), all);
    }),
    { numRuns: 300 },
  );
  t.pass('held');
});

const LAYOUT = `# top

# about a
config t 'a' # header
	option x "1"	# one
	list y 1
	list y '2' # two

config t
  option z plain

config u b
# the end of b
	option x 'a
b'
# about c
config t 'c'
`;

/** What a reader makes of a file: the package, or why it is refused. */
function read(source: string): string {
  try {
    return exportPackage(parse(source, { name: 'p' }));
  } catch (error) {
    assert.ok(error instanceof UciParseError);
    return error.reason;
  }
}

/** LAYOUT with changes, written in place, reads as what libuci would have written. */
function assertReadsAlike(all: readonly Change[]): void {
  const wanted = parse(LAYOUT, { name: 'p' });
  applyDelta(wanted, all.map(formatDelta).join(''));
  assert.equal(read(rewrite(LAYOUT, wanted)), read(exportPackage(wanted, { header: false })));
}

t.test('written in place, a package reads as if libuci had written it', async (t) => {
  fc.assert(fc.property(fc.array(changes, { maxLength: 6 }), assertReadsAlike), { numRuns: 500 });
  t.pass('held');
});

t.test('written in place: two sections of different types that got one name are refused, as from libuci', async (t) => {
  const rename = (section: string): Change => ({ command: 'rename', package: 'p', section, option: undefined, value: 'n5' });
  assertReadsAlike([rename('a'), rename('b')]);
  t.pass('held');
});

t.test('merging stages what it does', async (t) => {
  fc.assert(
    fc.property(packages, packages, (base, more) => {
      const source = encodeText(exportPackage(base));
      const stream = encodeText(exportPackage(more));
      const merged = parse(source, { name: 'p' });
      let staged: Change[];
      try {
        staged = mergePackage(merged, stream);
      } catch (error) {
        assert.ok(error instanceof UciParseError);
        return;
      }
      const replayed = parse(source, { name: 'p' });
      applyDelta(replayed, encodeText(staged.map(formatDelta).join('')));
      const carried = staged.every((change) => parseDelta(encodeText(formatDelta(change))).length === 1);
      if (carried) assert.deepEqual(seen(replayed), seen(merged));
    }),
    { numRuns: 300 },
  );
  t.pass('held');
});

/** What reading does: a package or the one error class, never another. */
function verdict(source: Uint8Array | string, strict: boolean): string {
  try {
    const errors: UciParseError[] = [];
    const owner = parse(source, { name: 'p', strict, onError: (error) => errors.push(error) });
    show(owner);
    rewrite(source, owner);
    return exportPackage(owner);
  } catch (error) {
    if (!(error instanceof UciParseError)) throw error;
    assert.ok(error.sourceLine >= 1 && error.column >= 1 && error.byte >= 0, error.message);
    return error.text;
  }
}

t.test('random bytes are read or refused', async (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (bytes, strict) => {
      verdict(bytes, strict);
      parseDelta(bytes);
    }),
    { numRuns: 2000 },
  );
  t.pass('held');
});

const token = fc.constantFrom(
  'config', 'c', 'option', 'o', 'list', 'l', 'package', 'p', ' ', '\t', '\n', '\r\n', '\\', '\\\n', '"', "'", ';', '#',
  'a', 'b1', 'x-y', '@', '\0', '\v', '\xff', 'ü', '=', '.', '+', '|', '~', '^', 'p.a.x=1', "p.a='t'",
);

t.test('random statements are read or refused', async (t) => {
  fc.assert(
    fc.property(fc.array(token, { maxLength: 40 }), fc.boolean(), (tokens, strict) => {
      const source = tokens.join('');
      verdict(source, strict);
      applyDelta(parse("config t 'a'\n", { name: 'p' }), source);
    }),
    { numRuns: 3000 },
  );
  t.pass('held');
});

t.test('every truncation of every fixture is read or refused', async (t) => {
  for (const { id, source } of fixtures()) {
    const step = source.length > 1000 ? 97 : 1;
    for (let length = 0; length < source.length; length += step) {
      verdict(source.subarray(0, length), true);
      verdict(source.subarray(0, length), false);
    }
    t.pass(id);
  }
});

t.test('hostile sources end soon', async (t) => {
  const cases: Record<string, string> = {
    'many NULs': 'a\0\n'.repeat(20_000),
    'many continuations': `config t\n\toption a ${'x\\\n'.repeat(20_000)}`,
    'many quotes': `config t\n\toption a ${"'x'\"y\"".repeat(20_000)}\n`,
    'one long line': `config t\n\toption a '${'x'.repeat(1_000_000)}'\n`,
    'many empty lines in quotes': `config t\n\toption a '${'\n'.repeat(50_000)}'\n`,
    'many semicolons': ';'.repeat(50_000),
    'many statements in a line': `config t\n${'o a "1";'.repeat(20_000)}`,
    'many list items': `config t\n${'\tlist a 1\n'.repeat(100_000)}`,
    'many sections': 'config t\n'.repeat(100_000),
    'many named sections': Array.from({ length: 100_000 }, (_, i) => `c t n${i}\n`).join(''),
    'many options': `c t\n${Array.from({ length: 100_000 }, (_, i) => `o n${i} 1\n`).join('')}`,
  };
  for (const [what, source] of Object.entries(cases)) {
    verdict(source, true);
    verdict(source, false);
    parseDelta(source);
    t.pass(what);
  }
});

t.test('a package twice in a stream', async (t) => {
  t.throws(() => parsePackages('package a\npackage a\n'), { name: 'UciError', code: 'DUPLICATE' });
  t.throws(() => parsePackages('package a\npackage a\n', { strict: false }), { name: 'UciError', code: 'DUPLICATE' });
});
