/* The package as others get it: packed, installed into an empty project, and the README's example run there. */
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';

const workspace = fileURLToPath(new URL('..', import.meta.url));
const modules = fileURLToPath(new URL('../../../node_modules', import.meta.url));

/** Runs a program without the settings that this test runs under; resolves to what it printed. */
function run(program: string, args: readonly string[], cwd: string): Promise<string> {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(NODE_OPTIONS|TAP_|_TAPJS_|npm_)/.test(name)));
  return new Promise((resolve, reject) => {
    execFile(program, [...args], { cwd, env, timeout: 280_000 }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`${program} ${args.join(' ')}: ${stdout}${stderr}`));
    });
  });
}

function codeBlocks(markdown: string, language: string): string {
  return [...markdown.matchAll(new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\``, 'gm'))].map(match => match[1]!).join('\n');
}

t.setTimeout(300_000);

t.test('npm pack, install, and the example of the README', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'ubus-ts-pack-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  await run('npm', ['pack', '--silent', '--pack-destination', folder], workspace);
  const tarball = readdirSync(folder).find(name => name.endsWith('.tgz'))!;
  const project = join(folder, 'project');
  mkdirSync(project);
  writeFileSync(join(project, 'package.json'), '{ "name": "empty", "private": true, "type": "module" }');
  await run('npm', ['install', '--silent', '--offline', '--no-audit', '--no-fund', join(folder, tarball)], project);
  t.same(readdirSync(join(project, 'node_modules')).filter(name => !name.startsWith('.')), ['ubus-ts'], 'no dependencies');
  t.same(readdirSync(join(project, 'node_modules/ubus-ts')).sort(), ['LICENSE', 'README.md', 'dist', 'package.json']);

  const readme = readFileSync(join(project, 'node_modules/ubus-ts/README.md'), 'utf8');
  writeFileSync(join(project, 'example.mjs'), codeBlocks(readme, 'js'));
  t.equal(await run(process.execPath, ['example.mjs'], project), codeBlocks(readme, 'text'));

  // Types: what is wrong must be an error, so that what passes means something.
  writeFileSync(join(project, 'types.ts'), [
    "import { UbusClient } from 'ubus-ts';",
    'const client: UbusClient = new UbusClient();',
    "await client.addObject('a', { m: { args: { n: 'int32' }, handler: ({ n = 1 }) => ({ n: n + 1 }) }, o: { handler: () => ({}) } });",
    "// @ts-expect-error there is no such type",
    "await client.addObject('a', { m: { args: { n: 'int31' }, handler: () => ({}) } });",
    "// @ts-expect-error a function cannot be sent",
    "await client.call('a', 'm', { f: () => 1 });",
  ].join('\n'));
  mkdirSync(join(project, 'node_modules/@types'));
  for (const name of ['@types/node', 'undici-types']) symlinkSync(join(modules, name), join(project, 'node_modules', name));
  await run(process.execPath, [join(modules, 'typescript/bin/tsc'), '--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2022', '--types', 'node', 'types.ts'], project);
  t.pass('its types are found and checked');
});
