import t from 'tap';
import fc from 'fast-check';
import { MalformedError, MessageReader, encodeFrame, maxBlobLength, type Frame } from '../../src/index.js';
import { fromHex, recordings, toHex } from '../recordings.js';

function drain(reader: MessageReader): string[] {
  const frames: string[] = [];
  for (let frame: Frame | undefined; (frame = reader.next()) !== undefined; ) frames.push(toHex(encodeFrame(frame)));
  return frames;
}

function read(chunks: readonly Uint8Array[]): string[] {
  const reader = new MessageReader();
  return chunks.flatMap(chunk => {
    reader.push(chunk);
    return drain(reader);
  });
}

const readable = recordings().flatMap(({ frames }) => frames.filter(frame => frame.hex.length < 4000).map(frame => frame.hex))
  .filter(hex => hex.length >= 24 && parseInt(hex.slice(18, 24), 16) === hex.length / 2 - 8);

t.test('a stream cut at every byte', async t => {
  const expected = readable.slice(0, 40);
  const stream = fromHex(expected.join(''));
  t.same(read([stream]), expected, 'in one piece');
  for (let cut = 0; cut <= stream.length; cut++) {
    const got = read([stream.subarray(0, cut), stream.subarray(cut)]);
    if (got.join() !== expected.join()) t.fail(`cut at ${cut}`);
  }
  t.same(read(Array.from(stream, byte => Uint8Array.of(byte))), expected, 'byte by byte');
});

t.test('property: pieces of any size', async t => {
  const expected = readable.slice(0, 300);
  const stream = fromHex(expected.join(''));
  fc.assert(fc.property(fc.array(fc.integer({ min: 0, max: 3000 }), { minLength: 1 }), sizes => {
    const chunks: Uint8Array[] = [];
    for (let at = 0, i = 0; at < stream.length; i++) {
      const size = sizes[i % sizes.length]! || (i % sizes.length === 0 ? 7 : 0);
      chunks.push(stream.subarray(at, at + size));
      at += size;
    }
    return read(chunks).join() === expected.join();
  }), { numRuns: 200 });
  t.pass();
});

t.test('frames stay as they are when more is pushed', async t => {
  const reader = new MessageReader();
  const one = encodeFrame({ type: 3, seq: 1, peer: 0, body: fromHex('0100000800000001') });
  const two = encodeFrame({ type: 3, seq: 2, peer: 0, body: fromHex('0100000800000002') });
  reader.push(one.subarray(0, 5));
  reader.push(Buffer.concat([one.subarray(5), two.subarray(0, 13)]));
  const frame = reader.next();
  reader.push(two.subarray(13));
  t.equal(toHex(encodeFrame(reader.next()!)), toHex(two));
  t.equal(toHex(encodeFrame(frame!)), toHex(one));
});

t.test('lengths out of range, after what came before them', async t => {
  const good = '000300010000000000000004';
  for (const bad of ['000300010000000000000000', '000300010000000000000003', '000300010000000000100001', '0003000100000000ffffffff']) {
    const reader = new MessageReader();
    reader.push(fromHex(good + bad));
    t.equal(toHex(encodeFrame(reader.next()!)), good);
    t.throws(() => reader.next(), MalformedError, bad);
    t.throws(() => reader.next(), MalformedError, 'and it stays so');
  }
});

t.test('the largest message, in small pieces; what is held stays below twice its size', async t => {
  const reader = new MessageReader();
  const bytes = encodeFrame({ type: 2, seq: 1, peer: 0, body: new Uint8Array(maxBlobLength - 4) });
  for (let at = 0; at < bytes.length; at += 1000) {
    t.equal(reader.next() === undefined, true);
    reader.push(bytes.subarray(at, at + 1000));
  }
  t.equal(reader.buffered, bytes.length);
  t.equal(reader.next()?.body.length, maxBlobLength - 4);
  t.equal(reader.buffered, 0);
});

t.test('a claimed length alone sets nothing aside', async t => {
  const reader = new MessageReader();
  reader.push(fromHex('000300010000000000100000'));
  t.equal(reader.next(), undefined);
  t.equal(reader.buffered, 12);
});
