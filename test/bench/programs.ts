/** Programs that a benchmark keeps running beside what it measures. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PlainTable } from 'ubus-ts';
import { UbusClient } from 'ubus-ts';
import type { Router } from '../lab/router.js';
import type { Cleanup } from '../lab/shell.js';
import { Service, until } from '../lab/shell.js';
import type { Topology } from '../lab/topology.js';
import { SERVER4, SERVER6 } from '../lab/topology.js';
import type { Captured } from './capture.js';
import { readCapture } from './capture.js';
import { STREAM_PORT } from './stream-format.js';
import type { Site } from './systems.js';

/** `ip` in a host's namespace, kept running: a command takes no process of its own, and so less than a millisecond. */
export class IpShell {
  readonly #service: Service;
  #done: ((error?: Error) => void)[] = [];

  constructor(net: Topology, host: string, cleanup: Cleanup) {
    this.#service = new Service('ip', net.in(host, 'ip', '-force', '-batch', '-'), 'pipe');
    this.#service.onLine = (line) => {
      // What was asked for last is shown when all before it is done.
      if (/^\d+: lo:/.test(line)) this.#done.shift()?.();
      else if (/^(RTNETLINK|Cannot|Error)/.test(line)) this.#done.shift()?.(new Error(`ip: ${line}`));
    };
    cleanup.add(() => this.#service.stop('SIGKILL'));
  }

  run(...commands: string[]): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#done.push((error) => (error === undefined ? resolve() : reject(error)));
      this.#service.child.stdin!.write([...commands, 'link show lo', ''].join('\n'));
    });
  }
}

/** A capture on an interface, from its construction on. */
export class Capture {
  readonly #service: Service;

  readonly #file: string;

  /** Of the streams, or of everything else. */
  constructor({ net, directory, cleanup }: Site, host: string, device: string, { streams }: { streams: boolean }) {
    const file = join(directory, `${host}-${device}.pcap`);
    const filter = `${streams ? '' : 'not '}udp port ${STREAM_PORT}`;
    this.#file = file;
    this.#service = new Service('dumpcap', net.in(host, 'dumpcap', '-q', '-P', '-i', device, '-s', '96', '-f', filter, '-w', file));
    cleanup.add(() => this.#service.stop('SIGKILL'));
  }

  async ready(): Promise<void> {
    await until('dumpcap captures', 30, async () => this.#service.output.includes('File:'));
  }

  /** What was captured so far, less what is not half a second old. */
  async read(): Promise<Captured[]> {
    return [...readCapture(await readFile(this.#file))];
  }

  async end(): Promise<Captured[]> {
    await this.#service.stop('SIGINT');
    return this.read();
  }
}

/** Streams between the client and the server, both ways and over both families, a packet every `interval` milliseconds. */
export async function startStreams({ net, cleanup, programs }: Site, interval: number): Promise<Service[]> {
  const start = (host: string, ...words: string[]) => {
    // What is measured with goes before what is measured.
    const service = new Service('stream', net.in(host, 'chrt', '-f', '1', programs.stream, ...words));
    cleanup.add(() => service.stop('SIGKILL'));
    return service;
  };
  const services = [start('server', 'server', `${interval}`), start('client', 'client', `${interval}`, SERVER4, SERVER6)];
  for (const server of [SERVER4, SERVER6]) {
    await until(`the client reaches ${server}`, 180, () =>
      net.exec('client', 'ping', '-c', '1', '-W', '1', server).then(() => true, () => false),
    );
  }
  return services;
}

/** What a router's daemon answers on ubus. */
export async function ask(router: Router, method: string, args: PlainTable = {}): Promise<PlainTable> {
  const ubus = new UbusClient({ path: router.ubusSocket });
  try {
    await ubus.connect();
    return (await ubus.call('roaming', method, args)) ?? {};
  } finally {
    ubus.close();
  }
}

/** Resident memory, in MiB, of programs of these names in a host's namespace. */
export async function residentSet(net: Topology, host: string, names: readonly string[]): Promise<number> {
  const pids = (await net.exec(host, 'ip', 'netns', 'pids', net.ns(host))).split('\n').filter((pid) => pid !== '');
  let total = 0;
  for (const pid of pids) {
    const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
    const name = /^Name:\s*(.*)$/m.exec(status)?.[1] ?? '';
    if (names.includes(name)) total += Number(/^VmRSS:\s*(\d+)/m.exec(status)?.[1] ?? 0);
  }
  return total / 1024;
}
