/** Packets for clients that nobody has heard of: they are found, and a scan of the whole prefix disturbs nobody. */
import t from 'tap';
import { PingStream } from './client.js';
import { onLab, QUICK_BABELD, settles } from './harness.js';
import { run, until } from './shell.js';

const MUTE = '02:00:00:00:00:71';
const ADDRESS = '10.44.9.9';

/** One datagram to each address of the /16, in some seconds. */
const SCAN = `
const socket = require('node:dgram').createSocket('udp4');
socket.on('error', () => {});
let i = 0;
const timer = setInterval(() => {
  for (let n = 0; n < 256 && i < 65536; n++, i++) socket.send('x', 9, '10.44.' + (i >> 8) + '.' + (i & 255), () => {});
  if (i >= 65536) { clearInterval(timer); setTimeout(() => socket.close(), 500); }
}, 20);
`;

await onLab(t, { name: 'tseek', babeld: QUICK_BABELD }, [
  {
    name: 'a station that has never said a word, with an address that no router knows, is found from afar',
    run: async (t, lab) => {
      await lab.net.addHost('mute', false);
      await lab.net.plug('mute', 'r2', 'sta-mute', MUTE);
      await lab.net.ip('mute', `addr add ${ADDRESS}/16 dev eth0`);
      await lab.net.ip('mute', 'route add default via 10.44.0.1');
      lab.routers.r2.station({ authorize: MUTE });
      await until('it is there', 10, async () => (await lab.routers.r4.clients()).some(({ mac }) => mac === MUTE));
      const stream = new PingStream(lab.net, 'server', ADDRESS, 200, lab.cleanup);
      await until('it answers', 10, async () => stream.answers > 3);
      await settles(t, 'its address is known', true, async () =>
        (await lab.routers.r4.clients()).some(({ mac, addresses }) => mac === MUTE && addresses.includes(ADDRESS)),
      );
      await stream.stop();
    },
  },
  {
    name: 'packets to nobody are answered as unreachable',
    run: async (t, lab) => {
      const ping = () => run('ip', 'netns', 'exec', lab.net.ns('server'), 'sh', '-c', 'ping -c 4 -i 0.3 -W 1 10.44.200.1; true');
      t.ok(await until('unreachable is said', 10, async () => (await ping()).includes('Destination Host Unreachable')));
    },
  },
  {
    name: 'a scan of the /16 makes few frames on the air, and few records',
    programs: ['tcpdump'],
    run: async (t, lab) => {
      const capture = lab.service('r1', 'tcpdump', '-ln', '-i', 'br-client', '-Q', 'out', 'arp');
      await until('tcpdump listens', 10, async () => capture.output.includes('listening'));
      const before = await lab.routers.r1.counters();
      const start = Date.now();
      await lab.net.exec('server', process.execPath, '-e', SCAN);
      const seconds = (Date.now() - start) / 1000;
      const frames = capture.output.split('\n').filter((line) => line.includes('who-has')).length;
      const after = await lab.routers.r1.counters();
      const records = (after['flood_received'] ?? 0) - (before['flood_received'] ?? 0);
      t.comment(`${frames} questions and ${records} records in ${seconds.toFixed(1)} s`);
      t.ok(frames > 0 && frames <= 30 + 11 * seconds, `${frames} frames`);
      t.ok(records <= 60 + 30 * seconds, `${records} records`);
      const { strays_limited: limited = 0 } = await lab.routers.r4.counters();
      // Of what a busy machine has no time for the kernel drops some before.
      t.ok(limited > 30_000, `the rest was passed over where it came in: ${limited}`);
      await lab.net.reach('server', ADDRESS);
    },
  },
]);
