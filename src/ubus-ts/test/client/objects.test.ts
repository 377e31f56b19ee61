import t from 'tap';
import { MessageType, Status, UbusClient, UbusError, encodeFields, toFields, type Attributes, type Message, type TableOrFields } from '../../src/index.js';
import { formatJson, maxBlobLength } from '../../src/index.js';
import { FakePlatform, settle, until, type FakeConnection } from '../fake-platform.js';

const own = 0x11223344;
const caller = 0x55667788;
const bytes = (table: TableOrFields): Uint8Array => encodeFields(toFields(table));

interface World {
  client: UbusClient;
  socket: FakeConnection;
  platform: FakePlatform;
  errors: Error[];
}

async function connected(): Promise<World> {
  const platform = new FakePlatform();
  const errors: Error[] = [];
  const client = new UbusClient({ path: '/s', reconnect: false, platform, onError: error => errors.push(error) });
  const connecting = client.connect();
  platform.last.hello();
  await connecting;
  return { client, socket: platform.last, platform, errors };
}

/** Waits for a setup step to have its requests answered: ADD_OBJECT with ids from `own` up, LOOKUP with `target`, the rest with 0. */
async function setUp<T>(socket: FakeConnection, step: Promise<T>, target?: number): Promise<T> {
  let done = false;
  let next = own;
  void step.finally(() => (done = true)).catch(() => {});
  for (;;) {
    await until(() => done || socket.sent.length > 0);
    if (socket.sent.length === 0) return step;
    const isLookup = socket.sent[0]!.startsWith('0004');
    if (isLookup) await socket.answer(target === undefined ? 4 : 0, ...(target === undefined ? [] : [{ objpath: 'them', objid: target }]));
    else await socket.answer(0, { objid: next++ });
  }
}

const invoke = (method: string, data: TableOrFields = {}, more: Attributes = {}): Message => ({
  type: MessageType.invoke,
  seq: 7,
  peer: caller,
  attrs: { objid: own, method, user: 'root', group: 'wheel', data: bytes(data), ...more },
});

function print({ type, seq, peer, attrs }: Message): string {
  const { data, ...rest } = attrs;
  return `${type} ${seq} ${peer.toString(16)} ${JSON.stringify(rest)} ${data === undefined ? '' : formatJson(data)}`;
}

async function answers(socket: FakeConnection): Promise<string[]> {
  await settle();
  const all: string[] = [];
  while (socket.sent.length > 0) all.push(print(await socket.next()));
  return all;
}

const data = (json: string): string => `2 7 55667788 {"objid":${own}} ${json}`;
const status = (code: number): string => `1 7 55667788 {"status":${code},"objid":${own}} `;

t.test('handlers', async t => {
  const { client, socket, errors } = await connected();
  let finish = (): void => {};
  let seen: unknown;
  await setUp(socket, client.addObject('o', {
    sync: { handler: () => ({ a: 1 }) },
    nothing: { handler() {} },
    empty: { handler: () => ({}) },
    encoded: { handler: () => bytes({ a: 1 }) },
    typed: {
      args: { s: 'string', n: 'int32', b: 'bool', l: 'cast_int64', list: 'array', any: 'unspec' },
      handler(args, request) {
        seen = { args: { ...args }, user: request.user, group: request.group, client: request.client, method: request.method };
        const n: number | undefined = args.n;
        return { n };
      },
    },
    async: { handler: () => new Promise<{ late: boolean }>(resolve => (finish = () => resolve({ late: true }))) },
    parts: {
      handler(_, { reply }) {
        reply({ part: 1 });
        reply({ part: 2 });
        return { part: 3 };
      },
    },
    refuses: { handler: () => Promise.reject(new UbusError(Status.permissionDenied)) },
    breaks: { handler: () => { throw new Error('bug'); } },
    large: { handler: () => ({ s: 'x'.repeat(maxBlobLength) }) },
    unsendable: { handler: () => ({ f: (() => 1) as unknown as string }) },
  }));

  const cases: [Message, string[]][] = [
    [invoke('sync'), [data('{"a":1}'), status(0)]],
    [invoke('nothing'), [status(0)]],
    [invoke('empty'), [data('{}'), status(0)]],
    [invoke('encoded'), [data('{"a":1}'), status(0)]],
    [invoke('parts'), [data('{"part":1}'), data('{"part":2}'), data('{"part":3}'), status(0)]],
    [invoke('refuses'), [status(6)]],
    [invoke('breaks'), [status(9)]],
    [invoke('large'), [status(9)]],
    [invoke('unsendable'), [status(9)]],
    [invoke('missing'), [status(3)]],
    [invoke('toString'), [status(3)]],
    [{ ...invoke('sync'), attrs: { objid: own, method: 'sync' } }, [status(2)]],
    [{ ...invoke('sync'), attrs: { objid: own, data: bytes({}) } }, [status(2)]],
    [{ ...invoke('sync'), attrs: { objid: own, method: 'sync', data: Uint8Array.of(9, 9, 9, 9, 9) } }, [status(2)]],
    [{ ...invoke('sync'), attrs: { objid: own + 1, method: 'sync', data: bytes({}) } }, [`1 7 55667788 {"status":4,"objid":${own + 1}} `]],
    [{ ...invoke('sync'), attrs: { method: 'sync', data: bytes({}) } }, []],
    [invoke('sync', {}, { noReply: true }), []],
  ];
  for (const [message, expected] of cases) {
    socket.deliver(message);
    t.same(await answers(socket), expected, `${message.attrs.method}`);
  }
  t.same(errors.map(({ name }) => name), ['Error', 'RangeError', 'TypeError']);

  socket.deliver(invoke('async'));
  t.same(await answers(socket), []);
  finish();
  t.same(await answers(socket), [data('{"late":true}'), status(0)]);

  socket.deliver(invoke('typed', { s: 'x', n: 5, b: true, l: 2n ** 60n, list: [1], any: null, more: 'kept' }));
  t.same(await answers(socket), [data('{"n":5}'), status(0)]);
  t.same(seen, {
    args: { s: 'x', n: 5, b: true, l: 2n ** 60n, list: [1], any: null, more: 'kept' },
    user: 'root', group: 'wheel', client: caller, method: 'typed',
  });
  socket.deliver(invoke('typed', { s: 5, n: 'x', b: 1, l: 1.5, list: {} }));
  t.same(await answers(socket), [data('{}'), status(0)]);
  t.same((seen as { args: object }).args, {}, 'arguments of another type count as absent');
  socket.deliver(invoke('typed', { n: 2n ** 60n }));
  await answers(socket);
  t.same((seen as { args: object }).args, {}, 'and so does an integer that a number cannot hold');
});

t.test('a deferred answer after the connection has gone does nothing', async t => {
  const { client, socket, errors } = await connected();
  let finish = (): void => {};
  await setUp(socket, client.addObject('o', { m: { handler: () => new Promise<void>(resolve => (finish = resolve)) } }));
  socket.deliver(invoke('m'));
  await settle();
  socket.drop();
  finish();
  t.same(await answers(socket), []);
  t.same(errors, []);
});

t.test('subscribers of an object', async t => {
  const { client, socket, errors } = await connected();
  const seen: boolean[] = [];
  const object = await setUp(socket, client.addObject('o', {}, {
    onSubscribers(active) {
      seen.push(active);
      if (active) throw new Error('bug');
    },
  }));
  t.equal(object.id, own);
  const active = (value: boolean): Message => ({ type: MessageType.notify, seq: 1, peer: 0, attrs: { objid: own, active: value } });
  socket.deliver(active(true), active(true));
  t.ok(object.hasSubscribers);
  object.notify('hi', { a: 1 });
  t.same(await answers(socket), [`10 2 ${own.toString(16)} {"objid":${own},"method":"hi","noReply":true} {"a":1}`]);
  socket.deliver(active(false));
  t.same(seen, [true, false]);
  t.equal(errors.length, 1);
  t.throws(() => object.notify('hi', { s: 'x'.repeat(maxBlobLength) }), RangeError);
  await setUp(socket, object.remove());
  t.throws(() => object.notify('hi'), UbusError);
  t.equal(object.id, undefined);
});

t.test('notifyWait', async t => {
  const { client, socket, platform } = await connected();
  const object = await setUp(socket, client.addObject('o', {}));
  const answer = (seq: number, peer: number, type: number, attrs: Attributes): Message => ({ type, seq, peer, attrs: { ...attrs, objid: peer } });
  const start = async (options = {}): Promise<{ seq: number; result: ReturnType<typeof object.notifyWait> }> => {
    const result = object.notifyWait('probe', {}, options);
    result.catch(() => {});
    return { seq: (await socket.next()).seq, result };
  };
  const subscribers = (seq: number, ...ids: number[]): Message => answer(seq, own, MessageType.status, { subscribers: ids, status: 0 });

  t.test('all in one piece, one of them twice', async t => {
    const { seq, result } = await start();
    socket.deliver(
      subscribers(seq, 5001, 5002, 5001),
      answer(seq, 5001, MessageType.data, { data: bytes({ a: 1 }) }),
      answer(seq, 5001, MessageType.status, { status: 0 }),
      answer(seq, 5002, MessageType.status, { status: 6 }),
      answer(seq, 5001, MessageType.data, { data: Uint8Array.of(1) }),
      answer(seq, 5001, MessageType.status, { status: 2 }),
    );
    t.same((await result).map(entry => ({ ...entry, data: entry.data.map(table => ({ ...table })) })), [
      { subscriber: 5001, status: 0, data: [{ a: 1 }] },
      { subscriber: 5002, status: 6, data: [] },
      { subscriber: 5001, status: 2, data: [] },
    ]);
    t.equal(platform.timers, 0);
  });
  t.test('nobody', async t => {
    const { seq, result } = await start();
    socket.deliver(subscribers(seq));
    t.same(await result, []);
  });
  t.test('one does not answer', async t => {
    const { seq, result } = await start({ timeout: 100 });
    socket.deliver(subscribers(seq, 5001, 5002), answer(seq, 5002, MessageType.status, { status: 0 }));
    await settle();
    platform.advance(100);
    t.same(await result, [{ subscriber: 5001, status: 7, data: [] }, { subscriber: 5002, status: 0, data: [] }]);
  });
  t.test('ubusd does not answer', async t => {
    const { result } = await start({ timeout: 100 });
    platform.advance(100);
    t.match(await result.catch((error: unknown) => error), { status: 7 });
  });
  t.test('refused', async t => {
    const { seq, result } = await start();
    socket.deliver({ type: MessageType.status, seq, peer: own, attrs: { status: 6 } });
    t.match(await result.catch((error: unknown) => error), { status: 6 });
  });
  t.test('the connection goes', async t => {
    const { seq, result } = await start();
    socket.deliver(subscribers(seq, 5001));
    await settle();
    socket.drop();
    t.match(await result.catch((error: unknown) => error), { status: 10 });
  });
});

t.test('a subscriber answers the owner at once', async t => {
  const { client, socket, errors } = await connected();
  const results: Record<string, () => number | void | Promise<void>> = {
    nothing: () => {},
    veto: () => 6,
    promise: () => new Promise<void>(() => {}),
    rejected: () => Promise.reject(new Error('later')),
    thrown: () => { throw new Error('now'); },
    refused: () => { throw new UbusError(6); },
  };
  let later = (_status: number): void => {};
  const handle = await setUp(socket, client.subscribe('them', (type, _, note) => {
    t.equal(note.path, 'them');
    t.equal(note.objectId, 0x7000);
    if (type === 'data') note.answer(5, { why: 'so' });
    if (type === 'deferred') {
      note.defer();
      later = note.answer;
    }
    return results[type]?.();
  }), 0x7000);
  const cases: [string, string[]][] = [
    ['nothing', [status(0)]],
    ['veto', [status(6)]],
    ['promise', [status(0)]],
    ['rejected', [status(0)]],
    ['thrown', [status(0)]],
    ['refused', [status(6)]],
    ['data', [data('{"why":"so"}'), status(5)]],
    ['deferred', []],
  ];
  for (const [type, expected] of cases) {
    socket.deliver(invoke(type));
    t.same(await answers(socket), expected, type);
  }
  later(3);
  t.same(await answers(socket), [status(3)]);
  socket.deliver(invoke('veto', {}, { noReply: true }));
  t.same(await answers(socket), [], 'no answer is wanted');
  socket.deliver({ ...invoke('veto'), attrs: { objid: own, method: 'veto', data: Uint8Array.of(1, 2) } });
  t.same(await answers(socket), [status(0)], 'nor is a client refused for the sake of bytes that make no sense');
  t.same(errors.map(({ name }) => name), ['Error', 'Error', 'MalformedError']);
  await setUp(socket, handle.close());
  socket.deliver(invoke('veto'));
  t.same(await answers(socket), [status(4)], 'it is gone');
});
