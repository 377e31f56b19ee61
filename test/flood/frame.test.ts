import fc from 'fast-check';
import t from 'tap';
import type { RecordKey } from '../../src/clients/record.js';
import type { Tlv } from '../../src/flood/frame.js';
import {
  decodeHandshake,
  decodeTlv,
  encodeHandshake,
  HANDSHAKE_BYTES,
  isBadInput,
  TlvSplitter,
  writeTlv,
} from '../../src/flood/frame.js';
import { BadInput, fromHex, toHex, Writer } from '../../src/net/bytes.js';
import { parseNodeId } from '../../src/clients/node-id.js';
import { keyOf } from './support.js';

/** Recorded from sroamd's flood.c (b5ce126): its handshake and its dump of five data. */
const SROAMD_DUMP =
  '2c010000' +
  '021200070000070805000a2c0009020000000001' +
  '0216ffff00000e10090120010db800440001020000000001' +
  '021600030000070807020200000000010123456789abcdef' +
  '020e0004000002580702020000000002' +
  '020c00010000003c03c8aabbccdd';

const update = (key: string, seqno: number, value: string, lifetime: number): Tlv => ({
  type: 'update',
  key: keyOf(key),
  seqno,
  value: keyOf(value),
  lifetime,
});

const SROAMD_UPDATES = [
  update('000a2c0009', 7, '020000000001', 1800),
  update('0120010db800440001', 65535, '020000000001', 3600),
  update('02020000000001', 3, '0123456789abcdef', 1800),
  update('02020000000002', 4, '', 600),
  update('c8aabb', 1, 'ccdd', 60),
];

/** What our own TLVs look like on the wire. */
const GOLDEN: [name: string, hex: string, tlv: Tlv][] = [
  ...SROAMD_UPDATES.map((tlv, i): [string, string, Tlv] => {
    const hex = [
      '021200070000070805000a2c0009020000000001',
      '0216ffff00000e10090120010db800440001020000000001',
      '021600030000070807020200000000010123456789abcdef',
      '020e0004000002580702020000000002',
      '020c00010000003c03c8aabbccdd',
    ][i]!;
    return [`update ${i}`, hex, tlv];
  }),
  [
    'hello',
    '801a0123456789abcdef00000000000000ff00000003115c0102' + '7231',
    {
      type: 'hello',
      node: parseNodeId('0123456789abcdef'),
      instance: 255n,
      connection: 3,
      port: 4444,
      hostname: 'r1',
    },
  ],
  ['ping', '810400000007', { type: 'ping', token: 7, root: undefined }],
  ['ping with root', '810800000007deadbeef', { type: 'ping', token: 7, root: 0xdeadbeef }],
  ['pong', '820400000007', { type: 'pong', token: 7 }],
  [
    'digest',
    '832400000001' + '00000000' + 'ffffffff' + '00000002000000030000000400000005' + '0000000600000007',
    { type: 'digest', index: 1, hashes: [0, 0xffffffff, 2, 3, 4, 5, 6, 7] },
  ],
  [
    'summary',
    '840c0000000f' + '80000001' + '0002' + '0003',
    { type: 'summary', index: 15, entries: [{ keyHash: 0x80000001, seqno: 2, tag: 3 }] },
  ],
  ['empty summary', '840400000008', { type: 'summary', index: 8, entries: [] }],
  ['request', '850800000001fffffffe', { type: 'request', keyHashes: [1, 0xfffffffe] }],
  ['bye', '860100', { type: 'bye', reason: 'stopping' }],
  ['bye, duplicate', '860102', { type: 'bye', reason: 'duplicate' }],
  ['bye acknowledged', '8700', { type: 'byeAck' }],
];

function encode(tlv: Tlv): Uint8Array {
  const w = new Writer();
  writeTlv(w, tlv);
  return w.done();
}

/** All TLVs of some pieces of a stream, decoded. */
function decodeAll(splitter: TlvSplitter, ...pieces: Uint8Array[]): Tlv[] {
  return pieces.flatMap((piece) =>
    Array.from(splitter.split(piece), ({ type, body }) => decodeTlv(type, body)).filter((tlv) => tlv !== undefined),
  );
}

t.test('handshake', async (t) => {
  t.equal(toHex(encodeHandshake(0)), '2c010000', 'as sroamd sends it: 44 is decimal');
  t.equal(toHex(encodeHandshake(1)), '2c010001');
  t.equal(decodeHandshake(fromHex('2c01f003')), 0xf003);
  t.throws(() => decodeHandshake(fromHex('44010000')), BadInput);
  t.throws(() => decodeHandshake(fromHex('2c020000')), { message: /version 2/ });
  for (let i = 0; i < HANDSHAKE_BYTES; i++) t.throws(() => decodeHandshake(encodeHandshake(1).subarray(0, i)));
});

t.test('golden bytes, both ways', async (t) => {
  for (const [name, hex, tlv] of GOLDEN) {
    t.equal(toHex(encode(tlv)), hex, `${name}: written`);
    t.same(decodeAll(new TlvSplitter(), fromHex(hex)), [tlv], `${name}: read`);
  }
});

t.test("sroamd's dump", async (t) => {
  const bytes = fromHex(SROAMD_DUMP);
  t.equal(decodeHandshake(bytes.subarray(0, 4)), 0);
  t.same(decodeAll(new TlvSplitter(), bytes.subarray(4)), SROAMD_UPDATES);
  t.equal(toHex(encodeHandshake(0)) + SROAMD_UPDATES.map((tlv) => toHex(encode(tlv))).join(''), SROAMD_DUMP);
});

t.test('a stream cut at every byte', async (t) => {
  const bytes = fromHex('00' + '0103aabbcc' + GOLDEN.map(([, hex]) => hex + '00').join('') + '0100');
  const expected = GOLDEN.map(([, , tlv]) => tlv);
  for (let cut = 0; cut <= bytes.length; cut++) {
    const splitter = new TlvSplitter();
    t.same(decodeAll(splitter, bytes.subarray(0, cut), bytes.subarray(cut)), expected);
    t.equal(splitter.held, 0);
  }
  const single = Array.from(bytes, (byte) => Uint8Array.of(byte));
  t.same(decodeAll(new TlvSplitter(), ...single), expected, 'byte by byte');
});

t.test('what is held back is bounded', async (t) => {
  const splitter = new TlvSplitter();
  for (let i = 0; i < 255; i++) {
    t.same([...splitter.split(i === 0 ? Uint8Array.of(200, 255) : Uint8Array.of(0))], []);
    t.equal(splitter.held, 2 + i);
  }
  t.equal([...splitter.split(Uint8Array.of(9))].length, 1);
  t.equal(splitter.held, 0);
  t.same([...splitter.split(new Uint8Array(1 << 20))], [], 'a megabyte of Pad1');
  t.equal(splitter.held, 0);
});

t.test('every truncation of a body is an error or another meaning, never a crash', async (t) => {
  for (const [name, hex] of GOLDEN) {
    const [type, , ...body] = fromHex(hex) as unknown as [number, number, ...number[]];
    for (let length = 0; length < body.length; length++) {
      try {
        decodeTlv(type, Uint8Array.from(body.slice(0, length)));
      } catch (error) {
        t.ok(isBadInput(error), `${name}, ${length} bytes: ${error as Error}`);
      }
    }
  }
  t.throws(() => decodeTlv(2, fromHex('000700000708')), 'Update without key length');
  t.throws(() => decodeTlv(2, fromHex('00070000070805000a2c00')), 'key length past the end');
});

t.test('lifetime 0xFFFFFFFF (defect 9)', async (t) => {
  const [tlv] = decodeAll(new TlvSplitter(), fromHex('02120007ffffffff05000a2c0009020000000001'));
  t.match(tlv, { lifetime: 0x7fffffff }, 'as long as sroamd can keep');
});

t.test('places that are not in the digest tree', async (t) => {
  for (const index of ['00000000', '00000002', '00000007', '80000000', 'ffffffff']) {
    t.throws(() => decodeTlv(132, fromHex(index)), BadInput, index);
  }
  for (const index of ['00000001', '00000008', '0000000f', '40000000', '7fffffff']) {
    t.same(decodeTlv(132, fromHex(index)), { type: 'summary', index: parseInt(index, 16), entries: [] });
  }
});

t.test('unknown types and reasons', async (t) => {
  t.equal(decodeTlv(99, fromHex('0011')), undefined);
  t.equal(decodeTlv(255, new Uint8Array(0)), undefined);
  t.same(decodeTlv(134, fromHex('63')), { type: 'bye', reason: 'stopping' });
});

t.test('any update survives the way', async () => {
  const binary = (max: number) => fc.uint8Array({ maxLength: max }).map((bytes) => Buffer.from(bytes).toString('latin1'));
  fc.assert(
    fc.property(binary(100), binary(148), fc.nat(0xffff), fc.nat(0x7fffffff), (key, value, seqno, lifetime) => {
      const tlv: Tlv = { type: 'update', key: key as RecordKey, value, seqno, lifetime };
      const [back] = decodeAll(new TlvSplitter(), encode(tlv));
      return JSON.stringify(back) === JSON.stringify({ type: 'update', seqno, lifetime, key, value });
    }),
  );
});

t.test('noise', async () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 600 }), { maxLength: 8 }), (pieces) => {
      const splitter = new TlvSplitter();
      for (const piece of pieces) {
        for (const { type, body } of splitter.split(piece)) {
          try {
            decodeTlv(type, body);
          } catch (error) {
            if (!isBadInput(error)) throw error;
          }
        }
        if (splitter.held > 256) return false;
      }
      return true;
    }),
    { numRuns: 2000 },
  );
});
