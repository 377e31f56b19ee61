/** Names of networks and devices, against a broker with a netifd that says what netifd says. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import type { Test } from 'tap';
import { Broker, Status, UbusClient, UbusError } from 'ubus-ts';
import { Networks } from '../../src/linux/networks.js';
import { SILENT } from '../support.js';

async function bus(t: Test) {
  // The path of a socket has room for 107 bytes: too few for a directory of tap's.
  const directory = mkdtempSync(join(tmpdir(), 'networks-'));
  const path = join(directory, 'ubus.sock');
  const broker = new Broker({ path });
  await broker.listen();
  const netifd = new UbusClient({ path });
  const ubus = new UbusClient({ path });
  await netifd.connect();
  await ubus.connect();
  t.teardown(async () => {
    netifd.close();
    ubus.close();
    await broker.close();
    rmSync(directory, { recursive: true });
  });
  return { netifd, ubus };
}

function publish(netifd: UbusClient, devices: { [network: string]: string | undefined }) {
  return netifd.addObject('network.interface', {
    status: {
      args: { interface: 'string' },
      handler: ({ interface: name }: { interface?: unknown }) => {
        const network = String(name);
        if (!(network in devices)) throw new UbusError(Status.notFound, 'no such interface');
        const device = devices[network];
        return { up: device !== undefined, ...(device === undefined ? {} : { l3_device: device, device: 'eth0' }) };
      },
    },
  });
}

t.test('a device is a device, a network becomes its device, anything else stays', async (t) => {
  const { netifd, ubus } = await bus(t);
  await publish(netifd, { client: 'br-client', guests: 'br-client', down: undefined });
  const networks = new Networks(ubus, SILENT, (name) => name === 'br0');
  t.same(await networks.devices(['br0', 'client', 'down', 'unheard']), ['br0', 'br-client', 'down', 'unheard']);
  t.same(await networks.devices(['client', 'guests']), ['br-client'], 'two networks on one device are one interface');
});

t.test('without ubusd, or without netifd, names stay', async (t) => {
  const { ubus } = await bus(t);
  const networks = new Networks(ubus, SILENT, () => false);
  t.same(await networks.devices(['client']), ['client']);
  ubus.close();
  t.same(await networks.devices(['client']), ['client']);
});

t.test('netifd is away for a moment: the device of a network is still what it was', async (t) => {
  const { netifd, ubus } = await bus(t);
  const devices: { [network: string]: string | undefined } = { client: 'br-client' };
  const object = await publish(netifd, devices);
  const networks = new Networks(ubus, SILENT, () => false);
  t.same(await networks.devices(['client']), ['br-client']);
  await object.remove();
  t.same(await networks.devices(['client']), ['br-client'], 'or all clients would be taken for gone');
  devices['client'] = undefined;
  await publish(netifd, devices);
  t.same(await networks.devices(['client']), ['client'], 'it has come back, and says that the network is down');
});

t.test('netifd that comes, and what it tells of our networks, is followed', async (t) => {
  const { netifd, ubus } = await bus(t);
  const networks = new Networks(ubus, SILENT, () => false);
  await networks.devices(['client']);
  let calls = 0;
  let wake = () => {};
  networks.follow(() => {
    calls++;
    wake();
  });
  t.teardown(() => networks.stop());
  const next = () => new Promise<void>((resolve) => (wake = resolve));
  const came = next();
  const object = await publish(netifd, { client: 'br-client' });
  await came;
  t.equal(calls, 1, 'it came');
  t.same(await networks.devices(['client']), ['br-client']);
  const told = next();
  object.notify('interface.update', { interface: 'lan' });
  object.notify('interface.down', { interface: 'client' });
  object.notify('interface.update', { interface: 'client', l3_device: 'br-other' });
  await told;
  t.equal(calls, 2, 'only what can change our devices');
});
