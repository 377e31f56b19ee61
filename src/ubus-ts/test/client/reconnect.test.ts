import t from 'tap';
import { MessageType, UbusClient, decodeFields, encodeFields, fromFields, toFields, type Attributes, type ClientOptions, type Message, type TableOrFields } from '../../src/index.js';
import { reconnectDelay } from '../../src/client/backoff.js';
import { FakePlatform, settle, until, type FakeConnection } from '../fake-platform.js';

const bytes = (table: TableOrFields): Uint8Array => encodeFields(toFields(table));

/** A ubusd of a few lines: knows some objects, gives out ids, answers everything else with 0, and keeps what it was asked. */
class Bus {
  readonly log: string[] = [];
  /** Paths of other programs' objects and their ids. */
  readonly paths = new Map<string, number>();
  /** Ids of the client's objects, newest last. */
  readonly added: number[] = [];
  /** Requests that are refused: a line of the log and the status. */
  readonly refused = new Map<string, number>();
  #nextId = 0x10000;

  /** Answers until the client is silent. */
  async serve(socket: FakeConnection): Promise<void> {
    await until(() => socket.sent.length > 0, 5);
    while (socket.sent.length > 0) {
      this.answer(socket, await socket.next());
      await until(() => socket.sent.length > 0, 5);
    }
  }

  answer(socket: FakeConnection, { type, seq, peer, attrs }: Message): void {
    const line = this.describe(type, attrs);
    if (line === undefined) return;
    this.log.push(line);
    const refusal = this.refused.get(line);
    const data = refusal === undefined ? this.data(type, attrs) : [];
    const missing = type === MessageType.lookup && data.length === 0;
    socket.deliver(
      ...data.map(part => ({ type: MessageType.data, seq, peer, attrs: part })),
      { type: MessageType.status, seq, peer, attrs: { status: refusal ?? (missing ? 4 : 0) } },
    );
  }

  private describe(type: number, attrs: Attributes): string | undefined {
    switch (type) {
      case MessageType.addObject: return `add ${attrs.objpath ?? '-'}`;
      case MessageType.removeObject: return 'remove';
      case MessageType.lookup: return `lookup ${attrs.objpath}`;
      case MessageType.subscribe: return `subscribe ${attrs.target}`;
      case MessageType.invoke: return `${attrs.method} ${String(fromFields(decodeFields(attrs.data!))['pattern'] ?? '')}`.trim();
      default: return undefined;
    }
  }

  private data(type: number, attrs: Attributes): Attributes[] {
    if (type === MessageType.addObject) {
      this.added.push(++this.#nextId);
      return [{ objid: this.#nextId, ...(attrs.signature && { objtype: 5 }) }];
    }
    if (type !== MessageType.lookup) return [];
    const wanted = attrs.objpath ?? '*';
    const matching = [...this.paths].filter(([path]) => (wanted.endsWith('*') ? path.startsWith(wanted.slice(0, -1)) : path === wanted));
    return matching.map(([objpath, objid]) => ({ objpath, objid }));
  }

  /** What was asked since the last time. */
  take(): string[] {
    return this.log.splice(0);
  }
}

const event = (object: number, name: string, data: TableOrFields): Message => ({ type: MessageType.invoke, seq: 1, peer: 0, attrs: { objid: object, method: name, data: bytes(data) } });
const notification = (object: number, type: string, data: TableOrFields = {}): Message => ({ type: MessageType.invoke, seq: 1, peer: 9999, attrs: { objid: object, method: type, noReply: true, data: bytes(data) } });
const unsubscribe = (objid: number, target: number): Message => ({ type: MessageType.unsubscribe, seq: 1, peer: 0, attrs: { objid, target } });

async function connected(options: ClientOptions = {}) {
  const platform = new FakePlatform();
  const bus = new Bus();
  const errors: Error[] = [];
  const client = new UbusClient({ path: '/s', platform, onError: error => errors.push(error), ...options });
  const connecting = client.connect();
  platform.last.hello();
  await connecting;
  /** Runs a step while the bus answers. */
  const run = async <T>(step: Promise<T>): Promise<T> => {
    step.catch(() => {});
    await bus.serve(platform.last);
    return step;
  };
  return { platform, bus, errors, client, run };
}

t.test('reconnectDelay doubles up to the longest, less a random part', async t => {
  t.same([0, 1, 2, 5, 6, 100].map(attempt => reconnectDelay(attempt, {}, 0)), [100, 200, 400, 3200, 5000, 5000]);
  t.equal(reconnectDelay(0, {}, 0.5), 75);
  t.equal(reconnectDelay(3, { minDelay: 10, maxDelay: 50, jitter: 1 }, 0.75), 12.5);
});

t.test('comes back after ubusd has restarted, and registers everything anew', async t => {
  const { platform, bus, client, run, errors } = await connected({ reconnect: { minDelay: 100, jitter: 0 } });
  const log: string[] = [];
  client.on('connect', () => log.push('connect'));
  client.on('disconnect', () => log.push('disconnect'));
  bus.paths.set('hostapd.a', 0x501);
  const object = await run(client.addObject('o', { m: { handler: () => ({}) } }, { onSubscribers: active => log.push(`active ${active}`) }));
  await run(client.listen('foo', name => log.push(`event ${name}`)));
  await run(client.subscribe('hostapd.a', type => void log.push(`notified ${type}`), { onGone: () => log.push('gone'), onAppeared: () => log.push('appeared') }));
  await run(client.monitor(() => {}));
  t.same(bus.take(), ['add o', 'add -', 'register foo', 'add -', 'lookup hostapd.a', 'subscribe 1281', 'add']);
  const [objectId] = bus.added;
  t.equal(object.id, objectId);
  platform.last.deliver({ type: MessageType.notify, seq: 1, peer: 0, attrs: { objid: objectId!, active: true } });

  platform.last.drop();
  t.same(log.splice(0), ['appeared', 'active true', 'active false', 'gone', 'disconnect']);
  t.equal(object.id, undefined);
  t.notOk(client.connected);
  t.match(await client.ping().catch((error: unknown) => error), { status: 10 });

  platform.advance(99);
  t.equal(platform.connections.length, 1);
  platform.advance(1);
  t.equal(platform.connections.length, 2);
  platform.last.drop();
  await settle();
  platform.advance(199);
  t.equal(platform.connections.length, 2, 'the next delay is twice as long');
  platform.advance(1);
  t.equal(platform.connections.length, 3);

  bus.added.length = 0;
  bus.paths.clear();
  platform.last.hello(0x2000);
  await bus.serve(platform.last);
  t.same(bus.take(), ['add -', 'register foo', 'register ubus.object.add', 'register ubus.object.remove', 'add o', 'lookup hostapd.a', 'add'], 'listeners first');
  t.same(log.splice(0), ['connect']);
  t.ok(client.connected);
  t.equal(client.id, 0x2000);

  const [hub] = bus.added;
  platform.last.deliver(event(hub!, 'foo', {}), event(hub!, 'ubus.object.add', { id: 0x777, path: 'hostapd.a' }));
  await bus.serve(platform.last);
  t.same(bus.take(), ['add -', 'subscribe 1911']);
  t.same(log.splice(0), ['event foo', 'appeared']);
  platform.last.deliver(notification(bus.added.at(-1)!, 'probe'));
  t.same(log.splice(0), ['notified probe']);
  t.same(errors, []);

  client.close();
  t.same(log.splice(0), ['gone', 'disconnect']);
  t.equal(platform.timers, 0);
  platform.advance(60_000);
  t.equal(platform.connections.length, 3, 'closed is closed');
});

t.test('set up before there is a connection', async t => {
  const platform = new FakePlatform();
  const bus = new Bus();
  const client = new UbusClient({ path: '/s', platform, reconnect: { jitter: 0 } });
  await client.addObject('o', {});
  await client.listen(['a', 'b*'], () => {});
  await client.watch('x.*', {});
  const connecting = client.connect({ persist: true });
  platform.last.drop(new Error('ENOENT'));
  await connecting;
  t.notOk(client.connected);
  platform.advance(100);
  platform.last.hello();
  await bus.serve(platform.last);
  t.same(bus.take(), ['add -', 'register a', 'register b*', 'register ubus.object.add', 'register ubus.object.remove', 'add o', 'lookup x.*']);
  client.close();
});

t.test('an object that is removed while it is being added', async t => {
  const platform = new FakePlatform();
  const bus = new Bus();
  const client = new UbusClient({ path: '/s', platform });
  const object = await client.addObject('o', {});
  const connecting = client.connect();
  platform.last.hello();
  await until(() => platform.last.sent.length > 0);
  await object.remove();
  await bus.serve(platform.last);
  await connecting;
  t.same(bus.take(), ['add o', 'remove']);
  t.equal(object.id, undefined);
  client.close();
});

t.test('a refusal', async t => {
  const { bus, client, run, platform, errors } = await connected({ reconnect: { jitter: 0 } });
  bus.refused.set('add taken', 2).set('register secret', 6).set('add', 6);
  const statusOf = (error: unknown): unknown => (error as { status?: number }).status;
  t.equal(await run(client.addObject('taken', {})).catch(statusOf), 2);
  t.equal(await run(client.listen('secret', () => {})).catch(statusOf), 6);
  t.equal(await run(client.monitor(() => {})).catch(statusOf), 6);
  t.equal(await run(client.subscribe('missing', () => {})).catch(statusOf), 4);
  await run(client.addObject('free', {}));
  bus.refused.set('add free', 2);
  bus.take();
  platform.last.drop();
  platform.advance(100);
  platform.last.hello();
  await bus.serve(platform.last);
  t.same(bus.take(), ['add free'], 'what was refused at first is forgotten');
  t.match(errors, [{ status: 2 }], 'what is refused when registered again is reported');
  t.ok(client.connected);
});

t.test('watch', async t => {
  const { platform, bus, client, run, errors } = await connected();
  const log: string[] = [];
  bus.paths.set('hostapd.a', 0x501).set('hostapd.b', 0x502).set('other', 0x503);
  const watch = await run(client.watch('hostapd.*', {
    appeared: ({ path }) => log.push(`appeared ${path}`),
    notified: ({ path }, type) => void log.push(`${type} ${path}`),
    gone: ({ path }) => log.push(`gone ${path}`),
  }));
  t.same(bus.take(), ['add -', 'register ubus.object.add', 'register ubus.object.remove', 'lookup hostapd.*', 'add -', 'subscribe 1281', 'add -', 'subscribe 1282']);
  t.same(log.splice(0), ['appeared hostapd.a', 'appeared hostapd.b']);
  t.same(watch.objects.map(({ path, id }) => [path, id]), [['hostapd.a', 0x501], ['hostapd.b', 0x502]]);
  const [hub, a, b] = bus.added as [number, number, number];

  const socket = platform.last;
  socket.deliver(notification(b, 'probe'), notification(a, 'auth'), event(hub, 'ubus.object.add', { id: 0x501, path: 'hostapd.a' }), event(hub, 'ubus.object.add', { id: 0x600, path: 'other2' }));
  await bus.serve(socket);
  t.same(log.splice(0), ['probe hostapd.b', 'auth hostapd.a']);
  t.same(bus.take(), [], 'known objects and others are left alone');

  socket.deliver(unsubscribe(a, 0x501), event(hub, 'ubus.object.remove', { id: 0x501, path: 'hostapd.a' }), event(hub, 'ubus.object.add', { id: -5, path: 'hostapd.a' }));
  await bus.serve(socket);
  t.same(log.splice(0), ['gone hostapd.a', 'appeared hostapd.a']);
  t.same(bus.take(), ['remove', 'add -', `subscribe ${(-5 >>> 0)}`], 'ids are unsigned');

  bus.refused.set('subscribe 2000', 4);
  socket.deliver(event(hub, 'ubus.object.add', { id: 2000, path: 'hostapd.c' }));
  await bus.serve(socket);
  t.same(log.splice(0), [], 'gone again before it could be subscribed to, or not allowed');
  t.same(bus.take(), ['add -', 'subscribe 2000', 'remove']);

  socket.deliver(event(hub, 'ubus.object.add', { id: 2001, path: 'hostapd.d' }), event(hub, 'ubus.object.remove', { id: 2001, path: 'hostapd.d' }));
  await bus.serve(socket);
  t.same(log.splice(0), [], 'came and went at once');
  t.same(bus.take(), ['add -', 'remove']);

  socket.deliver(event(hub, 'ubus.object.add', { id: 'x', path: 5 }), event(hub, 'ubus.object.remove', {}));
  socket.deliver({ ...event(hub, 'ubus.object.add', {}), attrs: { objid: hub, method: 'ubus.object.add', data: Uint8Array.of(1, 2, 3) } });
  await bus.serve(socket);
  t.match(errors, [{ name: 'MalformedError' }]);

  await run(watch.close());
  t.same(bus.take(), ['remove', 'remove']);
  socket.deliver(event(hub, 'ubus.object.add', { id: 3000, path: 'hostapd.e' }));
  await bus.serve(socket);
  t.same(bus.take(), []);
  t.same(log, []);
});

t.test('watch without notifications, and waitFor', async t => {
  const { platform, bus, client, run } = await connected();
  const log: string[] = [];
  bus.paths.set('a', 1001);
  await run(client.watch('*', { appeared: ({ path }) => log.push(`+${path}`), gone: ({ path }) => log.push(`-${path}`) }));
  const hub = bus.added[0]!;
  t.same(bus.take().filter(line => line.startsWith('subscribe')), []);
  const waiting = client.waitFor(['a', 'late']);
  await bus.serve(platform.last);
  let done = false;
  void waiting.then(() => (done = true));
  await settle();
  t.notOk(done);
  platform.last.deliver(event(hub, 'ubus.object.remove', { id: 1001, path: 'a' }), event(hub, 'ubus.object.add', { id: 1002, path: 'late' }));
  await waiting;
  t.same(log, ['+a', '-a', '+late']);
  await client.waitFor([]);
  const never = client.waitFor(['never'], { timeout: 50 });
  never.catch(() => {});
  await bus.serve(platform.last);
  platform.advance(50);
  t.match(await never.catch((error: unknown) => error), { status: 7 });
  t.equal(platform.timers, 0);
});

t.test('a subscription whose object goes and comes back', async t => {
  const { platform, bus, client, run } = await connected();
  const log: string[] = [];
  bus.paths.set('o', 1001);
  const handle = await run(client.subscribe('o', type => void log.push(type), { onGone: () => log.push('gone'), onAppeared: () => log.push('appeared') }));
  t.same(bus.take(), ['add -', 'lookup o', 'subscribe 1001'], 'no events as long as all is well');
  bus.paths.clear();
  platform.last.deliver(unsubscribe(bus.added[0]!, 1001));
  await bus.serve(platform.last);
  t.same(bus.take(), ['remove', 'add -', 'register ubus.object.add', 'register ubus.object.remove', 'lookup o']);
  const hub = bus.added.at(-1)!;
  platform.last.deliver(event(hub, 'ubus.object.add', { id: 1002, path: 'o' }));
  await bus.serve(platform.last);
  platform.last.deliver(notification(bus.added.at(-1)!, 'hello'));
  t.same(log, ['appeared', 'gone', 'appeared', 'hello']);
  await run(handle.close());
  t.same(log.splice(4), []);
});

t.test('an error in a listener does not keep others from the event', async t => {
  const { platform, bus, client, run, errors } = await connected();
  const log: string[] = [];
  await run(client.listen('e', () => { throw new Error('bug'); }));
  const handle = await run(client.listen('*', (name, data, fields) => log.push(`${name} ${String(data['a'])} ${fields[0]?.type}`)));
  platform.last.deliver(event(bus.added[0]!, 'e', { a: 1n }));
  t.same(log.splice(0), ['e 1 int64']);
  t.match(errors, [{ message: 'bug' }]);
  await handle.close();
  platform.last.deliver(event(bus.added[0]!, 'e', {}));
  t.same(log, []);
});
