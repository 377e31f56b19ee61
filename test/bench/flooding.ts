/**
 * What a node has to send and to wait for until it knows all: one that is new, and one whose connection was cut while
 * 100 records changed. Two nodes in one process, over TLS on loopback; bytes are those of TCP's payload, both ways,
 * counted between the two. Aim: of a dump of 50,000 records, less than 2 %.
 */
import * as net from 'node:net';
import { performance } from 'node:perf_hooks';
import type { Database } from '../../src/clients/database.js';
import { associationKey, lease4Key, macValue, nodeValue } from '../../src/clients/record.js';
import type { Record } from '../../src/clients/record.js';
import { parseNodeId } from '../../src/clients/node-id.js';
import { after, HOUR } from '../../src/clients/time.js';
import { systemClock } from '../../src/linux/clock.js';
import { ip4FromNumber } from '../../src/net/ip.js';
import { macFromBytes } from '../../src/net/mac.js';
import { BenchNode } from './bench-node.js';

const CHANGES = 100;
const HOST = '127.0.0.1';

const mac = (n: number) => macFromBytes(Uint8Array.of(2, 0, 0, (n >>> 16) & 0xff, (n >>> 8) & 0xff, n & 0xff));

/** The n-th client's lease where n is even, its association where n is odd. */
function record(n: number, seqno: number): Record {
  const expires = after(systemClock.now(), HOUR);
  const client = n >> 1;
  if (n % 2 === 0) return { key: lease4Key(ip4FromNumber(0x0a000000 + client)), value: macValue(mac(client)), seqno, expires };
  return { key: associationKey(mac(client)), value: nodeValue(parseNodeId('00000000000000aa')), seqno, expires };
}

function fill(node: BenchNode, count: number): BenchNode {
  for (let n = 0; n < count; n++) node.put(record(n, 1));
  return node;
}

/** A link that counts, and that can be cut. */
class CountingLink {
  bytes = 0;
  #port = 0;
  #isCut = false;
  readonly #sockets = new Set<net.Socket>();
  readonly #server = net.createServer((near) => this.#connect(near));

  async open(port: number): Promise<number> {
    this.#port = port;
    await new Promise<void>((resolve) => this.#server.listen(0, HOST, resolve));
    return (this.#server.address() as net.AddressInfo).port;
  }

  #connect(near: net.Socket): void {
    if (this.#isCut) return void near.destroy();
    const far = net.connect({ host: HOST, port: this.#port });
    for (const [from, to] of [[near, far], [far, near]] as const) {
      this.#sockets.add(from);
      from.setNoDelay(true);
      from.on('data', (bytes) => {
        this.bytes += bytes.length;
        to.write(bytes);
      });
      from.on('error', () => {});
      from.on('close', () => {
        this.#sockets.delete(from);
        to.destroy();
      });
    }
  }

  cut(): void {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  heal(): void {
    this.#isCut = false;
  }

  close(): void {
    this.cut();
    this.#server.close();
  }
}

async function until(condition: () => boolean): Promise<number> {
  const start = performance.now();
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1));
  return performance.now() - start;
}

interface Result {
  readonly records: number;
  readonly join: { readonly ms: number; readonly bytes: number };
  readonly reconnect: { readonly ms: number; readonly bytes: number };
}

async function measure(records: number): Promise<Result> {
  const old = fill(new BenchNode(parseNodeId('00000000000000aa'), 'old'), records);
  const young = new BenchNode(parseNodeId('00000000000000bb'), 'new');
  const link = new CountingLink();
  const port = await freePort();
  await old.flooder.start({ port, peers: [] });
  await young.flooder.start({ port: 0, peers: [{ host: HOST, port: await link.open(port) }] });
  const join = { ms: await until(() => young.db.size === records), bytes: link.bytes };
  await new Promise((resolve) => setTimeout(resolve, 200));
  link.cut();
  await until(() => !young.flooder.hasSession(old.id));
  for (let i = 0; i < CHANGES; i++) old.put(change(i, records));
  link.bytes = 0;
  link.heal();
  await until(() => young.flooder.hasSession(old.id));
  const ms = await until(() => isUpToDate(young.db, records));
  await new Promise((resolve) => setTimeout(resolve, 200));
  const reconnect = { ms, bytes: link.bytes };
  await Promise.all([young.stop(), old.stop()]);
  link.close();
  return { records, join, reconnect };
}

/** The i-th change: spread over all records. */
function change(i: number, records: number): Record {
  return record(Math.floor((i * records) / CHANGES), 2);
}

function isUpToDate(db: Database, records: number): boolean {
  return Array.from({ length: CHANGES }, (_, i) => change(i, records)).every(({ key }) => db.get(key)?.seqno === 2);
}

async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, HOST, resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

process.stdout.write(`Flooding over TLS on loopback: a newcomer, and a reconnection with ${CHANGES} changes\n\n`);
process.stdout.write('  records   join: ms  join: bytes  a record   reconnect: ms  reconnect: bytes   of a dump\n');
for (const records of [1000, 10_000, 50_000]) {
  const { join, reconnect } = await measure(records);
  const share = `${((100 * reconnect.bytes) / join.bytes).toFixed(2)} %`;
  const columns = [
    String(records).padStart(9),
    join.ms.toFixed(0).padStart(11),
    String(join.bytes).padStart(13),
    (join.bytes / records).toFixed(1).padStart(10),
    reconnect.ms.toFixed(0).padStart(16),
    String(reconnect.bytes).padStart(18),
    share.padStart(12),
  ];
  process.stdout.write(`${columns.join('')}\n`);
}
