/* Whole conversations: what ubusd sent is delivered, what the real program sent has to come out of this client, byte for byte. */
import t from 'tap';
import { UbusClient, UbusError } from '../../src/index.js';
import { runCommand } from '../cli.js';
import { FakePlatform, settle, until } from '../fake-platform.js';
import { addFixtureObject, type Sleep } from '../fixture-server.js';
import { recording, recordings, type Recording } from '../recordings.js';

interface Play {
  client: UbusClient;
  sleep: Sleep;
  /** Waits until the recording has come to this message. */
  reached(n: number): Promise<void>;
}

/** Plays a recording: `act` starts what the program did; the result says where the client's messages differ, and how `act` ended. */
async function play(record: Recording, act: (play: Play) => Promise<unknown>): Promise<{ differences: string[]; error: unknown }> {
  const platform = new FakePlatform();
  const client = new UbusClient({ path: '/socket', reconnect: false, platform });
  const sleep: Sleep = ms => new Promise(resolve => void platform.startTimer(ms, resolve));
  let position = 0;
  const reached = (n: number): Promise<void> => until(() => position >= n, 1000);
  const connecting = client.connect();
  const differences: string[] = [];
  let error: unknown;
  let acting: Promise<unknown> | undefined;
  for (const { dir, n, hex } of record.frames) {
    position = n;
    if (dir === 's2c') {
      await settle();
      platform.last.receive(hex);
      acting ??= connecting.then(() => act({ client, sleep, reached })).then(
        () => {},
        (reason: unknown) => (error = reason),
      );
      continue;
    }
    await until(() => platform.last.sent.length > 0);
    for (let wait = 0; wait < 20 && platform.last.sent.length === 0; wait++) {
      platform.advance(50);
      await settle();
    }
    const sent = platform.last.sent.shift();
    if (sent !== hex) differences.push(`${n}: ${sent} for ${hex}`);
  }
  await settle();
  differences.push(...platform.last.sent.map(hex => `more: ${hex}`));
  if (record.closedBy === 'ubusd') platform.last.drop();
  platform.advance(40_000);
  let done = false;
  void acting?.then(() => (done = true));
  await until(() => done);
  client.close();
  return { differences, error };
}

/** Where this client does the same in its own way, on purpose. */
const otherwise: Record<string, string> = {
  'monitor-filter.monitor.json': 'the command sends a DATA that is no blobmsg',
  'monitor-denied.json': 'the same',
  'subscribe-denied.cli.json': 'we remove the object that was to be the subscriber',
};

t.test('the ubus command', async t => {
  let count = 0;
  for (const record of recordings()) {
    // The command looks up all objects where we look up those that are waited for, so the answers do not fit.
    if (record.client !== 'cli' || record.scenario === 'wait-for') continue;
    await t.test(record.file, async t => {
      let stdout = '';
      const { differences, error } = await play(record, ({ client }) => runCommand(client, record.command, text => (stdout += text)));
      if (otherwise[record.file] === undefined) t.same(differences, []);
      else t.comment(otherwise[record.file]);
      const { exit, stdout: expected } = record.decoded;
      t.equal(stdout, expected);
      if (error instanceof SyntaxError) t.match(record.scenario, /bad-json/);
      else if (error instanceof UbusError) t.ok(exit === error.status || exit === ((256 - error.status) & 255) || record.scenario === 'subscribe-denied', `exit ${exit}, status ${error.status}`);
      else if (exit !== 0 && !record.command.includes(' list ')) t.fail(`exit ${exit}, but ${String(error)}`);
      count++;
    });
  }
  t.ok(count > 70, `${count} conversations`);
});

const objects: Record<string, (play: Play) => Promise<unknown>> = {};
for (const record of recordings()) {
  if (record.command !== 'libubus program: add fx all' || record.role !== 'server' || record.scenario.startsWith('fd-')) continue;
  objects[record.file.replace('.json', '')] = ({ client, sleep }) => addFixtureObject(client, 'fx', 'all', sleep);
}

const small = ({ client, sleep }: Play, path: string) => addFixtureObject(client, path, 'small', sleep);

/** What programs on libubus did, told in terms of this client. */
const programs: Record<string, (play: Play) => Promise<unknown>> = {
  ...objects,
  'list.server': async play => {
    const { client } = play;
    await addFixtureObject(client, 'fx', 'all', play.sleep);
    await small(play, 'fx.one');
    await small(play, 'fx.two');
    await client.addObject('zz.none', {});
    await client.addObject(undefined, {});
  },
  'object-type-reuse': async play => {
    const one = await small(play, 'fx.one');
    const two = await small(play, 'fx.two');
    const other = await addFixtureObject(play.client, 'fx.other', 'all', play.sleep);
    await one.remove();
    await play.client.removeObject(two);
    await other.remove();
    await small(play, 'fx.three');
  },
  'object-server.server': async ({ client, sleep, reached }) => {
    const fx = await addFixtureObject(client, 'fx', 'all', sleep);
    await reached(54);
    await fx.remove();
  },
  'object-anonymous': async ({ client }) => (await client.addObject(undefined, {})).remove(),
  'object-no-methods': async ({ client }) => (await client.addObject('zz', {})).remove(),
  'object-duplicate-path.second': play => small(play, 'fx'),
  'object-publish-denied': async play => {
    await small(play, 'fx').catch(() => {});
    await play.client.addObject(undefined, {});
  },
  'notify-answers.server': async play => {
    const fx = await small(play, 'fx');
    await until(() => fx.hasSubscribers);
    await settle();
    return [
      await fx.notifyWait('probe', { address: '02:00:00:00:00:02' }),
      await fx.notifyWait('probe', { address: '02:00:00:00:00:03' }),
    ];
  },
  'notify-answers.subA': ({ client }) =>
    client.subscribe('fx', (type, _, note) => note.answer(0, { answer: type })),
  'notify-subscriber-leaves.server': async ({ client, sleep }) => {
    const seen: boolean[] = [];
    const fx = await addFixtureObject(client, 'fx', 'small', sleep, { onSubscribers: active => seen.push(active) });
    await until(() => seen.length === 2);
    await fx.notifyWait('none', { a: 1 });
    fx.notify('none', { a: 2 });
  },
  'subscribe-acl.server': async play => {
    const fx = await small(play, 'fx');
    await until(() => fx.hasSubscribers);
    fx.notify('hi', { a: 1 });
  },
  'event-object-add-remove.server': async play => {
    const fx = await small(play, 'fx');
    await play.client.addObject(undefined, {});
    await fx.remove();
  },
  'event-own.server': async play => {
    const { client } = play;
    await client.listen('*', () => {});
    await client.send('mine', { a: 1 });
    await settle();
    await client.send('mine', { a: 2 });
    await small(play, 'fx');
  },
  'call-two-in-a-row.caller': async ({ client }) => {
    const call = async (method: string, args: object): Promise<unknown> =>
      client.callId((await client.lookup('fx')).id, method, args as Record<string, number>).catch((error: unknown) => error);
    await call('echo', { a: 1 });
    await call('strict', {});
    await call('multi', { size: 10, count: 3 });
  },
  'fd-from-caller.caller': async ({ client }) => {
    for (let i = 0; i < 2; i++) await client.callId((await client.lookup('fx')).id, 'takefd');
  },
  'ucode-client.client': async ({ client }) => {
    await client.list();
    await client.list('fx.small');
    const call = async (method: string, args: object): Promise<unknown> =>
      client.callId((await client.lookup('fx')).id, method, args as Record<string, number>).catch((error: unknown) => error);
    await call('echo', { i: 1, neg: -5, i64: 5000000000, d: 1.5, s: 'Grün', t: true, n: null, a: [1, [2], {}], o: { x: 'y' } });
    await call('echo', {});
    await call('status', { code: 4 });
    await client.send('uc.event', { k: 'v' });
  },
  'notify-owner-gone.subscriber': ({ client }) => client.subscribe('fx', () => {}),
};

t.test('programs on libubus', async t => {
  for (const [name, act] of Object.entries(programs)) {
    await t.test(name, async t => {
      const { differences } = await play(recording(name), act);
      // The program ends when the object has gone; this client goes on to wait for its return.
      const goesOn = name === 'notify-owner-gone.subscriber';
      t.same(goesOn ? differences.filter(text => !text.startsWith('more')) : differences, []);
    });
  }
});
