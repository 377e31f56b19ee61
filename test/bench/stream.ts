/**
 * A program: both ends of steady UDP streams, up and down, over IPv4 and IPv6. The server sends to wherever the client
 * was last heard from, so that the streams also go on where a client gets other addresses.
 *
 * Usage: stream client MS SERVER4 SERVER6 | stream server MS
 */
import type { Socket } from 'node:dgram';
import { createSocket } from 'node:dgram';
import { PAYLOAD_SIZE, STREAM_PORT } from './stream-format.js';

interface Stream {
  readonly socket: Socket;
  address: string | undefined;
  sequence: number;
}

function open(type: 'udp4' | 'udp6', address: string | undefined): Stream {
  const socket = createSocket({ type, ipv6Only: type === 'udp6' });
  // Without a carrier or a route sending fails: the packet is lost, as any other.
  socket.on('error', () => {});
  socket.bind(STREAM_PORT);
  return { socket, address, sequence: 0 };
}

function send(stream: Stream, direction: number): void {
  if (stream.address === undefined) return;
  const payload = Buffer.alloc(PAYLOAD_SIZE);
  payload.writeUInt8(direction, 0);
  payload.writeUInt32BE(stream.sequence++, 4);
  payload.writeDoubleBE(performance.timeOrigin + performance.now(), 8);
  stream.socket.send(payload, STREAM_PORT, stream.address, () => {});
}

/** Keeps to the schedule as far as the event loop lets it, and makes up for what it was late. */
function run(streams: readonly Stream[], direction: number, interval: number): void {
  let next = performance.now();
  const tick = () => {
    for (const now = performance.now(); next <= now; next += interval) for (const stream of streams) send(stream, direction);
    setTimeout(tick, Math.max(0, next - performance.now()));
  };
  tick();
}

const [role, interval, ...servers] = process.argv.slice(2);
if (role === 'client') {
  run([open('udp4', servers[0]), open('udp6', servers[1])], 0, Number(interval));
} else if (role === 'server') {
  const streams = [open('udp4', undefined), open('udp6', undefined)];
  for (const stream of streams) stream.socket.on('message', (_, { address }) => (stream.address = address));
  run(streams, 1, Number(interval));
}
