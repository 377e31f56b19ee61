import { chmodSync, lstatSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { DeltaPath, exportPackage, formatChange, show, UciError } from 'uci-parser';
import { UciStore } from 'uci-parser/node';
import { contentsOf, fill, temporaryDirectory } from './directories.js';
import type { Contents, TearsDown } from './directories.js';
import { fixtureJson } from './fixtures.js';

async function makeStore(t: TearsDown, config: Contents): Promise<{ store: UciStore; confdir: string; savedir: string }> {
  const root = temporaryDirectory(t);
  const confdir = await fill(join(root, 'config'), config);
  const savedir = join(root, 'save');
  return { store: new UciStore({ confdir, savedir, overridedir: '' }), confdir, savedir };
}

t.test('commands on a whole directory', async (t) => {
  interface Fixture {
    readonly files: Contents;
    readonly subdirectories: readonly string[];
    readonly cases: readonly { readonly arguments: readonly string[]; readonly stdout: string; readonly stderr: string }[];
  }
  const fixture = fixtureJson<Fixture>('directory.json');
  const { store, confdir } = await makeStore(t, fixture.files);
  for (const name of fixture.subdirectories) mkdirSync(join(confdir, name));
  const { packages, errors } = store.loadAll();
  const printed: Record<string, string> = {
    show: packages.map((each) => show(each)).join(''),
    export: packages.map((each) => exportPackage(each)).join(''),
    changes: store.changes().map(formatChange).join(''),
  };
  for (const { arguments: [command = ''], stdout, stderr } of fixture.cases) {
    t.equal(printed[command], stdout, command);
    t.equal([...errors.values()].map(({ text }) => `uci: ${text}\n`).join(''), stderr, `${command}: errors`);
  }
  t.strictSame([...errors.keys()], ['broken']);
});

t.test('import', async (t) => {
  interface Fixture {
    readonly cases: readonly {
      readonly note: string;
      readonly stdin: string;
      readonly arguments: readonly string[];
      readonly stderr: string;
      readonly directoryAfter: Contents;
      readonly saveDirAfter: Contents;
    }[];
  }
  const { store, confdir, savedir } = await makeStore(t, {});
  for (const { note, stdin, arguments: args, stderr, directoryAfter, saveDirAfter } of fixtureJson<Fixture>('import.json').cases) {
    const name = args.filter((word) => word !== 'import' && word !== '-m')[0];
    const run = (): void => (args.includes('-m') ? store.merge(stdin, name ?? '') : store.import(stdin, name));
    if (stderr === '') run();
    else t.throws(run, { name: /^Uci(Parse)?Error$/, text: stderr.slice('uci: '.length, -1) }, note);
    t.strictSame(contentsOf(confdir), directoryAfter, note);
    t.strictSame(contentsOf(savedir), saveDirAfter, `${note}: staged`);
  }
});

t.test('the order of the directories', async (t) => {
  interface Fixture {
    readonly config: Contents;
    readonly dirs: Readonly<Record<string, Contents>>;
    readonly cases: readonly { readonly arguments: string; readonly order: string; readonly colour: string }[];
  }
  const fixture = fixtureJson<Fixture>('delta/directory-order.json');
  const root = temporaryDirectory(t);
  const confdir = await fill(join(root, 'config'), fixture.config);
  for (const [name, contents] of Object.entries(fixture.dirs)) await fill(join(root, name), contents);
  for (const { arguments: args, order, colour } of fixture.cases) {
    const path = new DeltaPath();
    const words = args.split(' ');
    for (let i = 0; i < words.length; i += 2) {
      const directory = join(root, words[i + 1] ?? '');
      if (words[i] === '-p') path.add(directory);
      else path.setSavedir(directory);
    }
    const deltadirs = path.directories.filter((directory) => directory.startsWith(root));
    const store = new UciStore({ confdir, overridedir: '', deltadirs });
    t.equal(store.load('shop').section('lamp')?.list('order').join(' '), order, args);
    t.equal(store.get('shop.lamp.colour'), colour, args);
  }
});

t.test('where the default save directory stands among the others', async (t) => {
  t.strictSame(new DeltaPath().directories, ['/tmp/.uci']);
  t.strictSame(new DeltaPath().setSavedir('T').add('A').directories, ['/tmp/.uci', 'A', 'T']);
  t.strictSame(new DeltaPath().add('A').add('B').setSavedir('T').directories, ['A', 'B', '/tmp/.uci', 'T']);
  t.strictSame(new DeltaPath().add('A').add('A').setSavedir('A').directories, ['/tmp/.uci', 'A']);
  t.equal(new DeltaPath().setSavedir('T').savedir, 'T');
});

t.test('a state directory, as with uci -P', async (t) => {
  interface Fixture {
    readonly config: Contents;
    readonly steps: readonly { readonly arguments: string; readonly stdout: string; readonly dir: Contents; readonly config: Contents }[];
  }
  const { config, steps } = fixtureJson<Fixture>('delta/option-P.json');
  const root = temporaryDirectory(t);
  const confdir = await fill(join(root, 'config'), config);
  const savedir = await fill(join(root, 'state'), { shop: "shop.lamp.colour='fromP'\n" });
  const store = new UciStore({ confdir, savedir, overridedir: '', commit: false });
  for (const step of steps) {
    const [command, argument = ''] = step.arguments.split(' ').slice(-2);
    let printed = '';
    if (command === 'set') store.set(argument);
    else if (command === 'show') printed = store.show(argument);
    else if (command === 'changes') printed = store.changes(argument).map(formatChange).join('');
    else t.notOk(store.commit(argument));
    t.equal(printed, step.stdout, step.arguments);
    t.strictSame(contentsOf(savedir), step.dir, step.arguments);
    t.strictSame(contentsOf(confdir), step.config, step.arguments);
  }
});

t.test('what would be staged and lost is refused', async (t) => {
  const { store, savedir } = await makeStore(t, { p: "config t 's'\n\toption o 1\n" });
  t.throws(() => store.add('p', 'bad type'), { name: 'UciError', code: 'INVAL' });
  t.throws(() => store.rename('p.s=bad-name'), { name: 'UciError', code: 'INVAL' });
  t.throws(() => store.set('p.@t[7]=t'), { name: 'UciError', code: 'INVAL' });
  t.throws(() => store.addList('p.s', 'x'), { name: 'UciError', code: 'INVAL' });
  t.throws(() => store.set('p.s.o', 'a\0b'), { name: 'UciError', code: 'PARSE' });
  t.throws(() => store.set('p.s.o', '\ud800'), { name: 'UciError', code: 'PARSE' });
  t.throws(() => store.set('p.s.o=1', '2'), { name: 'UciError', code: 'INVAL' });
  t.throws(() => store.set('p.s.o'), { name: 'UciError', code: 'INVAL' });
  t.throws(() => store.get('p.s.o=1'), { name: 'UciError', code: 'INVAL' });
  t.throws(() => store.delete('p'), { name: 'UciError', code: 'INVAL' });
  t.throws(() => store.delete('p.none'), { name: 'UciError', code: 'NOTFOUND' });
  t.throws(() => store.load('../p'), { name: 'UciError', code: 'INVAL' });
  t.throws(() => store.load('.p'), { name: 'UciError', code: 'NOTFOUND' });
  t.throws(() => new UciStore({ confdir: join(savedir, 'none') }).names(), { name: 'UciError', code: 'NOTFOUND' });
  t.strictSame(contentsOf(savedir), {});
});

t.test('a list set at once', async (t) => {
  const { store, savedir } = await makeStore(t, { p: "config t 's'\n\toption o 1\n" });
  store.set('p.s.o', ['a', "it's"]);
  store.set('p.s.n', ['x']);
  t.strictSame(store.get('p.s.o'), ['a', "it's"]);
  t.equal(contentsOf(savedir)['p'], "-p.s.o\n|p.s.o='a'\n|p.s.o='it'\\''s'\n|p.s.n='x'\n");
  store.delete('p.s.o', 0);
  t.strictSame(store.get('p.s.o'), ["it's"]);
  store.set('p.s.o', []);
  t.throws(() => store.get('p.s.o'), { name: 'UciError', code: 'NOTFOUND' });
});

t.test('modes, links and leftovers', async (t) => {
  const { store, confdir, savedir } = await makeStore(t, { p: "config t 's'\n" });
  const real = join(confdir, '..', 'elsewhere');
  writeFileSync(real, "config t 's'\n");
  symlinkSync(real, join(confdir, 'link'));
  chmodSync(join(confdir, 'p'), 0o640);
  chmodSync(confdir, 0o750);
  store.set('p.s.o', '1');
  store.set('link.s.o', '1');
  t.equal(statSync(savedir).mode & 0o777, 0o750, 'the save directory has the mode of the directory');
  t.equal(statSync(join(savedir, 'p')).mode & 0o777, 0o640, 'the staged changes have the mode of the file');
  t.ok(store.commit('p'));
  t.ok(store.commit('link'));
  t.notOk(store.commit('p'), 'nothing is left to commit');
  t.equal(statSync(join(confdir, 'p')).mode & 0o777, 0o640);
  t.ok(lstatSync(join(confdir, 'link')).isSymbolicLink());
  t.equal(readFileSync(real, 'utf8'), "\nconfig t 's'\n\toption o '1'\n\n");
  store.import('config t\n', 'fresh');
  t.equal(statSync(join(confdir, 'fresh')).mode & 0o777, 0o600);
  t.strictSame(Object.keys(contentsOf(confdir)), ['fresh', 'link', 'p'], 'no temporary files');
  t.equal(statSync(join(savedir, 'p')).size, 0);
});

t.test('what the system refuses is an I/O error', async (t) => {
  const { store, confdir } = await makeStore(t, { p: "config t 's'\n" });
  const blocked = new UciStore({ confdir, savedir: join(confdir, 'p', 'save'), overridedir: '' });
  t.throws(() => blocked.set('p.s.o', '1'), { name: 'UciError', code: 'IO', text: 'I/O error' });
  t.equal(store.get('p.s'), 't');
});

t.test('a file outside of the directories is written at once', async (t) => {
  const { store, confdir, savedir } = await makeStore(t, { p: "config t 's'\n" });
  const path = join(confdir, 'p');
  store.set(`${path}.s.o`, '1');
  t.equal(store.get('p.s.o'), '1');
  t.strictSame(contentsOf(savedir), {});
  store.set('p.s.o', '2');
  t.throws(() => store.revert(path), { name: 'UciError', code: 'INVAL' });
  t.equal(store.get('p.s.o'), '2', 'what is staged for the package of that name stays');
  t.equal(store.get(`${path}.s.o`), '1');
});

t.test('reverting goes on behind a line that is none', async (t) => {
  const { store, savedir } = await makeStore(t, { p: "config t 's'\n" });
  await fill(savedir, { p: "garbage\np.s.a='1'\nother.s.a='1'\np.s.b='2'\n" });
  store.revert('p.s.a');
  t.equal(contentsOf(savedir)['p'], "p.s.b='2'\n");
  store.revert('p');
  t.equal(contentsOf(savedir)['p'], '');
});

t.test('commit that keeps the layout', async (t) => {
  const { store, confdir } = await makeStore(t, { p: "# mine\nconfig t s # here\n  option o 1 # why\n" });
  store.set('p.s.o', '2');
  t.ok(store.commit('p', { keepLayout: true }));
  t.equal(contentsOf(confdir)['p'], "# mine\nconfig t s # here\n  option o '2' # why\n");
});

t.test('every error of a store is a UciError', async (t) => {
  const { store } = await makeStore(t, { broken: 'nonsense\n' });
  for (const name of ['broken', 'missing', 'a b', '/']) {
    try {
      store.load(name);
      t.fail(name);
    } catch (error) {
      t.ok(error instanceof UciError, name);
    }
  }
});
