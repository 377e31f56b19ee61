import { join } from 'node:path';
import t from 'tap';
import { exportPackage, formatValue, parse, parseAddress, resolve, UciError } from 'uci-parser';
import type { ShowOptions } from 'uci-parser';
import { UciStore } from 'uci-parser/node';
import { fill, temporaryDirectory } from './directories.js';
import type { Contents } from './directories.js';
import { fixtureJson } from './fixtures.js';

interface Case {
  readonly arguments: readonly string[];
  readonly stdout: string;
  readonly stderr: string;
  readonly exit: number;
}

/** Splits the options that bear on printing from the command. */
function split(args: readonly string[]): { options: ShowOptions; exportNames: boolean; command: string; address: string } {
  const rest = [...args];
  let options: ShowOptions = {};
  let exportNames = false;
  while (rest[0]?.startsWith('-')) {
    const option = rest.shift();
    if (option === '-d') options = { ...options, delimiter: rest.shift() ?? '' };
    else if (option === '-X') options = { ...options, names: true };
    else if (option === '-n') exportNames = true;
    else if (option !== '-N' && option !== '-q') throw new Error(`unknown option ${option}`);
  }
  const [command = '', address = ''] = rest;
  return { options, exportNames, command, address };
}

function run(store: UciStore, args: readonly string[]): string {
  const { options, exportNames, command, address } = split(args);
  if (command === 'show') return store.show(address, options);
  if (command === 'export') return exportPackage(store.load(parseAddress(address).package), { names: exportNames });
  const value = store.get(address);
  return value === undefined ? '' : `${formatValue(value, options)}\n`;
}

t.test('every address does what it does with uci', async (t) => {
  const { config, cases } = fixtureJson<{ config: Contents; cases: Case[] }>('addressing.json');
  const root = temporaryDirectory(t);
  const store = new UciStore({ confdir: await fill(join(root, 'config'), config), savedir: join(root, 'save'), overridedir: '' });
  for (const { arguments: args, stdout, stderr, exit } of cases) {
    const name = args.join(' ');
    if (exit === 0) {
      t.equal(run(store, args), stdout, name);
      continue;
    }
    // `get` with a value fails without a word, and so does all with -q.
    const words = stderr === '' ? undefined : stderr.slice('uci: '.length, -1);
    t.throws(() => run(store, args), words === undefined ? { name: 'UciError' } : { name: 'UciError', text: words }, name);
  }
});

t.test('addresses in memory', async (t) => {
  const p = parse("config a 'x'\n\toption o 1\nconfig b\nconfig a\n", { name: 'p' });
  t.equal(p.section('@a[1]'), p.sections[2]);
  t.equal(p.section('@[-1]'), p.sections[2]);
  t.equal(p.section('@a[4294967296]'), p.sections[0], 'an int has 32 bits');
  t.equal(p.section('@c[0]'), undefined);
  t.throws(() => p.section('a-b'), { name: 'UciError', code: 'INVAL' });
  t.strictSame(p.sections.map(({ address }) => address), ['p.x', 'p.@b[0]', 'p.@a[1]']);
  const found = resolve(p, parseAddress('p.@a[0].o=v=w'));
  t.equal(found.sectionName, 'x');
  t.equal(found.option?.value, '1');
  t.ok(found.complete);
  t.equal(parseAddress('p.x.o=v=w.z').value, 'v=w.z');
  t.notOk(resolve(p, parseAddress('p.x.q')).complete);
  t.throws(() => parseAddress('p.x.o=\u0001'), UciError);
});
