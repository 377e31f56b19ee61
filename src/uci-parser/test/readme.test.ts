import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { temporaryDirectory } from './directories.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Fenced blocks of the README, in order. */
function blocks(language: string): string[] {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
  return [...readme.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].filter(([, is]) => is === language).map(([, , text = '']) => text);
}

/** Runs a program as a user would: without this repository's export condition. */
function run(directory: string, file: string, ...args: string[]): string {
  return execFileSync(file, args, { cwd: directory, encoding: 'utf8', env: { ...process.env, NODE_OPTIONS: '' } });
}

const USER = `
import { parse, UciValueError } from 'uci-parser';
import type { Package, Section, Value } from 'uci-parser';
import { UciStore } from 'uci-parser/node';

const owner: Package = parse('config a\\n', { name: 'p' });
const section: Section | undefined = owner.sections[0];
const value: Value | undefined = section?.get('x');
const port: number = section?.integer('port', { min: 1 }, 80) ?? 80;
const error = (e: unknown): string => (e instanceof UciValueError ? e.option : '');
export { value, port, error, UciStore };
`;

t.test('packed and installed into an empty project, the examples of the README run', async (t) => {
  const directory = temporaryDirectory(t);
  const project = join(directory, 'project');
  mkdirSync(project);
  const tarball = run(ROOT, 'npm', 'pack', '--silent', '--pack-destination', directory).trim().split('\n').at(-1) ?? '';
  writeFileSync(join(project, 'package.json'), JSON.stringify({ private: true, type: 'module' }));
  run(project, 'npm', 'install', '--offline', '--no-audit', '--no-fund', '--silent', join(directory, tarball));

  const programs = blocks('js');
  const outputs = blocks('text');
  t.equal(programs.length, 2);
  t.equal(outputs.length, programs.length);
  programs.forEach((program, index) => {
    writeFileSync(join(project, `example${index}.js`), program);
    t.equal(run(project, process.execPath, `example${index}.js`), outputs[index], `example ${index}`);
  });

  writeFileSync(join(project, 'user.ts'), USER);
  const tsc = fileURLToPath(new URL('../../../node_modules/.bin/tsc', import.meta.url));
  const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2022', 'user.ts'];
  t.equal(run(project, tsc, ...options), '', 'the types fit a program of a user');
});
