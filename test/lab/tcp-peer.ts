/**
 * One end of a TCP connection that is kept open: `listen ADDRESS PORT` sends back what it gets, `connect ADDRESS PORT`
 * sends a number every 100 ms and prints each that comes back.
 */
import { connect, createServer } from 'node:net';

const [role, address, port] = process.argv.slice(2) as [string, string, string];

if (role === 'listen') {
  createServer((socket) => socket.on('error', () => {}).pipe(socket)).listen(Number(port), address, () => {
    process.stdout.write('listening\n');
  });
} else {
  const socket = connect({ host: address, port: Number(port), noDelay: true });
  let next = 0;
  socket.on('connect', () => setInterval(() => socket.write(`${next++}\n`), 100));
  socket.on('data', (data) => process.stdout.write(data));
  socket.on('close', () => process.stdout.write('closed\n'));
  socket.on('error', (error) => process.stdout.write(`${error.message}\n`));
}
