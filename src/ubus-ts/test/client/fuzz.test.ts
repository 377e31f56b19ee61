/* Whatever ubusd or those behind it send: no exception, no hang, and the client can be used afterwards or has said that it cannot. */
import t from 'tap';
import fc from 'fast-check';
import { MalformedError, UbusClient, UbusError, encodeAttributes, encodeFrame, type Attributes } from '../../src/index.js';
import { FakePlatform, settle, until } from '../fake-platform.js';
import { toHex } from '../recordings.js';

/** The listener, the object, a subscriber; ubusd's own; somebody else's. */
const ids = fc.constantFrom(0x10001, 0x10002, 0x10003, 0, 1, 3, 0x777);
const attributes = fc.record({
  status: fc.constantFrom(0, 4, 7, -1),
  objpath: fc.constantFrom('o', 'x', ''),
  objid: ids,
  method: fc.constantFrom('m', 'ubus.object.add', 'ubus.object.remove', 'probe', ''),
  objtype: ids,
  signature: fc.uint8Array({ maxLength: 20 }),
  data: fc.oneof(fc.constant(new Uint8Array(0)), fc.uint8Array({ maxLength: 40 })),
  target: ids,
  active: fc.boolean(),
  noReply: fc.boolean(),
  subscribers: fc.array(ids, { maxLength: 4 }),
}, { requiredKeys: ['objid', 'method', 'data'] }) as fc.Arbitrary<Attributes>;
const message = fc.record({
  version: fc.constantFrom(0, 0, 0, 1),
  type: fc.oneof(fc.integer({ min: 0, max: 13 }), fc.constantFrom(1, 2, 5)),
  seq: fc.integer({ min: 0, max: 18 }),
  peer: ids,
  body: fc.oneof(attributes.map(encodeAttributes), fc.uint8Array({ maxLength: 60 })),
});

/** A client in the middle of everything it can do. */
async function busyClient(): Promise<{ client: UbusClient; platform: FakePlatform; settled: () => boolean; bugs: Error[] }> {
  const platform = new FakePlatform();
  const client = new UbusClient({ path: '/s', reconnect: false, platform });
  const bugs: Error[] = [];
  client.on('disconnect', error => {
    if (!(error instanceof MalformedError || error instanceof UbusError)) bugs.push(error);
  });
  const object = await client.addObject('o', { m: { args: { n: 'int32' }, handler: args => ({ ...args }) } });
  await client.listen('*', () => {});
  await client.watch('x*', { notified: () => 1 });
  await client.monitor(() => {});
  const connecting = client.connect();
  platform.last.hello();
  let next = 0x10001;
  let done = false;
  void connecting.then(() => (done = true));
  for (;;) {
    await until(() => done || platform.last.sent.length > 0);
    if (platform.last.sent.length === 0) break;
    const adds = platform.last.sent[0]!.startsWith('0006');
    await platform.last.answer(0, ...(adds ? [{ objid: next++ }] : []));
  }
  const requests = [client.call('x', 'm'), client.callAll('y', 'm'), client.list(), client.ping(), object.notifyWait('n'), client.subscribe('x', () => {}), client.queryAcl(), client.waitFor(['x'])];
  const results = Promise.allSettled(requests);
  let settled = false;
  void results.then(() => (settled = true));
  return { client, platform, settled: () => settled, bugs };
}

t.test('property: any messages in any order', async t => {
  await fc.assert(fc.asyncProperty(fc.array(message, { minLength: 1, maxLength: 25 }), async messages => {
    const { client, platform, settled, bugs } = await busyClient();
    for (const each of messages) {
      platform.last.receive(toHex(encodeFrame(each)));
      await settle();
    }
    platform.advance(60_000);
    await until(settled);
    if (!settled()) throw new Error('a request never ended');
    client.close();
    await until(() => platform.timers === 0);
    if (platform.timers > 0) throw new Error('a timer was left');
    if (bugs[0] !== undefined) throw bugs[0];
  }), { numRuns: 1000 });
  t.pass();
});

t.test('property: any bytes', async t => {
  await fc.assert(fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 100 }), { maxLength: 5 }), async chunks => {
    const { client, platform, settled, bugs } = await busyClient();
    for (const chunk of chunks) platform.last.receive(toHex(chunk));
    platform.advance(60_000);
    await until(settled);
    if (!settled()) throw new Error('a request never ended');
    client.close();
    if (bugs[0] !== undefined) throw bugs[0];
  }), { numRuns: 1000 });
  t.pass();
});
