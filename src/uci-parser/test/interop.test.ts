import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import {
  encodeText, exportPackage, formatChange, formatDelta, parse, parseDelta, show, UciError, UciParseError,
} from 'uci-parser';
import { UciStore } from 'uci-parser/node';
import { runCommand } from './commands.js';
import { contentsOf, fill, temporaryDirectory } from './directories.js';
import { fixtures } from './fixtures.js';

/*
 * Against the real program: runs where a `uci` is on PATH. UCI_FUZZ_RUNS sets how many random
 * cases each comparison tries.
 */

const RUNS = Number(process.env['UCI_FUZZ_RUNS'] ?? 150);

interface Result {
  readonly stdout: string;
  readonly stderr: string;
  readonly exit: number | null;
}

/** Runs uci; its output with one character for each byte. */
function uci(...args: string[]): Result {
  const { stdout, stderr, status } = spawnSync('uci', args, { encoding: 'latin1', timeout: 10_000 });
  return { stdout, stderr, exit: status };
}

const present = spawnSync('uci', ['help']).error === undefined;
const skip = present ? false : 'no uci on PATH';

function latin1(text: string): string {
  return Buffer.from(encodeText(text)).toString('latin1');
}

/** What our reading comes to, in the form of `uci export` and `uci show`. */
function ours(source: Uint8Array, name: string, strict: boolean, print: (p: ReturnType<typeof parse>) => string): Result {
  const errors: string[] = [];
  try {
    const owner = parse(source, { name, strict, onError: (error) => errors.push(`${error.text}\n`) });
    return { stdout: latin1(print(owner)), stderr: errors.join(''), exit: 0 };
  } catch (error) {
    if (!(error instanceof UciParseError)) throw error;
    return { stdout: '', stderr: `uci: ${error.text}\n`, exit: 1 };
  }
}

function compareReading(directory: string, source: Uint8Array, name: string): void {
  writeFileSync(join(directory, name), source);
  const at = ['-c', directory, '-C', '', '-t', join(directory, 'none')];
  const exported = (p: ReturnType<typeof parse>): string => exportPackage(p);
  assert.deepEqual(ours(source, name, true, exported), uci(...at, 'export', name));
  assert.deepEqual(ours(source, name, false, exported), uci(...at, '-S', 'export', name));
  assert.deepEqual(ours(source, name, true, (p) => show(p)), uci(...at, 'show', name));
  assert.deepEqual(ours(source, name, true, (p) => show(p, { names: true, delimiter: ',' })), uci(...at, '-X', '-d', ',', 'show', name));
}

t.test('interop with uci: the fixtures', { skip }, async (t) => {
  const directory = temporaryDirectory(t);
  for (const { id, source, expected } of fixtures()) {
    compareReading(directory, source, expected.name);
    t.pass(id);
  }
});

t.test('interop with uci: every truncation of a fixture', { skip }, async (t) => {
  const directory = temporaryDirectory(t);
  for (const { id, source } of fixtures().filter((each) => each.source.length < 60)) {
    const step = RUNS < 1000 ? 7 : 1;
    for (let length = 1; length < source.length; length += step) compareReading(directory, source.subarray(0, length), 'cut');
    t.pass(id);
  }
});

const word = fc.constantFrom('a', 'b1', 'x-y', '@', "'q w'", '"d\\"q"', "''", '""', 'e\\ f', "i'n'\"n\"", 'é', '\xff', 'l\\\nm', '# c', 'k#c');
const statement = fc
  .tuple(fc.constantFrom('config', 'c', 'option', 'o', 'list', 'l', 'package', 'p', 'opt', 'o\v'), fc.array(word, { maxLength: 3 }))
  .map(([keyword, words]) => [keyword, ...words].join(' '));
const separator = fc.constantFrom('\n', '\n\t', '\n\n', '\r\n', ' ; ', ';', ' \\\n ', '\0\n');
const sources = fc.oneof(
  fc.array(fc.tuple(statement, separator), { maxLength: 8 }).map((all) => Buffer.from(`c t s\n${all.flat().join('')}`, 'latin1')),
  fc
    .array(fc.constantFrom('c', 'o', 'l', ' ', '\t', '\n', '\r', '\\', '"', "'", ';', '#', 'a', '-', '\0', '\v', '\x01', '\xe9'), { maxLength: 60 })
    .map((all) => Buffer.from(all.join(''), 'latin1')),
);

t.test('interop with uci: random sources', { skip }, async (t) => {
  const directory = temporaryDirectory(t);
  fc.assert(fc.property(sources, (source) => compareReading(directory, source, 'fuzz')), { numRuns: RUNS });
  t.pass('agreed');
});

const BASE = "config gadget 'lamp'\n\toption colour red\n\tlist tag a\n\tlist tag 'b c'\n\tlist tag a\n\nconfig door\n\toption side left\n\nconfig door\n\toption side right\n\nconfig gadget 'radio'\n";

const reference = fc.constantFrom('lamp', 'radio', 'cfg02cc59', 'cfg03cc59', 'new', 'cfg05cc59', 'nope');
const optionName = fc.constantFrom('colour', 'tag', 'side', 'fresh');
const plainValue = fc.constantFrom('red', 'a', 'door', 'gate', 'lamp', '0', '1', '-1', '9', "it's", 'x y', 'a=b.c', 'é', '', '4294967297', 'two\nlines');

/** Lines of staged changes as one might write them by hand, good and bad. */
const deltaLine = fc
  .tuple(
    fc.constantFrom('', '', '', '+', '-', '@', '^', '|', '~', '*', ' ', '#'),
    fc.constantFrom('p', 'p', 'p', 'p', 'q', ''),
    fc.option(fc.oneof(reference, fc.constantFrom('bad-name', '@door[0]', '')), { freq: 8 }),
    fc.option(fc.oneof(optionName, fc.constantFrom('bad-name', ''))),
    fc.option(plainValue, { freq: 6 }),
    fc.constantFrom('\n', '\n', '\n', '\r\n', ' \n', ';\n', ' x\n', ''),
    fc.boolean(),
  )
  .map(([prefix, owner, section, option, value, end, quoted]) => {
    const path = [owner, section, option].filter((part) => part !== null).join('.');
    const written = value === null ? '' : quoted ? `='${value.replaceAll("'", "'\\''")}'` : `=${value}`;
    return prefix + path + written + end;
  });

/** A pair of directories, one for each program. */
async function pair(t: Parameters<typeof temporaryDirectory>[0]): Promise<{ root: string; reset: (delta: string) => Promise<void> }> {
  const root = temporaryDirectory(t);
  const reset = async (delta: string): Promise<void> => {
    for (const side of ['real', 'own']) {
      rmSync(join(root, side), { recursive: true, force: true });
      await fill(join(root, side, 'config'), { p: BASE });
      await fill(join(root, side, 'save'), { p: delta });
    }
  };
  return { root, reset };
}

function real(root: string, ...args: string[]): Result {
  return uci('-c', join(root, 'real', 'config'), '-C', '', '-t', join(root, 'real', 'save'), ...args);
}

function own(root: string): UciStore {
  return new UciStore({ confdir: join(root, 'own', 'config'), savedir: join(root, 'own', 'save'), overridedir: '', checkNames: false });
}

function sides(root: string, directory: string): [own: unknown, real: unknown] {
  return [contentsOf(join(root, 'own', directory)), contentsOf(join(root, 'real', directory))];
}

t.test('interop with uci: random staged changes', { skip }, async (t) => {
  const { root, reset } = await pair(t);
  await fc.assert(
    fc.asyncProperty(fc.array(deltaLine, { maxLength: 6 }).map((all) => all.join('')), async (delta) => {
      await reset(delta);
      const store = own(root);
      assert.equal(latin1(store.changes('p').map(formatChange).join('')), real(root, 'changes', 'p').stdout);
      assert.equal(latin1(exportPackage(store.load('p'))), real(root, 'export', 'p').stdout);
      assert.equal(latin1(show(store.load('p'), { names: true })), real(root, '-X', 'show', 'p').stdout);
      // When uci replays an empty value it stages a deletion of its own, which commit then appends,
      // to an unfinished last line even, and carries out after all the others.
      if (store.changes('p').some(({ value }) => value === '')) return;
      store.commit('p');
      real(root, 'commit', 'p');
      assert.deepEqual(...sides(root, 'config'));
    }),
    { numRuns: RUNS },
  );
  t.pass('agreed');
});

const section = fc.oneof(reference, fc.constantFrom('@door[0]', '@door[-1]', '@gadget[1]', '@[2]', '@[-9]', '@door[9]', '@x', 'bad-name', ''));
const path = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(section, optionName).map(([one, two]) => `p.${one}.${two}`) },
  { weight: 2, arbitrary: section.map((one) => `p.${one}`) },
  { weight: 1, arbitrary: fc.constantFrom('p', 'q', '', 'p.lamp.colour.x', 'p.lamp.bad-name', 'a b') },
);
const optionPath = fc.tuple(section, optionName).map(([one, two]) => `p.${one}.${two}`);
const command: fc.Arbitrary<[string, ...string[]]> = fc.oneof(
  fc.tuple(fc.constant('set'), fc.tuple(path, plainValue).map((both) => both.join('='))),
  fc.tuple(fc.constantFrom('add_list', 'del_list'), fc.tuple(optionPath, plainValue).map((both) => both.join('='))),
  fc.tuple(fc.constant('delete'), path),
  fc.tuple(fc.constant('delete'), fc.tuple(optionPath, fc.constantFrom('0', '1', '9', '-1')).map((both) => both.join('='))),
  fc.tuple(fc.constant('rename'), fc.tuple(path, fc.constantFrom('new', 'lamp', 'fresh', 'bad-name')).map((both) => both.join('='))),
  fc.tuple(fc.constant('reorder'), fc.tuple(section, fc.constantFrom('0', '1', '3', '99', '-1')).map(([one, at]) => `p.${one}=${at}`)),
  fc.tuple(fc.constant('add'), fc.constant('p'), fc.constantFrom('door', 'gate', 'bad type')),
  fc.tuple(fc.constant('get'), path),
  fc.tuple(fc.constant('show'), path),
  fc.tuple(fc.constant('revert'), path),
  fc.tuple(fc.constant('commit'), fc.constant('p')),
);

function isReadable(delta: string): boolean {
  return parseDelta(delta).map(formatDelta).join('') === delta;
}

t.test('interop with uci: random commands', { skip }, async (t) => {
  const { root, reset } = await pair(t);
  await fc.assert(
    fc.asyncProperty(fc.array(command, { maxLength: 6 }), async (commands) => {
      await reset('');
      const store = own(root);
      for (const each of commands) {
        // uci reverts nothing when the file has a line that it cannot read; the store goes on.
        if (each[0] === 'revert' && !isReadable(contentsOf(join(root, 'own', 'save'))['p'] ?? '')) return;
        const wanted = real(root, ...each);
        assert.equal(latin1(runCommand(store, each)), wanted.stdout + wanted.stderr, each.join(' '));
        assert.deepEqual(...sides(root, 'save'));
        assert.deepEqual(...sides(root, 'config'));
      }
    }),
    { numRuns: RUNS },
  );
  t.pass('agreed');
});

t.test('interop with uci: import and merge', { skip }, async (t) => {
  const { root, reset } = await pair(t);
  const stream = join(root, 'stream');
  await fc.assert(
    fc.asyncProperty(sources, fc.constantFrom('p', 'fresh', undefined), fc.boolean(), async (source, name, merge) => {
      await reset('');
      writeFileSync(stream, source);
      const store = own(root);
      const merging = merge && name === 'p';
      const args = ['-f', stream, ...(merging ? ['-m'] : []), 'import', ...(name === undefined ? [] : [name])];
      const wanted = real(root, ...args);
      let printed = '';
      try {
        if (merging) store.merge(readFileSync(stream), 'p');
        else store.import(readFileSync(stream), name);
      } catch (error) {
        if (!(error instanceof UciError)) throw error;
        printed = `uci: ${error.text}\n`;
      }
      assert.equal(printed, wanted.stdout + wanted.stderr, args.join(' '));
      assert.deepEqual(...sides(root, 'config'));
      assert.deepEqual(...sides(root, 'save'));
    }),
    { numRuns: RUNS },
  );
  t.pass('agreed');
});
