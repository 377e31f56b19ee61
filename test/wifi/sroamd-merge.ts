/**
 * `make bench-sroamd`, inside the virtual machine, where sroamd finds nl80211: the same stream of updates over TCP on
 * loopback to sroamd and to the daemon with `auth 'none'`, and the time until each has taken it in, which shows at a
 * second peer that is told of all news. Environment: SROAMD (sroamd's binary), SIZES (records).
 */
import { readFile, writeFile } from 'node:fs/promises';
import * as net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import type { Record } from '../../src/clients/record.js';
import { associationKey, RecordType, typeOfKey } from '../../src/clients/record.js';
import type { Instant } from '../../src/clients/time.js';
import { decodeTlv, encodeHandshake, HANDSHAKE_BYTES, TlvSplitter, writeTlv } from '../../src/flood/frame.js';
import { Writer } from '../../src/net/bytes.js';
import { programs } from '../bench/bundles.js';
import { clientMac, recordsOfClients } from '../bench/records.js';
import { SHIPPED_FLAGS } from '../bench/shipped.js';
import { run, Service, until } from '../lab/shell.js';
import { Radios } from './air.js';

const SIZES = (process.env['SIZES'] ?? '1000,10000,40000').split(',').map(Number);
const LIFETIME = 3600;
const HOST = '127.0.0.1';
const PORT = 4444;

/** Ends a stream: when it has come through, so has all before it. */
const LAST = associationKey(clientMac(0xffffff));

interface Program {
  readonly name: string;
  start(): Promise<Service>;
}

const sroamd: Program = {
  name: 'sroamd',
  start: async () => new Service('sroamd', [process.env['SROAMD']!, '-f', `${PORT}`]),
};

const roaming: Program = {
  name: 'roaming',
  start: async () => {
    const directory = join(tmpdir(), `merge-${performance.now()}`);
    await run('mkdir', directory);
    const options = { enabled: '1', auth: 'none', discovery: '0', state_dir: join(directory, 'state') };
    const lines = Object.entries(options).map(([name, value]) => `\toption ${name} '${value}'\n`);
    const config = join(directory, 'roaming');
    await writeFile(config, `config roaming 'main'\n${lines.join('')}`);
    return new Service('roaming', [process.execPath, ...SHIPPED_FLAGS, programs.roaming, 'daemon', '--config', config, '--ubus', join(directory, 'ubus.sock')]);
  },
};

/** A peer that knows the basic protocol only. */
class BasicPeer {
  /** Updates that have come of types that sroamd knows. */
  updates = 0;
  #isUp = false;
  #last: ((seqno: number) => void) | undefined;
  readonly #splitter = new TlvSplitter();

  private constructor(private readonly socket: net.Socket) {
    let opening = HANDSHAKE_BYTES;
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      const rest = bytes.subarray(opening);
      opening -= bytes.length - rest.length;
      this.#isUp = opening === 0;
      for (const { type, body } of this.#splitter.split(rest)) this.#take(decodeTlv(type, body));
    });
    socket.write(encodeHandshake(0));
  }

  #take(tlv: ReturnType<typeof decodeTlv>): void {
    if (tlv?.type !== 'update' || tlv.key.length === 0 || typeOfKey(tlv.key) > RecordType.association) return;
    this.updates++;
    if (tlv.key === LAST) this.#last?.(tlv.seqno);
  }

  /** Tries until somebody listens. */
  static connect(): Promise<BasicPeer> {
    return until('a peer listens', 30, async () => {
      const socket = net.connect({ host: HOST, port: PORT });
      const isOpen = await new Promise<boolean>((resolve) => socket.once('connect', () => resolve(true)).once('error', () => resolve(false)));
      if (!isOpen) return undefined;
      const peer = new BasicPeer(socket);
      await until('the handshake', 10, async () => peer.#isUp);
      return peer;
    });
  }

  send(bytes: Uint8Array): void {
    this.socket.write(bytes);
  }

  /** Resolves when the last record of a stream has come in that version. */
  last(seqno: number): Promise<void> {
    return new Promise((resolve) => (this.#last = (seen) => seen === seqno && resolve()));
  }

  end(): void {
    this.socket.destroy();
  }
}

/** Updates as they go over the wire. */
function encode(records: Iterable<Record>, seqno: number): Uint8Array {
  const w = new Writer(1 << 20);
  for (const { key, value } of records) writeTlv(w, { type: 'update', key, value, seqno, lifetime: LIFETIME });
  return w.done();
}

interface Result {
  /** Seconds for as many new records, for the same again, and for a move of each client. */
  readonly fresh: number;
  readonly same: number;
  readonly moves: number;
  /** Resident memory, in MiB, beyond what the program has when it is empty. */
  readonly memory: number;
}

async function residentOf(service: Service): Promise<number> {
  const status = await readFile(`/proc/${service.child.pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)![1]) / 1024;
}

async function measure(program: Program, records: readonly Record[]): Promise<Result> {
  const service = await program.start();
  try {
    const [source, sink] = [await BasicPeer.connect(), await BasicPeer.connect()];
    const empty = await residentOf(service);
    let ends = 0;
    const feed = async (bytes: Uint8Array) => {
      const last = encode([{ key: LAST, value: '', seqno: 0, expires: 0 as Instant }], ++ends);
      const came = sink.last(ends);
      const began = performance.now();
      source.send(bytes);
      source.send(last);
      await Promise.race([came, until(`${program.name} takes all in`, 600, async () => !service.running)]);
      if (!service.running) throw new Error(`${program.name} ended:\n${service.output.slice(-1000)}`);
      return (performance.now() - began) / 1000;
    };
    const all = encode(records, 1);
    const fresh = await feed(all);
    if (sink.updates !== records.length + 1) throw new Error(`${program.name} passed on ${sink.updates} of ${records.length + 1} updates`);
    const memory = (await residentOf(service)) - empty;
    const same = await feed(all);
    const moves = await feed(encode(records.filter(({ key }) => typeOfKey(key) === RecordType.association), 2));
    source.end();
    sink.end();
    return { fresh, same, moves, memory };
  } finally {
    await service.stop('SIGKILL');
  }
}

/** Leases and associations: what sroamd itself would say. */
function streamOf(size: number): Record[] {
  return [...recordsOfClients(Math.ceil(size / 3))].filter(({ key }) => typeOfKey(key) <= RecordType.association).slice(0, size);
}

async function main(): Promise<void> {
  if (process.env['MODULES'] !== undefined) await Radios.make(1);
  process.stdout.write(`Updates over TCP, taken in and passed on to a second peer, in seconds; moves: a third as many\n\n`);
  process.stdout.write('records  program      new     same    moves   MiB    x faster: new   same  moves\n');
  for (const size of SIZES) {
    const records = streamOf(size);
    const theirs = await measure(sroamd, records);
    print(size, sroamd.name, theirs, '');
    const ours = await measure(roaming, records);
    const ratios = (['fresh', 'same', 'moves'] as const).map((phase) => (theirs[phase] / ours[phase]).toFixed(1).padStart(7));
    print(size, roaming.name, ours, `        ${ratios.join('')}`);
  }
}

function print(size: number, name: string, { fresh, same, moves, memory }: Result, ratios: string): void {
  const cells = [fresh, same, moves].map((seconds) => seconds.toFixed(2).padStart(8)).join('');
  process.stdout.write(`${String(size).padEnd(8)} ${name.padEnd(8)}${cells}${memory.toFixed(1).padStart(7)}${ratios}\n`);
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`${(error as Error).stack}\n`);
    process.exit(1);
  },
);
