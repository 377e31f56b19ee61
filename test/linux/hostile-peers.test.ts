/** Everything that can come in at the flood port, over real sockets: nothing crashes, fills the memory or the log, or keeps others out. */
import * as net from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import t from 'tap';
import type { Test } from 'tap';
import { Database } from '../../src/clients/database.js';
import { HOUR } from '../../src/clients/time.js';
import { Flooder } from '../../src/flood/flooder.js';
import type { FlooderOptions } from '../../src/flood/flooder.js';
import { DEFAULT_TIMING } from '../../src/flood/session.js';
import { systemClock, systemRandom } from '../../src/linux/clock.js';
import { LinuxMesh } from '../../src/linux/mesh.js';
import { association, nodeId } from '../flood/support.js';
import { after } from '../../src/clients/time.js';
import { TestLog } from '../support.js';
import { addon } from './namespace.js';
import { SeededRandom } from '../random.js';

const HOST = '127.0.0.1';
const TIMING = { ...DEFAULT_TIMING, handshake: 500 };
const HANDSHAKE = Uint8Array.of(44, 1, 0, 0);

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** What is held, in MB: garbage, of which there is more or less at a time, does not count. */
function memoryHeld(): number {
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return (heapUsed + external) / 1e6;
}

async function until(what: string, condition: () => boolean, seconds = 60): Promise<void> {
  const end = Date.now() + seconds * 1000;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`waited in vain: ${what}`);
    await delay(5);
  }
}

async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, HOST, resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

class Router {
  readonly log = new TestLog();
  readonly mesh: LinuxMesh;
  readonly flooder: Flooder;
  port = 0;

  constructor(
    number: number,
    key: string | undefined,
    readonly db = new Database(),
    options: Partial<FlooderOptions> = {},
  ) {
    const { log } = this;
    this.mesh = new LinuxMesh({ key, addon: addon(), log, handshakeTimeout: 500 });
    this.flooder = new Flooder({
      self: nodeId(number),
      hostname: `r${number}`,
      replica: db,
      mesh: this.mesh,
      clock: systemClock,
      random: systemRandom,
      log,
      timing: TIMING,
      ...options,
    });
  }

  async start(t: Test, peers: number[] = []): Promise<this> {
    t.teardown(() => this.stop());
    this.port = await freePort();
    await this.flooder.start({ port: this.port, peers: peers.map((port) => ({ host: HOST, port })) });
    return this;
  }

  async stop(): Promise<void> {
    await this.flooder.stop();
    this.mesh.stop();
  }

  count(name: string): number {
    return (this.flooder.counters as { [name: string]: number })[`flood_${name}`] ?? 0;
  }
}

async function connect(port: number): Promise<net.Socket> {
  const socket = net.connect({ host: HOST, port });
  socket.on('error', () => {});
  await new Promise((resolve) => socket.once('connect', resolve).once('close', resolve));
  return socket;
}

/** A real peer gets in and is told what there is. */
async function stillServes(t: Test, router: Router, key: string | undefined): Promise<void> {
  router.db.apply({ ...association(1, 1), expires: after(systemClock.now(), HOUR) }, systemClock.now());
  router.flooder.flood(association(1, 1));
  const friend = await new Router(77, key).start(t, [router.port]);
  await until('a real peer is served', () => friend.db.get(association(1, 1).key) !== undefined);
  await friend.stop();
  t.pass('a real peer is served');
}

function update(keyBytes: Uint8Array, value: Uint8Array, lifetime: number, seqno = 1): Buffer {
  const head = Buffer.alloc(9);
  head.set([2, 7 + keyBytes.length + value.length, seqno >> 8, seqno & 255]);
  head.writeUInt32BE(lifetime, 4);
  head[8] = keyBytes.length;
  return Buffer.concat([head, keyBytes, value]);
}

const unknownKey = (n: number) => Uint8Array.of(200, n >>> 24, (n >>> 16) & 255, (n >>> 8) & 255, n & 255);

for (const key of [undefined, 'the key of this test']) {
  const kind = key === undefined ? 'TCP' : 'TLS';

  t.test(`${kind}: ten thousand connections, most of them nonsense`, async (t) => {
    const router = await new Router(1, key).start(t);
    const random = new SeededRandom(1);
    const before = memoryHeld();
    for (let i = 0; i < 10_000; i += 100) {
      const sockets = await Promise.all(Array.from({ length: 100 }, () => connect(router.port)));
      for (const socket of sockets) {
        const noise = Buffer.from(random.bytes(random.below(40)));
        if (random.below(2) === 0) socket.write(noise);
        if (random.below(3) === 0) socket.write(Buffer.concat([HANDSHAKE, noise]));
        if (random.below(2) === 0) socket.end();
        else socket.resetAndDestroy();
      }
      await Promise.all(sockets.map((socket) => (socket.destroyed ? undefined : new Promise((resolve) => socket.once('close', resolve).resume()))));
    }
    const grown = memoryHeld() - before;
    t.ok(grown < 30, `${grown.toFixed(0)} MB more`);
    t.ok(router.log.lines.length < 200, `${router.log.lines.length} lines in the log`);
    await until('all are gone', () => router.flooder.peers(systemClock.now()).length === 0);
    await stillServes(t, router, key);
  });

  t.test(`${kind}: who sends a byte now and then, or nothing, is closed in time`, async (t) => {
    const router = await new Router(1, key).start(t);
    const sockets = await Promise.all(Array.from({ length: 12 }, () => connect(router.port)));
    let open = sockets.length;
    for (const [i, socket] of sockets.entries()) {
      socket.once('close', () => open--).resume();
      if (i % 2 === 0) {
        const timer = setInterval(() => socket.write(Uint8Array.of(key === undefined ? 44 : 22)), 200);
        socket.once('close', () => clearInterval(timer));
      }
    }
    await until('all closed', () => open === 0);
    t.ok(router.log.lines.length <= 4, router.log.lines.join('\n'));
    await stillServes(t, router, key);
  });
}

t.test('a sroamd that never reads: little is queued for it, and others are served', async (t) => {
  const db = new Database();
  const router = await new Router(1, undefined, db).start(t);
  const value = 'x'.repeat(200);
  const expires = after(systemClock.now(), HOUR);
  for (let n = 0; n < 60_000; n++) {
    const record = { key: Buffer.from(unknownKey(n)).toString('latin1') as never, value, seqno: 1, expires };
    db.apply(record, systemClock.now());
    router.flooder.flood(record);
  }
  const socket = await connect(router.port);
  socket.pause();
  socket.write(HANDSHAKE);
  await until('it is up', () => router.flooder.peers(systemClock.now())[0]?.state === 'up');
  await delay(300);
  const [peer] = router.flooder.peers(systemClock.now());
  t.ok(peer!.bytesOut < 10e6, `${peer!.bytesOut} bytes of 13,000,000 written: what the kernel takes`);
  await stillServes(t, router, undefined);
  socket.destroy();
});

t.test('a gigabyte of one peer', async (t) => {
  const router = await new Router(1, undefined, new Database(1000, 100_000)).start(t);
  const socket = await connect(router.port);
  socket.resume();
  socket.write(HANDSHAKE);
  const pieces: Buffer[] = [];
  for (let size = 0; size < 1 << 20; ) {
    const n = pieces.length;
    const padding = Buffer.concat([Uint8Array.of(n % 2 === 0 ? 1 : 99, 255), Buffer.alloc(255)]);
    const piece = n % 16 === 0 ? update(unknownKey(n % 4096), Buffer.alloc(n % 200), 3600, n & 0xffff) : padding;
    pieces.push(piece);
    size += piece.length;
  }
  const megabyte = Buffer.concat(pieces);
  const before = memoryHeld();
  for (let i = 0; i < 1024; i++) {
    if (!socket.write(megabyte)) await new Promise((resolve) => socket.once('drain', resolve));
  }
  await until('all has been read', () => (router.flooder.peers(systemClock.now())[0]?.bytesIn ?? 0) >= 1024 * megabyte.length);
  const grown = memoryHeld() - before;
  t.ok(grown < 30, `${grown.toFixed(0)} MB more`);
  t.ok(router.db.size <= 1000 && router.db.bytes <= 100_000, `${router.db.size} records, ${router.db.bytes} bytes kept`);
  t.equal(router.flooder.peers(systemClock.now())[0]!.state, 'up', 'it has broken no rule');
  socket.destroy();
});

t.test('a hundred thousand keys, dead on arrival or living for ever, and values of other types', async (t) => {
  const router = await new Router(1, undefined, new Database(5000, 60_000)).start(t);
  const socket = await connect(router.port);
  socket.resume();
  socket.write(HANDSHAKE);
  const all = (count: number, make: (n: number) => Buffer) => socket.write(Buffer.concat(Array.from({ length: count }, (_, n) => make(n))));
  all(50_000, (n) => update(unknownKey(n), Buffer.from('dead'), 0));
  await until('the dead are dropped', () => router.count('dead_record') === 50_000);
  t.equal(router.db.size, 0);
  all(100_000, (n) => update(unknownKey(n), Buffer.from('lives'), 0xffffffff));
  await until('no more fit', () => router.count('received') === 150_000);
  t.equal(router.db.size, 5000);
  t.equal(router.count('database_full'), 95_000);
  all(5000, (n) => update(unknownKey(n), Buffer.alloc(200), 0xffffffff, 2));
  await until('nor longer ones', () => router.count('received') === 155_000);
  t.ok(router.db.bytes <= 60_000, `${router.db.bytes} bytes`);
  const known: [type: number, key: number][] = [[0, 4], [1, 8], [2, 6], [128, 8], [129, 16], [130, 6]];
  for (const [type, length] of known) {
    all(40, (n) => update(Buffer.concat([Uint8Array.of(type), Buffer.alloc(length + (n % 3) - 1, 2)]), Buffer.alloc(n % 20, n), 60, n));
  }
  await until('all are looked at', () => router.count('received') === 155_240);
  t.ok(router.count('invalid_record') > 100);
  t.ok(router.log.lines.length < 8, `${router.log.lines.length} lines in the log`);
  socket.write(Uint8Array.of(2, 3, 0, 0, 0));
  await until('what is too short for a record ends the session', () => router.flooder.peers(systemClock.now()).length === 0);
  t.match(router.log.lines.at(-1), /protocol error/);
});

t.test('streams of both kinds, changed and cut at random', async (t) => {
  const router = await new Router(1, undefined, new Database(2000, 200_000)).start(t);
  const hello = Buffer.concat([Uint8Array.of(44, 1, 0, 1, 128, 24), Buffer.alloc(22, 9), Uint8Array.of(1, 0)]);
  const tlvs = [
    update(Uint8Array.of(0, 10, 0, 0, 1), Uint8Array.of(2, 0, 0, 0, 0, 1), 600),
    update(Uint8Array.of(2, 2, 0, 0, 0, 0, 1), Buffer.alloc(8, 3), 600),
    Buffer.from([129, 8, 0, 0, 0, 1, 0, 0, 0, 5]),
    Buffer.concat([Uint8Array.of(131, 36, 0, 0, 0, 1), Buffer.alloc(32, 7)]),
    Buffer.concat([Uint8Array.of(132, 12, 0, 0, 0, 8), Buffer.alloc(8, 7)]),
    Buffer.from([133, 4, 1, 2, 3, 4]),
    Buffer.from([134, 1, 0]),
  ];
  const random = new SeededRandom(42);
  const visit = async () => {
    const socket = await connect(router.port);
    socket.resume();
    const parts: Uint8Array[] = [random.below(2) === 0 ? Buffer.from(HANDSHAKE) : hello];
    for (let i = random.below(30); i > 0; i--) parts.push(tlvs[random.below(tlvs.length)]!);
    const stream = Buffer.concat(parts);
    for (let i = random.below(4); i > 0; i--) stream[random.below(stream.length)] = random.below(256);
    const cut = random.below(stream.length + 1);
    socket.write(stream.subarray(0, cut));
    await delay(1);
    if (!socket.destroyed && random.below(3) > 0) socket.write(stream.subarray(cut));
    socket.destroy();
  };
  for (let i = 0; i < 50; i++) await Promise.all(Array.from({ length: 20 }, visit));
  await until('all are gone', () => router.flooder.peers(systemClock.now()).length === 0);
  t.ok(router.log.lines.filter((line) => line.includes('Error')).length === 0);
  await stillServes(t, router, undefined);
});
