import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { Broker, UbusClient, UbusError } from 'ubus-ts';
import { ask } from '../../src/cli/ask.js';
import { UbusObject } from '../../src/linux/bus.js';
import { BadInput } from '../../src/net/bytes.js';
import { SILENT } from '../support.js';

const directory = await mkdtemp(join(tmpdir(), 'roaming-bus-'));
const path = join(directory, 'ubus.sock');
const broker = new Broker({ path });
await broker.listen();
const ubus = new UbusClient({ path });
await ubus.connect();
const bus = new UbusObject(ubus, 'roaming', SILENT);
bus.publish({
  good: { args: { mac: 'string' }, call: ({ mac }) => ({ mac }) },
  typed: { args: { mac: 'string', limit: 'integer', enable: 'boolean' }, call: (args) => ({ ...args }) },
  bad: {
    args: {},
    call: () => {
      throw new BadInput('mac: not a MAC address: x');
    },
  },
  broken: {
    args: {},
    call: () => {
      throw new Error('a secret of the inside');
    },
  },
});
await ubus.waitFor(['roaming'], { timeout: 60_000 });
t.teardown(async () => {
  bus.stop();
  ubus.close();
  await broker.close();
  await rm(directory, { recursive: true });
});

t.test('an answer', async (t) => {
  t.same({ ...(await ask(path, 'good', { mac: 'x' })) }, { mac: 'x' });
});

t.test('bad input: the status says so, and the words come with it', async (t) => {
  await t.rejects(ask(path, 'bad'), { name: 'CliError', message: 'mac: not a MAC address: x', code: 2 });
  await t.rejects(ubus.call('roaming', 'bad'), { name: 'UbusError', message: /Invalid argument \(2\)/ });
});

t.test('an argument of another type than declared is refused, not left out', async (t) => {
  t.same({ ...(await ask(path, 'typed', { mac: 'x', limit: 5, enable: true, other: 1 })) }, { mac: 'x', limit: 5, enable: true, other: 1 });
  t.same({ ...(await ask(path, 'typed', { mac: null })) }, {}, 'null is none');
  await t.rejects(ask(path, 'typed', { mac: 5 }), { message: 'mac: a string is expected', code: 2 });
  await t.rejects(ask(path, 'typed', { limit: '5' }), { message: 'limit: a whole number is expected', code: 2 });
  await t.rejects(ask(path, 'typed', { enable: 1 }), { message: 'enable: true or false is expected', code: 2 });
});

t.test('an error of ours tells nothing', async (t) => {
  const error = await ubus.call('roaming', 'broken').catch((error: unknown) => error);
  t.ok(error instanceof UbusError && error.status === 9);
});

t.test('what cannot be reached is said as such', async (t) => {
  await t.rejects(ask(join(directory, 'none'), 'good'), { code: 3, message: /^ubusd cannot be reached/ });
  await t.rejects(ask(path, 'nothing'), { code: 1, message: /Method not found/ });
});

t.test('notifications go to who has subscribed', async (t) => {
  const heard: object[] = [];
  const client = new UbusClient({ path });
  await client.connect();
  const subscription = await client.subscribe('roaming', (type, data) => void heard.push({ type, ...data }));
  bus.notify('roam', () => ({ mac: 'x' }));
  while (heard.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  t.same(heard, [{ type: 'roam', mac: 'x' }]);
  await subscription.close();
  client.close();
});
