/** Port 67 held on a real kernel: what a client's renewal meets, and another server on the same router. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import t from 'tap';
import { LinuxDhcpPort } from '../../src/linux/dhcp-port.js';
import type { Ip4 } from '../../src/net/ip.js';
import { inNamespace, ip, until } from './namespace.js';
import { SILENT } from '../support.js';

const ADDRESS = '10.44.0.1' as Ip4;

/** Sends a datagram to port 67 from a connected socket, which learns of ICMP errors; says whether one came by then. */
async function isRefused(): Promise<boolean> {
  const socket = createSocket('udp4');
  socket.connect(67, ADDRESS);
  await once(socket, 'connect');
  let refused = false;
  socket.on('error', (error: NodeJS.ErrnoException) => (refused = error.code === 'ECONNREFUSED'));
  socket.send('renew');
  for (let i = 0; i < 3 && !refused; i++) await new Promise((resolve) => setTimeout(resolve, 10));
  socket.close();
  return refused;
}

async function bound(address: string): Promise<ReturnType<typeof createSocket>> {
  const socket = createSocket({ type: 'udp4', reuseAddr: true });
  socket.bind({ address, port: 67, exclusive: true });
  await once(socket, 'listening');
  return socket;
}

await inNamespace(t, import.meta.url, async (t) => {
  ip('link add client0 type bridge');
  ip('link set client0 up');

  await t.test('an address that comes later is held then; nothing is refused from then on', async (t) => {
    const port = new LinuxDhcpPort(SILENT);
    port.hold([ADDRESS]);
    await new Promise((resolve) => setTimeout(resolve, 20));
    ip(`addr add ${ADDRESS}/24 dev client0`);
    t.equal(await isRefused(), true, 'the kernel refuses while nobody has the port');
    port.hold([ADDRESS]);
    await new Promise((resolve) => setTimeout(resolve, 20));
    t.equal(await isRefused(), false);
    port.stop();
    await new Promise((resolve) => setTimeout(resolve, 20));
    t.equal(await isRefused(), true, 'given back');
  });

  await t.test('another server with the same port, whichever starts first, keeps its datagrams', async (t) => {
    for (const first of ['ours', 'theirs']) {
      const port = new LinuxDhcpPort(SILENT);
      const hold = async () => {
        port.hold([ADDRESS]);
        await new Promise((resolve) => setTimeout(resolve, 20));
      };
      if (first === 'ours') await hold();
      const theirs = await bound('0.0.0.0');
      if (first === 'theirs') await hold();
      let heard = 0;
      theirs.on('message', () => heard++);
      const client = createSocket('udp4');
      client.send('to the other', 67, '127.0.0.1');
      await until(t, `${first} first: heard`, () => heard === 1);
      t.equal(await isRefused(), false);
      t.equal(heard, 1, 'what is for the gateway is not its business');
      client.close();
      theirs.close();
      port.stop();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  });

  await t.test('a port that is taken for good is fine', async (t) => {
    const theirs = createSocket('udp4');
    theirs.bind({ address: '0.0.0.0', port: 67, exclusive: true });
    await once(theirs, 'listening');
    const said: string[] = [];
    const port = new LinuxDhcpPort({ ...SILENT, debug: (message) => said.push(message) });
    port.hold([ADDRESS]);
    await until(t, 'noted', () => said.length === 1);
    t.match(said[0], /EADDRINUSE/);
    t.equal(await isRefused(), false);
    port.stop();
    theirs.close();
  });
});
