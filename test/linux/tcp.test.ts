import { once } from 'node:events';
import * as net from 'node:net';
import type { AddressInfo } from 'node:net';
import t from 'tap';
import { TcpOptions } from '../../src/linux/tcp.js';
import { addon, inNamespace, ip, until } from './namespace.js';

const IPPROTO_TCP = 6;
const TCP_CONGESTION = 13;

await inNamespace(t, import.meta.url, async (t) => {
  await t.test('timeouts: counted while nothing gets through, over once it does', async (t) => {
    const server = net.createServer((socket) => void socket.resume());
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const socket = net.connect((server.address() as AddressInfo).port, '127.0.0.1');
    t.teardown(() => void socket.destroy());
    t.teardown(() => void server.close());
    await once(socket, 'connect');
    const tcp = new TcpOptions(addon());
    tcp.insist(socket);
    const { _handle: handle } = socket as net.Socket & { readonly _handle: { readonly fd: number } };
    const algorithm = new Uint8Array(16);
    t.equal(addon().getOption(handle.fd, IPPROTO_TCP, TCP_CONGESTION, algorithm), 0);
    t.match(Buffer.from(algorithm).toString(), /^reno\0/, 'one with which few segments count as a thin stream');
    socket.write('heard');
    await until(t, 'acknowledged', () => tcp.isAcknowledged(socket));
    t.equal(tcp.timeouts(socket), 0);
    ip('link set lo down');
    socket.write('not heard');
    await until(t, 'three timeouts', () => tcp.timeouts(socket)! >= 3);
    t.notOk(tcp.isAcknowledged(socket));
    ip('link set lo up');
    await until(t, 'acknowledged after all', () => tcp.isAcknowledged(socket));
    t.equal(tcp.timeouts(socket), 0);
    socket.destroy();
    t.equal(tcp.timeouts(socket), undefined, 'nobody can tell any more');
  });
});
