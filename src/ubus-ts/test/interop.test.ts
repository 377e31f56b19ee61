/* Against the real ubusd and the real ubus command, where they are on PATH. */
import t, { type Test } from 'tap';
import { UbusClient, int16, parseJson, type PublishedObject } from '../src/index.js';
import { addFixtureObject, type Sleep } from './fixture-server.js';
import { blobmsgTables } from './recordings.js';
import { RealUbusd, eventually, missing } from './real-ubus.js';

const sleep: Sleep = ms => new Promise(resolve => setTimeout(resolve, ms));

/** A test with a ubusd of its own; skipped, by name, where there is none. */
function interop(name: string, body: (t: Test, ubusd: RealUbusd, open: () => Promise<UbusClient>) => Promise<void>): void {
  void t.test(name, { skip: missing }, async t => {
    const ubusd = new RealUbusd();
    const clients: UbusClient[] = [];
    await ubusd.start();
    try {
      await body(t, ubusd, async () => {
        const client = new UbusClient({ path: ubusd.socket, reconnect: { minDelay: 20, maxDelay: 100 }, onError: error => t.error(error) });
        clients.push(client);
        await client.connect();
        return client;
      });
    } finally {
      for (const client of clients) client.close();
      await ubusd.close();
    }
  });
}

interop('ubus list and ubus -v list show our objects', async (t, ubusd, open) => {
  const client = await open();
  const object = await addFixtureObject(client, 'fx', 'all', sleep);
  await addFixtureObject(client, 'fx.small', 'small', sleep);
  await addFixtureObject(client, 'gy.small', 'small', sleep);
  t.equal((await ubusd.ubus('list')).stdout, 'fx\nfx.small\ngy.small\n');
  t.equal((await ubusd.ubus('list', 'fx.*')).stdout, 'fx.small\n');
  const { stdout } = await ubusd.ubus('-v', 'list', 'fx');
  t.equal(stdout.split('\n')[0], `'fx' @${object.id!.toString(16).padStart(8, '0')}`);
  t.match(stdout, '\t"types":{"a_array":"Array","b_table":"Table","c_string":"String","d_int64":"(unknown)","e_int32":"Integer","f_int16":"(unknown)","g_bool":"Boolean","h_double":"(unknown)","i_unspec":"(unknown)","j_cast64":"(unknown)"}\n');
  await object.remove();
  t.equal((await ubusd.ubus('list')).stdout, 'fx.small\ngy.small\n');
});

interop('ubus call on our objects', async (t, ubusd, open) => {
  const client = await open();
  await addFixtureObject(client, 'fx', 'all', sleep);
  const cases: [string[], string, number][] = [
    [['fx', 'noargs'], '{\n\t"ok": true\n}\n', 0],
    [['fx', 'empty'], '{\n\t\n}\n', 0],
    [['fx', 'silent'], '', 0],
    [['fx', 'strict', '{"name":"you"}'], '{\n\t"hello": "you"\n}\n', 0],
    [['fx', 'strict', '{"name":5}'], '', 254],
    [['fx', 'nosuch'], '', 253],
    [['fx', 'status', '{"code":6}'], '', 250],
    [['fx', 'status', '{"code":-1}'], '', 1],
    [['fx', 'defer', '{"ms":30}'], '{\n\t"late": "but here"\n}\n', 0],
    [['nope', 'x'], '', 4],
    [['fx', 'multi', '{"size":3,"count":2}'], '{\n\t"part": 0,\n\t"data": "abc"\n}\n{\n\t"part": 1,\n\t"data": "bcd"\n}\n', 0],
  ];
  for (const [args, stdout, exit] of cases) {
    const result = await ubusd.ubus('call', ...args);
    t.equal(result.stdout, stdout, args.join(' '));
    t.equal(result.exit, exit, args.join(' '));
  }
  t.match((await ubusd.ubus('-S', 'call', 'fx', 'whoami')).stdout, /^\{"user":"\w+","group":"\w+","object":"fx"\}\n$/);
  t.equal((await ubusd.ubus('-t', '1', 'call', 'fx', 'never')).exit, 249, 'times out');
});

interop('JSON goes through us and back as the tables say', async (t, ubusd, open) => {
  const client = await open();
  await addFixtureObject(client, 'fx', 'all', sleep);
  let count = 0;
  for (const { json, accepted, printed } of blobmsgTables().json) {
    if (json === undefined || !accepted || json.includes('\\u0000') || json.length > 2000) continue;
    t.equal((await ubusd.ubus('-S', 'call', 'fx', 'echo', json)).stdout, `${printed}\n`, json);
    count++;
  }
  t.ok(count > 80);
});

interop('replies of every size up to the limit', async (t, ubusd, open) => {
  const server = await open();
  const caller = await open();
  await addFixtureObject(server, 'fx', 'all', sleep);
  for (const size of [1, 1000, 70_000, 500_000, 1_000_000, 1_048_400]) {
    const reply = await caller.call('fx', 'big', { size });
    t.equal(String(reply?.['data']).length, size);
    t.equal((await ubusd.ubus('call', 'fx', 'big', `{"size":${size}}`)).stdout.length > size, true);
  }
});

t.test('a reply above the limit is refused and everything goes on', { skip: missing }, async t => {
  const ubusd = new RealUbusd();
  await ubusd.start();
  const errors: Error[] = [];
  const client = new UbusClient({ path: ubusd.socket, onError: error => errors.push(error) });
  try {
    await client.connect();
    await addFixtureObject(client, 'fx', 'all', sleep);
    t.equal((await ubusd.ubus('call', 'fx', 'big', '{"size":1048576}')).exit, 247);
    t.equal((await ubusd.ubus('call', 'fx', 'noargs')).exit, 0);
    t.match(errors, [RangeError]);
  } finally {
    client.close();
    await ubusd.close();
  }
});

interop('calls between two of our clients', async (t, _, open) => {
  const server = await open();
  const caller = await open();
  await addFixtureObject(server, 'fx', 'all', sleep);
  t.same((await caller.list()).map(({ path }) => path), ['fx']);
  t.same((await caller.lookup('fx')).methods.find(({ name }) => name === 'strict'), { name: 'strict', args: [{ name: 'name', type: 3 }, { name: 'count', type: 5 }] });
  const args = parseJson('{"a":1,"b":[true,null,"x",1.5,5000000000],"c":{"d":9007199254740993}}');
  const reply = await caller.call('fx', 'echo', args);
  t.same(JSON.stringify(reply, (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value)), '{"a":1,"b":[true,null,"x",1.5,5000000000],"c":{"d":"9007199254740993"}}');
  t.same((await caller.callAll('fx', 'multi', { size: 2, count: 3 })).map(part => part['data']), ['ab', 'bc', 'cd']);
  const concurrent = await Promise.all([50, 10, 30].map(ms => caller.call('fx', 'defer', { ms })));
  t.equal(concurrent.length, 3);
  for (const [method, status] of [['nosuch', 3], ['strict', 2]] as const) t.match(await caller.call('fx', method).catch((error: unknown) => error), { status });
  t.match(await caller.call('fx', 'never', {}, { timeout: 50 }).catch((error: unknown) => error), { status: 7 });
  await caller.ping();
  const many = await Promise.all(Array.from({ length: 2000 }, (_, i) => caller.call('fx', 'echo', { i })));
  t.same(many.map(table => table?.['i']), Array.from({ length: 2000 }, (_, i) => i));
});

interop('an object that is added anew is found again', async (t, _, open) => {
  const server = await open();
  const caller = await open();
  const first = await addFixtureObject(server, 'fx', 'small', sleep);
  await caller.call('fx', 'ping');
  await first.remove();
  t.match(await caller.call('fx', 'ping').catch((error: unknown) => error), { status: 4 });
  await addFixtureObject(server, 'fx', 'small', sleep);
  t.same(await caller.call('fx', 'ping'), Object.create(null));
});

interop('a path that is taken', async (t, _, open) => {
  const [one, two] = [await open(), await open()];
  await addFixtureObject(one, 'fx', 'small', sleep);
  t.match(await addFixtureObject(two, 'fx', 'small', sleep).catch((error: unknown) => error), { status: 2 });
});

interop('events both ways', async (t, ubusd, open) => {
  const client = await open();
  const seen: string[] = [];
  await client.listen(['foo', 'bar.*', 'bar.x'], (name, data) => seen.push(`${name} ${JSON.stringify(data)}`));
  await ubusd.ubus('send', 'foo', '{"a":1}');
  await ubusd.ubus('send', 'bar.x', '{"list":["x",2]}');
  await ubusd.ubus('send', 'other', '{}');
  await ubusd.ubus('send', 'bar.');
  await eventually(() => seen.length === 3);
  t.same(seen, ['foo {"a":1}', 'bar.x {"list":["x",2]}', 'bar. {}']);

  const listener = ubusd.background('listen', 'mine.*');
  const sender = await open();
  await eventually(() => {
    void sender.send('mine.probe').catch(() => {});
    return listener.output().includes('mine.probe');
  });
  await sender.send('mine.x', { n: 1, big: 5n, h: int16(3) });
  await eventually(() => listener.output().includes('mine.x'));
  t.match(listener.output(), '{ "mine.x": {"n":1,"big":5,"h":3} }\n');
  t.match(await sender.send('ubus.fake').catch((error: unknown) => error), { status: 6 });
});

interop('ubus subscribe gets our notifications', async (t, ubusd, open) => {
  const client = await open();
  const active: boolean[] = [];
  const object = await addFixtureObject(client, 'fx', 'small', sleep, { onSubscribers: value => active.push(value) });
  const subscriber = ubusd.background('subscribe', 'fx');
  await eventually(() => object.hasSubscribers);
  object.notify('hi', { a: 1 });
  await eventually(() => subscriber.output() !== '');
  t.equal(subscriber.output(), '{ "hi": {"a":1} }\n');
  t.match(await object.notifyWait('asked'), [{ status: 0, data: [] }]);
  await subscriber.stop();
  await eventually(() => !object.hasSubscribers);
  t.same(active, [true, false]);
  t.same(await object.notifyWait('nobody'), []);
});

interop('subscribers answer with data and with a veto', async (t, _, open) => {
  const owner = await open();
  const object = await addFixtureObject(owner, 'fx', 'small', sleep);
  const [one, two] = [await open(), await open()];
  await one.subscribe('fx', (type, data, note) => {
    t.match(note, { path: 'fx', objectId: object.id, noReply: false });
    note.answer(0, { type, got: data });
  });
  const handle = await two.subscribe('fx', () => 6);
  const answers = await object.notifyWait('probe', { address: '02:00:00:00:00:01' });
  t.same(answers.map(({ status }) => status).sort(), [0, 6]);
  t.same(JSON.stringify(answers.find(({ status }) => status === 0)?.data), '[{"type":"probe","got":{"address":"02:00:00:00:00:01"}}]');
  await handle.close();
  t.equal((await object.notifyWait('probe')).length, 1);
  t.match(await owner.subscribe('fx', () => {}).catch((error: unknown) => error), { status: 2 }, 'not to its own');
  t.match(await one.subscribe('nope', () => {}).catch((error: unknown) => error), { status: 4 });
});

interop('a watch follows objects as they come and go', async (t, _, open) => {
  const [watcher, hostapd] = [await open(), await open()];
  const log: string[] = [];
  const first = await addFixtureObject(hostapd, 'hostapd.a', 'small', sleep);
  await watcher.watch('hostapd.*', {
    appeared: ({ path }) => log.push(`+${path}`),
    notified: ({ path }, type) => void log.push(`${type} ${path}`),
    gone: ({ path }) => log.push(`-${path}`),
  });
  const second = await addFixtureObject(hostapd, 'hostapd.b', 'small', sleep);
  await eventually(() => second.hasSubscribers);
  second.notify('probe');
  first.notify('auth');
  await eventually(() => log.length === 4);
  await first.remove();
  const again = await addFixtureObject(hostapd, 'hostapd.a', 'small', sleep);
  await eventually(() => again.hasSubscribers);
  hostapd.close();
  await eventually(() => log.length === 8);
  t.same(log.slice(0, 6), ['+hostapd.a', '+hostapd.b', 'probe hostapd.b', 'auth hostapd.a', '-hostapd.a', '+hostapd.a']);
  t.same(log.slice(6).sort(), ['-hostapd.a', '-hostapd.b']);
});

interop('everything comes back after ubusd has restarted', async (t, ubusd, open) => {
  const [server, other] = [await open(), await open()];
  const log: string[] = [];
  const object: PublishedObject = await addFixtureObject(server, 'fx', 'all', sleep);
  await other.listen('foo', () => log.push('event'));
  await other.subscribe('fx', type => void log.push(type), { onAppeared: () => log.push('appeared'), onGone: () => log.push('gone') });
  const before = object.id;
  const pending = other.call('fx', 'never');
  pending.catch(() => {});
  await ubusd.stop();
  t.match(await pending.catch((error: unknown) => error), { status: 10 });
  t.match(await other.call('fx', 'noargs').catch((error: unknown) => error), { status: 10 });
  await ubusd.start();
  await eventually(() => object.hasSubscribers && other.connected);
  t.not(object.id, before);
  object.notify('again');
  await eventually(() => log.includes('again'));
  await eventually(() => {
    void ubusd.ubus('send', 'foo');
    return log.includes('event');
  });
  t.same(log.slice(0, 4), ['appeared', 'gone', 'appeared', 'again']);
  t.equal((await ubusd.ubus('call', 'fx', 'noargs')).exit, 0);
  t.same({ ...(await other.call('fx', 'noargs')) }, { ok: true });
});

interop('ubus wait_for waits for our object, and we for theirs', async (t, ubusd, open) => {
  const [client, waiter] = [await open(), await open()];
  await addFixtureObject(client, 'fx.first', 'small', sleep);
  const command = ubusd.background('-t', '10', 'wait_for', 'fx.first', 'fx.later');
  const ours = waiter.waitFor(['fx.first', 'fx.later'], { timeout: 10_000 });
  await sleep(100);
  await addFixtureObject(client, 'fx.later', 'small', sleep);
  await ours;
  t.equal(await command.exit, 0);
  t.match(await waiter.waitFor(['never'], { timeout: 50 }).catch((error: unknown) => error), { status: 7 });
});

interop('monitor sees what passes, and ubus monitor what we do', async (t, ubusd, open) => {
  const [client, watcher] = [await open(), await open()];
  const seen: string[] = [];
  const handle = await watcher.monitor(({ typeName, send, attrs }) => seen.push(`${send ? '->' : '<-'} ${typeName} ${attrs.method ?? attrs.objpath ?? ''}`));
  const command = ubusd.background('monitor');
  await addFixtureObject(client, 'fx', 'small', sleep);
  await eventually(() => {
    void client.ping();
    return command.output().includes('ping');
  });
  await ubusd.ubus('call', 'fx', 'strict', '{"name":"x"}');
  await eventually(() => seen.some(line => line === '<- invoke strict') && command.output().includes('"hello":"x"'));
  t.ok(seen.includes('<- addObject fx'));
  t.ok(seen.includes('-> invoke strict'));
  await handle.close();
  const before = seen.length;
  await client.ping();
  t.equal(seen.length, before);
});

interop('the private part of ACL files', async (t, ubusd, open) => {
  const client = await open();
  await addFixtureObject(client, 'fx', 'small', sleep);
  await addFixtureObject(client, 'fx.sub', 'small', sleep);
  const sequences: unknown[] = [];
  await client.listen('ubus.acl.sequence', (_, { sequence }) => sequences.push(sequence));
  t.same((await client.queryAcl()).entries, []);
  ubusd.writeAcl('a.json', { user: 'nobody', access: { 'fx.*': { methods: ['*'], acl: { level: 3 } } } });
  await eventually(() => sequences.length > 0);
  const { sequence, entries } = await client.queryAcl();
  t.same([sequence], sequences);
  t.same(JSON.stringify(entries), '[{"path":"fx.sub","user":"nobody","acl":{"level":3}}]');
});

interop('a caller that goes away before its answer', async (t, ubusd, open) => {
  const server = await open();
  await addFixtureObject(server, 'fx', 'all', sleep);
  const caller = ubusd.background('call', 'fx', 'defer', '{"ms":100}');
  await sleep(30);
  await caller.stop();
  await sleep(150);
  const other = await open();
  t.same({ ...(await other.call('fx', 'noargs')) }, { ok: true });
  t.ok((await ubusd.ubus('list')).stdout.includes('fx'));
});
