/** `inject PACKET_NODE INTERFACE`: sends the frames that come as lines of hexadecimal digits, and says how many it has sent. */
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { loadPacketAddon } from '../../src/linux/addons.js';
import { PacketSocket } from '../../src/linux/packet-socket.js';
import { fromHex } from '../../src/net/bytes.js';

const [addon, device] = process.argv.slice(2) as [string, string];
const ifindex = Number(readFileSync(`/sys/class/net/${device}/ifindex`, 'utf8'));
const socket = new PacketSocket(loadPacketAddon(addon), { ifindex, onFrames: () => {}, onError: (code) => process.stdout.write(`${code}\n`) });
let sent = 0;
createInterface({ input: process.stdin }).on('line', (line) => {
  if (line === '') process.stdout.write(`sent ${sent}\n`);
  else if (socket.send(fromHex(line)) === undefined) sent++;
});
