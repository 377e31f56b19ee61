/** Asking the daemon: answers that come in parts, and refusals. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import type { Test } from 'tap';
import { Broker, UbusClient } from 'ubus-ts';
import { ask, CliError, ExitCode, OBJECT } from '../../src/cli/ask.js';
import { UbusObject } from '../../src/linux/bus.js';
import { BadInput } from '../../src/net/bytes.js';
import type { BusMethod } from '../../src/ports.js';
import { until } from '../lab/shell.js';
import { SILENT } from '../support.js';

/** A bus on which an object `roaming` has the methods given. Resolves to its socket. */
async function busWith(t: Test, methods: { readonly [name: string]: BusMethod }): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'roaming-'));
  const path = join(directory, 'ubus.sock');
  const broker = new Broker({ path });
  await broker.listen();
  const daemon = new UbusClient({ path });
  await daemon.connect();
  new UbusObject(daemon, OBJECT, SILENT).publish(methods);
  t.teardown(async () => {
    daemon.close();
    await broker.close();
    rmSync(directory, { recursive: true, force: true });
  });
  await until('the object is there', 5, async () => (await daemon.list(OBJECT)).length > 0);
  return path;
}

t.test('an answer in parts is put together: its lists in their order, all else of the first', async (t) => {
  const PARTS = 3000;
  const asked: unknown[] = [];
  const clients: BusMethod = {
    args: { after: 'string', node: 'string' },
    call: (args) => {
      asked.push(args['node']);
      const part = Number(args['after'] ?? 0);
      const next = part + 1 < PARTS ? { next: String(part + 1) } : {};
      return { part, clients: [{ mac: `${2 * part}` }, { mac: `${2 * part + 1}` }], ...next };
    },
  };
  const socket = await busWith(t, { clients });
  const answer = await ask(socket, 'clients', { node: 'r1' });
  t.same(Object.keys(answer), ['part', 'clients']);
  t.equal(answer['part'], 0);
  t.same((answer['clients'] as { mac: string }[]).map(({ mac }) => Number(mac)), Array.from({ length: 2 * PARTS }, (_, i) => i));
  t.equal(asked.filter((node) => node === 'r1').length, PARTS, 'each is asked for with the same words');
});

t.test('an answer that is whole stays as it is', async (t) => {
  const socket = await busWith(t, { status: { args: {}, call: () => ({ id: 'x', problems: [] }) } });
  t.same({ ...(await ask(socket, 'status')) }, { id: 'x', problems: [] });
});

t.test("what the daemon refuses is said in the daemon's words", async (t) => {
  const call = () => {
    throw new BadInput('mac: not a MAC address');
  };
  const socket = await busWith(t, { client: { args: {}, call } });
  const error = await ask(socket, 'client').catch((reason: unknown) => reason);
  t.match(error, { message: 'mac: not a MAC address', code: ExitCode.usage });
  t.ok(error instanceof CliError);
});

t.test('no ubusd, no daemon', async (t) => {
  await t.rejects(ask('/nonexistent/ubus.sock', 'status'), { message: /ubusd cannot be reached/, code: ExitCode.unreachable });
  const socket = await busWith(t, {});
  await t.rejects(ask(socket, 'no-such-method'), { code: ExitCode.failure });
});
