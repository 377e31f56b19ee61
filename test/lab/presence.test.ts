/** Clients that no access point of ours tells of, and clients of which several do, on real kernels. */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import type { Test } from 'tap';
import { Client, PingStream } from './client.js';
import type { LabOptions, RouterName } from './lab.js';
import { Lab } from './lab.js';
import { sleep, until } from './shell.js';
import { GATEWAY4, SERVER4 } from './topology.js';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const programs = { roaming: join(root, 'dist/roaming.js'), accessPoint: join(root, 'build/access-point.mjs') };

/** A lab that is up, and goes with the test. */
async function lab(t: Test, name: string, options: LabOptions['options']): Promise<Lab> {
  const made = await Lab.create({ name, programs, ...(options && { options }) });
  t.teardown(() => made.stop());
  await made.start();
  return made;
}

/** A host with a cable to a router's bridge, of which no access point says anything. */
async function wired(lab: Lab, name: string, mac: string, router: RouterName): Promise<Client> {
  await lab.net.addHost(name, false);
  const client = new Client(lab.net, name, mac, lab.directory, lab.cleanup);
  await client.plugIn(router);
  return client;
}

const skip = process.getuid?.() === 0 ? false : 'needs root';

t.test('a wired client is here when the bridge has learnt it, and roams with its cable', { skip }, async (t) => {
  const net = await lab(t, 'prw', { presence: ['hostapd', 'fdb'], hold_time: '2' });
  const client = await wired(net, 'wired', '02:00:00:00:00:51', 'r1');
  await client.startDhcp();
  const address = await client.address(4);
  const stream = new PingStream(net.net, 'server', address, 20, net.cleanup);
  await until('the server reaches it', 10, async () => stream.answers > 10);

  await client.roam('r2');
  await net.net.exec('wired', 'ping', '-c', '1', '-W', '1', GATEWAY4).catch(() => undefined);
  const moved = Date.now();
  await until('the server reaches it at r2', 10, async () => stream.answeredSince(moved));
  t.equal(await client.address(4), address, 'the same address');
  t.match(await net.routers.r3.cli('clients'), /02:00:00:00:00:51.*r2/);

  await net.net.ip('r2', `link set ${client.plug} down`);
  await until('it has left once its cable is out', 10, async () => !/02:00:00:00:00:51.*r2/.test(await net.routers.r3.cli('clients')));
});

t.test('a client that changes band on one router keeps everything', { skip }, async (t) => {
  const net = await lab(t, 'prb', {});
  const client = await net.addClient('phone', '02:00:00:00:00:52', 'r1');
  await client.startDhcp();
  const before = [await client.address(4), await client.address(6)];
  const stream = new PingStream(net.net, 'server', before[0]!, 20, net.cleanup);
  await until('the server reaches it', 10, async () => stream.answers > 10);
  await until('it has no router yet', 10, async () => stream.answers > 20);
  net.routers.r1.secondStation({ authorize: client.mac });
  await sleep(200);
  net.routers.r1.station({ leave: client.mac });
  await sleep(7000);
  t.same([await client.address(4), await client.address(6)], before);
  t.ok(stream.answeredSince(Date.now() - 1000), 'longer than hold_time after the old radio lost it');
  t.match(await net.routers.r3.cli('clients'), /02:00:00:00:00:52.*r1/);
});
