/** The import rule of the sources: what may know what. Read from the bundler's list of all imports that remain at run time. */
import { build } from 'esbuild';
import { relative } from 'node:path';
import t from 'tap';

const SIDES = ['presence', 'flood', 'routes', 'dhcp4', 'ra', 'gateway', 'status'];

/** What the modules of a folder, or a file of src/ itself, may import beside their own folder. */
const ALLOWED: { [place: string]: readonly string[] } = {
  net: [],
  'ports.ts': ['net', 'clients'],
  config: ['net', 'presence/source.ts', 'uci-parser'],
  clients: ['net', 'ports.ts'],
  ...Object.fromEntries(SIDES.map((side) => [side, ['net', 'clients', 'ports.ts']])),
  'mesh-config.ts': ['net'],
  'service-config.ts': ['net', 'clients', 'config', 'dhcp4', 'ra'],
  'dhcp4-service.ts': ['clients', 'dhcp4', 'gateway', 'service-config.ts'],
  'learnt-addresses.ts': ['net', 'clients', 'dhcp4'],
  'network-leases.ts': ['net', 'clients'],
  'client-services.ts': ['net', 'clients', 'ra', 'gateway', 'service-config.ts', 'dhcp4-service.ts', 'learnt-addresses.ts', 'network-leases.ts'],
  'client-gateway.ts': ['net', 'config', 'gateway', 'ports.ts'],
  'client-admission.ts': ['clients', 'config', 'presence'],
  'local-clients.ts': ['net', 'clients', 'presence', 'status', 'client-admission.ts'],
  'client-links.ts': ['net', 'clients', 'gateway', 'client-gateway.ts'],
  'node-status.ts': ['net', 'clients', 'status'],
  'stray-packets.ts': ['net', 'clients', 'presence'],
  'daemon.ts': ['net', 'clients', 'config', 'ports.ts', 'client-services.ts', 'client-gateway.ts', 'client-links.ts', 'local-clients.ts', 'mesh-config.ts', 'node-status.ts', 'stray-packets.ts', ...SIDES],
  linux: ['net', 'clients/time.ts', 'ports.ts', 'ubus-ts', 'uci-parser', 'node:'],
  'version.ts': [],
  cli: ['net', 'clients', 'config', 'presence/source.ts', 'status', 'linux', 'gateway', 'daemon.ts', 'service-config.ts', 'client-gateway.ts', 'version.ts', 'ubus-ts', 'uci-parser', 'yargs', 'node:'],
  'main.ts': ['cli', 'node:'],
};

/** `src/net/ip.ts` -> `net`; `src/daemon.ts` -> `daemon.ts`; `node:fs` -> `node:`. */
function placeOf(path: string): string {
  if (path.startsWith('node:')) return 'node:';
  const inside = /^src\/([^/]+)/.exec(path)?.[1];
  return inside ?? /node_modules\/([^/]+)/.exec(path)?.[1] ?? path;
}

function mayImport(place: string, target: string): boolean {
  const allowed = ALLOWED[place] ?? [];
  return placeOf(target) === place || allowed.some((one) => one === placeOf(target) || `src/${one}` === target);
}

t.test('imports point one way', async (t) => {
  const { metafile } = await build({
    entryPoints: ['src/main.ts'],
    bundle: true,
    write: false,
    metafile: true,
    platform: 'node',
    format: 'esm',
    outfile: 'unused.js',
    conditions: ['@roaming/source'],
    logLevel: 'silent',
  });
  const inputs = Object.entries(metafile.inputs).map(([path, input]) => [relative('.', path), input] as const);
  const ours = inputs.filter(([path]) => path.startsWith('src/') && !/^src\/(ubus-ts|uci-parser)\//.test(path));
  t.ok(ours.length > 50, `${ours.length} modules looked at`);
  const forbidden = ours.flatMap(([path, { imports }]) =>
    imports.map((one) => one.path).filter((target) => !mayImport(placeOf(path), target)).map((target) => `${path} -> ${target}`),
  );
  t.same(forbidden, []);
});

t.test('one file of ubus-ts opens sockets, one of its broker listens, one of uci-parser reads files', async (t) => {
  const { metafile } = await build({
    entryPoints: ['src/ubus-ts/src/index.ts', 'src/uci-parser/src/index.ts'],
    bundle: true,
    write: false,
    metafile: true,
    platform: 'node',
    format: 'esm',
    outdir: 'unused',
    logLevel: 'silent',
  });
  const impure = Object.entries(metafile.inputs).filter(([, { imports }]) => imports.some(({ path }) => path.startsWith('node:')));
  t.ok(impure.length <= 4, impure.map(([path]) => path).join(' '));
});
