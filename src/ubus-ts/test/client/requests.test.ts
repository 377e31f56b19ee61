import t, { type Test } from 'tap';
import { MalformedError, MessageType, Status, UbusClient, UbusError, decodeFields, encodeFields, maxBlobLength, toFields, type Attributes, type ClientOptions, type TableOrFields } from '../../src/index.js';
import { FakePlatform, settle, until, type FakeConnection } from '../fake-platform.js';

const fx = 0xabcd1234;
const bytes = (table: TableOrFields): Uint8Array => encodeFields(toFields(table));
const found: Attributes = { objpath: 'fx', objid: fx, objtype: 0x5000, signature: new Uint8Array(0) };

interface World {
  client: UbusClient;
  platform: FakePlatform;
  socket: FakeConnection;
  errors: Error[];
}

async function connected(options: ClientOptions = {}): Promise<World> {
  const platform = new FakePlatform();
  const errors: Error[] = [];
  const client = new UbusClient({ path: '/s', reconnect: false, platform, onError: error => errors.push(error), ...options });
  const connecting = client.connect();
  platform.last.hello();
  await connecting;
  return { client, platform, socket: platform.last, errors };
}

/** The status of the UbusError that a promise is rejected with. */
async function statusOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error instanceof UbusError ? error.status : error;
  }
  return 'resolved';
}

async function callStarted(t: Test, { client, socket }: World, options = {}): Promise<{ call: Promise<unknown>; seq: number }> {
  const call = client.call('fx', 'm', { a: 1 }, options);
  call.catch(() => {});
  t.equal((await socket.answer(0, found)).type, MessageType.lookup);
  const invoke = await socket.next();
  t.equal(invoke.type, MessageType.invoke);
  return { call, seq: invoke.seq };
}

t.test('connect', async t => {
  t.test('tries both default paths', async t => {
    const platform = new FakePlatform();
    const client = new UbusClient({ platform, reconnect: false });
    const connecting = client.connect();
    platform.last.drop(new Error('ENOENT'));
    await until(() => platform.connections.length === 2);
    platform.last.hello(0x4321);
    await connecting;
    t.same(platform.connections.map(({ path }) => path), ['/var/run/ubus/ubus.sock', '/var/run/ubus.sock']);
    t.equal(client.id, 0x4321);
    t.ok(client.connected);
    t.rejects(client.connect(), /already/);
    client.close();
    t.notOk(client.connected);
    t.equal(platform.timers, 0);
  });
  t.test('fails with status 10', async t => {
    const platform = new FakePlatform();
    const connecting = new UbusClient({ path: '/s', platform }).connect();
    platform.last.drop(new Error('ENOENT'));
    t.equal(await statusOf(connecting), Status.connectionFailed);
    t.equal(platform.timers, 0, 'and does not try again');
  });
  t.test('without HELLO in time', async t => {
    const platform = new FakePlatform();
    const connecting = new UbusClient({ path: '/s', platform }).connect();
    const status = statusOf(connecting);
    platform.advance(5000);
    t.equal(await status, Status.connectionFailed);
    t.ok(platform.last.closedByClient);
  });
  t.test('something else before HELLO', async t => {
    for (const first of ['000300010000000000000004', '010000000000100000000004', '000000000000100000000000']) {
      const platform = new FakePlatform();
      const connecting = new UbusClient({ path: '/s', platform }).connect();
      platform.last.receive(first);
      t.match(await statusOf(connecting), MalformedError, first);
    }
  });
});

t.test('call', async t => {
  t.test('looks the path up once', async t => {
    const world = await connected();
    const { call, seq } = await callStarted(t, world);
    world.socket.deliver(
      { type: MessageType.data, seq, peer: fx, attrs: { objid: fx, data: bytes({ first: 1 }) } },
      { type: MessageType.data, seq, peer: fx, attrs: { objid: fx, data: bytes({ last: 2 }) } },
      { type: MessageType.status, seq, peer: fx, attrs: { status: 0, objid: fx } },
    );
    t.same({ ...((await call) as object) }, { last: 2 });
    const again = world.client.call('fx', 'm');
    const invoke = await world.socket.answer(0);
    t.equal(invoke.type, MessageType.invoke);
    t.same(invoke.attrs, { objid: fx, method: 'm', data: new Uint8Array(0) });
    t.equal(await again, undefined);
    t.equal(world.platform.timers, 0);
  });
  t.test('looks it up again when ubusd does not know the id any more', async t => {
    const world = await connected();
    const { call, seq } = await callStarted(t, world);
    world.socket.deliver({ type: MessageType.status, seq, peer: fx, attrs: { status: 0, objid: fx } });
    await call;
    const again = world.client.call('fx', 'm');
    await world.socket.answer(Status.notFound);
    await world.socket.answer(0, { ...found, objid: fx + 1 });
    const invoke = await world.socket.answer(0);
    t.equal(invoke.peer, fx + 1);
    await again;
  });
  t.test('does not repeat a call that the object itself answered with 4', async t => {
    const world = await connected();
    const { call, seq } = await callStarted(t, world);
    world.socket.deliver({ type: MessageType.status, seq, peer: fx, attrs: { status: 0, objid: fx } });
    await call;
    const again = world.client.call('fx', 'm');
    const { seq: second } = await world.socket.next();
    world.socket.deliver({ type: MessageType.status, seq: second, peer: fx, attrs: { status: 4, objid: fx } });
    t.equal(await statusOf(again), 4);
    t.same(world.socket.sent, []);
  });
  t.test('hidden by the ACL', async t => {
    const world = await connected();
    const call = world.client.call('fx', 'm');
    await world.socket.answer(0);
    t.equal(await statusOf(call), Status.notFound);
  });
  t.test('statuses', async t => {
    for (const status of [1, 6, 99, -1]) {
      const world = await connected();
      const { call, seq } = await callStarted(t, world);
      world.socket.deliver({ type: MessageType.status, seq, peer: fx, attrs: { status, objid: fx } });
      t.equal(await statusOf(call), status);
    }
  });
  t.test('times out, and drops what comes later', async t => {
    const world = await connected();
    const { call, seq } = await callStarted(t, world, { timeout: 700 });
    const status = statusOf(call);
    world.platform.advance(699);
    await settle();
    world.platform.advance(1);
    t.equal(await status, Status.timeout);
    world.socket.deliver({ type: MessageType.status, seq, peer: fx, attrs: { status: 0, objid: fx } });
    t.same(world.errors, []);
    t.ok(world.client.connected);
  });
  t.test('the timeout covers the lookup', async t => {
    const world = await connected();
    const status = statusOf(world.client.call('fx', 'm', {}, { timeout: 100 }));
    await world.socket.next();
    world.platform.advance(100);
    t.equal(await status, Status.timeout);
  });
  t.test('aborts', async t => {
    const world = await connected();
    const controller = new AbortController();
    const { call } = await callStarted(t, world, { signal: controller.signal });
    const reason = new Error('enough');
    controller.abort(reason);
    t.equal(await statusOf(call), reason);
    t.equal(world.platform.timers, 0);
    t.equal(await statusOf(world.client.call('fx', 'm', {}, { signal: controller.signal })), reason);
    t.same(world.socket.sent, [], 'nothing is sent when it was aborted before');
  });
  t.test('the connection goes', async t => {
    const world = await connected();
    const { call } = await callStarted(t, world);
    world.socket.drop();
    t.equal(await statusOf(call), Status.connectionFailed);
    t.equal(await statusOf(world.client.call('fx', 'm')), Status.connectionFailed);
  });
  t.test('a reply that is no blobmsg', async t => {
    const world = await connected();
    const { call, seq } = await callStarted(t, world);
    world.socket.deliver(
      { type: MessageType.data, seq, peer: fx, attrs: { objid: fx, data: Uint8Array.of(1, 2, 3, 4, 5) } },
      { type: MessageType.status, seq, peer: fx, attrs: { status: 0, objid: fx } },
    );
    t.match(await statusOf(call), MalformedError);
    t.ok(world.client.connected);
  });
  t.test('answers for others are not taken', async t => {
    const world = await connected();
    const { call, seq } = await callStarted(t, world);
    world.socket.deliver(
      { type: MessageType.status, seq, peer: fx + 1, attrs: { status: 3 } },
      { type: MessageType.status, seq: seq + 1, peer: fx, attrs: { status: 3 } },
      { version: 1, type: MessageType.status, seq, peer: fx, attrs: { status: 3 } },
      { type: 200, seq, peer: fx, attrs: { status: 3 } },
      { type: MessageType.status, seq, peer: fx, attrs: { status: 5 } },
    );
    t.equal(await statusOf(call), 5);
  });
  t.test('too large to be sent', async t => {
    const world = await connected();
    const call = world.client.call('fx', 'm', { s: 'x'.repeat(maxBlobLength) });
    await world.socket.answer(0, found);
    t.match(await statusOf(call), RangeError);
    t.same(world.socket.sent, []);
  });
  t.test('callAll', async t => {
    const world = await connected();
    const call = world.client.callAll('fx', 'm');
    await world.socket.answer(0, found);
    await world.socket.answer(0, { objid: fx, data: bytes({ a: 1 }) }, { objid: fx }, { objid: fx, data: bytes({ a: 2 }) });
    t.same((await call).map(table => table['a']), [1, 2]);
    const much = { objid: fx, data: bytes({ s: 'x'.repeat(1_000_000) }) };
    const flood = world.client.callAll('fx', 'm');
    await world.socket.answer(0, ...Array<Attributes>(20).fill(much));
    t.equal(await statusOf(flood), Status.noMemory);
  });
});

t.test('list, lookup, ping, send', async t => {
  const { client, socket } = await connected();
  const list = client.list('nope*');
  await socket.answer(Status.notFound);
  t.same(await list, []);
  const denied = client.list();
  await socket.answer(Status.permissionDenied);
  t.equal(await statusOf(denied), Status.permissionDenied);
  const lookup = client.lookup('fx');
  await socket.answer(0, found);
  t.same(await lookup, { path: 'fx', id: fx, type: 0x5000, methods: [] });
  const ping = client.ping();
  t.equal((await socket.answer(0, {})).type, MessageType.ping);
  await ping;
  const send = client.send('ubus.x', { a: 1n });
  const { attrs } = await socket.answer(6);
  t.same(decodeFields(attrs.data!), [
    { name: 'id', type: 'string', value: 'ubus.x' },
    { name: 'data', type: 'table', value: [{ name: 'a', type: 'int64', value: 1n }] },
  ]);
  t.equal(await statusOf(send), 6);
});

t.test('back-pressure', async t => {
  const { client, socket } = await connected();
  socket.room = false;
  const first = client.ping();
  t.ok(socket.paused, 'nothing more is read while nothing more can be written');
  const second = client.ping();
  const third = client.ping({ timeout: 0 });
  await settle();
  t.equal(socket.sent.length, 1, 'requests wait');
  socket.drain();
  t.equal(socket.sent.length, 3);
  t.notOk(socket.paused);
  for (const ping of [first, second, third]) {
    await socket.answer(0);
    await ping;
  }
  socket.room = false;
  const sent = client.ping();
  const waiting = statusOf(client.ping());
  const much = Array.from({ length: 20 }, () => statusOf(client.send('e', { s: 'x'.repeat(1_000_000) })));
  await settle();
  t.ok(Array.isArray(much));
  socket.drop();
  t.equal(await statusOf(sent), Status.connectionFailed);
  t.equal(await waiting, Status.connectionFailed);
  const statuses = await Promise.all(much);
  t.equal(statuses.filter(status => status === Status.noMemory).length, 4, 'what waits is bounded');
  t.equal(statuses.filter(status => status === Status.connectionFailed).length, 16);
});

t.test('65536 requests to one peer at a time, and not one more', async t => {
  const { client, socket } = await connected();
  const pings = Array.from({ length: 65537 }, () => statusOf(client.ping({ timeout: 0 })));
  await settle();
  t.equal(socket.sent.length, 65536);
  t.equal(await pings[65536], Status.noMemory);
  socket.drop();
  t.equal(await pings[0], Status.connectionFailed);
});

t.test('nonsense on the stream closes the connection', async t => {
  const { client, socket } = await connected();
  const seen: Error[] = [];
  client.on('disconnect', error => seen.push(error));
  socket.receive('000300010000000000ffffff');
  t.match(seen, [MalformedError]);
  t.ok(socket.closedByClient);
  socket.receive('000000000000100000000004');
  t.notOk(client.connected);
});
