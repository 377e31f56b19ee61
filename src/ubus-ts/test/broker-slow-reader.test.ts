/* What happens to a client that does not read. */
import t from 'tap';
import { BrokerCore, MessageType, encodeMessage, encodeSignature, maxBlobLength } from '../src/index.js';
import { MemoryClient, countedIds } from './memory-client.js';

const signature = encodeSignature([{ name: 'ping', args: [] }]);

t.test('1 MiB waits for it, what is more is dropped, and others do not notice', async t => {
  const core = new BrokerCore(countedIds());
  const owner = new MemoryClient(core);
  const slow = new MemoryClient(core);
  const quick = new MemoryClient(core);
  const objid = owner.add({ objpath: 'x', signature });
  for (const client of [slow, quick]) client.status(MessageType.subscribe, { objid: client.add(), target: objid });
  slow.reading = false;
  slow.room = 200_000;
  const notification = { type: MessageType.notify, peer: objid, attrs: { objid, method: 'n', data: new Uint8Array(1000), noReply: true } };
  for (let seq = 0; seq < 4000; seq++) owner.send({ ...notification, seq });
  const [length] = quick.takeBytes().map(message => message.length);
  const before = slow.takeBytes().length;
  t.ok(before * length! >= 200_000 && (before - 1) * length! < 200_000, 'as many as the system takes');
  t.ok(slow.handle.tx.length <= maxBlobLength && slow.handle.tx.length > maxBlobLength - length!, 'the queue is full');
  const kept = Math.floor((maxBlobLength - length!) / length!);
  t.equal(slow.handle.tx.dropped, 4000 - before - kept, 'the rest is dropped');
  slow.resume();
  const after = slow.take();
  t.same(after.map(({ seq }) => seq), Array.from({ length: kept }, (_, i) => before + i), 'what was kept comes, in order');
  t.ok(slow.handle.tx.idle);
  owner.send({ ...notification, seq: 4000 });
  t.same(slow.take().map(({ seq }) => seq), [4000], 'and it goes on with the next');
});

t.test('a small message may find room where a big one does not', async t => {
  const core = new BrokerCore(countedIds());
  const owner = new MemoryClient(core);
  const slow = new MemoryClient(core);
  const objid = owner.add();
  slow.reading = false;
  const answer = (type: number, data: Uint8Array): void =>
    owner.send({ type, seq: 1, peer: slow.handle.id, attrs: type === MessageType.data ? { objid, data } : { status: 0, objid } });
  answer(MessageType.data, new Uint8Array(600_000));
  answer(MessageType.data, new Uint8Array(600_000));
  answer(MessageType.status, new Uint8Array());
  slow.take();
  slow.resume();
  t.same(slow.take().map(({ type }) => type), [MessageType.status], 'the STATUS comes, its DATA was lost');
});

t.test('LOOKUP of everything waits for the reader', async t => {
  const core = new BrokerCore(countedIds());
  const owner = new MemoryClient(core);
  const paths = Array.from({ length: 100 }, (_, i) => `object-${String(i).padStart(3, '0')}`);
  for (const objpath of paths) owner.add({ objpath, signature });
  const slow = new MemoryClient(core);
  slow.reading = false;
  slow.room = 1000;
  slow.send({ type: MessageType.lookup, seq: 1, peer: 0, attrs: {} });
  slow.send({ type: MessageType.lookup, seq: 2, peer: 0, attrs: { objpath: 'object-00*' } });
  slow.send({ type: MessageType.ping, seq: 3, peer: 0, attrs: {} });
  const got = slow.take();
  t.equal(slow.handle.lookups.length, 2, 'both LOOKUPs wait, and do not fill the queue');
  const next = got.length;
  t.ok(next > 1 && next < 100);
  // Gone and come while the LOOKUP waits: the object at which it would have gone on, and one behind it.
  const { objid } = owner.request(MessageType.lookup, { objpath: paths[next]! })[0]!.attrs;
  owner.status(MessageType.removeObject, { objid: objid! });
  owner.add({ objpath: `${paths[next]!}x`, signature });
  slow.resume();
  const rest = slow.take();
  const answers = (seq: number) => [...got, ...rest].filter(message => message.seq === seq);
  const found = answers(1).flatMap(({ attrs }) => attrs.objpath ?? []);
  t.same(found, [...paths.slice(0, next), `${paths[next]!}x`, ...paths.slice(next + 1)], 'everything that is there, sorted');
  t.equal(answers(1).at(-1)?.attrs.status, 0);
  t.equal(answers(2).length, 11, 'the LOOKUP by prefix after it');
  t.same(answers(3).map(({ type }) => type), [MessageType.data, MessageType.status]);
  t.ok(rest.findIndex(({ seq }) => seq === 3) < rest.findIndex(({ seq }) => seq === 1), 'a PING does not wait for LOOKUPs');
  t.same([slow.handle.lookups.length, slow.handle.lookupCost], [0, 0]);
});

t.test('who sends LOOKUP after LOOKUP and does not read is not read from any more', async t => {
  const core = new BrokerCore(countedIds());
  const client = new MemoryClient(core);
  client.reading = false;
  const request = encodeMessage({ type: MessageType.lookup, seq: 1, peer: 0, attrs: {} });
  let sent = 0;
  while (!client.paused && sent < 100_000) {
    client.sendBytes(request);
    sent++;
  }
  t.ok(client.paused);
  t.ok(sent < 5000, `after ${sent}`);
  client.resume();
  t.notOk(client.paused, 'goes on when it reads again');
  t.same(client.takeBytes().length, sent, 'and no LOOKUP was lost');
});
