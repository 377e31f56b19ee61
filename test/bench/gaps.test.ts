import t from 'tap';
import type { StreamPacket } from './capture.js';
import { readCapture, readStreamPacket } from './capture.js';
import { distributionOf, gapOf } from './gaps.js';

/** Packets as [sequence, arrived, sent]; sent when they arrive, unless said otherwise. */
function stream(...packets: [number, number, number?][]): StreamPacket[] {
  return packets.map(([sequence, arrived, sent = arrived]) => ({ family: 4, direction: 'down', sequence, sent, arrived }));
}

t.test('the longest silence and what was lost', async (t) => {
  t.same(gapOf(stream([0, 0], [1, 2], [2, 4], [3, 6]), 0, 8, 2), { longest: 2, ended: 2, lost: 0, dead: false });
  t.same(gapOf(stream([0, 0], [1, 2], [11, 22], [12, 24]), 0, 26, 2), { longest: 20, ended: 22, lost: 9, dead: false });
  t.same(gapOf(stream([0, 0], [1, 2], [2, 30, 4], [3, 30.5, 6]), 0, 32, 2), { longest: 28, ended: 30, lost: 0, dead: false }, 'delayed');
});

t.test('where the sender was late itself, that is no gap', async (t) => {
  t.same(gapOf(stream([0, 0], [1, 32, 32], [2, 34]), 0, 36, 2), { longest: 2, ended: 32, lost: 0, dead: false });
});

t.test('nothing comes any more', async (t) => {
  t.same(gapOf(stream([0, 0], [1, 2]), 0, 500, 2), { longest: 498, ended: 500, lost: 0, dead: true });
  t.same(gapOf([], 100, 500, 2), { longest: 400, ended: 500, lost: 0, dead: true });
});

t.test('only packets in the window count, and each once', async (t) => {
  t.same(gapOf(stream([0, 0], [5, 50], [6, 52], [5, 53], [7, 54], [30, 90]), 50, 56, 2), { longest: 2, ended: 52, lost: 0, dead: false });
});

t.test('distribution: nearest rank', async (t) => {
  const values = Array.from({ length: 100 }, (_, i) => 100 - i);
  t.same(distributionOf(values), { median: 50, p95: 95, max: 100 });
  t.same(distributionOf([7]), { median: 7, p95: 7, max: 7 });
});

const HEADER = 'd4c3b2a1' + '02000400' + '00000000' + '00000000' + '60000000' + '01000000';
const ETHERNET = '020000000001' + '00005e005213' + '0800';
const IPV4 = '4500002c' + '0000' + '4000' + '4011' + '0000' + '0a610002' + '0a2c0109';
const STREAM = '13891389' + '00180000' + '01000000' + '00000007' + '4278b3f2c5a80000';

t.test('a capture of one packet of a stream', async (t) => {
  const frame = ETHERNET + IPV4 + STREAM;
  const size = (frame.length / 2).toString(16).padStart(2, '0') + '000000';
  const packet = '00f15365' + 'f4010000' + size + size + frame;
  const file = Buffer.from(HEADER + packet + packet.slice(0, -2), 'hex');
  const [captured, ...more] = [...readCapture(file)];
  t.same(more, [], 'a packet that is cut is none');
  t.equal(captured!.time, 0x6553f100 * 1000 + 0.5);
  t.equal(captured!.length, frame.length / 2);
  const { arrived, sent, ...rest } = readStreamPacket(captured!, 16)!;
  t.same(rest, { family: 4, direction: 'down', sequence: 7 });
  t.equal(arrived, captured!.time);
  t.equal(sent, Buffer.from('4278b3f2c5a80000', 'hex').readDoubleBE());
  for (let end = 0; end < frame.length / 2; end++) {
    t.equal(readStreamPacket({ ...captured!, frame: captured!.frame.subarray(0, end) }, 16), undefined);
  }
});

t.test('what is no capture', async (t) => {
  t.throws(() => [...readCapture(Buffer.alloc(10))]);
  t.throws(() => [...readCapture(Buffer.alloc(30))]);
});
