/* The broker on a real socket. */
import t, { type Test } from 'tap';
import { existsSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { chmod, stat, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { Broker, MessageType, Status, encodeMessage, encodeSignature } from '../src/index.js';
import type { BrokerOptions } from '../src/index.js';
import { nobody } from './memory-client.js';
import { SocketClient, directoryFor } from './socket-client.js';

const signature = encodeSignature([{ name: 'ping', args: [] }]);

/** A broker in a directory of its own, closed when the test is over. */
async function start(t: Test, options: BrokerOptions = {}): Promise<{ broker: Broker; path: string; directory: string }> {
  const directory = await directoryFor(t);
  const path = join(directory, 'ubus', 'ubus.sock');
  const broker = new Broker({ path, ...options });
  await broker.listen();
  t.teardown(() => broker.close());
  return { broker, path, directory };
}

t.test('listens where everybody may connect, and leaves nothing', async t => {
  const { broker, path } = await start(t);
  t.equal((await stat(path)).mode & 0o777, 0o777);
  const client = new SocketClient(path);
  const { peer, attrs } = await client.until(({ type }) => type === MessageType.hello);
  t.ok(peer >= 1024);
  t.same(attrs, {});
  const ended = once(client.socket, 'close');
  await broker.close();
  await ended;
  t.notOk(existsSync(path), 'the socket is gone');
  await broker.close();
  t.pass('closing twice does no harm');
});

t.test('replaces a socket that was left behind, but none that is in use', async t => {
  const { path, directory } = await start(t);
  await t.rejects(new Broker({ path }).listen(), { code: 'EADDRINUSE' });
  t.equal(await new SocketClient(path).status(MessageType.ping, 1, {}), Status.ok, 'the other one still works');
  const left = join(directory, 'left.sock');
  const killed = spawn(process.execPath, ['-e', `require('net').createServer().listen(${JSON.stringify(left)}, () => console.log('up'))`]);
  await once(killed.stdout, 'data');
  killed.kill('SIGKILL');
  await once(killed, 'exit');
  t.ok(existsSync(left), 'a process that is killed leaves its socket');
  const broker = new Broker({ path: left });
  await broker.listen();
  t.teardown(() => broker.close());
  t.equal(await new SocketClient(left).status(MessageType.ping, 1, {}), Status.ok);
  const file = join(directory, 'file');
  await writeFile(file, 'mine');
  await t.rejects(new Broker({ path: file }).listen(), { code: 'EADDRINUSE' }, 'a file that is no socket stays');
  await t.rejects(new Broker({ path: join(directory, 'x'.repeat(107)) }).listen(), RangeError, 'a path that would be cut off');
});

t.test('restart: everything is forgotten, and the same path serves again', async t => {
  const { broker, path } = await start(t);
  const before = new SocketClient(path);
  await before.add(1, { objpath: 'x', signature });
  const ended = once(before.socket, 'close');
  await broker.close();
  await ended;
  const again = new Broker({ path });
  await again.listen();
  t.teardown(() => again.close());
  const after = new SocketClient(path);
  t.equal(await after.status(MessageType.lookup, 1, { objpath: 'x' }), Status.notFound);
  t.ok(await after.add(2, { objpath: 'x', signature }));
});

t.test('a call from one client to another, in pieces', async t => {
  const { path } = await start(t);
  const owner = new SocketClient(path);
  const caller = new SocketClient(path);
  const objid = await owner.add(1, { objpath: 'x', signature });
  const request = encodeMessage({ type: MessageType.invoke, seq: 9, peer: objid, attrs: { objid, method: 'ping', data: new Uint8Array() } });
  for (const byte of request) {
    caller.socket.write(Uint8Array.of(byte));
    await new Promise(setImmediate);
  }
  const call = await owner.until(({ type }) => type === MessageType.invoke);
  t.match(call.attrs, { method: 'ping', user: userInfo().username });
  owner.send(MessageType.status, call.seq, { status: 42, objid }, call.peer);
  t.equal((await caller.until(({ seq, type }) => seq === 9 && type === MessageType.status)).attrs.status, 42);
});

t.test('a client that goes takes its objects along', async t => {
  const { path } = await start(t);
  const owner = new SocketClient(path);
  const client = new SocketClient(path);
  const target = await owner.add(1, { objpath: 'x', signature });
  const objid = await client.add(1);
  t.equal(await client.status(MessageType.subscribe, 2, { objid, target }), Status.ok);
  owner.socket.destroy();
  t.same((await client.until(({ type }) => type === MessageType.unsubscribe)).attrs, { objid, target });
  t.equal(await client.status(MessageType.lookup, 3, { objpath: 'x' }), Status.notFound);
});

t.test('who has only stopped sending still gets its answers', async t => {
  const { path } = await start(t);
  const client = new SocketClient(path);
  client.send(MessageType.ping, 1, { data: new Uint8Array(900_000) });
  client.socket.end();
  await once(client.socket, 'close', { signal: AbortSignal.timeout(60_000) });
  t.same(client.received.map(({ type }) => type), [MessageType.hello, MessageType.data, MessageType.status]);
});

t.test('a message of impossible length ends the connection', async t => {
  const { path } = await start(t);
  const client = new SocketClient(path);
  client.socket.write(Uint8Array.of(0, 3, 0, 1, 0, 0, 0, 0, 0, 0x10, 0, 1));
  await once(client.socket, 'close', { signal: AbortSignal.timeout(60_000) });
  t.same(client.received.map(({ type }) => type), [MessageType.hello]);
});

t.test('a client that does not read: others are served, and it gets what was kept', async t => {
  const { path } = await start(t);
  const owner = new SocketClient(path);
  const slow = new SocketClient(path);
  const quick = new SocketClient(path);
  const target = await owner.add(1, { objpath: 'x', signature });
  for (const client of [slow, quick]) t.equal(await client.status(MessageType.subscribe, 2, { objid: await client.add(1), target }), Status.ok);
  slow.socket.pause();
  const count = 4000;
  for (let i = 0; i < count; i++) {
    owner.send(MessageType.notify, 100 + i, { objid: target, method: 'n', data: new Uint8Array(1000), noReply: true }, target);
    if (i % 100 === 99) await quick.until(({ seq }) => seq === 100 + i);
  }
  t.equal(quick.received.filter(({ type }) => type === MessageType.invoke).length, count, 'who reads gets everything');
  slow.socket.resume();
  const got = () => slow.received.filter(({ type }) => type === MessageType.invoke).map(({ seq }) => seq);
  // Until nothing has come for a second.
  for (let before = -1, same = 0; same < 10; await delay(100)) {
    same = before === got().length ? same + 1 : 0;
    before = got().length;
  }
  t.ok(got().length > 1000 && got().length < 1600, `${got().length} of ${count}: the kernel's buffer and 1 MiB`);
  t.same(got(), Array.from({ length: got().length }, (_, i) => 100 + i), 'the first ones, without a gap');
});

t.test('a socket for each user', async t => {
  const directory = await directoryFor(t);
  const { broker, path } = await start(t, { acl: directory });
  const other = `${path}.nobody`;
  await broker.listen({ path: other, credentials: nobody });
  await new SocketClient(path).add(1, { objpath: 'x', signature });
  const client = new SocketClient(other);
  const found = async (seq: number) => {
    await client.status(MessageType.lookup, seq, { objpath: 'x' });
    return client.received.some(message => message.seq === seq && message.type === MessageType.data);
  };
  t.notOk(await found(1), 'without rules nobody sees nothing');
  await writeFile(join(directory, 'a.json'), JSON.stringify({ user: 'nobody', access: { x: { methods: ['ping'] } } }));
  await broker.reloadAcl();
  t.ok(await found(2), 'the file counts once it was read');
  await chmod(join(directory, 'a.json'), 0o666);
  await broker.reloadAcl();
  t.notOk(await found(3), 'not if everybody may write it');
});

t.test('ACL files that are passed over', async t => {
  const directory = await directoryFor(t);
  const files = { 'bad.json': '{"user":', 'open.json': '{}', 'list.json': '[]', 'note.txt': 'no', 'good.json': '{"user":"nobody"}' };
  for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text);
  await chmod(join(directory, 'open.json'), 0o622);
  const warnings: string[] = [];
  await start(t, { acl: directory, onWarning: warning => warnings.push(warning) });
  t.same(warnings.map(text => text.slice(directory.length + 1).replace(/ is passed over.*/, '')), ['bad.json', 'list.json', 'open.json']);
  t.match(warnings[2], 'others may write or execute it');
});
