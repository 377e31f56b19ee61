/**
 * `make bench-dhcp`: DHCPv4 exchanges in a second, latency, CPU time and memory: the daemon and dnsmasq, in turns, on one
 * machine, asked by ISC's perfdhcp. Environment: RATES (exchanges begun in a second, 100,200,500,1000,2000), SECONDS (5).
 *
 * Ours is the whole daemon with its packet sockets and database. perfdhcp speaks as a relay agent for thousands of
 * clients behind one MAC: an access point stand-in vouches for that MAC, `option relay` says where the agent is, and the
 * limits for hostile clients are lifted. dnsmasq is told not to ping addresses before it offers them, and is measured with
 * its file of leases, which it writes anew with each lease, and without: that is its best, and nobody's configuration.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Cleanup, interruption, ip, Service, until } from '../lab/shell.js';
import { GATEWAY4, PREFIX4, Topology } from '../lab/topology.js';
import type { PerfDhcp } from './perfdhcp.js';
import { quantile, readPerfDhcp } from './perfdhcp.js';
import { SHIPPED_FLAGS } from './shipped.js';

const here = dirname(fileURLToPath(import.meta.url));
const rates = (process.env['RATES'] ?? '100,200,500,1000,2000').split(',').map(Number);
const period = Number(process.env['SECONDS'] ?? 5);

const MAC = '02:00:00:00:00:01';
const AGENT = '10.44.255.254';
const CLOCK_TICKS = 100;

interface Site {
  readonly net: Topology;
  readonly cleanup: Cleanup;
  readonly directory: string;
}

interface Server {
  readonly name: string;
  start(site: Site): Promise<Service>;
}

const roaming: Server = {
  name: 'roaming',
  async start({ net, cleanup, directory }) {
    const socket = join(directory, 'ubus.sock');
    const accessPoint = fork(join(here, 'access-point.mjs'), [socket, '02:00:00:00:01:01', MAC], { execArgv: [] });
    cleanup.add(() => accessPoint.kill('SIGKILL'));
    await once(accessPoint, 'message');
    const config = join(directory, 'roaming');
    const options = {
      enabled: '1', interface: 'br-client', prefix: PREFIX4, state_dir: join(directory, 'state'), auth: 'none',
      relay: `${AGENT}/32`, exclude: AGENT, discover_rate: '100000', new_lease_rate: '100000',
    };
    const lines = Object.entries(options).map(([name, value]) => `\toption ${name} '${value}'\n`);
    await writeFile(config, `config roaming 'main'\n${lines.join('')}`);
    const program = [process.execPath, ...SHIPPED_FLAGS, join(here, '../dist/roaming.js')];
    const service = new Service('roaming', net.in('server', ...program, 'daemon', '--config', config, '--ubus', socket));
    cleanup.add(() => service.stop());
    await until('the daemon serves', 10, async () => service.output.includes(`${MAC} is here`));
    return service;
  },
};

const dnsmasq = (name: string, ...lease: string[]): Server => ({
  name,
  async start({ net, cleanup, directory }) {
    const range = '10.44.0.2,10.44.255.250,1h';
    const service = new Service('dnsmasq', net.in('server', 'dnsmasq', '--keep-in-foreground', '--conf-file=/dev/null', '--port=0',
      '--interface=br-client', '--bind-dynamic', `--dhcp-range=${range}`, '--dhcp-authoritative', '--no-ping', '--quiet-dhcp',
      '--dhcp-lease-max=100000', `--dhcp-leasefile=${join(directory, 'leases')}`, ...lease, '--user=root', '--log-facility=-'));
    cleanup.add(() => service.stop());
    await until('dnsmasq serves', 10, async () => service.output.includes('DHCP, sockets bound') || service.output.includes('IP range'));
    return service;
  },
});

const SERVERS = [roaming, dnsmasq('dnsmasq'), dnsmasq('no leases', '--leasefile-ro')];

interface Measured {
  readonly server: string;
  readonly offered: number;
  readonly result: PerfDhcp;
  /** Seconds of CPU time while asked, and MiB resident at the end. */
  readonly cpu: number;
  readonly memory: number;
}

async function measure(server: Server, offered: number): Promise<Measured> {
  const cleanup = new Cleanup();
  try {
    const directory = await mkdtemp(join(tmpdir(), 'roaming-bench-dhcp-'));
    cleanup.add(() => rm(directory, { recursive: true, force: true }));
    await mkdir(join(directory, 'state'));
    const net = new Topology('bdhcp', cleanup);
    await net.sweep();
    await net.addHost('server', true);
    await net.addHost('clients', false);
    await net.addClientBridge('server');
    await net.ip('server', 'link del wlan0');
    await ip(`link add eth0 netns ${net.ns('clients')} address ${MAC} type veth peer name wlan0 netns ${net.ns('server')}`);
    await net.ip('server', 'link set wlan0 master br-client up');
    await net.ip('clients', 'link set eth0 up');
    await net.ip('clients', `addr add ${AGENT}/16 dev eth0`);
    const service = await server.start({ net, cleanup, directory });
    const before = await cpuTime(service.child.pid!);
    const words = ['-4', '-l', 'eth0', '-R', '60000', '-r', String(offered), '-p', String(period), '-x', 't', GATEWAY4];
    // It ends with an error where an answer was missing.
    const asking = new Service('perfdhcp', net.in('clients', 'perfdhcp', ...words));
    interruption.signal.addEventListener('abort', () => void asking.stop());
    await once(asking.child, 'close');
    interruption.check();
    const cpu = (await cpuTime(service.child.pid!)) - before;
    return { server: server.name, offered, result: readPerfDhcp(asking.output), cpu, memory: await residentMemory(service.child.pid!) };
  } finally {
    await cleanup.run();
  }
}

/** User and system time of a process (proc(5)), in seconds. */
async function cpuTime(pid: number): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).replace(/^.*\) /s, '').split(' ');
  return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS;
}

async function residentMemory(pid: number): Promise<number> {
  return Number(/^VmRSS:\s+(\d+)/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
}

const COLUMNS = ['server', 'offered/s', 'done/s', 'lost', 'OFFER p50', 'p99', 'ACK p50', 'p99 ms', 'CPU ms/exch', 'MiB'];

function row({ server, offered, result, cpu, memory }: Measured): string[] {
  const ms = (delays: readonly number[], q: number) => quantile(delays, q).toFixed(2);
  const lost = result.begun === 0 ? 0 : 1 - result.done / result.begun;
  return [
    server, String(offered), result.rate.toFixed(0), `${(100 * lost).toFixed(1)} %`,
    ms(result.offerDelays, 0.5), ms(result.offerDelays, 0.99), ms(result.ackDelays, 0.5), ms(result.ackDelays, 0.99),
    ((1000 * cpu) / result.done).toFixed(2), memory.toFixed(0),
  ];
}

const print = (cells: readonly string[]) =>
  process.stdout.write(`${cells.map((cell, i) => (i === 0 ? cell.padEnd(9) : cell.padStart(11))).join(' ')}\n`);

async function main(): Promise<void> {
  process.stdout.write(`DHCPv4, ${period} s at each rate, every client new; perfdhcp takes its share of the same processors

  dnsmasq    as a router has it, but without pinging addresses before it offers them, which would take 3 s
  no leases  the same without a file of leases: what it gave is lost when it ends

`);
  print(COLUMNS);
  for (const offered of rates) for (const server of SERVERS) print(row(await measure(server, offered)));
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => interruption.raise());
main().catch((error: unknown) => {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 1;
});
