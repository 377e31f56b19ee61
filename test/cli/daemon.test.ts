/** The daemon as a process on a real kernel, and the faults that a router knows: each time it has to go on. */
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { execFileSync, spawnSync } from 'node:child_process';
import { build } from 'esbuild';
import t from 'tap';
import type { TAP, Test } from 'tap';
import { Broker, UbusClient } from 'ubus-ts';
import type { PlainTable } from 'ubus-ts';
import { Service, sleep, until } from '../lab/shell.js';
import { ifindex, inNamespace, ip } from '../linux/namespace.js';

const directory = mkdtempSync(join(tmpdir(), 'roaming-'));
t.teardown(() => rmSync(directory, { recursive: true, force: true }));
const program = join(directory, 'roaming.cjs');
const MAC = '02:00:00:00:00:11';

async function bundle(): Promise<void> {
  const outfile = program;
  const define = { 'import.meta.url': 'importMetaUrl' };
  const banner = { js: '#!/usr/bin/env node\nconst importMetaUrl = require("url").pathToFileURL(__filename);' };
  const conditions = ['@roaming/source'];
  await build({ entryPoints: ['src/main.ts'], bundle: true, platform: 'node', format: 'cjs', outfile, define, banner, conditions, logLevel: 'silent' });
  symlinkSync(resolve('dist/packet.node'), join(directory, 'packet.node'));
  chmodSync(directory, 0o755);
}

let scenes = 0;

/** A router's files, and its ubusd. */
class Scene {
  readonly config = join(directory, `config-${++scenes}`);
  readonly socket = join(directory, `ubus-${scenes}.sock`);
  readonly state = join(directory, `state-${scenes}`);
  readonly ubus = new UbusClient({ path: this.socket });
  broker: Broker | undefined;
  #connected: Promise<void> | undefined;

  constructor(private readonly t: Test) {
    t.teardown(async () => {
      this.ubus.close();
      await this.broker?.close();
    });
  }

  write(options: { readonly [option: string]: string }): void {
    const all = { enabled: '1', state_dir: this.state, log_level: 'debug', prefix: '10.44.0.0/16', auth: 'none', ...options };
    const lines = Object.entries(all).map(([name, value]) => `\toption ${name} '${value}'\n`);
    writeFileSync(this.config, `config roaming 'main'\n${lines.join('')}`);
  }

  async startUbusd(): Promise<void> {
    this.broker = new Broker({ path: this.socket });
    await this.broker.listen();
  }

  start(...words: string[]): Service {
    const daemon = new Service('roaming', [process.execPath, program, 'daemon', '--config', this.config, '--ubus', this.socket, ...words]);
    this.t.teardown(() => daemon.stop());
    return daemon;
  }

  async said(daemon: Service, text: string): Promise<void> {
    await until(text, 10, async () => daemon.output.includes(text)).catch((error: Error) => {
      throw new Error(`${error.message}\n${daemon.output}`);
    });
    this.t.pass(`said: ${text}`);
  }

  connect(): Promise<void> {
    return (this.#connected ??= this.ubus.connect({ persist: true }));
  }

  async answers(): Promise<PlainTable> {
    await this.connect();
    return until('the daemon answers', 10, () => this.ubus.call('roaming', 'status').catch(() => undefined));
  }
}

/** Whether a packet socket is bound to the interface. */
function listensOn(name: string): boolean {
  const sockets = readFileSync('/proc/net/packet', 'utf8').trim().split('\n').slice(1);
  return sockets.some((line) => Number(line.trim().split(/\s+/)[4]) === ifindex(name));
}

function bridge(name: string): void {
  ip(`link add ${name} address 00:00:5e:00:52:13 type bridge`);
  ip(`link set ${name} up`);
}

async function faults(t: TAP): Promise<void> {
  t.before(bundle);

  t.test('a configuration that cannot be used: one line, exit code 1; under procd no end, but a wait', async (t) => {
    const scene = new Scene(t);
    scene.write({ port: 'x', interface: 'br-a' });
    await scene.startUbusd();
    const checked = spawnSync(process.execPath, [program, 'daemon', '--check', '--config', scene.config], { encoding: 'utf8' });
    t.equal(checked.status, 1);
    t.match(checked.stderr, /^roaming: .*config-1:7: main\.port: expected a whole number.*, found 'x'\n$/);
    const alone = scene.start();
    await until('it ends', 5, async () => !alone.running);
    t.equal(alone.child.exitCode, 1);
    const supervised = scene.start('--supervised');
    await scene.said(supervised, 'main.port: expected a whole number');
    await scene.said(supervised, 'waiting for a configuration');
    scene.write({ interface: 'br-a' });
    supervised.child.kill('SIGHUP');
    await scene.answers();
    await supervised.stop();
    t.equal(supervised.child.exitCode, 0);
    t.equal(supervised.output.split('expected a whole number').length, 2, 'said once');
  });

  t.test('not enabled: waits under procd, and ends at SIGTERM', async (t) => {
    const scene = new Scene(t);
    scene.write({ enabled: '0' });
    const daemon = scene.start('--supervised');
    await scene.said(daemon, 'waiting for a configuration');
    await daemon.stop();
    t.equal(daemon.child.exitCode, 0);
  });

  t.test('a second daemon, with another port and other files: it ends at once, and the first goes on', async (t) => {
    const [first, second] = [new Scene(t), new Scene(t)];
    first.write({ interface: 'br-a' });
    second.write({ interface: 'br-a', port: '4445' });
    await first.startUbusd();
    const running = first.start();
    await first.answers();
    const rules = ip('rule');
    t.match(rules, /lookup 44 /);
    const late = second.start();
    await until('it ends', 10, async () => !late.running);
    t.equal(late.child.exitCode, 1);
    t.match(late.output, /^roaming: another daemon runs here/m);
    t.equal(ip('rule'), rules);
    await first.answers();
    running.child.kill('SIGKILL');
    await until('it is gone', 5, async () => !running.running);
    const next = first.start();
    await first.answers();
    t.ok(next.running, 'who was killed is in nobody\'s way');
  });

  t.test('an interface that comes late, goes away, comes back as another, is renamed', async (t) => {
    const scene = new Scene(t);
    scene.write({ interface: 'br-late' });
    await scene.startUbusd();
    const daemon = scene.start();
    await scene.answers();
    bridge('br-late');
    await until('it listens', 5, async () => listensOn('br-late'));
    ip('link del br-late');
    bridge('br-late');
    await until('it listens on the new one', 5, async () => listensOn('br-late'));
    ip('link set br-late down');
    ip('link set br-late name br-other');
    ip('link set br-other up');
    await until('it lets go of what has another name', 5, async () => !listensOn('br-other'));
    ip('link set br-other down');
    ip('link set br-other name br-late');
    ip('link set br-late up');
    await until('it listens again', 5, async () => listensOn('br-late'));
    ip('addr add 10.44.0.1/16 dev br-late');
    ip('addr del 10.44.0.1/16 dev br-late');
    t.ok(daemon.running);
    await scene.answers();
    ip('link del br-late');
  });

  t.test('no file is to be had any more: what fails is said once, and goes on as soon as there are some', async (t) => {
    const scene = new Scene(t);
    bridge('br-files');
    scene.write({ interface: 'br-files' });
    await scene.startUbusd();
    const daemon = scene.start();
    await scene.answers();
    await until('it listens', 5, async () => listensOn('br-files'));
    const { pid } = daemon.child;
    const allow = (files: number) => execFileSync('prlimit', ['--pid', String(pid), `--nofile=${files}:4096`]);
    const firstFree = () => {
      const open = new Set(readdirSync(`/proc/${pid}/fd`));
      return [...Array(open.size + 1).keys()].find((fd) => !open.has(String(fd)))!;
    };
    // Some are only open for a moment.
    const samples: number[] = [];
    for (let i = 0; i < 10; i++) {
      samples.push(firstFree());
      await sleep(50);
    }
    allow(Math.min(...samples));
    ip('link del br-files');
    bridge('br-files');
    await scene.said(daemon, 'cannot read the interfaces: ');
    daemon.child.kill('SIGHUP');
    await scene.said(daemon, 'cannot be read (EMFILE)');
    t.match(String((await scene.answers())['problems']), 'cannot read the interfaces: ');
    // More than one attempt.
    await sleep(2500);
    t.notOk(listensOn('br-files'));
    allow(1024);
    await scene.said(daemon, 'the interfaces are read again');
    await until('it listens again', 5, async () => listensOn('br-files'));
    t.notMatch(String((await scene.answers())['problems']), 'cannot read');
    for (const line of ['cannot read the interfaces', 'cannot read the Wi-Fi stations']) t.ok(daemon.output.split(line).length <= 2, `${line}: once`);
    ip('link del br-files');
  });

  t.test('a reload: nothing for no change, in place where it can, from within where it must', async (t) => {
    const scene = new Scene(t);
    scene.write({ interface: 'br-a' });
    await scene.startUbusd();
    const daemon = scene.start();
    const before = await scene.answers();
    daemon.child.kill('SIGHUP');
    scene.write({ interface: 'br-b' });
    daemon.child.kill('SIGHUP');
    await scene.said(daemon, 'configuration read again');
    t.equal(daemon.output.split('configuration read again').length, 2, 'once for two signals, of which one had news');
    bridge('br-b');
    await until('the new interface is served', 5, async () => listensOn('br-b'));
    scene.write({ interface: 'br-b', port: '4555' });
    daemon.child.kill('SIGHUP');
    await scene.said(daemon, 'stopped');
    await until('it listens on the new port', 5, async () => readFileSync('/proc/net/tcp6', 'utf8').includes(':11CB '));
    t.equal((await scene.answers())['node'], before['node'], 'the same node');
    t.ok(daemon.running, 'in the same process');
    scene.write({ interface: 'br-b', port: 'y' });
    daemon.child.kill('SIGHUP');
    await scene.said(daemon, 'main.port: expected');
    t.equal((await scene.answers())['node'], before['node'], 'what cannot be used changes nothing');
    const problems = async () => String((await scene.answers())['problems']);
    t.match(await problems(), /the configuration from before is still in use: .*main\.port: expected/, 'and is told of as long as that lasts');
    scene.write({ interface: 'br-b', port: '4555' });
    daemon.child.kill('SIGHUP');
    await until('it is mended', 5, async () => !(await problems()).includes('main.port'));
    ip('link del br-b');
  });

  t.test('a network for an interface: its device is found, and found again when it changes', async (t) => {
    const scene = new Scene(t);
    scene.write({ interface: 'client' });
    await scene.startUbusd();
    await scene.connect();
    bridge('br-one');
    bridge('br-two');
    let device = 'br-one';
    const status = { args: { interface: 'string' }, handler: () => ({ up: true, l3_device: device }) } as const;
    const netifd = await scene.ubus.addObject('network.interface', { status });
    scene.start();
    await scene.answers();
    await until('the device is served', 5, async () => listensOn('br-one'));
    device = 'br-two';
    netifd.notify('interface.update', { interface: 'client', l3_device: device });
    await until('the new device is served', 5, async () => listensOn('br-two') && !listensOn('br-one'));
    ip('link del br-one');
    ip('link del br-two');
  });

  t.test('ubusd that comes late, and again', async (t) => {
    const scene = new Scene(t);
    scene.write({ interface: 'br-a' });
    const daemon = scene.start();
    await scene.said(daemon, 'started as');
    await scene.startUbusd();
    await scene.answers();
    await scene.broker!.close();
    await scene.startUbusd();
    await scene.answers();
    t.ok(daemon.running);
  });

  t.test('nowhere to keep the state: read-only, full or missing', async (t) => {
    const scene = new Scene(t);
    await scene.startUbusd();
    const mount = (name: string, options: string) => {
      const path = join(directory, name);
      execFileSync('install', ['-d', path]);
      execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'none', path]);
      t.teardown(() => execFileSync('umount', [path]));
      return path;
    };
    scene.write({ state_dir: join(mount('readonly', 'ro'), 'state') });
    const daemon = scene.start();
    await scene.said(daemon, 'the node id cannot be kept');
    await scene.answers();
    await daemon.stop();
    t.equal(daemon.child.exitCode, 0);
    const full = mount('full', 'size=4k');
    writeFileSync(join(full, 'filler'), Buffer.alloc(4096));
    scene.write({ state_dir: join(full, 'state') });
    const other = scene.start();
    await scene.said(other, 'started as');
    t.ok(other.running);
    await other.stop();
    scene.write({ state_dir: '/dev/null/state' });
    await scene.said(scene.start(), 'started as');
  });

  const setpriv = spawnSync('setpriv', ['--version']).status === 0;
  t.test('as another user with its capabilities and the ACL of the package', { skip: setpriv ? false : 'no setpriv' }, async (t) => {
    const scene = new Scene(t);
    scene.write({ interface: 'br-p', prefix: '10.44.0.0/16' });
    bridge('br-p');
    ip('addr add 10.44.0.1/16 dev br-p');
    execFileSync('install', ['-d', '-o', '65534', '-g', '65534', scene.state]);
    // A user that is not there has no rights, and on this machine there is no user roaming.
    const acl = readFileSync('files/usr/share/acl.d/roaming.json', 'utf8').replace('"user": "roaming"', '"user": "nobody"');
    mkdirSync(join(directory, 'acl.d'));
    writeFileSync(join(directory, 'acl.d/roaming.json'), acl, { mode: 0o644 });
    scene.broker = new Broker({ path: scene.socket, acl: join(directory, 'acl.d') });
    await scene.broker.listen();
    const unprivileged = `${scene.socket}.roaming`;
    await scene.broker.listen({ path: unprivileged, credentials: { uid: 65534, gid: 65534, user: 'nobody', group: 'nogroup' } });
    chmodSync(unprivileged, 0o777);
    await scene.connect();
    const removed: string[] = [];
    const stations: { [mac: string]: { authorized: boolean } } = {};
    await scene.ubus.addObject('hostapd.br-p', {
      get_status: { handler: () => ({ ssid: 'mesh' }) },
      get_clients: { handler: () => ({ clients: stations }) },
      del_client: { args: { addr: 'string', reason: 'int32', deauth: 'bool', ban_time: 'int32' }, handler: ({ addr }) => void removed.push(String(addr)) },
    });
    stations[MAC] = { authorized: true };
    const { ambient } = JSON.parse(readFileSync('files/etc/capabilities/roaming.json', 'utf8')) as { ambient: string[] };
    const names = ambient.map((name) => `+${name.replace('CAP_', '').toLowerCase()}`).join(',');
    const sets = ['--inh-caps', '--ambient-caps', '--bounding-set'].map((set) => `${set}=-all,${names}`);
    const user = ['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups', ...sets, '--no-new-privs'];
    // Without what tap has Node load in every process: it writes where this user may not.
    const daemon = new Service('roaming', ['env', '-u', 'NODE_OPTIONS', ...user, process.execPath, program, 'daemon', '--config', scene.config, '--ubus', unprivileged]);
    t.teardown(() => daemon.stop());
    await until('the client is here', 10, async () => {
      const answer = await scene.ubus.call('roaming', 'clients').catch(() => undefined);
      return (answer?.['clients'] as { here: boolean }[] | undefined)?.some(({ here }) => here);
    }).catch((error: Error) => {
      throw new Error(`${error.message}\n${daemon.output}`);
    });
    t.match(ip('rule'), /lookup (44|roaming)/, 'it may make rules');
    t.ok(listensOn('br-p'), 'and open packet sockets');
    await daemon.stop();
    t.equal(daemon.child.exitCode, 0);
    // The init script allows it a better nice level by a resource limit, which not every machine of tests may set.
    t.notMatch(daemon.output.replace(/^debug: the priority stays as it is.*$/m, ''), /EPERM|EACCES|denied|not permitted/i);
    t.notMatch(ip('rule'), /lookup (44|roaming)/, 'and it leaves nothing');
  });
}

void inNamespace(t, import.meta.url, faults);
