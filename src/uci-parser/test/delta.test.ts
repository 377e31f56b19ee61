import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { applyDelta, exportPackage, formatChange, formatDelta, parse, parseDelta, show } from 'uci-parser';
import { UciStore } from 'uci-parser/node';
import { runCommand } from './commands.js';
import { contentsOf, fill, temporaryDirectory } from './directories.js';
import type { Contents } from './directories.js';
import { fixtureJson, fixtureNames } from './fixtures.js';

interface Step {
  readonly command: readonly string[];
  readonly stdout: string;
  readonly stderr: string;
  readonly exit: number;
  readonly saveFile: string | null;
}

interface DeltaFixture {
  readonly note: string;
  readonly name: string;
  readonly config: Contents;
  readonly overrideDir?: Contents;
  readonly extraDir?: Contents;
  readonly saveDirBefore?: Contents;
  readonly commands?: readonly Step[];
  readonly saveDir: Contents;
  readonly changes: string;
  readonly export: string;
  readonly show: string;
  readonly showNames: string;
  readonly commit: {
    readonly config: Contents;
    readonly saveDir: Contents;
    readonly overrideDir?: Contents;
    readonly extraDir?: Contents;
    readonly showAfter: string;
  };
}

for (const id of fixtureNames('delta/', '.delta').filter((name) => !name.endsWith('.absent'))) {
  const fixture = fixtureJson<DeltaFixture>(`delta/${id}.json`);
  t.test(`${id}: ${fixture.note}`, async (t) => {
    const root = temporaryDirectory(t);
    const confdir = await fill(join(root, 'config'), fixture.config);
    const overridedir = fixture.overrideDir ? await fill(join(root, 'override'), fixture.overrideDir) : '';
    const extradir = await fill(join(root, 'extra'), fixture.extraDir);
    const savedir = join(root, 'save');
    if (fixture.saveDirBefore) await fill(savedir, fixture.saveDirBefore);
    const store = new UciStore({ confdir, overridedir, savedir, deltadirs: [extradir, savedir], checkNames: false });
    const { name } = fixture;

    for (const step of fixture.commands ?? []) {
      t.equal(runCommand(store, step.command), step.stdout + step.stderr, step.command.join(' '));
      const file = join(savedir, name);
      t.equal(existsSync(file) ? readFileSync(file, 'utf8') : null, step.saveFile, `file after ${step.command.join(' ')}`);
    }
    t.strictSame(contentsOf(savedir), fixture.saveDir, 'save directory');
    t.equal(store.changes(name).map(formatChange).join(''), fixture.changes, 'changes');
    t.equal(exportPackage(store.load(name)), fixture.export, 'export');
    t.equal(show(store.load(name)), fixture.show, 'show');
    t.equal(show(store.load(name), { names: true }), fixture.showNames, 'show -X');
    if (overridedir === '') {
      t.equal(exportPackage(store.load(name, { staged: false })), exportPackage(parse(fixture.config[name] ?? '', { name })), 'committed');
    }

    store.commit(name);
    t.strictSame(contentsOf(confdir), fixture.commit.config, 'files after commit');
    t.strictSame(contentsOf(savedir), fixture.commit.saveDir, 'save directory after commit');
    if (fixture.commit.overrideDir) t.strictSame(contentsOf(overridedir), fixture.commit.overrideDir, 'override directory');
    if (fixture.commit.extraDir) t.strictSame(contentsOf(extradir), fixture.commit.extraDir, 'extra directory');
    t.equal(show(store.load(name)), fixture.commit.showAfter, 'show after commit');
  });
}

t.test('what is parsed is formatted the same', async (t) => {
  const text = [
    "p.s='t'", "+p.cfg01abcd='t'", "p.s.o='it'\\''s'", '-p.s', '-p.s.o', "-p.s.o='1'", "@p.s='n'", "@p.s.o='n'",
    "^p.s='3'", "|p.s.o='two\nlines'", "~p.s.o='a=b.c'", "p.s.o=''",
  ].map((line) => `${line}\n`);
  for (const line of text) t.equal(parseDelta(line).map(formatDelta).join(''), line);
  t.equal(parseDelta(text.join('')).length, text.length);
});

t.test('changes of several packages at once', async (t) => {
  const a = parse("config t 'x'\n", { name: 'a' });
  const b = parse("config t 'x'\n", { name: 'b' });
  const result = applyDelta([a, b], "a.x.o='1'\nb.x.o='2'\nc.x.o='3'\nb.none.o='4'\n");
  t.equal(a.section('x')?.get('o'), '1');
  t.equal(b.section('x')?.get('o'), '2');
  t.equal(result.applied, 2);
  t.strictSame(result.changes.map(({ package: owner }) => owner), ['a', 'b', 'b']);
});

t.test('positions and indexes are read as C reads them', async (t) => {
  const base = "config t 'a'\nconfig t 'b'\nconfig t 'c'\n\tlist l 1\n\tlist l 2\n\tlist l 3\n";
  const order = (delta: string): string => {
    const p = parse(base, { name: 'p' });
    applyDelta(p, delta);
    return p.sections.map(({ name }) => name).join('') + ` ${p.section('c')?.list('l').join('') ?? ''}`;
  };
  t.equal(order("^p.a='-1'\n"), 'abc 123');
  t.equal(order("^p.c='-1'\n"), 'cab 123');
  t.equal(order("^p.c='x'\n"), 'cab 123');
  t.equal(order("^p.a=' +1z'\n"), 'bac 123');
  t.equal(order("^p.c='4294967297'\n"), 'acb 123');
  t.equal(order("^p.a='99999999999999999999999999'\n"), 'abc 123');
  t.equal(order("-p.c.l='1x'\n"), 'abc 13');
  t.equal(order("-p.c.l='x'\n"), 'abc 123');
  t.equal(order("-p.c.l='-1'\n"), 'abc 123');
  t.equal(order("-p.c.l='4294967296'\n"), 'abc 23');
  t.equal(order("-p.c.l=''\n"), 'abc ');
});

t.test('an anonymous section whose type gets another length becomes a named one', async (t) => {
  const p = parse('config door\n', { name: 'p' });
  const [name] = p.sections.map((section) => section.name);
  applyDelta(p, `p.${name}='gate'\n`);
  t.equal(exportPackage(p, { header: false }), '\nconfig gate\n\n');
  applyDelta(p, `p.${name}='window'\n`);
  t.equal(exportPackage(p, { header: false }), `\nconfig window '${name}'\n\n`);
});
