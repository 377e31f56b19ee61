import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import t from 'tap';

const SOURCE = fileURLToPath(new URL('../src/', import.meta.url));

/** What an entry point reaches outside of this package. */
async function outside(entry: string): Promise<string[]> {
  const { metafile } = await build({
    entryPoints: [`${SOURCE}${entry}`],
    bundle: true,
    write: false,
    metafile: true,
    format: 'esm',
    external: ['node:*'],
  });
  const imports = Object.values(metafile.inputs).flatMap((input) => input.imports);
  return [...new Set(imports.filter(({ external }) => external).map(({ path }) => path))].sort();
}

t.test('the pure entry point reaches no module of the platform', async (t) => {
  t.strictSame(await outside('index.ts'), []);
});

t.test('only the other one reaches the file system', async (t) => {
  t.strictSame(await outside('node.ts'), ['node:fs', 'node:path']);
});
