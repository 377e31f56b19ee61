/* This package's client and broker with each other, over sockets; needs nothing else on the machine. */
import t, { type Test } from 'tap';
import { join } from 'node:path';
import { Broker, Status, UbusClient, UbusError, type PlainTable } from '../src/index.js';
import { nobody } from './memory-client.js';
import { directoryFor } from './socket-client.js';

async function connected(t: Test, path: string): Promise<UbusClient> {
  const client = new UbusClient({ path, reconnect: { minDelay: 10, maxDelay: 50 }, onError: error => t.error(error) });
  t.teardown(() => client.close());
  await client.connect();
  return client;
}

/** The status that a request ended with. */
const status = (request: Promise<unknown>): Promise<unknown> =>
  request.then(() => Status.ok, (error: unknown) => (error instanceof UbusError ? error.status : error));

/** A plain copy, as tables from the wire have no prototype. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

t.test('restart: objects, subscriptions and listeners are there again, with new ids', async t => {
  const path = join(await directoryFor(t), 'ubus.sock');
  const first = new Broker({ path });
  await first.listen();
  const server = await connected(t, path);
  const client = await connected(t, path);
  const object = await server.addObject('fx', {
    add: { args: { a: 'int32', b: 'int32' }, handler: ({ a, b }) => ({ sum: Number(a) + Number(b) }) },
    who: { handler: (_, { user, group }) => ({ user: user ?? '', group: group ?? '' }) },
  });
  const notified: string[] = [];
  const events: [string, PlainTable][] = [];
  await client.watch('f*', { notified: (_, type) => void notified.push(type) });
  await client.listen('my.*', (name, data) => void events.push([name, data]));

  const round = async (number: number): Promise<void> => {
    t.same(await client.call('fx', 'add', { a: 2, b: number }), { sum: 2 + number });
    t.same((await client.list()).map(({ path }) => path), ['fx']);
    await server.send('my.event', { number });
    await server.send('your.event', {});
    for (let tries = 0; !object.hasSubscribers && tries < 3000; tries++) await new Promise(resolve => setTimeout(resolve, 10));
    t.equal((await object.notifyWait(`n${number}`, {}, { timeout: 30_000 })).length, 1, 'one subscriber answers');
  };
  await round(1);
  const before = object.id;
  const down = new Promise<void>(resolve => server.on('disconnect', () => resolve()));
  await first.close();
  await down;
  const second = new Broker({ path });
  await second.listen();
  t.teardown(() => second.close());
  for (const one of [server, client]) {
    for (let tries = 0; !one.connected && tries < 3000; tries++) await new Promise(resolve => setTimeout(resolve, 10));
  }
  await client.waitFor(['fx'], { timeout: 30_000 });
  t.not(object.id, before);
  await round(2);
  t.same(notified, ['n1', 'n2']);
  t.same(plain(events), [['my.event', { number: 1 }], ['my.event', { number: 2 }]]);
});

t.test('errors have the status that the broker gave', async t => {
  const directory = await directoryFor(t);
  const [path, other] = [join(directory, 'ubus.sock'), join(directory, 'nobody.sock')];
  const broker = new Broker({ path });
  await broker.listen();
  await broker.listen({ path: other, credentials: nobody });
  t.teardown(() => broker.close());
  const server = await connected(t, path);
  const client = await connected(t, other);
  const object = await server.addObject('fx', { ping: { handler: () => {} } });
  t.equal(await status(server.addObject('fx', {})), Status.invalidArgument);
  t.equal(await status(server.call('nope', 'x')), Status.notFound);
  t.equal(await status(server.call('fx', 'nope')), Status.methodNotFound);
  t.equal(await status(server.send('ubus.x')), Status.permissionDenied);
  t.equal(await status(client.callId(object.id!, 'ping')), Status.permissionDenied);
  t.equal(await status(client.addObject('gx', {})), Status.invalidArgument);
  t.equal(await status(client.subscribe('fx', () => {})), Status.notFound);
  t.equal(await status(client.monitor(() => {})), Status.permissionDenied);
  t.same(await client.list(), []);
});

t.test('a monitor sees a call', async t => {
  const path = join(await directoryFor(t), 'ubus.sock');
  const broker = new Broker({ path });
  await broker.listen();
  t.teardown(() => broker.close());
  const [server, client, watcher] = [await connected(t, path), await connected(t, path), await connected(t, path)];
  await server.addObject('fx', { ping: { handler: () => {} } });
  const seen: string[] = [];
  const handle = await watcher.monitor(({ type, send, client: id }) => {
    if (id === server.id) seen.push(`${send ? 'to' : 'from'} server ${type}`);
  });
  await client.call('fx', 'ping');
  await watcher.ping();
  t.same(seen, ['to server 5', 'from server 1']);
  await handle.close();
});
