/* The real `ubus` command does the same with this broker as with the real ubusd. Skipped where it is not installed. */
import t, { type Test } from 'tap';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Broker, MessageType, SystemObject, encodeFields, encodeSignature, parseJson } from '../src/index.js';
import { nobody } from './memory-client.js';
import { Running, needs } from './programs.js';
import { SocketClient, directoryFor, reachable } from './socket-client.js';

const signature = encodeSignature([
  { name: 'echo', args: [{ name: 'text', type: 3 }, { name: 'n', type: 5 }, { name: 'flag', type: 7 }, { name: 'list', type: 1 }, { name: 'map', type: 2 }, { name: 'x', type: 8 }] },
  { name: 'fail', args: [] },
]);

/** A socket at which a broker listens: ours, or the real one. */
interface Bus {
  path: string;
  /** The same broker for callers that are not root; only ours has it. */
  nobodyPath?: string;
}

async function ours(t: Test): Promise<Bus> {
  const directory = await directoryFor(t);
  const bus = { path: join(directory, 'ubus.sock'), nobodyPath: join(directory, 'nobody.sock') };
  const broker = new Broker({ path: bus.path });
  await broker.listen();
  await broker.listen({ path: bus.nobodyPath, credentials: nobody });
  t.teardown(() => broker.close());
  return bus;
}

async function real(t: Test): Promise<Bus> {
  const directory = await directoryFor(t);
  const path = join(directory, 'ubus.sock');
  const ubusd = new Running('ubusd', ['-s', path, '-A', directory]);
  t.teardown(() => ubusd.stop());
  await reachable(path);
  return { path };
}

/** An object `fx` whose method echo returns its arguments, and whose method fail fails with 5. */
async function serve(t: Test, path: string): Promise<{ owner: SocketClient; objid: number; other: number }> {
  const owner = new SocketClient(path);
  t.teardown(() => owner.socket.destroy());
  let answered = 0;
  owner.socket.on('messages', () => {
    for (; answered < owner.received.length; answered++) {
      const { type, seq, peer, attrs } = owner.received[answered]!;
      if (type !== MessageType.invoke) continue;
      const { objid, method, data } = attrs as { objid: number; method: string; data: Uint8Array };
      if (method === 'echo') owner.send(MessageType.data, seq, { objid, data: data.slice() }, peer);
      owner.send(MessageType.status, seq, { status: method === 'echo' ? 0 : 5, objid }, peer);
    }
  });
  const objid = await owner.add(1, { objpath: 'fx', signature });
  await owner.add(2, { objpath: 'fx.sub', signature });
  const other = await owner.add(3, { objpath: 'other', signature });
  return { owner, objid, other };
}

/** Ids are random: they become their number in order of appearance. */
function withoutIds(text: string): string {
  const seen: string[] = [];
  return text.replace(/\b[0-9a-f]{8}\b|-?\b[0-9]{7,10}\b/g, id => {
    const hex = id.length === 8 && !id.startsWith('-') ? id : (Number(id) >>> 0).toString(16).padStart(8, '0');
    if (!seen.includes(hex)) seen.push(hex);
    return `<${seen.indexOf(hex)}>`;
  });
}

async function waitFor(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 250 && !condition(); i++) await delay(20);
}

async function ubus(path: string, ...args: string[]): Promise<{ exit: number | string; stdout: string; stderr: string }> {
  const running = new Running('ubus', ['-s', path, ...args]);
  const exit = await running.end();
  return { exit, stdout: withoutIds(running.stdout), stderr: withoutIds(running.stderr) };
}

/** What is done with a broker, and what it should print; the real one is held against the same. */
type Scenario = (t: Test, bus: Bus) => Promise<unknown>;

const complex = '{"text":"é\\n\\"","n":-7,"flag":true,"list":[1,[],{}],"map":{"a":null,"10":1,"2":500000000000},"x":0.5}';

const scenarios: Record<string, Scenario> = {
  list: async (t, { path }) => {
    await serve(t, path);
    const names = await ubus(path, 'list');
    t.same(names, { exit: 0, stdout: 'fx\nfx.sub\nother\n', stderr: '' });
    return [names, await ubus(path, 'list', 'fx*'), await ubus(path, 'list', 'nope'), await ubus(path, 'list', 'nope*'), await ubus(path, 'list', 'f*x')];
  },
  'list -v': async (t, { path }) => {
    await serve(t, path);
    const all = await ubus(path, '-v', 'list', 'fx');
    t.same(all.stdout, `'fx' @<0>\n\t"echo":{"text":"String","n":"Integer","flag":"Boolean","list":"Array","map":"Table","x":"(unknown)"}\n\t"fail":{}\n`);
    return [all, await ubus(path, '-v', 'list'), await ubus(path, '-S', '-v', 'list')];
  },
  call: async (t, { path }) => {
    await serve(t, path);
    const echo = await ubus(path, '-S', 'call', 'fx', 'echo', complex);
    t.same([echo.exit, JSON.parse(echo.stdout)], [0, JSON.parse(complex)]);
    const failed = await ubus(path, 'call', 'fx', 'fail');
    t.match(failed, { exit: 251, stderr: 'Command failed: ubus call fx fail (No response)\n' });
    return [echo, failed, await ubus(path, 'call', 'fx', 'echo', complex), await ubus(path, 'call', 'nope', 'x'), await ubus(path, 'call', 'fx', 'echo', '{')];
  },
  'call with a big argument': async (t, { path }) => {
    await serve(t, path);
    const text = 'x'.repeat(100_000);
    const echo = await ubus(path, '-S', 'call', 'fx', 'echo', JSON.stringify({ text }));
    t.same(JSON.parse(echo.stdout), { text });
    return echo;
  },
  'listen and send': async (t, { path }) => {
    const all = new Running('ubus', ['-s', path, 'listen']);
    const some = new Running('ubus', ['-s', path, 'listen', 'foo*']);
    await delay(300);
    const sent = [await ubus(path, 'send', 'foo.bar', complex), await ubus(path, 'send', 'bar'), await ubus(path, 'send', 'ubus.x')];
    t.same(sent.map(({ exit }) => exit), [0, 0, 6]);
    const { owner, objid } = await serve(t, path);
    await owner.status(MessageType.removeObject, 9, { objid });
    await waitFor(() => all.stdout.includes('object.remove') && some.stdout !== '');
    await Promise.all([all.stop(), some.stop()]);
    const lines = withoutIds(all.stdout).split('\n');
    t.match(lines[0], /^{ "foo.bar": {/);
    t.same(lines.slice(1), [
      '{ "bar": {} }',
      '{ "ubus.object.add": {"id":<0>,"path":"fx"} }',
      '{ "ubus.object.add": {"id":<1>,"path":"fx.sub"} }',
      '{ "ubus.object.add": {"id":<2>,"path":"other"} }',
      '{ "ubus.object.remove": {"id":<0>,"path":"fx"} }',
      '',
    ]);
    t.equal(some.stdout, `${lines[0]}\n`);
    return [sent, withoutIds(all.stdout), withoutIds(some.stdout)];
  },
  subscribe: async (t, { path }) => {
    const { owner, objid, other } = await serve(t, path);
    const subscriber = new Running('ubus', ['-s', path, 'subscribe', 'fx', 'other']);
    // When the last one is subscribed to, so are all.
    await owner.until(({ type, attrs }) => type === MessageType.notify && attrs.active === true && attrs.objid === other);
    const data = encodeFields(parseJson(complex));
    owner.send(MessageType.notify, 20, { objid, method: 'changed', data, noReply: true }, objid);
    owner.send(MessageType.notify, 21, { objid, method: 'asked', data: new Uint8Array() }, objid);
    const answer = await owner.until(({ type, seq, peer }) => type === MessageType.status && seq === 21 && peer !== objid);
    await subscriber.stop();
    await owner.until(({ type, attrs }) => type === MessageType.notify && attrs.active === false && attrs.objid === objid);
    t.match(subscriber.stdout.split('\n'), [/^{ "changed": {/, '{ "asked": {} }']);
    return [subscriber.stdout, answer.attrs.status, await ubus(path, 'subscribe', 'nope')];
  },
  wait_for: async (t, { path }) => {
    const { owner } = await serve(t, path);
    const there = await ubus(path, 'wait_for', 'fx', 'other');
    const late = new Running('ubus', ['-s', path, '-t', '10', 'wait_for', 'fx', 'late']);
    await delay(300);
    t.equal(late.process.exitCode, null, 'waits');
    await owner.add(8, { objpath: 'late', signature });
    t.equal(await late.end(), 0);
    const never = await ubus(path, '-t', '1', 'wait_for', 'never');
    t.not(never.exit, 0);
    return [there, late.stdout, late.stderr, never];
  },
  monitor: async (t, { path }) => {
    await serve(t, path);
    const monitor = new Running('ubus', ['-s', path, 'monitor']);
    await waitFor(() => monitor.stdout !== '');
    await ubus(path, 'call', 'fx', 'echo', complex);
    await ubus(path, 'send', 'foo', '{"a":1}');
    await delay(200);
    await monitor.stop();
    t.match(monitor.stdout, /invoke: .*"method":"echo"/);
    t.equal(monitor.stdout.includes('Invalid'), false);
    return withoutIds(monitor.stdout);
  },
};

for (const [name, scenario] of Object.entries(scenarios)) {
  t.test(`ubus ${name}`, needs('ubus'), async t => {
    const got = await scenario(t, await ours(t));
    await t.test('the same with the real ubusd', needs('ubusd'), async t => {
      t.same(got, await scenario(t, await real(t)));
    });
  });
}

t.test('ubus as a user without rights', needs('ubus'), async t => {
  const { path, nobodyPath } = await ours(t);
  await serve(t, path);
  t.same(await ubus(nobodyPath!, 'list'), { exit: 0, stdout: '', stderr: '' });
  t.match(await ubus(nobodyPath!, 'call', 'fx', 'echo'), { exit: 252, stderr: 'Command failed: ubus call fx echo (Not found)\n' });
  t.match(await ubus(nobodyPath!, 'send', 'foo'), { exit: 6 });
  t.match(await ubus(nobodyPath!, 'monitor'), { exit: 6, stderr: 'Command failed: Permission denied\n' });
});

t.test('the ids that ubus and libubus choose fit', needs('ubus'), async t => {
  const { path } = await ours(t);
  const { owner } = await serve(t, path);
  await ubus(path, 'call', 'fx', 'echo');
  const call = owner.received.find(({ type }) => type === MessageType.invoke);
  t.ok(call !== undefined && call.peer > SystemObject.monitor && call.seq === 2);
});
