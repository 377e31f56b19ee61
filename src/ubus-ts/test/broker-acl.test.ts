/* What clients that are not root may do. */
import t from 'tap';
import {
  BrokerCore, MessageType, Status, SystemObject, aclRules, decodeFields, decodeSignature, encodeFields, encodeSignature, fromFields, parseJson,
} from '../src/index.js';
import type { Credentials } from '../src/index.js';
import { MemoryClient, countedIds, nobody, root } from './memory-client.js';
import { accounts } from './replay.js';

const signature = encodeSignature(['ping', 'pong'].map(name => ({ name, args: [] })));
const rules = (...files: object[]) => files.flatMap(file => aclRules(parseJson(JSON.stringify(file)), accounts));

function setUp(credentials: Credentials, ...files: object[]): { core: BrokerCore; owner: MemoryClient; client: MemoryClient; ids: Record<string, number> } {
  const core = new BrokerCore(countedIds());
  if (files.length > 0) core.setAcl(rules(...files));
  const owner = new MemoryClient(core, root);
  const ids = Object.fromEntries(['net', 'net.lan', 'sys'].map(objpath => [objpath, owner.add({ objpath, signature })]));
  return { core, owner, client: new MemoryClient(core, credentials), ids };
}

/** What LOOKUP shows: path and methods. */
const visible = (client: MemoryClient, attrs: { objpath?: string } = {}) =>
  Object.fromEntries(client.request(MessageType.lookup, attrs).flatMap(({ attrs: { objpath, signature } }) =>
    objpath === undefined ? [] : [[objpath, decodeSignature(signature!).map(({ name }) => name)]]));

t.test('without rules', async t => {
  const { client, ids } = setUp(nobody);
  const own = client.add();
  t.ok(own, 'anonymous objects may be added');
  t.equal(client.status(MessageType.addObject, { objpath: 'mine' }), Status.invalidArgument, 'publish');
  t.same(visible(client), {}, 'lookup');
  t.equal(client.status(MessageType.lookup, { objpath: 'net' }), Status.ok, 'by name: no result, but no error');
  t.equal(client.status(MessageType.invoke, { objid: ids['net']!, method: 'ping' }), Status.permissionDenied, 'call');
  t.equal(client.status(MessageType.subscribe, { objid: own, target: ids['net']! }), Status.notFound, 'subscribe');
  const events = (method: string, fields: Parameters<typeof encodeFields>[0]) =>
    client.status(MessageType.invoke, { objid: SystemObject.event, method, data: encodeFields(fields) });
  t.equal(events('register', [{ name: 'object', type: 'int32', value: own }, { name: 'pattern', type: 'string', value: 'x' }]), Status.permissionDenied, 'listen');
  t.equal(events('send', [{ name: 'id', type: 'string', value: 'x' }, { name: 'data', type: 'table', value: [] }]), Status.permissionDenied, 'send');
});

t.test('methods', async t => {
  const { client, ids, owner } = setUp(nobody, { user: 'nobody', access: { net: { methods: ['ping'] }, 'net.*': { methods: ['*'] } } });
  t.same(visible(client), { net: ['ping'], 'net.lan': ['ping', 'pong'] });
  t.equal(client.status(MessageType.invoke, { objid: ids['net']!, method: 'pong' }), Status.permissionDenied);
  t.equal(client.status(MessageType.invoke, { objid: ids['sys']!, method: 'ping' }), Status.permissionDenied);
  client.request(MessageType.invoke, { objid: ids['net']!, method: 'ping' });
  client.request(MessageType.invoke, { objid: ids['net.lan']!, method: 'whatever' });
  t.same(owner.take().map(({ attrs }) => [attrs.method, attrs.user]), [['ping', 'nobody'], ['whatever', 'nobody']]);
});

t.test('publish, subscribe, listen, send', async t => {
  const { client, ids } = setUp(nobody, { user: 'nobody', publish: ['my*', 'other'], subscribe: ['net.*'], listen: ['a*', 'b'], send: ['c', 'd*'] });
  const own = client.add();
  const statuses = (type: number, each: (name: string) => object, ...names: string[]) =>
    names.map(name => client.status(type, each(name)));
  t.same(statuses(MessageType.addObject, objpath => ({ objpath }), 'my', 'myself', 'm', 'other', 'others'), [0, 0, 2, 0, 2]);
  t.same(statuses(MessageType.subscribe, name => ({ objid: own, target: ids[name] }), 'net', 'net.lan', 'sys'), [4, 0, 4]);
  const register = (pattern: string) => ({
    objid: 1, method: 'register', data: encodeFields([{ name: 'object', type: 'int32', value: own }, { name: 'pattern', type: 'string', value: pattern }]),
  });
  t.same(statuses(MessageType.invoke, register, 'a', 'a*', 'abc', 'abc*', 'b', 'b*', 'bc', '*'), [0, 0, 0, 0, 0, 0, 6, 6], 'compared without the *');
  const send = (id: string) => ({
    objid: 1, method: 'send', data: encodeFields([{ name: 'id', type: 'string', value: id }, { name: 'data', type: 'table', value: [] }]),
  });
  t.same(statuses(MessageType.invoke, send, 'c', 'cc', 'd', 'dd', 'ubus.x'), [0, 6, 0, 0, 6]);
});

t.test('whom a file is about', async t => {
  const access = { net: { methods: ['ping'] } };
  const sees = (credentials: Credentials, file: object) => Object.keys(visible(setUp(credentials, file).client)).length > 0;
  const group = (gid: number, ...groups: number[]): Credentials => ({ uid: 7, gid, groups, user: 'x', group: 'x' });
  t.ok(sees(nobody, { user: 'nobody', access }));
  t.notOk(sees(group(65534), { user: 'nobody', access }), 'uid and gid are different things');
  t.ok(sees(group(65534), { group: 'nogroup', access }));
  t.ok(sees(group(5, 6, 65534), { group: 'nogroup', access }), 'a supplementary group');
  t.notOk(sees(group(5, 6), { group: 'nogroup', access }));
  t.notOk(sees(nobody, { user: 'unknown', access }), 'an unknown user is root');
  t.ok(sees(group(0), { group: 'unknown', access }), 'an unknown group is that of root');
  t.notOk(sees(nobody, { user: 'root', group: 'nogroup', access }), 'with a user, the group does not count');
  t.notOk(sees(nobody, { access }), 'about nobody');
});

t.test('what has the wrong type is passed over', async t => {
  const odd = { user: 'nobody', access: { net: 3, 'net.lan': { methods: 'ping' }, sys: { methods: [1, 'ping'] }, '': { methods: ['*'] } }, publish: 'x', send: [''] };
  t.same(visible(setUp(nobody, odd).client), { sys: ['ping'] });
  t.same(rules({ user: 5, access: {} }), []);
});

t.test('root, and objects without a signature', async t => {
  const { owner, client } = setUp(nobody, { user: 'nobody', access: {} });
  t.equal(Object.keys(visible(owner)).length, 3, 'root sees everything');
  owner.add({ objpath: 'empty', signature: new Uint8Array() });
  t.same(visible(client), { empty: [] }, 'an empty signature hides nothing');
});

t.test('private tables, and reading the files again', async t => {
  const { core, owner } = setUp(nobody, { user: 'nobody', access: { 'net*': { acl: { level: 3, big: 5000000000 } } } });
  owner.status(MessageType.invoke, {
    objid: 1, method: 'register',
    data: encodeFields([{ name: 'object', type: 'int32', value: owner.add() }, { name: 'pattern', type: 'string', value: 'ubus.acl.sequence' }]),
  });
  const query = () => fromFields(decodeFields(owner.request(MessageType.invoke, { objid: 2, method: 'query' })[0]!.attrs.data!));
  const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
  const acl = { level: 3, big: 5000000000 };
  t.same(plain(query()), { seq: 1, acl: [{ obj: 'net.lan', user: 'nobody', acl }, { obj: 'net', user: 'nobody', acl }] }, 'newest object first');
  core.setAcl(rules({ group: 'nogroup', access: { sys: { acl: {} } } }));
  t.same(owner.take().map(({ attrs }) => [attrs.method, plain(fromFields(decodeFields(attrs.data!)))]), [['ubus.acl.sequence', { sequence: 2 }]]);
  t.same(plain(query()), { seq: 2, acl: [{ obj: 'sys', group: 'nogroup', acl: {} }] });
});
