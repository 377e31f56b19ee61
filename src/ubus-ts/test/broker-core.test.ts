/* Rules of ubusd that no recording shows. */
import t from 'tap';
import { BrokerCore, MessageType, Status, SystemObject, decodeFields, encodeFields, encodeFrame, encodeMessage, encodeSignature, fromFields } from '../src/index.js';
import type { Field, Message } from '../src/index.js';
import { MemoryClient, countedIds, nobody, root } from './memory-client.js';

const signature = encodeSignature([{ name: 'ping', args: [] }]);
const newCore = (): BrokerCore => new BrokerCore(countedIds());
const types = (messages: readonly Message[]): number[] => messages.map(message => message.type);
const event = (name: string, data: Field[] = []): Uint8Array =>
  encodeFields([{ name: 'id', type: 'string', value: name }, { name: 'data', type: 'table', value: data }]);
const pattern = (object: number, text: string): Uint8Array =>
  encodeFields([{ name: 'object', type: 'int32', value: object }, { name: 'pattern', type: 'string', value: text }]);
const listen = (client: MemoryClient, object: number, text: string): number | undefined =>
  client.status(MessageType.invoke, { objid: SystemObject.event, method: 'register', data: pattern(object, text) }, SystemObject.event);
const send = (client: MemoryClient, name: string): number | undefined =>
  client.status(MessageType.invoke, { objid: SystemObject.event, method: 'send', data: event(name) }, SystemObject.event);

t.test('ids', async t => {
  const numbers = [3, 2000, 2000, 0xffffffff, 0xffffffff];
  const core = new BrokerCore(() => numbers.shift()!);
  const ids = Array.from({ length: 5 }, () => new MemoryClient(core).handle.id);
  t.same(ids, [1024, 2000, 2001, 0xffffffff, 1025], 'reserved and taken ones are passed over, from the top to the bottom');
});

t.test("the broker's own objects belong to nobody", async t => {
  const core = newCore();
  const client = new MemoryClient(core);
  const own = client.add();
  for (const objid of Object.values(SystemObject)) {
    t.equal(client.status(MessageType.removeObject, { objid }), Status.permissionDenied, `remove ${objid}`);
    t.equal(client.status(MessageType.notify, { objid, method: 'x' }), Status.permissionDenied, `notify ${objid}`);
    t.equal(client.status(MessageType.subscribe, { objid, target: own }), Status.invalidArgument, `subscribe ${objid}`);
    t.equal(client.status(MessageType.unsubscribe, { objid, target: own }), Status.invalidArgument, `unsubscribe ${objid}`);
    t.equal(client.status(MessageType.subscribe, { objid: own, target: objid }), Status.notFound, `subscribe to ${objid}`);
  }
});

t.test('a signature that is not blobmsg: an object without a type, which LOOKUP does not show', async t => {
  const core = newCore();
  const client = new MemoryClient(core);
  for (const [what, bytes] of [
    ['a field without a name header', Uint8Array.of(2, 0, 0, 4)],
    ['a field with an empty name', Uint8Array.of(0x82, 0, 0, 8, 0, 0, 0, 0)],
    ['a type above 8', Uint8Array.of(0x89, 0, 0, 8, 0, 1, 0x61, 0)],
    ['a name longer than its field', Uint8Array.of(0x82, 0, 0, 8, 0, 9, 0x61, 0)],
  ] as const) {
    const [data] = client.request(MessageType.addObject, { objpath: what, signature: bytes });
    t.equal(data?.type, MessageType.data, what);
    t.equal(data?.attrs.objtype, undefined, 'no type is told');
    t.same(types(client.request(MessageType.lookup, { objpath: what })), [MessageType.status], 'nothing is found');
    t.equal(client.status(MessageType.lookup, { objpath: what }), Status.ok, 'but the path is known');
  }
});

t.test('LOOKUP writes method names anew: up to their first NUL, padded with zeros', async t => {
  const client = new MemoryClient(newCore());
  const methods = Uint8Array.of(0x82, 0, 0, 12, 0, 4, 0x70, 0, 0x6e, 0x67, 0, 9, 0x82, 0, 0, 9, 0, 1, 0x71, 0, 5, 7, 7, 7);
  client.add({ objpath: 'x', signature: methods });
  const [found] = client.request(MessageType.lookup, { objpath: 'x' });
  t.same(found?.attrs.signature, Uint8Array.of(0x82, 0, 0, 8, 0, 1, 0x70, 0, 0x82, 0, 0, 9, 0, 1, 0x71, 0, 5, 0, 0, 0));
});

t.test('the size of TARGET and NO_REPLY does not matter', async t => {
  const core = newCore();
  const owner = new MemoryClient(core);
  const target = owner.add();
  const client = new MemoryClient(core);
  const objid = client.add();
  const request = (to: MemoryClient, type: number, ...attributes: number[]) => {
    to.sendBytes(encodeFrame({ type, seq: 1, peer: 0, body: Uint8Array.from(attributes) }));
    return to.take().find(message => message.type === MessageType.status)?.attrs.status;
  };
  const own = [3, 0, 0, 8, 0, 0, objid >> 8, objid & 0xff];
  const id = [0, 0, target >> 8, target & 0xff];
  t.equal(request(client, MessageType.subscribe, ...own, 8, 0, 0, 9, ...id, 1, 0, 0, 0), Status.ok, 'TARGET of five bytes');
  t.equal(request(client, MessageType.unsubscribe, ...own, 8, 0, 0, 7, ...id), Status.ok, 'of three');
  t.equal(request(client, MessageType.subscribe, ...own, 8, 0, 0, 4), Status.invalidArgument, 'of none, and nothing behind it');
  const notify = [3, 0, 0, 8, 0, 0, target >> 8, target & 0xff, 4, 0, 0, 6, 0x6e, 0, 0, 0];
  t.equal(request(owner, MessageType.notify, ...notify, 10, 0, 0, 8, 1, 0, 0, 0), undefined, 'NO_REPLY of four bytes');
  t.equal(request(owner, MessageType.notify, ...notify, 10, 0, 0, 8, 0, 0, 0, 1), Status.ok, 'its first byte counts');
  t.equal(request(owner, MessageType.notify, ...notify, 10, 0, 0, 4), Status.ok, 'of none, and nothing behind it');
});

t.test('a type goes with its last object', async t => {
  const core = newCore();
  const client = new MemoryClient(core);
  const [first] = client.request(MessageType.addObject, { objpath: 'a', signature });
  const { objid, objtype } = first!.attrs as { objid: number; objtype: number };
  const other = new MemoryClient(core);
  const second = other.add({ objpath: 'b', objtype });
  t.equal(client.request(MessageType.removeObject, { objid })[0]?.attrs.objtype, undefined, 'still in use');
  t.equal(other.request(MessageType.removeObject, { objid: second })[0]?.attrs.objtype, objtype, 'the last one takes it along');
  other.add({ objpath: 'c', objtype });
  t.same(types(other.request(MessageType.lookup, { objpath: 'c' })), [MessageType.status], 'unknown from then on');
});

t.test('paths are bytes', async t => {
  const core = newCore();
  const client = new MemoryClient(core);
  const paths = ['\u{1f600}', '\uffee', 'z', '\udcff', 'a\0b', 'Z'];
  for (const objpath of paths) client.add({ objpath, signature });
  const found = client.request(MessageType.lookup, {}).flatMap(({ attrs }) => attrs.objpath ?? []);
  t.same(found, ['Z', 'a', 'z', '\uffee', '\u{1f600}', '\udcff'], 'sorted by them, and cut at NUL');
  t.equal(client.status(MessageType.addObject, { objpath: 'a\0c' }), Status.invalidArgument, 'a is in use');
  t.equal(client.status(MessageType.lookup, { objpath: '\0*' }), Status.invalidArgument, 'empty up to the NUL');
  t.equal(client.request(MessageType.lookup, { objpath: '\udcf0*' }).length, 2, 'a prefix may end inside of a character');
});

t.test('an anonymous target is for the same user or group', async t => {
  const core = newCore();
  const target = new MemoryClient(core, nobody).add();
  const subscribe = (user: string, group: string): number | undefined => {
    const client = new MemoryClient(core, { uid: 1000, gid: 1000, user, group });
    return client.status(MessageType.subscribe, { objid: client.add(), target });
  };
  t.equal(subscribe('nobody', 'x'), Status.ok);
  t.equal(subscribe('x', 'nogroup'), Status.ok);
  t.equal(subscribe('x', 'x'), Status.notFound);
  const client = new MemoryClient(core, root);
  t.equal(client.status(MessageType.subscribe, { objid: client.add(), target }), Status.notFound, 'root is no exception');
});

t.test('subscribing twice: everything twice, and two UNSUBSCRIBEs', async t => {
  const core = newCore();
  const owner = new MemoryClient(core);
  const objid = owner.add({ objpath: 'x', signature });
  const client = new MemoryClient(core);
  const own = client.add();
  for (let i = 0; i < 2; i++) t.equal(client.status(MessageType.subscribe, { objid: own, target: objid }), Status.ok);
  t.same(owner.take().map(({ attrs }) => attrs), [{ objid, active: true }], 'the owner hears of the first only');
  const [answer] = owner.request(MessageType.notify, { objid, method: 'n' }, objid);
  t.same(answer?.attrs.subscribers, [own, own]);
  t.same(client.take().map(({ type, attrs }) => [type, attrs.objid, attrs.method, attrs.data]), Array(2).fill([MessageType.invoke, own, 'n', undefined]));
  t.equal(client.status(MessageType.unsubscribe, { objid: own, target: objid }), Status.ok);
  t.same(owner.take(), [], 'one is left');
  t.equal(client.status(MessageType.unsubscribe, { objid: own, target: objid }), Status.ok);
  t.equal(client.status(MessageType.unsubscribe, { objid: own, target: objid }), Status.notFound);
  t.same(owner.take().map(({ seq, attrs }) => [seq, attrs]), [[2, { objid, active: false }]]);
});

t.test('answers to calls', async t => {
  const core = newCore();
  const owner = new MemoryClient(core);
  const caller = new MemoryClient(core, nobody);
  const stranger = new MemoryClient(core);
  const objid = owner.add();
  caller.send({ type: MessageType.invoke, seq: 77, peer: 0, attrs: { objid, method: 'm\0x' } });
  const [call] = owner.take();
  t.same([call?.seq, call?.peer], [77, caller.handle.id]);
  t.same(call?.attrs, { objid, method: 'm', user: 'nobody', group: 'nogroup' }, 'an anonymous object is open to all; no DATA, no DATA');
  const answer = (client: MemoryClient, message: Omit<Message, 'seq' | 'peer'>): Message[] => {
    client.send({ ...message, seq: 77, peer: caller.handle.id });
    return caller.take();
  };
  t.same(answer(stranger, { type: MessageType.status, attrs: { status: 0, objid } }), [], 'not from the owner');
  t.same(answer(owner, { type: MessageType.status, attrs: { objid } }), [], 'no status in it');
  t.same(answer(owner, { type: MessageType.data, attrs: { objid } }), [], 'no data in it');
  t.same(answer(owner, { type: MessageType.status, attrs: { status: 0 } }), [], 'no object in it');
  t.same(answer(owner, { type: MessageType.status, attrs: { status: 0, objid: SystemObject.event } }), [], "one of the broker's");
  const [status] = answer(owner, { type: MessageType.status, version: 9, attrs: { status: -3, objid } });
  t.same([status?.version, status?.seq, status?.peer, status?.attrs.status], [9, 77, objid, -3], 'passed on as it is');
  t.same([owner.take(), stranger.take()], [[], []], 'nobody hears of what was dropped');
  caller.close();
  t.same(answer(owner, { type: MessageType.status, attrs: { status: 0, objid } }), [], 'the caller has gone');
});

t.test('events', async t => {
  const core = newCore();
  const listener = new MemoryClient(core);
  const sender = new MemoryClient(core);
  const object = listener.add();
  const second = listener.add();
  t.equal(listen(listener, object, '*'), Status.ok);
  t.equal(listen(listener, object, 'foo*'), Status.ok);
  t.equal(listen(listener, second, 'foo'), Status.ok);
  t.equal(listen(listener, object, ''), Status.permissionDenied, 'empty pattern');
  t.equal(listen(sender, object, '*'), Status.permissionDenied, 'the object of someone else');
  t.equal(send(sender, 'foo'), Status.ok);
  t.same(listener.take().map(({ seq, attrs }) => [seq, attrs.objid, attrs.method]), [[1, object, 'foo'], [2, second, 'foo']], 'once for each object');
  t.equal(send(sender, 'fo'), Status.ok);
  t.same(listener.take().map(({ attrs }) => attrs.objid), [object]);
  t.equal(send(sender, 'ubus.x'), Status.permissionDenied, 'a name of the broker');
  t.equal(send(listener, 'foo'), Status.ok);
  t.same(listener.take(), [], 'not to its sender');
  const id = sender.add({ objpath: 'p', signature });
  t.same(listener.take().map(({ attrs }) => [attrs.method, { ...fromFields(decodeFields(attrs.data!)) }]), [['ubus.object.add', { id, path: 'p' }]]);
  listener.status(MessageType.removeObject, { objid: object });
  listener.status(MessageType.removeObject, { objid: second });
  t.equal(send(sender, 'foo'), Status.ok);
  t.same(listener.take(), [], 'patterns go with their object');
});

t.test('event data is passed on as it is, and arguments after an invalid field do not exist', async t => {
  const core = newCore();
  const listener = new MemoryClient(core);
  const sender = new MemoryClient(core);
  listen(listener, listener.add(), '*');
  const invalid = Uint8Array.of(0x87, 0, 0, 8, 0, 0, 0, 0);
  const inside = Uint8Array.of(0x82, 0, 0, 0x14, 0, 4, ...Buffer.from('data\0\0'), ...invalid);
  const name = encodeFields([{ name: 'id', type: 'string', value: 'e' }]);
  const call = (data: Uint8Array) => sender.status(MessageType.invoke, { objid: 1, method: 'send', data }, 1);
  t.equal(call(Buffer.concat([name, inside])), Status.ok);
  t.same(listener.take()[0]?.attrs.data, invalid);
  t.equal(call(Buffer.concat([inside, name])), Status.ok, 'what is inside of the table is not looked at');
  t.equal(call(Buffer.concat([name, invalid, inside])), Status.invalidArgument);
  t.equal(call(Buffer.concat([name, encodeFields([{ name: 'data', type: 'array', value: [] }])])), Status.invalidArgument, 'another type');
});

t.test('a monitor', async t => {
  const core = newCore();
  const watcher = new MemoryClient(core);
  const other = new MemoryClient(core, { ...root, gid: 1 });
  const monitor = (client: MemoryClient, method: string) => client.status(MessageType.invoke, { objid: SystemObject.monitor, method }, SystemObject.monitor);
  t.equal(monitor(other, 'add'), Status.permissionDenied, 'group other than root');
  t.equal(monitor(watcher, 'add'), Status.ok);
  other.sendBytes(encodeMessage({ type: MessageType.ping, seq: 1, peer: 2, attrs: { status: 3 } }));
  t.same(watcher.take().map(({ type, seq }) => [type, seq]), [[11, 2], [11, 3], [11, 4]], 'the PING, its DATA and its STATUS');
  watcher.request(MessageType.invoke, { objid: SystemObject.monitor, method: 'add' });
  other.sendBytes(encodeMessage({ type: MessageType.ping, seq: 1, peer: 2, attrs: {} }));
  t.equal(watcher.take()[0]?.seq, 2, 'adding again begins anew');
  other.close();
  watcher.take();
  t.equal(monitor(watcher, 'remove'), Status.ok);
  t.same(types(watcher.request(MessageType.ping, {})), [MessageType.data, MessageType.status], 'no more records');
});

t.test('what became too long on its way is dropped', async t => {
  const core = newCore();
  const owner = new MemoryClient(core);
  const caller = new MemoryClient(core);
  const objid = owner.add();
  const room = 1048576 - 4 - 8 - 8 - 4;
  caller.send({ type: MessageType.invoke, seq: 1, peer: objid, attrs: { objid, method: 'm', data: new Uint8Array(room) } });
  t.same(owner.take(), [], 'user and group do not fit any more');
  t.equal(owner.handle.tx.dropped, 1);
  caller.send({ type: MessageType.invoke, seq: 1, peer: objid, attrs: { objid, method: 'm', data: new Uint8Array(room - 40) } });
  t.equal(owner.take().length, 1, 'shorter, they do');
});

t.test('a closed client is not written to, and nothing of it is left', async t => {
  const core = newCore();
  const client = new MemoryClient(core);
  const objid = client.add({ objpath: 'x', signature });
  const other = new MemoryClient(core);
  other.status(MessageType.subscribe, { objid: other.add(), target: objid });
  client.take();
  client.close();
  t.same(client.take(), []);
  t.same(types(other.take()), [MessageType.unsubscribe]);
  t.equal(other.status(MessageType.lookup, { objpath: 'x' }), Status.notFound);
  client.sendBytes(encodeMessage({ type: MessageType.ping, seq: 1, peer: 0, attrs: {} }));
  client.resume();
  client.close();
  t.same(client.take(), [], 'what comes in late is passed over');
});
