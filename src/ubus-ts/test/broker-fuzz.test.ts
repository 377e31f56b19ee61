/* Whatever clients send, the broker neither throws nor hangs nor keeps what it need not, and others are served. */
import t from 'tap';
import { BrokerCore, MessageType, encodeAttributes, encodeFields, encodeFrame, encodeMessage, encodeSignature } from '../src/index.js';
import type { Attributes } from '../src/index.js';
import { MemoryClient, countedIds, nobody, root } from './memory-client.js';
import { fromHex, recordings } from './recordings.js';
import { seeded } from './seeded.js';

const samples = recordings().flatMap(({ frames }) => frames.filter(frame => frame.dir === 'c2s' && frame.hex.length < 4000).map(frame => fromHex(frame.hex)));
const signature = encodeSignature([{ name: 'ping', args: [] }]);

/** The broker still does what it is for. */
function works(core: BrokerCore): boolean {
  const owner = new MemoryClient(core);
  const caller = new MemoryClient(core);
  const objid = owner.add({ objpath: 'fuzz-probe', signature });
  const [found] = caller.request(MessageType.lookup, { objpath: 'fuzz-probe' });
  caller.send({ type: MessageType.invoke, seq: 1, peer: objid, attrs: { objid, method: 'ping' } });
  const call = owner.take().find(message => message.attrs.method === 'ping');
  if (call !== undefined) owner.send({ ...call, type: MessageType.status, attrs: { status: 0, objid } });
  const answer = caller.take().at(-1);
  owner.close();
  caller.close();
  return found?.attrs.objid === objid && answer?.attrs.status === 0;
}

t.test('random bytes', async t => {
  const random = seeded(1);
  const core = new BrokerCore(countedIds());
  for (let round = 0; round < 2000; round++) {
    const client = new MemoryClient(core, round % 2 === 0 ? root : nobody);
    client.sendBytes(Uint8Array.from({ length: random(200) }, () => random(256)));
    client.close();
  }
  t.ok(works(core));
});

t.test('recorded messages with bytes changed, cut, repeated and joined', async t => {
  const random = seeded(2);
  const core = new BrokerCore(countedIds(1024));
  let clients: MemoryClient[] = [];
  for (let round = 0; round < 20_000; round++) {
    if (clients.length < 6 || random(100) === 0) {
      clients = [...clients.slice(-5), new MemoryClient(core, random(3) === 0 ? nobody : root)];
      if (clients.length > 5) clients.shift()?.close();
    }
    const client = clients[random(clients.length)]!;
    const bytes = mutate(samples[random(samples.length)]!, random);
    client.sendBytes(bytes);
    client.take();
    if (client.closed) clients = clients.filter(other => other !== client);
  }
  for (const client of clients) client.close();
  t.ok(works(core));
});

function mutate(sample: Uint8Array, random: (below: number) => number): Uint8Array {
  const bytes = sample.slice();
  for (let i = random(4); i > 0; i--) bytes[random(bytes.length)] = random(3) === 0 ? random(256) : random(8);
  // Most keep a length that is right, or hardly any would get past the reader.
  if (random(20) > 0) new DataView(bytes.buffer).setUint32(8, bytes.length - 8);
  return bytes;
}

t.test('well-formed messages with attributes of all kinds', async t => {
  const random = seeded(3);
  // Few ids, so that messages hit what is there.
  const core = new BrokerCore(() => 1024 + random(400));
  const clients = Array.from({ length: 8 }, (_, i) => new MemoryClient(core, i < 5 ? root : nobody));
  const id = () => [0, 1, 2, 3, 4, 1024 + random(400), 0xffffffff][random(7)]!;
  const text = () => ['', 'a', 'a*', '*', 'ubus.', 'é', '\udcff', 'ping', 'register', 'send', 'add', 'remove', 'query'][random(13)]!;
  const data = () => encodeFields([
    { name: 'object', type: 'int32', value: id() },
    { name: 'pattern', type: 'string', value: text() },
    { name: 'id', type: 'string', value: text() },
    { name: 'data', type: 'table', value: [] },
  ].slice(random(3)) as Parameters<typeof encodeFields>[0]);
  for (let round = 0; round < 30_000; round++) {
    const attrs: Attributes = {};
    if (random(4) > 0) attrs.objid = id();
    if (random(2) > 0) attrs.method = text();
    if (random(3) === 0) attrs.objpath = text();
    if (random(3) === 0) attrs.target = id();
    if (random(3) === 0) attrs.signature = signature;
    if (random(5) === 0) attrs.objtype = id();
    if (random(2) > 0) attrs.data = data();
    if (random(3) === 0) attrs.status = random(20) - 5;
    if (random(3) === 0) attrs.noReply = random(2) === 0;
    const index = random(clients.length);
    clients[index]!.send({ type: random(14), seq: random(0x10000), peer: id(), attrs });
    for (const client of clients) client.take();
    if (random(200) === 0) {
      clients[index]!.close();
      clients[index] = new MemoryClient(core, index < 5 ? root : nobody);
    }
  }
  for (const client of clients) client.close();
  t.ok(works(core));
});

t.test('memory: an endless beginning of a message, and readers that do not read', async t => {
  const core = new BrokerCore(countedIds());
  const slow = new MemoryClient(core);
  slow.reading = false;
  const header = encodeFrame({ type: MessageType.ping, seq: 1, peer: 0, body: new Uint8Array(1048572) });
  for (let i = 0; i < 50; i++) {
    slow.sendBytes(header);
    slow.take();
  }
  t.ok(slow.handle.tx.length <= 1048576 + 8, `${slow.handle.tx.length} bytes wait`);
  const partial = new MemoryClient(core);
  for (let i = 0; i < 200; i++) partial.sendBytes(header.subarray(i === 0 ? 0 : 12, i === 0 ? 1000 : 13));
  t.ok(partial.handle.reader.buffered <= 1048588, `${partial.handle.reader.buffered} bytes are kept`);
  t.ok(works(core));
});

t.test('many objects, patterns and subscriptions go quickly', { timeout: 120_000 }, async t => {
  const core = new BrokerCore(countedIds());
  const owner = new MemoryClient(core);
  const client = new MemoryClient(core);
  const own = client.add();
  const target = owner.add({ objpath: 'target' });
  const subscribe = encodeMessage({ type: MessageType.subscribe, seq: 1, peer: 0, attrs: { objid: own, target } });
  const register = encodeMessage({
    type: MessageType.invoke, seq: 1, peer: 1,
    attrs: { objid: 1, method: 'register', data: encodeFields([{ name: 'object', type: 'int32', value: own }, { name: 'pattern', type: 'string', value: 'x' }]) },
  });
  const anonymous = encodeMessage({ type: MessageType.addObject, seq: 1, peer: 0, attrs: {} });
  for (let i = 0; i < 20_000; i++) {
    client.sendBytes(subscribe);
    client.sendBytes(register);
    client.sendBytes(anonymous);
    client.take();
  }
  client.close();
  t.ok(works(core));
});

t.test('deep nesting is not followed', async t => {
  const core = new BrokerCore(countedIds());
  const client = new MemoryClient(core);
  const levels = 5000;
  const nested = new Uint8Array(levels * 8);
  const view = new DataView(nested.buffer);
  for (let i = 0; i < levels; i++) view.setUint32(i * 8, (0x82000000 | (nested.length - i * 8)) >>> 0);
  const named = encodeFields([{ name: 'id', type: 'string', value: 'e' }]);
  const table = Uint8Array.of(0x82, 0, 0, 0, 0, 4, ...Buffer.from('data\0\0'));
  new DataView(table.buffer).setUint32(0, (0x82000000 | (table.length + nested.length)) >>> 0);
  const listener = new MemoryClient(core);
  listener.request(MessageType.invoke, {
    objid: 1, method: 'register',
    data: encodeFields([{ name: 'object', type: 'int32', value: listener.add() }, { name: 'pattern', type: 'string', value: '*' }]),
  });
  t.equal(client.status(MessageType.invoke, { objid: 1, method: 'send', data: Buffer.concat([named, table, nested]) }), 0);
  t.equal(listener.take()[0]?.attrs.data?.length, nested.length, 'passed on as it is');
  t.equal(client.status(MessageType.addObject, { objpath: 'deep', signature: nested }), 0);
  t.ok(works(core));
});

t.test('attributes that are not what they say', async t => {
  const core = new BrokerCore(countedIds());
  const client = new MemoryClient(core);
  const body = (...bytes: number[]) => encodeFrame({ type: MessageType.lookup, seq: 1, peer: 0, body: Uint8Array.from(bytes) });
  const status = (bytes: Uint8Array) => {
    client.sendBytes(bytes);
    return client.take().at(-1)?.attrs.status;
  };
  t.equal(status(body(2, 0, 0, 5, 0x61, 0, 0, 0)), 0, 'a string without NUL counts as absent: everything is asked for');
  t.equal(status(body(2, 0, 0, 6, 0x61, 0)), 0, 'so does one without its padding');
  t.equal(status(body(2, 0, 0, 6, 0x61, 0, 0, 0, 2, 0, 0, 5, 0, 0, 0, 0)), 2, 'the last counts');
  t.equal(status(body(2, 0, 0, 0, 2, 0, 0, 5, 0, 0, 0, 0)), 0, 'length 0 ends the list');
  t.equal(status(body(2, 0, 0, 2, 2, 0, 0, 5, 0, 0, 0, 0)), 2, 'length 2 does not');
  t.equal(status(encodeFrame({ type: MessageType.lookup, seq: 1, peer: 0, outer: 0xff, body: encodeAttributes({ objpath: '' }) })), 2, 'the id of the outer blob does not matter');
});
