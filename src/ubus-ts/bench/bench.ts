/*
 * How fast this library calls and decodes, next to the C `ubus` command calling the same object on the same socket, in one run.
 * Uses the real ubusd where it is on PATH, else the broker. The object lives in a process of its own.
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { Broker, UbusClient, decodeFields, encodeFields, formatJson, fromFields, toFields, type Table } from '../src/index.js';

const rounds = { warmUp: 500, calls: 5000, concurrent: 20_000, commands: 100, large: 30, decode: 60 };

/** The clients of a large access point, as hostapd's get_clients tells them; about 0.9 MB of blobmsg. */
function largeReply(): Table {
  const rates = { mcs: 9, nss: 2, short_gi: true, bytes: 123456789012, packets: 987654 };
  const mac = (i: number): string => [2, 0, 0, 0, i >> 8, i & 255].map(byte => byte.toString(16).padStart(2, '0')).join(':');
  const clients = Object.fromEntries(Array.from({ length: 1500 }, (_, i) => [mac(i), {
    auth: true, assoc: true, authorized: true, preauth: false, wds: false, wmm: true, ht: true, vht: true, he: false, wps: false, mfp: true,
    rrm: [115, 0, 0, 0, 0], aid: i, signature: 'wifi4|probe:0,1,45,127,191,htcap:006f,htagg:17|assoc:0,1,33,36,45,48,70,127,191',
    signal: -61, airtime: { rx: 1234567, tx: 7654321 }, rx: rates, tx: rates,
  }]));
  return { freq: 5180, clients };
}

async function serve(path: string): Promise<void> {
  // Encoded beforehand, so that what is measured is the reading side.
  const reply = encodeFields(toFields(largeReply()));
  const client = new UbusClient({ path });
  await client.connect();
  await client.addObject('bench', { empty: { handler: () => ({}) }, large: { handler: () => reply } });
  process.send?.('ready');
}

/** Starts a process and waits until it says that it is ready. */
function startServer(path: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, [process.argv[1]!, 'serve', path], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  return new Promise((resolve, reject) => {
    child.once('message', () => resolve(child));
    child.once('exit', code => reject(new Error(`the server ended with ${code}`)));
  });
}

/** Seconds that `action` takes. */
async function timed(action: () => Promise<unknown> | void): Promise<number> {
  const start = performance.now();
  await action();
  return (performance.now() - start) / 1000;
}

async function repeat(count: number, action: () => Promise<unknown>): Promise<void> {
  for (let i = 0; i < count; i++) await action();
}

function hasProgram(name: string): boolean {
  try {
    execFileSync('/bin/sh', ['-c', `command -v ${name}`], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Starts ubusd, or the broker where there is none; the result ends it. */
async function startBus(path: string): Promise<{ name: string; stop: () => Promise<void> }> {
  if (hasProgram('ubusd')) {
    const daemon = spawn('ubusd', ['-s', path], { stdio: 'ignore' });
    return { name: 'ubusd', stop: async () => void daemon.kill() };
  }
  const broker = new Broker({ path });
  await broker.listen();
  return { name: 'the broker', stop: () => broker.close() };
}

async function connect(path: string): Promise<UbusClient> {
  const client = new UbusClient({ path });
  for (let tries = 0; ; tries++) {
    try {
      await client.connect();
      return client;
    } catch (error) {
      if (tries === 100) throw error;
      await new Promise(resolve => setTimeout(resolve, 20));
    }
  }
}

interface Measured {
  /** Calls per second, one after the other and many at a time. */
  sequential: number;
  concurrent?: number;
  /** Bytes per second of a large reply: received, decoded and printed as JSON. */
  throughput: number;
}

async function measureLibrary(path: string, size: number): Promise<Measured> {
  const client = await connect(path);
  const call = (): Promise<unknown> => client.call('bench', 'empty');
  await repeat(rounds.warmUp, call);
  const sequential = rounds.calls / (await timed(() => repeat(rounds.calls, call)));
  const concurrent = rounds.concurrent / (await timed(() => Promise.all(Array.from({ length: rounds.concurrent }, call))));
  let printed = 0;
  const large = (): Promise<void> => client.invoke('bench', 'large', {}, data => (printed += formatJson(data).length));
  await repeat(3, large);
  const seconds = await timed(() => repeat(rounds.large, large));
  if (printed === 0) throw new Error('no reply');
  client.close();
  return { sequential, concurrent, throughput: (rounds.large * size) / (seconds - rounds.large / sequential) };
}

/** The command is a process per call, and that is counted: there is no other way to call with it. */
async function measureCommand(path: string, size: number): Promise<Measured> {
  const run = (method: string): void => void execFileSync('ubus', ['-s', path, '-S', 'call', 'bench', method], { maxBuffer: 1 << 24 });
  const all = (count: number, method: string): Promise<number> => timed(() => { for (let i = 0; i < count; i++) run(method); });
  await all(5, 'empty');
  const sequential = rounds.commands / (await all(rounds.commands, 'empty'));
  const seconds = await all(rounds.large, 'large');
  return { sequential, throughput: (rounds.large * size) / (seconds - rounds.large / sequential) };
}

async function measureDecoding(): Promise<{ fields: number; values: number; encode: number }> {
  const table = largeReply();
  const bytes = encodeFields(toFields(table));
  const rate = async (action: () => unknown): Promise<number> => {
    for (let i = 0; i < 10; i++) action();
    return (rounds.decode * bytes.length) / (await timed(() => { for (let i = 0; i < rounds.decode; i++) action(); }));
  };
  return {
    fields: await rate(() => decodeFields(bytes)),
    values: await rate(() => fromFields(decodeFields(bytes))),
    encode: await rate(() => encodeFields(toFields(table))),
  };
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB/s`;
const perSecond = (calls: number): string => `${Math.round(calls)} calls/s`;

function line(what: string, ours: string, theirs = '', ratio?: number): void {
  process.stdout.write(`${what.padEnd(44)}${ours.padStart(16)}${theirs.padStart(16)}${ratio === undefined ? '' : `${ratio.toFixed(2)}x`.padStart(10)}\n`);
}

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'ubus-bench-'));
  const path = join(folder, 'ubus.sock');
  const bus = await startBus(path);
  let server: ChildProcess | undefined;
  try {
    (await connect(path)).close();
    server = await startServer(path);
    const size = encodeFields(toFields(largeReply())).length;
    const ours = await measureLibrary(path, size);
    const theirs = hasProgram('ubus') ? await measureCommand(path, size) : undefined;
    const decoding = await measureDecoding();
    line(`over ${bus.name}; a large reply is ${(size / 1e6).toFixed(2)} MB`, 'ubus-ts', theirs && 'ubus (C)', undefined);
    line('call, one after the other', perSecond(ours.sequential), theirs && perSecond(theirs.sequential), theirs && ours.sequential / theirs.sequential);
    line('call, many at a time', perSecond(ours.concurrent!), theirs && perSecond(theirs.sequential), theirs && ours.concurrent! / theirs.sequential);
    line('large reply: receive, decode, print as JSON', megabytes(ours.throughput), theirs && megabytes(theirs.throughput), theirs && ours.throughput / theirs.throughput);
    line('decode to fields', megabytes(decoding.fields));
    line('decode to values', megabytes(decoding.values));
    line('encode values', megabytes(decoding.encode));
    if (theirs === undefined) process.stdout.write('no ubus on PATH: nothing to compare with\n');
  } finally {
    server?.kill();
    await bus.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

if (process.argv[2] === 'serve') await serve(process.argv[3]!);
else await main();
