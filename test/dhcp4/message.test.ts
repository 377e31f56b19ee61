import t from 'tap';
import fc from 'fast-check';
import { BadInput, fromHex, toHex } from '../../src/net/bytes.js';
import { parseUdpFrame4 } from '../../src/net/frame4.js';
import { ANY4, ip4FromNumber, parseIp4 } from '../../src/net/ip.js';
import { macFromBytes, parseMac } from '../../src/net/mac.js';
import type { Dhcp4Message } from '../../src/dhcp4/message.js';
import { MessageType, Op, parseDhcp4, writeDhcp4 } from '../../src/dhcp4/message.js';
import { MalformedDhcp4, OptionCode } from '../../src/dhcp4/options.js';
import * as captures from './captures.js';
import { message } from './helpers.js';

const payloadOf = (frame: Uint8Array) => parseUdpFrame4(frame).payload;
const readOptions = (parsed: Dhcp4Message) =>
  Object.fromEntries([...parsed.options].map(([code, value]) => [code, toHex(value)]));

t.test('a DISCOVER of udhcpc, field by field', async (t) => {
  const parsed = parseDhcp4(payloadOf(captures.udhcpcDiscover));
  t.match(parsed, {
    op: Op.bootRequest,
    hops: 0,
    xid: 0xe5ed2438,
    secs: 0,
    broadcast: false,
    ciaddr: ANY4,
    yiaddr: ANY4,
    siaddr: ANY4,
    giaddr: ANY4,
    chaddr: parseMac('02:00:5e:00:53:c1'),
  });
  t.same(readOptions(parsed), {
    53: '01',
    57: '0240',
    55: '0103060c0f1c2a',
    12: toHex(new TextEncoder().encode('phone')),
    60: toHex(new TextEncoder().encode('udhcp 1.35.0')),
    61: '0102005e0053c1',
  });
});

t.test('an OFFER of dnsmasq, field by field', async (t) => {
  const parsed = parseDhcp4(payloadOf(captures.dnsmasqOffer));
  t.match(parsed, { op: Op.bootReply, yiaddr: '10.44.0.19', siaddr: '10.44.0.1' });
  t.same(readOptions(parsed), {
    53: '02',
    54: '0a2c0001',
    51: '00000708',
    58: '00000384',
    59: '00000627',
    1: 'ffffff00',
    28: '0a2c00ff',
    3: '0a2c0001',
  });
});

t.test('recorded messages: parse, write, and the same meaning; byte for byte where the client packs as we do', async (t) => {
  const same = ['udhcpcDiscover', 'udhcpcRequest', 'udhcpcRenew', 'udhcpcRelease', 'dhclientDiscover', 'dhclientReboot'];
  for (const [name, frame] of Object.entries(captures)) {
    const payload = payloadOf(frame);
    const parsed = parseDhcp4(payload);
    const written = writeDhcp4(parsed);
    t.same(parseDhcp4(written), parsed, name);
    if (same.includes(name)) t.equal(toHex(payload).replace(/(00)*$/, ''), toHex(written).replace(/(00)*$/, ''), name);
  }
});

t.test('written messages are at least 300 bytes long, RFC 1542 2.1', async (t) => {
  t.equal(writeDhcp4(message('discover')).length, 300);
});

t.test('every truncation before the options throws the typed error; none throws another', async (t) => {
  for (const [name, frame] of Object.entries(captures)) {
    const payload = payloadOf(frame);
    for (let length = 0; length < payload.length; length++) {
      try {
        parseDhcp4(payload.subarray(0, length));
        if (length < 240) t.fail(`${name}: ${length} bytes pass`);
      } catch (error) {
        if (!(error instanceof MalformedDhcp4)) t.fail(`${name}: ${length} bytes: ${String(error)}`);
      }
    }
    t.pass(name);
  }
});

t.test('a truncated option throws, a missing end does not', async (t) => {
  const head = writeDhcp4(message('discover')).subarray(0, 240);
  const withOptions = (hex: string) => Uint8Array.of(...head, ...fromHex(hex));
  for (const hex of ['35', '3501', '350101 32', '350101 3204 0a2c00']) {
    t.throws(() => parseDhcp4(withOptions(hex)), MalformedDhcp4, hex);
  }
  t.same(readOptions(parseDhcp4(withOptions('350101'))), { 53: '01' });
  t.same(readOptions(parseDhcp4(withOptions('00 00 350101 00 ff 3204'))), { 53: '01' }, 'pads, and nothing behind the end');
  t.same(readOptions(parseDhcp4(withOptions('350101 5000'))), { 53: '01', 80: '' }, 'an empty value');
  t.same(readOptions(parseDhcp4(withOptions('e003 010203'))), { 224: '010203' }, 'unknown codes are kept');
});

t.test('what is no DHCP over Ethernet', async (t) => {
  const changed = (offset: number, value: number) => {
    const bytes = writeDhcp4(message('discover')).slice();
    bytes[offset] = value;
    return bytes;
  };
  t.throws(() => parseDhcp4(changed(0, 3)), MalformedDhcp4, 'op');
  t.throws(() => parseDhcp4(changed(1, 6)), MalformedDhcp4, 'hardware type');
  t.throws(() => parseDhcp4(changed(2, 16)), MalformedDhcp4, 'hardware address length');
  t.throws(() => parseDhcp4(changed(236, 0)), MalformedDhcp4, 'magic cookie');
});

t.test('option overload: file, then server name, joined as RFC 3396 says', async (t) => {
  const bytes = new Uint8Array(260);
  bytes.set(writeDhcp4(message('discover')).subarray(0, 240));
  bytes.set(fromHex('350101 340103 770301 6101 ff'), 240);
  bytes.set(fromHex('7702 6200 ff'), 108);
  bytes.set(fromHex('7701 63 0c01 78 ff'), 44);
  const parsed = parseDhcp4(bytes);
  t.same(readOptions(parsed), { 53: '01', 119: '016101' + '6200' + '63', 12: '78' });
  t.equal(parsed.file.length + parsed.sname.length, 0, 'the fields hold nothing else');

  bytes[245] = 1;
  t.same(readOptions(parseDhcp4(bytes)), { 53: '01', 119: '0161016200' }, 'only the file field');
  t.equal(parseDhcp4(bytes).sname.length > 0, true);
  bytes[245] = 4;
  t.throws(() => parseDhcp4(bytes), MalformedDhcp4, 'a value that RFC 2132 9.3 does not know');
  bytes[245] = 1;
  bytes.set(fromHex('34'), 108);
  bytes.set(fromHex('ff'), 109);
  t.throws(() => parseDhcp4(bytes), MalformedDhcp4, 'an option that leaves the file field');
});

t.test('an option longer than 255 bytes is split and joined', async (t) => {
  const long = Uint8Array.from({ length: 300 }, (_, i) => i & 0xff);
  const bytes = writeDhcp4(message('discover', { options: [[121, long]] }), 1500);
  const at = 240 + 3;
  t.same([...bytes.subarray(at, at + 2)], [121, 255]);
  t.same([...bytes.subarray(at + 257, at + 259)], [121, 45]);
  t.same(parseDhcp4(bytes).options.get(121), long);
});

t.test('options beyond the limit go on in file and server name', async (t) => {
  const options: [number, Uint8Array][] = [200, 201, 202].map((code) => [code, new Uint8Array(110).fill(code)]);
  const bytes = writeDhcp4(message('discover', { options }), 576);
  t.ok(bytes.length <= 576 - 28, `${bytes.length} bytes`);
  t.same([...parseDhcp4(bytes).options], [...message('discover', { options }).options]);
  t.equal(bytes[108], 202, 'in the file field');

  const longOne: [number, Uint8Array][] = [[121, Uint8Array.from({ length: 440 }, (_, i) => i & 0xff)]];
  const split = writeDhcp4(message('discover', { options: longOne }), 576);
  t.ok(split.length <= 576 - 28);
  t.same(parseDhcp4(split).options.get(121), longOne[0]![1], 'one option over three fields');
});

t.test('what fits nowhere is left out, the rest and relay agent information stay', async (t) => {
  const relay = fromHex('0104 65746830');
  const options: [number, Uint8Array][] = [
    [200, new Uint8Array(250)],
    [82, relay],
    [201, new Uint8Array(600)],
    [12, fromHex('78')],
  ];
  const bytes = writeDhcp4(message('discover', { options }), 576);
  t.ok(bytes.length <= 576 - 28);
  const parsed = parseDhcp4(bytes);
  t.notOk(parsed.options.has(201));
  t.same(parsed.options.get(82), relay);
  t.same(parsed.options.get(12), fromHex('78'));
});

t.test('relay agent information is the last option before the end, RFC 3046 2.1', async (t) => {
  const bytes = writeDhcp4(message('discover', { options: [[82, fromHex('0101ff')], [12, fromHex('78')]] }));
  t.equal(toHex(bytes.subarray(240, 252)), '350101' + '0c0178' + '52030101ff' + 'ff');
});

t.test('server name and boot file that hold no options are kept', async (t) => {
  const given = { ...message('discover'), sname: fromHex('6162'), file: fromHex('63') };
  t.same(parseDhcp4(writeDhcp4(given)), given);
  t.throws(() => writeDhcp4({ ...given, file: new Uint8Array(129) }), BadInput);
});

const address = fc.integer({ min: 0, max: 0xffffffff }).map(ip4FromNumber);
const optionCode = fc.integer({ min: 1, max: 254 }).filter((code) => code !== OptionCode.overload && code !== 82);
const messages: fc.Arbitrary<Dhcp4Message> = fc.record({
  op: fc.constantFrom(Op.bootRequest, Op.bootReply),
  hops: fc.nat(255),
  xid: fc.integer({ min: 0, max: 0xffffffff }),
  secs: fc.nat(0xffff),
  broadcast: fc.boolean(),
  ciaddr: address,
  yiaddr: address,
  siaddr: address,
  giaddr: address,
  chaddr: fc.uint8Array({ minLength: 6, maxLength: 6 }).map((bytes) => macFromBytes(bytes)),
  sname: fc.constant(new Uint8Array(0)),
  file: fc.constant(new Uint8Array(0)),
  options: fc
    .uniqueArray(fc.tuple(optionCode, fc.uint8Array({ maxLength: 280 })), { maxLength: 5, selector: ([code]) => code })
    .map((entries) => new Map([[OptionCode.messageType, Uint8Array.of(MessageType.ack)] as const, ...entries])),
});

t.test('round trip', async () => {
  fc.assert(
    fc.property(messages, (given) => {
      const parsed = parseDhcp4(writeDhcp4(given, 4096));
      const text = (m: Dhcp4Message) => JSON.stringify({ ...m, options: [...m.options].map(([c, v]) => [c, toHex(v)]) });
      return text(parsed) === text(given);
    }),
  );
});

t.test('whatever the limit: never longer, and what is there is whole', async () => {
  fc.assert(
    fc.property(messages, fc.integer({ min: 576, max: 1500 }), (given, limit) => {
      const bytes = writeDhcp4(given, limit);
      const parsed = parseDhcp4(bytes);
      const whole = [...parsed.options].every(([code, value]) => toHex(value) === toHex(given.options.get(code)!));
      return bytes.length <= limit - 28 && whole;
    }),
    { numRuns: 500 },
  );
});

t.test('random changes never do worse than throw the typed error', async () => {
  const payloads = Object.values(captures).map(payloadOf);
  const changes = fc.array(fc.tuple(fc.nat(299), fc.nat(255)), { maxLength: 8 });
  fc.assert(
    fc.property(fc.constantFrom(...payloads), changes, fc.nat(300), (payload, changes, length) => {
      const bytes = payload.slice(0, Math.max(length, 200));
      for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
      try {
        writeDhcp4(parseDhcp4(bytes));
      } catch (error) {
        return error instanceof MalformedDhcp4;
      }
      return true;
    }),
    { numRuns: 3000 },
  );
});

t.test('random bytes behind the cookie', async () => {
  const head = writeDhcp4(message('discover')).subarray(0, 240);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (area) => {
      try {
        parseDhcp4(Uint8Array.of(...head, ...area));
      } catch (error) {
        return error instanceof MalformedDhcp4;
      }
      return true;
    }),
    { numRuns: 2000 },
  );
});

t.test('golden: a REQUEST written by us', async (t) => {
  const bytes = writeDhcp4(message('request', { requested: parseIp4('10.44.0.9'), ask: [1, 3, 121] }));
  const expected =
    '01010600 12345678 0000 0000 00000000 00000000 00000000 00000000 02005e000001 00000000000000000000' +
    '00'.repeat(192) +
    '63825363 350103 32040a2c0009 3703010379 ff';
  t.equal(toHex(bytes), toHex(fromHex(expected)).padEnd(600, '0'));
});
