import { createHash } from 'node:crypto';
import t from 'tap';
import {
  MalformedError,
  MessageType,
  decodeAttributes,
  decodeMessage,
  decodeMonitor,
  encodeAttributes,
  encodeFrame,
  encodeMessage,
  encodeMonitor,
  maxBlobLength,
  type Message,
} from '../../src/index.js';
import { fromHex, recordedMessage, recordings, toHex } from '../recordings.js';

/** The recordings give a digest in place of a long string. */
function shorten(value: unknown): unknown {
  if (typeof value === 'string') {
    const bytes = Buffer.from(value);
    return bytes.length > 400 ? { bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') } : value;
  }
  if (Array.isArray(value)) return value.map(shorten);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, key === 'notBlobmsg' ? item : shorten(item)]));
}

function encodeAgain(message: Message, body: Uint8Array): Uint8Array {
  if (message.type !== MessageType.monitor || body.length === 0) return encodeMessage(message);
  const record = decodeMonitor(body);
  const inner = encodeAttributes(decodeAttributes(record.body));
  return encodeFrame({ ...message, body: encodeMonitor({ ...record, body: inner }) });
}

t.test('every recorded message decodes to its meaning and encodes back', async t => {
  let count = 0;
  for (const { file, frames } of recordings()) {
    for (const { n, hex, msg, note } of frames) {
      if (note !== undefined) continue;
      const bytes = fromHex(hex);
      count++;
      t.same(shorten(recordedMessage(bytes)), msg, `${file} ${n}`);
      t.equal(toHex(encodeAgain(decodeMessage(bytes), bytes.subarray(12))), hex, `${file} ${n} encoded`);
    }
  }
  t.ok(count > 1500, `${count} messages`);
});

t.test('odd messages are read as ubusd reads them', async t => {
  t.same(decodeMessage(fromHex('000300010000000000000010030001000000000161626364')).attrs, {}, 'attribute longer than what is left');
  t.equal(decodeMessage(fromHex('000300010000000005000004')).outer, 5, 'id of the outer blob');
  t.equal(decodeMessage(fromHex('010300010000000000000004')).version, 1, 'version');
  t.same(decodeMessage(fromHex('0003000100000000000000090900000501')).attrs, {}, 'padding missing at the end');
  t.same(decodeMessage(fromHex('00c800040000000000000004')), { version: 0, type: 200, seq: 4, peer: 0, outer: 0, attrs: {} });
});

t.test('decodeAttributes', async t => {
  const cases: [string, string, object][] = [
    ['unknown attribute', '0e000008000000010100000800000005', { status: 5 }],
    ['int32 of three bytes', '0100000700000000', {}],
    ['int32 of eight bytes', '0100000c0000000000000001', {}],
    ['string without NUL', '0200000661620000', {}],
    ['string without any byte', '02000004', {}],
    ['of two the last counts', '01000008000000010100000800000002', { status: 2 }],
    ['a wrong one does not displace', '0100000800000001010000070000000000', { status: 1 }],
    ['length below 4', '010000030100000800000007', { status: 7 }],
    ['length 0 ends', '01000000010000080000000100000000', {}],
    ['negative status', '01000008ffffffff', { status: -1 }],
    ['ids are unsigned', '03000008ffffffff', { objid: 0xffffffff }],
    ['subscribers, one malformed', '0b0000180000000800000401000000050000000000000008ffffffff'.replace('0b000018', '0b00001c'), { subscribers: [0x401, 0xffffffff] }],
  ];
  for (const [name, hex, attrs] of cases) t.same(decodeAttributes(fromHex(hex)), attrs, name);
});

t.test('limits', async t => {
  const body = new Uint8Array(maxBlobLength - 4);
  const bytes = encodeFrame({ type: MessageType.ping, seq: 1, peer: 0, body });
  t.equal(bytes.length, 8 + maxBlobLength);
  t.equal(toHex(bytes.subarray(8, 12)), '00100000');
  t.throws(() => encodeFrame({ type: MessageType.ping, seq: 1, peer: 0, body: new Uint8Array(maxBlobLength) }), RangeError);
  t.throws(() => encodeMessage({ type: MessageType.data, seq: 1, peer: 0, attrs: { data: new Uint8Array(maxBlobLength) } }), RangeError);
  t.throws(() => decodeMessage(fromHex('000300010000000000000000')), MalformedError, 'length 0');
  t.throws(() => decodeMessage(fromHex('000300010000000000000003')), MalformedError, 'length 3');
  t.throws(() => decodeMessage(fromHex('000300010000000000100001')), MalformedError, 'above 1 MiB');
  t.throws(() => decodeMessage(fromHex('00030001000000000000000400')), MalformedError, 'bytes after it');
});

t.test('every truncation of every kind of message is an error', async t => {
  const seen = new Set<string>();
  for (const { frames } of recordings()) {
    for (const { hex, msg } of frames) {
      const kind = `${msg?.type} ${msg?.attrs.map(([name]) => name).join()}`;
      if (msg === undefined || hex.length > 4000 || seen.has(kind)) continue;
      seen.add(kind);
      const bytes = fromHex(hex);
      for (let length = 0; length < bytes.length; length++) {
        if (!throwsMalformed(() => decodeMessage(bytes.subarray(0, length)))) t.fail(`${kind} cut at ${length}`);
        if (length >= 12) decodeAttributes(bytes.subarray(12, length));
      }
    }
  }
  t.ok(seen.size > 30, `${seen.size} kinds`);
});

function throwsMalformed(action: () => unknown): boolean {
  try {
    action();
  } catch (error) {
    if (error instanceof MalformedError) return true;
    throw error;
  }
  return false;
}
