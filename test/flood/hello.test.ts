import fc from 'fast-check';
import t from 'tap';
import { SECOND } from '../../src/clients/time.js';
import { nodeIdFromBytes } from '../../src/clients/node-id.js';
import { decodeHello, encodeHello } from '../../src/flood/hello.js';
import { HelloSchedule } from '../../src/flood/hello-schedule.js';
import { isBadInput } from '../../src/flood/frame.js';
import { BadInput, ShortInput } from '../../src/net/bytes.js';
import { nodeId, START } from './support.js';
import { after } from '../../src/clients/time.js';
import { SeededRandom } from '../random.js';

t.test('golden bytes', async (t) => {
  const hello = { node: nodeId(0x0123456789), instance: 0x1122334455667788n, count: 7, port: 4444 };
  const hex = '0000000123456789' + '1122334455667788' + '00000007' + '115c';
  t.equal(Buffer.from(encodeHello(hello)).toString('hex'), hex);
  t.same(decodeHello(Buffer.from(hex, 'hex')), hello);
  t.same(decodeHello(Buffer.from(`${hex}ffff`, 'hex')), hello, 'what comes behind is for later releases');
});

t.test('every truncation, and port 0', async (t) => {
  const bytes = encodeHello({ node: nodeId(1), instance: 1n, count: 1, port: 1 });
  for (let i = 0; i < bytes.length; i++) t.throws(() => decodeHello(bytes.subarray(0, i)), ShortInput);
  t.throws(() => decodeHello(bytes.map((byte, i) => (i === 21 ? 0 : byte))), BadInput);
});

t.test('round trip and noise', async () => {
  const helloArb = fc.record({
    node: fc.uint8Array({ minLength: 8, maxLength: 8 }).map(nodeIdFromBytes),
    instance: fc.bigInt(0n, 2n ** 64n - 1n),
    count: fc.nat(0xffffffff),
    port: fc.integer({ min: 1, max: 65535 }),
  });
  fc.assert(fc.property(helloArb, (hello) => JSON.stringify(decodeHello(encodeHello(hello)), text) === JSON.stringify(hello, text)));
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      try {
        return decodeHello(bytes).port > 0;
      } catch (error) {
        return isBadInput(error);
      }
    }),
  );
});

function text(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}

t.test('hellos come now and then, soon when asked for, and never many', async (t) => {
  const schedule = new HelloSchedule(new SeededRandom(1));
  t.equal(schedule.nextDeadline, undefined, 'none before anybody could hear it');
  let sent = 0;
  for (let at = 0; at < 60 * SECOND; at += 10) {
    schedule.hurry(after(START, at));
    if (schedule.poll(after(START, at))) sent++;
  }
  t.ok(sent >= 40 && sent <= 60, `${sent} in a minute, however often asked for`);
  const rest = after(START, 60 * SECOND);
  sent = 0;
  for (let at = 0; at < 600 * SECOND; at += 100) if (schedule.poll(after(rest, at))) sent++;
  t.ok(sent >= 48 && sent <= 62, `${sent} in ten minutes when nobody asks`);
});
