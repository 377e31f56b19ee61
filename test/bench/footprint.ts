/**
 * What the daemon takes of a router: memory and processor by the number of clients in the network, and the time from
 * its start to the first DHCP answer; each against a node that does nothing. Runs in a network namespace of its own.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { performance } from 'node:perf_hooks';
import { Broker, UbusClient } from 'ubus-ts';
import type { NodeId } from '../../src/clients/node-id.js';
import { parseNodeId } from '../../src/clients/node-id.js';
import type { RecordKey } from '../../src/clients/record.js';
import { associationKey, lease4Key, lease6Key, macValue, nodeInfoValue, nodeKey, nodeValue } from '../../src/clients/record.js';
import { MessageType, Op, writeDhcp4 } from '../../src/dhcp4/message.js';
import { encodeHandshake, writeTlv } from '../../src/flood/frame.js';
import { loadPacketAddon } from '../../src/linux/addons.js';
import { PacketSocket } from '../../src/linux/packet-socket.js';
import { Writer } from '../../src/net/bytes.js';
import { writeUdpFrame4 } from '../../src/net/frame4.js';
import { ANY4, BROADCAST4, ip4FromNumber, parseIp } from '../../src/net/ip.js';
import type { Ip6 } from '../../src/net/ip.js';
import { BROADCAST_MAC, macFromBytes, parseMac } from '../../src/net/mac.js';
import { Cleanup, interruption, Interrupted, Service, sleep, until } from '../lab/shell.js';
import { SHIPPED_FLAGS } from './shipped.js';

const PROGRAM = resolve('dist/roaming.js');
const CLIENT = parseMac('02:00:00:00:00:11');
/** Daemons started for one number of clients: memory is the median's. */
const SAMPLES = 3;
/** The last of them is watched so long while nothing happens. */
const IDLE_SECONDS = 20;
/** Between the last route and the reading of memory: V8 looks after 8 s without much to do for what it can give back. */
const SETTLE_SECONDS = 12;
/** Of resident memory, as a ratio to node alone, by clients in the network. */
const AIMS = new Map([[0, '1.25'], [100, '1.3'], [1000, '1.35'], [10_000, '1.8']]);
/** FLAGS tries others. */
const V8_FLAGS = process.env['FLAGS']?.split(' ').filter((flag) => flag !== '') ?? SHIPPED_FLAGS;

const cleanup = new Cleanup();
const directory = mkdtempSync(join(tmpdir(), 'footprint-'));
cleanup.add(() => rmSync(directory, { recursive: true }));
const socket = join(directory, 'ubus.sock');
const config = join(directory, 'roaming');

const ip = (words: string) => execFileSync('ip', words.split(' '), { stdio: ['ignore', 'pipe', 'inherit'] });
const median = (values: number[]) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)]!;

function buildNetwork(): void {
  ip('link set lo up');
  ip('link add br-client address 00:00:5e:00:52:13 type bridge forward_delay 0');
  ip('link set br-client up');
  ip('addr add 10.44.0.1/16 dev br-client');
  ip(`link add port0 type veth peer name client0 address ${CLIENT}`);
  ip('link set port0 master br-client up');
  ip('link set client0 up');
  ip('link add mesh0 type veth peer name mesh1');
  ip('link set mesh0 up');
  ip('link set mesh1 up');
  ip('addr add 10.99.0.1/24 dev mesh0');
  ip('addr add fd99::1/64 dev mesh0 nodad');
  const options = ['enabled 1', 'interface br-client', 'prefix 10.44.0.0/16', 'prefix fd44:44::/32', 'auth none', 'log_level error', `state_dir ${directory}/state`];
  const lines = options.map((option) => `\t${/^(prefix|interface)/.test(option) ? 'list' : 'option'} ${option.replace(' ', " '")}'\n`);
  writeFileSync(config, `config roaming 'main'\n${lines.join('')}`);
}

async function startUbus(): Promise<void> {
  await new Broker({ path: socket }).listen();
  const hostapd = new UbusClient({ path: socket });
  await hostapd.connect();
  await hostapd.addObject('hostapd.port0', {
    get_status: { handler: () => ({ ssid: 'mesh' }) },
    get_clients: { handler: () => ({ clients: { [CLIENT]: { authorized: true } } }) },
  });
}

function startDaemon(): Service {
  const node = [process.execPath, ...V8_FLAGS];
  const daemon = new Service('roaming', ['env', 'UV_THREADPOOL_SIZE=2', ...node, PROGRAM, 'daemon', '--config', config, '--ubus', socket]);
  cleanup.add(() => daemon.stop());
  return daemon;
}

/** In KiB: proc_pid_status(5). */
function memoryOf(pid: number, field: 'VmRSS' | 'VmHWM' | 'RssAnon'): number {
  return Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]);
}

/** Processor time so far, in seconds; the kernel counts hundredths. */
function processorOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /, '').split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

async function bareResident(): Promise<number> {
  const node = new Service('node', [process.execPath, '-e', 'setInterval(()=>{},1e9)']);
  cleanup.add(() => node.stop());
  await sleep(1500);
  const resident = memoryOf(node.child.pid!, 'VmRSS');
  await node.stop();
  return resident;
}

/** Milliseconds until a node that does nothing has ended. */
function bareStart(): number {
  const start = performance.now();
  spawnSync(process.execPath, ['-e', '0']);
  return performance.now() - start;
}

/** Milliseconds from the daemon's start to its first OFFER, for a client that asks every 2 ms. */
async function firstAnswer(): Promise<number> {
  const addon = loadPacketAddon(resolve('dist/packet.node'));
  const [{ ifindex }] = JSON.parse(ip('-j link show dev client0').toString()) as [{ ifindex: number }];
  const empty = new Uint8Array(0);
  const message = { op: Op.bootRequest, hops: 0, xid: 1, secs: 0, broadcast: true, ciaddr: ANY4, yiaddr: ANY4, siaddr: ANY4, giaddr: ANY4, chaddr: CLIENT, sname: empty, file: empty };
  const payload = writeDhcp4({ ...message, options: new Map([[53, Uint8Array.of(MessageType.discover)]]) });
  const discover = writeUdpFrame4({ sourceMac: CLIENT, destinationMac: BROADCAST_MAC, source: ANY4, destination: BROADCAST4, sourcePort: 68, destinationPort: 67, payload });
  const start = performance.now();
  const daemon = startDaemon();
  const elapsed = await new Promise<number>((resolve, reject) => {
    setTimeout(() => reject(new Error(`no answer:\n${daemon.output}`)), 15_000).unref();
    interruption.signal.addEventListener('abort', () => reject(new Interrupted('interrupted')));
    const timer = setInterval(() => socket.send(discover), 2);
    const socket = new PacketSocket(addon, {
      ifindex,
      onFrames: (frames) => {
        // IPv4, UDP from port 67: the only server here is ours.
        if (!frames.some(({ bytes }) => bytes[12] === 8 && bytes[13] === 0 && bytes[23] === 17 && bytes[34] === 0 && bytes[35] === 67)) return;
        clearInterval(timer);
        socket.close();
        resolve(performance.now() - start);
      },
      onError: () => {},
    });
  });
  await daemon.stop();
  return elapsed;
}

/** The database of another node with `count` clients, as its flooding session would tell it. */
function flood(count: number, node: NodeId): Uint8Array {
  const w = new Writer(1 << 16).put(encodeHandshake(0));
  const update = (key: RecordKey, value: string) => writeTlv(w, { type: 'update', seqno: 1, lifetime: 3600, key, value });
  update(nodeKey(node), nodeInfoValue({ hostname: 'far', addresses: [parseIp('10.99.0.2'), parseIp('fd99::2')], port: 4444 }));
  for (let i = 0; i < count; i++) {
    const mac = macFromBytes(Uint8Array.of(2, 0, 1, i >> 16, (i >> 8) & 0xff, i & 0xff));
    update(associationKey(mac), nodeValue(node));
    update(lease4Key(ip4FromNumber(0x0a2c1000 + i)), macValue(mac));
    update(lease6Key(parseIp(`fd44:44:0:${(0x1000 + i).toString(16)}::`) as Ip6), macValue(mac));
  }
  return w.done();
}

interface Load {
  /** KiB, once all is quiet. */
  readonly resident: number;
  /** Of that, what is in no file: each process has its own. */
  readonly anonymous: number;
  /** The most that there was. */
  readonly peak: number;
  /** Share of a processor, where it was watched. */
  readonly processor: number;
}

/** With so many clients elsewhere. */
async function load(clients: number, idleSeconds: number): Promise<Load> {
  const daemon = startDaemon();
  const ubus = new UbusClient({ path: socket });
  await ubus.connect();
  const status = () => ubus.call('roaming', 'status').catch(() => undefined);
  await until('the daemon answers', 20, status);
  const peer = connect({ host: '127.0.0.1', port: 4444 });
  peer.on('error', () => {});
  peer.resume();
  peer.write(flood(clients, parseNodeId('0200000000000002')));
  await until(`${clients} clients and their routes`, 60, async () => {
    const now = (await status()) as { clients: number; routes: { installed: number; pending: number } } | undefined;
    return now !== undefined && now.clients >= clients && now.routes.pending === 0 && now.routes.installed >= 2 * clients;
  });
  await sleep(1000 * SETTLE_SECONDS);
  const pid = daemon.child.pid!;
  const memory = { resident: memoryOf(pid, 'VmRSS'), anonymous: memoryOf(pid, 'RssAnon'), peak: memoryOf(pid, 'VmHWM') };
  const before = processorOf(pid);
  await sleep(1000 * idleSeconds);
  const result = { ...memory, processor: (processorOf(pid) - before) / idleSeconds };
  peer.destroy();
  ubus.close();
  await daemon.stop();
  return result;
}

function line(what: string, value: string, ratio: string, aim: string): void {
  console.log(`${what.padEnd(36)}${value.padStart(20)}${ratio.padStart(8)}${aim.padStart(10)}`);
}

async function main(): Promise<void> {
  buildNetwork();
  await startUbus();
  console.log(`node ${process.version} ${V8_FLAGS.join(' ')}`);
  line('', '', 'ratio', 'aim');
  const size = ['dist/roaming.js', 'dist/cli/daemon.js', 'dist/cli/commands.js', 'dist/LICENSES'].reduce((sum, file) => sum + statSync(resolve(file)).size, 0);
  line('bundle with licences', `${Math.ceil(size / 1024)} KiB`, '', '600 KiB');
  const started = median([1, 2, 3, 4, 5].map(bareStart));
  line('node alone, from start to end', `${started.toFixed(0)} ms`, '', '');
  const answers: number[] = [];
  for (let i = 0; i < 5; i++) answers.push(await firstAnswer());
  line('start to first DHCP answer', `${median(answers).toFixed(0)} ms`, (median(answers) / started).toFixed(2), '3');
  const bare = median([await bareResident(), await bareResident(), await bareResident()]);
  line('node alone, resident', mebibytes(bare), '', '');
  for (const clients of (process.env['CLIENTS'] || '0 100 1000 10000').split(' ').map(Number)) {
    const loads: Load[] = [];
    for (let i = 1; i <= SAMPLES; i++) loads.push(await load(clients, i === SAMPLES ? IDLE_SECONDS : 0));
    const of = (field: keyof Load) => median(loads.map((one) => one[field]));
    line(`${clients} clients: resident`, mebibytes(of('resident')), (of('resident') / bare).toFixed(2), AIMS.get(clients) ?? '');
    line('    of that in no file; at its peak', `${mebibytes(of('anonymous'))}; ${mebibytes(of('peak'))}`, '', '');
    line('    processor when idle', `${(loads.at(-1)!.processor * 100).toFixed(2)} %`, '', clients === 1000 ? '0.5 %' : '');
  }
}

const mebibytes = (kibibytes: number) => `${(kibibytes / 1024).toFixed(1)} MiB`;

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => interruption.raise());
main()
  .catch((error: Error) => {
    console.error(error.message);
    process.exitCode = error instanceof Interrupted ? 130 : 1;
  })
  .finally(() => cleanup.run())
  .finally(() => process.exit());
