import { once } from 'node:events';
import * as net from 'node:net';
import * as tls from 'node:tls';
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import type { Test } from 'tap';
import { derivePsk, LinuxMesh } from '../../src/linux/mesh.js';
import type { LinuxMeshOptions } from '../../src/linux/mesh.js';
import type { PeerStream, PeerStreamEvents } from '../../src/ports.js';
import { TestLog } from '../support.js';
import { addon } from './namespace.js';

/** One end of a stream, with what has happened on it. */
class End implements PeerStreamEvents {
  received = '';
  closedWith: (string | undefined)[] = [];
  drains = 0;
  constructor(readonly stream: PeerStream) {}
  data(bytes: Uint8Array) {
    this.received += Buffer.from(bytes).toString('latin1');
  }
  drained() {
    this.drains++;
  }
  closed(reason: string | undefined) {
    this.closedWith.push(reason);
  }
}

async function until(what: string, condition: () => boolean): Promise<void> {
  for (let i = 0; i < 3000; i++) {
    if (condition()) return;
    await delay(10);
  }
  throw new Error(`waited in vain: ${what}`);
}

/** Unlike events.once it does not mind errors. */
function closing(socket: net.Socket): Promise<unknown> {
  return new Promise((resolve) => socket.once('close', resolve));
}

async function listening(
  t: Test,
  key: string | undefined,
  options: Partial<LinuxMeshOptions> & { admit?: (address: string) => boolean } = {},
) {
  const log = new TestLog();
  const { admit, ...others } = options;
  const mesh = new LinuxMesh({ key, addon: addon(), log, handshakeTimeout: 30_000, ...others });
  const ends: End[] = [];
  await mesh.listen((stream) => {
    const end = new End(stream);
    ends.push(end);
    return end;
  }, 0, admit);
  t.teardown(() => mesh.stop());
  return { mesh, ends, log, port: mesh.port! };
}

/** Dials once: the end that was opened, or why there is none. */
function dial(t: Test, key: string | undefined, port: number, host = '127.0.0.1'): Promise<End | string> {
  const mesh = new LinuxMesh({ key, addon: addon(), log: new TestLog() });
  t.teardown(() => mesh.stop());
  return new Promise((resolve) => {
    mesh.dial(
      { host, port },
      (stream) => {
        const end = new End(stream);
        resolve(end);
        return end;
      },
      resolve,
    );
  });
}

async function connected(t: Test, key: string | undefined, port: number, host?: string): Promise<End> {
  const end = await dial(t, key, port, host);
  if (typeof end === 'string') throw new Error(end);
  return end;
}

for (const key of ['correct horse battery staple', undefined]) {
  t.test(key === undefined ? 'plain TCP' : 'TLS with the same key', async (t) => {
    for (const host of ['127.0.0.1', '::1', 'localhost']) {
      const { ends, port, log } = await listening(t, key);
      const end = await connected(t, key, port, host);
      end.stream.write(Buffer.from('ping'));
      await until('ping', () => ends[0]?.received === 'ping');
      ends[0]!.stream.write(Buffer.from('pong'));
      await until('pong', () => end.received === 'pong');
      t.equal(end.stream.remote, host === '127.0.0.1' ? `127.0.0.1:${port}` : end.stream.remote);
      if (host === '::1') t.equal(end.stream.remote, `[::1]:${port}`);
      t.match(ends[0]!.stream.remote, host === '127.0.0.1' ? /^127\.0\.0\.1:\d+$/ : /:\d+$/);
      end.stream.write(Buffer.from('last words'));
      end.stream.end();
      await until('close', () => ends[0]!.closedWith.length > 0 && end.closedWith.length > 0);
      t.equal(ends[0]!.received, 'pinglast words', 'what is queued arrives before the end');
      t.same([end.closedWith, ends[0]!.closedWith], [[undefined], [undefined]], 'closed once, in order');
      t.same(log.lines, []);
    }
  });

  t.test(`${key === undefined ? 'TCP' : 'TLS'}: what is lost is sent again at even intervals, at both ends`, async (t) => {
    const { ends, port } = await listening(t, key);
    const end = await connected(t, key, port);
    await until('accepted', () => ends.length === 1);
    const value = new Int32Array(1);
    for (const { stream } of [end, ends[0]!]) {
      const { socket } = stream as unknown as { socket: net.Socket & { _handle: { fd: number } } };
      value.fill(0);
      t.equal(addon().getOption(socket._handle.fd, 6, 16, new Uint8Array(value.buffer)), 0);
      t.equal(value[0], 1, 'TCP_THIN_LINEAR_TIMEOUTS of linux/tcp.h');
    }
    end.stream.destroy();
    t.notOk(end.stream.acknowledged, 'nobody can tell any more');
    t.equal(end.stream.timeouts, undefined);
  });

  t.test(`${key === undefined ? 'TCP' : 'TLS'}: a peer that does not read`, async (t) => {
    const { ends, port } = await listening(t, key);
    const end = await connected(t, key, port);
    await until('accepted', () => ends.length === 1);
    const socket = (ends[0]!.stream as unknown as { socket: net.Socket }).socket;
    socket.pause();
    const piece = Buffer.alloc(65536, 'x');
    let written = 0;
    while (written < 64 << 20) {
      written += piece.length;
      if (!end.stream.write(piece)) break;
      await delay(0);
    }
    t.ok(written < 64 << 20, `write says no after ${written} bytes`);
    t.ok(end.stream.queued > 0 && end.stream.queued <= 2 * piece.length + 1024, 'what is queued is told, and little');
    t.equal(end.drains, 0);
    t.notOk(end.stream.acknowledged, 'not all has been received');
    for (let i = 0; i < 40; i++) {
      const { timeouts } = end.stream;
      if (timeouts === undefined || timeouts > 1) t.fail(`${timeouts} timeouts though probes are answered`);
      await delay(50);
    }
    socket.resume();
    await until('drained', () => end.drains > 0);
    await until('all received', () => ends[0]!.received.length === written);
    t.equal(end.stream.queued, 0);
    await until('acknowledged', () => end.stream.acknowledged);
  });

  t.test(`${key === undefined ? 'TCP' : 'TLS'}: a peer that is killed (defects 11, 14)`, async (t) => {
    const { ends, port } = await listening(t, key);
    const end = await connected(t, key, port);
    await until('accepted', () => ends.length === 1);
    const { socket } = end.stream as unknown as { socket: net.Socket };
    if (key === undefined) socket.resetAndDestroy();
    else socket.destroy();
    await until('closed', () => ends[0]!.closedWith.length > 0);
    t.equal(ends[0]!.stream.write(Buffer.from('to nobody')), true, 'writing to a dead stream does nothing');
    const again = await connected(t, key, port);
    again.stream.write(Buffer.from('hello again'));
    await until('second life', () => ends[1]?.received === 'hello again');
    t.equal(ends[0]!.closedWith.length, 1);
  });
}

t.test('a half-closed stream is closed (defect 12)', async (t) => {
  const { ends, port } = await listening(t, undefined);
  const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.end('bye');
  await closing(socket);
  await until('closed', () => ends[0]?.closedWith.length === 1);
  t.equal(ends[0]!.received, 'bye');
});

t.test('TLS 1.3, and nothing else', async (t) => {
  const { ends, port, log } = await listening(t, 'key');
  const end = await connected(t, 'key', port);
  const socket = (end.stream as unknown as { socket: tls.TLSSocket }).socket;
  t.equal(socket.getProtocol(), 'TLSv1.3');
  t.match(socket.getCipher().name, /^TLS_.*_SHA256$/);
  t.same(socket.getPeerCertificate(), {}, 'no certificate');
  const psk = await derivePsk('key');
  const old = tls.connect({
    port,
    host: '127.0.0.1',
    maxVersion: 'TLSv1.2',
    ciphers: 'PSK',
    pskCallback: () => ({ psk, identity: 'roaming' }),
  });
  old.on('error', () => {});
  await closing(old);
  t.equal(ends.length, 1, 'TLS 1.2 with the right key is refused');
  t.match(log.lines, [/refused/]);
});

t.test('a peer without the key learns nothing and changes nothing', async (t) => {
  const { ends, port, log } = await listening(t, 'our key', { handshakeTimeout: 2000 });
  const psk = await derivePsk('our key');

  t.test('another key', async (t) => {
    for (let i = 0; i < 3; i++) t.match(await dial(t, 'their key', port), /another key is set there/);
    t.match(log.lines.splice(0), [/ connection from 127\.0\.0\.1 refused: it has another key$/], 'one line for three');
  });

  t.test('another identity, no PSK', async (t) => {
    for (const pskCallback of [() => ({ psk, identity: 'x' }), () => null]) {
      const socket = tls.connect({ port, host: '127.0.0.1', minVersion: 'TLSv1.3', rejectUnauthorized: false, pskCallback });
      let received = 0;
      socket.on('data', (bytes) => (received += bytes.length));
      socket.on('error', () => {});
      socket.write('\x2c\x01\x00\x00');
      await closing(socket);
      t.equal(received, 0);
    }
    t.match(log.lines.splice(0), [/does not show the key$/], 'one line');
  });

  t.test('no TLS: sroamd, and noise', async (t) => {
    for (const opening of [Uint8Array.of(44, 1, 0, 0), Buffer.from('GET / HTTP/1.1\r\n\r\n'), new Uint8Array(5000)]) {
      const socket = net.connect({ port, host: '127.0.0.1' });
      let received = Buffer.alloc(0);
      socket.on('data', (bytes) => (received = Buffer.concat([received, bytes])));
      socket.on('error', () => {});
      socket.write(opening);
      await closing(socket);
      t.ok(received.length <= 7, 'an alert at most');
    }
    t.equal(log.lines.length, new Set(log.lines).size, 'one line for each cause');
    t.match(log.lines.splice(0).sort(), [/it does not speak TLS/, /no TLS handshake in time/]);
  });

  t.equal(ends.length, 0, 'none of them got a stream');
});

t.test('a server that holds no key is not believed', async (t) => {
  const plain = net.createServer((socket) => socket.on('error', () => {}).end(Uint8Array.of(44, 1, 0, 0)));
  plain.listen(0);
  await once(plain, 'listening');
  t.teardown(() => plain.close());
  t.match(await dial(t, 'key', (plain.address() as net.AddressInfo).port), /TLS handshake (failed|broken off)/);
});

t.test('a peer with TLS meets one without', async (t) => {
  const { ends, port } = await listening(t, undefined);
  const mesh = new LinuxMesh({ key: 'key', addon: addon(), log: new TestLog() });
  t.teardown(() => mesh.stop());
  const failed = new Promise<string>((resolve) => {
    mesh.dial({ host: '127.0.0.1', port }, () => new End({} as PeerStream), resolve);
  });
  await until('the hello', () => (ends[0]?.received.length ?? 0) > 0);
  t.not(ends[0]!.received.charCodeAt(0), 44, 'what arrives is no flooding');
  ends[0]!.stream.destroy();
  t.match(await failed, /TLS handshake broken off|reset/);
});

t.test('what cannot be dialled', async (t) => {
  const { mesh, port } = await listening(t, undefined);
  mesh.stop();
  await delay(20);
  t.equal(await dial(t, undefined, port), 'connection refused');
  t.match(await dial(t, 'key', port), 'connection refused');
  t.match(await dial(t, undefined, 4444, 'no-such-host.invalid'), /its name (is not known|cannot be looked up)/);
});

t.test('a port that is taken', async (t) => {
  const { port } = await listening(t, undefined);
  const other = new LinuxMesh({ key: undefined, addon: addon(), log: new TestLog() });
  await t.rejects(
    other.listen(() => new End({} as PeerStream), port),
    { message: `port ${port}: in use by another program` },
  );
});

t.test('a client that connects is refused (defect 17)', async (t) => {
  const { ends, port, log } = await listening(t, undefined, { admit: (address) => address !== '127.0.0.1' });
  const socket = net.connect({ port, host: '127.0.0.1' });
  socket.on('error', () => {});
  await closing(socket);
  t.equal(ends.length, 0);
  t.match(log.lines, [/ connection from 127\.0\.0\.1 refused: this address may not be a peer$/]);
});

t.test('unfinished handshakes of one address are few', async (t) => {
  const { port, log, ends } = await listening(t, 'key', { handshakeTimeout: 60_000 });
  const sockets = Array.from({ length: 40 }, () => net.connect({ port, host: '127.0.0.1' }).on('error', () => {}));
  t.teardown(() => sockets.forEach((socket) => socket.destroy()));
  let open = sockets.length;
  for (const socket of sockets) socket.resume().once('close', () => open--);
  await until('the surplus is closed', () => open === 16);
  t.match(log.lines, [/16 handshakes are unfinished already/]);
  await connected(t, 'key', port, '::1');
  await until('another address is served meanwhile', () => ends.length === 1);
  sockets.forEach((socket) => socket.destroy());
  await until('room again', () => open === 0);
  await connected(t, 'key', port);
});

t.test('the key is stretched, and always the same', async (t) => {
  t.equal((await derivePsk('secret')).length, 32);
  t.same(await derivePsk('secret'), await derivePsk('secret'));
  t.notSame(await derivePsk('secret'), await derivePsk('Secret'));
});
