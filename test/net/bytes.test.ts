import t from 'tap';
import fc from 'fast-check';
import { BadInput, equalBytes, fromBinary, fromHex, Reader, ShortInput, toBinary, toHex, Writer } from '../../src/net/bytes.js';

t.test('what is written is read', async (t) => {
  const bytes = new Writer(1).u8(1).u16(0x0203).u32(0x04050607).u64(0x08090a0b0c0d0e0fn).put(fromHex('1011')).zeros(2).done();
  t.equal(toHex(bytes), '0102030405060708090a0b0c0d0e0f10110000');
  const r = new Reader(bytes);
  t.equal(r.u8(), 1);
  t.equal(r.u16(), 0x0203);
  t.equal(r.u32(), 0x04050607);
  t.equal(r.u64(), 0x08090a0b0c0d0e0fn);
  t.equal(r.offset, 15);
  r.skip(1);
  t.equal(toHex(r.take(1)), '11');
  t.equal(toHex(r.rest()), '0000');
  t.equal(r.left, 0);
});

t.test('a reader never clamps', async (t) => {
  for (const read of [(r: Reader) => r.u8(), (r: Reader) => r.u16(), (r: Reader) => r.u32(), (r: Reader) => r.u64(),
    (r: Reader) => r.take(9), (r: Reader) => r.skip(10)]) {
    t.throws(() => read(new Reader(new Uint8Array(0))), ShortInput);
  }
  t.throws(() => new Reader(fromHex('00')).take(-1), ShortInput);
});

t.test('a patch stays within what is written', async (t) => {
  t.equal(toHex(new Writer().u32(0).patch16(1, 0xabcd).done()), '00abcd00');
  t.throws(() => new Writer().u16(0).patch16(1, 1), RangeError);
});

t.test('text forms', async (t) => {
  fc.assert(fc.property(fc.uint8Array(), (b) => equalBytes(fromHex(toHex(b)), b) && equalBytes(fromBinary(toBinary(b)), b)));
  t.throws(() => fromHex('abc'), BadInput);
  t.throws(() => fromHex('zz'), BadInput);
});
