/** `roaming setup` on the configuration that OpenWrt 24.10 comes with. */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import type { Test } from 'tap';
import type { Package } from 'uci-parser';
import { exportPackage, parse } from 'uci-parser';
import { CliError } from '../../src/cli/ask.js';
import { openConfiguration } from '../../src/cli/setup/configuration.js';
import { formatCommand } from '../../src/cli/setup/draft.js';
import type { Plan } from '../../src/cli/setup/plan.js';
import { PACKAGES, planSetup } from '../../src/cli/setup/plan.js';
import type { SetupOptions } from '../../src/cli/setup/request.js';
import { completeRequest } from '../../src/cli/setup/request.js';
import { readConfig } from '../../src/config/config.js';
import { contains } from '../../src/net/prefix.js';
import { parseMac } from '../../src/net/mac.js';

const STOCK = 'test/fixtures/openwrt-24.10';
const MAC = parseMac('94:83:c4:12:34:56');
const OPTIONS: SetupOptions = {
  network: 'client',
  ssid: 'Mesh',
  wifiKey: 'long enough',
  key: 'secret of all routers',
  prefix: [],
  mesh: ['lan4'],
  address: undefined,
  peer: [],
};

function request(options: Partial<SetupOptions> = {}) {
  return completeRequest({ ...OPTIONS, ...options }, MAC);
}

/** The stock files in a directory, with the package's own; some left out. */
function router(t: Test, without: readonly string[] = []) {
  const directory = mkdtempSync(join(tmpdir(), 'setup-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  cpSync(STOCK, directory, { recursive: true });
  cpSync('files/etc/config/roaming', join(directory, 'roaming'));
  for (const name of without) rmSync(join(directory, name));
  const configuration = openConfiguration(directory);
  const load = () => configuration.load(PACKAGES);
  const plan = (options: Partial<SetupOptions> = {}) => planSetup(load(), request(options));
  const apply = (plan: Plan) => configuration.apply(plan.commands);
  return { directory, configuration, load, plan, apply };
}

function exported(packages: Map<string, Package>): { [name: string]: string } {
  return Object.fromEntries([...packages].map(([name, one]) => [name, exportPackage(one)]));
}

const section = (packages: Map<string, Package>, address: string) => {
  const [name, reference] = address.split('.') as [string, string];
  const found = packages.get(name)?.section(reference);
  return Object.fromEntries([...(found?.options ?? [])].map(({ name, value }) => [name, value]));
};

t.test('what follows from the key is the same at all routers, what follows from the MAC is not', async (t) => {
  const here = request();
  const there = completeRequest(OPTIONS, parseMac('94:83:c4:12:34:57'));
  t.same(here.prefixes, there.prefixes);
  t.not(here.address4, there.address4);
  t.not(here.address6, there.address6);
  t.match(here.address4, /^10\.45\./);
  t.match(here.address6, /^fd.*:9683:c4ff:fe12:3456$/, 'with the modified EUI-64 of the MAC');
  t.equal(here.routerId, '94:83:c4:ff:fe:12:34:56');
  t.notOk(here.prefixes.some((prefix) => contains(prefix, here.address6)), 'routers have a prefix of their own');
  t.not(request({ key: 'another secret' }).address6, here.address6);
});

t.test('words that cannot be', async (t) => {
  t.throws(() => request({ prefix: ['10.44.0.0'] }), CliError);
  t.throws(() => request({ prefix: ['10.44.0.0/30'] }), CliError);
  t.throws(() => request({ address: '10.44.3.1' }), { message: /lies in a prefix of the clients/ });
  t.throws(() => request({ address: 'router' }), CliError);
  t.throws(() => request({ network: 'no good' }), CliError);
});

t.test('a stock router', async (t) => {
  const { load, plan, apply } = router(t);
  const first = plan();
  apply(first);
  const now = load();
  const { address4, address6, prefixes } = request();

  t.same(section(now, 'network.client_bridge'), { name: 'br-client', type: 'bridge', macaddr: '00:00:5e:00:52:13', bridge_empty: '1' });
  t.same(section(now, 'network.client'), { device: 'br-client', proto: 'static', ipaddr: ['10.44.0.1/16'], delegate: '0' });
  t.same(section(now, 'network.roaming_node'), { device: 'lo', proto: 'static', ipaddr: [`${address4}/32`], ip6addr: [`${address6}/128`] });
  t.same(section(now, 'network.mesh_lan4'), { device: 'lan4', proto: 'static', ipaddr: [`${address4}/32`] });
  t.same(section(now, 'network.@device[0]')['ports'], ['lan1', 'lan2', 'lan3'], 'the port to the others is out of the bridge');

  for (const radio of ['radio0', 'radio1']) {
    t.equal(section(now, `wireless.${radio}`)['disabled'], '0');
    t.equal(section(now, `wireless.default_${radio}`)['disabled'], '1', 'the open network on lan stays off');
    t.match(section(now, `wireless.client_${radio}`), { device: radio, network: 'client', mode: 'ap', ssid: 'Mesh', encryption: 'sae-mixed', key: 'long enough' });
  }
  t.match(section(now, 'dhcp.client'), { interface: 'client', ignore: '1', dhcpv4: 'disabled', dhcpv6: 'disabled', ra: 'disabled' });

  const zones = now.get('firewall')!.ofType('zone').map((zone) => [zone.get('name'), zone.list('network'), zone.get('input')]);
  t.same(zones.slice(2), [['client', ['client'], 'REJECT'], ['mesh', ['mesh_lan4', 'roaming_node'], 'REJECT']]);
  const forwardings = now.get('firewall')!.ofType('forwarding').map((one) => `${one.get('src')} > ${one.get('dest')}`);
  t.same(forwardings, ['lan > wan', 'client > mesh', 'mesh > client', 'mesh > wan', 'client > wan']);
  const ports = now.get('firewall')!.ofType('rule').map((rule) => `${rule.get('src')} ${rule.get('proto')} ${rule.get('dest_port') ?? ''}`.trim());
  t.same(ports.slice(2), ['client udp 67', 'client tcp udp 53', 'client icmp', 'mesh udp 6696', 'mesh tcp 4444', 'mesh icmp']);

  t.equal(section(now, 'babeld.@general[0]')['router_id'], '94:83:c4:ff:fe:12:34:56');
  t.same(section(now, 'babeld.roaming_mesh_lan4'), { ifname: 'mesh_lan4' });
  const filters = now.get('babeld')!.ofType('filter').slice(1).map((filter) => [filter.get('ip'), filter.get('action')]);
  t.same(filters, [
    ['10.44.0.0/16', 'deny'],
    [section(now, 'roaming.main')['prefix']![1], 'deny'],
    [`${address4}/32`, 'allow'],
    [`${address6}/128`, 'allow'],
    ['0.0.0.0/0', 'metric 128'],
    ['::/0', 'metric 128'],
    [undefined, 'deny'],
  ]);
  const { config, problems } = readConfig(now.get('roaming')!, 'roaming');
  t.same(problems, []);
  t.match(config, { enabled: true, interface: ['client'], key: OPTIONS.key, nodeAddress: [address4, address6], stateDir: '/etc/roaming', stateInterval: 3600 });
  t.same(config?.prefix, prefixes);

  t.same(plan().commands, [], 'once more: nothing is left to do');
});

t.test('undo gives back what was there', async (t) => {
  for (const options of [{}, { mesh: ['lan'], peer: ['10.45.1.1'] }, { wifiKey: undefined, network: 'guests' }]) {
    const { configuration, load, plan } = router(t);
    const before = exported(load());
    const { commands, undo } = plan(options);
    configuration.apply(commands);
    t.not(exported(load())['network'], before['network']);
    configuration.apply(undo);
    t.same(exported(load()), { ...before, network: exported(load())['network'] });
    // A port that went out of a bridge comes back as its last.
    t.same(load().get('network')!.section('@device[0]')!.list('ports').sort(), ['lan1', 'lan2', 'lan3', 'lan4']);
  }
});

t.test('an existing network as the link: its zone is used, its addresses stay', async (t) => {
  const { load, plan, apply } = router(t);
  apply(plan({ mesh: ['lan'] }));
  const now = load();
  t.same(now.get('network')!.section('@device[0]')!.list('ports'), ['lan1', 'lan2', 'lan3', 'lan4']);
  t.notOk(now.get('firewall')!.ofType('zone').some((zone) => zone.get('name') === 'mesh'));
  const forwardings = now.get('firewall')!.ofType('forwarding').map((one) => `${one.get('src')} > ${one.get('dest')}`);
  t.same(forwardings, ['lan > wan', 'client > lan', 'lan > client', 'client > wan']);
  t.same(section(now, 'babeld.roaming_lan'), { ifname: 'lan' });
  t.notOk(now.get('firewall')!.ofType('rule').some((rule) => rule.get('src') === 'lan'), 'lan lets all in already');
});

t.test('what is not there is said, and left out', async (t) => {
  const { plan } = router(t, ['babeld', 'wireless', 'firewall']);
  const { commands, notes } = plan({ mesh: [] });
  t.notOk(commands.some(({ address }) => /^(babeld|wireless|firewall)\./.test(address)));
  t.match(notes, [/there is no radio/, /babeld is not installed/, /no link to other routers/]);
});

t.test('a section of that name and another type is not touched', async (t) => {
  const { directory, plan } = router(t);
  writeFileSync(join(directory, 'network'), "config device 'client'\n\toption name 'eth7'\n");
  t.throws(() => plan(), { message: /network\.client is there already, as a section of type 'device'/ });
});

t.test('commands as a shell takes them', async (t) => {
  t.equal(formatCommand({ command: 'set', address: 'network.client', value: 'interface' }), 'uci set network.client=interface');
  t.equal(formatCommand({ command: 'set', address: 'wireless.a.key', value: "it's $(x)" }), "uci set 'wireless.a.key=it'\\''s $(x)'");
  t.equal(formatCommand({ command: 'del_list', address: 'network.@device[0].ports', value: 'lan4' }), "uci del_list 'network.@device[0].ports=lan4'");
  t.equal(formatCommand({ command: 'delete', address: 'network.client' }), 'uci delete network.client');
});

const uci = spawnSync('uci', ['-h']).error === undefined;

t.test('the real uci makes the same of the commands, done and undone', { skip: uci ? false : 'no uci on PATH' }, async (t) => {
  const one = router(t);
  const two = router(t);
  const { commands, undo } = one.plan();
  const savedir = join(two.directory, '.staged');
  const run = (list: typeof commands) => {
    const script = list.map(formatCommand).map((line) => line.replace(/^uci/, `uci -c ${two.directory} -C /none -t ${savedir}`));
    execFileSync('sh', ['-e', '-c', `${script.join('\n')}\nuci -c ${two.directory} -C /none -t ${savedir} commit`]);
  };
  one.configuration.apply(commands);
  run(commands);
  t.same(exported(two.load()), exported(one.load()));
  one.configuration.apply(undo);
  run(undo);
  t.same(exported(two.load()), exported(one.load()));
});

t.test('the command: shows, does, takes back', async (t) => {
  const { directory, load } = router(t);
  const program = join(directory, 'roaming.cjs');
  const undoFile = join(directory, '.undo/list.json');
  execFileSync('node_modules/.bin/esbuild', [
    ...['src/main.ts', '--bundle', '--platform=node', '--format=cjs', `--outfile=${program}`, '--log-level=error'],
    ...['--conditions=@roaming/source', '--define:import.meta.url=importMetaUrl', '--banner:js=const importMetaUrl = require("url").pathToFileURL(__filename);'],
  ]);
  const before = exported(load());
  const run = (...words: string[]) =>
    execFileSync(process.execPath, [program, 'setup', '--confdir', directory, '--undo-file', undoFile, ...words], { encoding: 'utf8' });
  const shown = run('--mesh', 'lan4', '--ssid', 'Mesh');
  t.match(shown, 'uci set network.client=interface\n');
  t.match(shown, /^reload_config$/m);
  t.match(shown, 'Nothing is done yet');
  t.same(exported(load()), before);
  const wireless = ['--mesh', 'lan4', '--ssid', 'Mesh', '--wifi-key', "a 'good' password"];
  const done = run(...wireless, '--apply');
  t.match(done, /^# {3}roaming setup --mesh lan4 --ssid Mesh --wifi-key 'a '\\''good'\\'' password' --key \S{40,} --peer 10\.45\.\d+\.\d+ --apply$/m);
  t.match(readFileSync(join(directory, 'roaming'), 'utf8'), '# Whether the daemon runs at all.', 'comments stay');
  t.match(run(...wireless, '--apply'), 'All is set up already', 'with the key that is set');
  t.match(run('--undo'), 'Nothing is done yet');
  run('--undo', '--apply');
  t.same({ ...exported(load()), network: '' }, { ...before, network: '' });
  t.notOk(existsSync(undoFile));
  t.same(readdirSync(directory).filter((name) => name.startsWith('.uci') || name.includes('-opkg')), []);
  t.throws(() => run('--undo', '--apply'), /nothing to take back/);
});

t.test('fixtures are what a parser takes for OpenWrt’s', async (t) => {
  for (const name of readdirSync(STOCK)) t.ok(parse(readFileSync(join(STOCK, name)), { name }).sections.length > 1, name);
});
