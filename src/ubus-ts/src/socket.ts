/* The one file that touches the operating system. */
import { createConnection } from 'node:net';
import type { Platform, Transport, TransportEvents } from './client/platform.js';

/** Unix stream sockets, timers and random numbers of Node. */
export const nodePlatform: Platform = {
  connect: connectSocket,
  startTimer(delay, action) {
    const timer = setTimeout(action, delay);
    return () => clearTimeout(timer);
  },
  random: Math.random,
};

function connectSocket(path: string, events: TransportEvents): Transport {
  const socket = createConnection({ path });
  let failure: Error | undefined;
  socket.on('connect', () => events.opened());
  socket.on('data', chunk => events.received(chunk));
  socket.on('drain', () => events.drained());
  socket.on('error', error => (failure = error));
  socket.on('close', () => events.closed(failure));
  return {
    send: bytes => socket.write(bytes),
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    close: () => {
      if (socket.connecting) socket.destroy();
      else socket.destroySoon();
    },
  };
}
