import t from 'tap';
import fc from 'fast-check';
import { BadInput, fromHex, ShortInput, toHex } from '../../src/net/bytes.js';
import { checksum, pseudoHeader } from '../../src/net/checksum.js';
import type { UdpFrame4 } from '../../src/net/frame4.js';
import { parseUdpFrame4, writeUdpFrame4 } from '../../src/net/frame4.js';
import { ip4FromNumber, parseIp4 } from '../../src/net/ip.js';
import { macFromBytes, parseMac } from '../../src/net/mac.js';

const datagram: UdpFrame4 = {
  sourceMac: parseMac('00:00:5e:00:52:13'),
  destinationMac: parseMac('02:00:5e:00:53:c1'),
  source: parseIp4('10.44.0.1'),
  destination: parseIp4('10.44.0.19'),
  sourcePort: 67,
  destinationPort: 68,
  payload: Uint8Array.of(0x64, 0x68, 0x63),
};

/** Both checksums were computed apart from the code under test. */
const golden = fromHex(
  '02005e0053c1 00005e005213 0800' + '45c0001f00004000401125a3 0a2c0001 0a2c0013' + '00430044000b237d 646863',
);

/** The golden frame with other bytes at `offset`, and the IPv4 header checksum put right again. */
function altered(offset: number, hex: string): Uint8Array {
  const frame = golden.slice();
  frame.set(fromHex(hex), offset);
  frame.set([0, 0], 24);
  const sum = checksum(frame.subarray(14, 34));
  frame.set([sum >> 8, sum & 0xff], 24);
  return frame;
}

t.test('golden bytes both ways', async (t) => {
  t.equal(toHex(writeUdpFrame4(datagram)), toHex(golden));
  t.same(parseUdpFrame4(golden), datagram);
});

t.test('padding behind the packet is no part of it', async (t) => {
  const padded = new Uint8Array(60);
  padded.set(golden);
  t.same(parseUdpFrame4(padded), datagram);
});

t.test('IPv4 options are passed over', async (t) => {
  const header = fromHex('46c00023 00004000 40110000 0a2c0001 0a2c0013 94040000');
  const sum = checksum(header);
  header.set([sum >> 8, sum & 0xff], 10);
  const frame = Uint8Array.of(...golden.subarray(0, 14), ...header, ...golden.subarray(34));
  t.same(parseUdpFrame4(frame), datagram);
});

t.test('what is dropped', async (t) => {
  const cases: [name: string, frame: Uint8Array, message: RegExp][] = [
    ['another EtherType', altered(12, '0806'), /not an IPv4 frame/],
    ['version 6', altered(14, '65'), /not an IPv4 header/],
    ['a header of 16 bytes', altered(14, '44'), /not an IPv4 header/],
    ['total length behind the frame', altered(16, '0020'), /IPv4 length 32 of 31/],
    ['total length within the header', altered(16, '0013'), /IPv4 length 19/],
    ['more fragments', altered(20, '2000'), /fragment/],
    ['a fragment offset', altered(20, '0001'), /fragment/],
    ['TCP', altered(23, '06'), /protocol 6/],
    ['UDP length behind the packet', altered(38, '000c'), /UDP length 12 of 11/],
    ['UDP length within the header', altered(38, '0007'), /UDP length 7/],
    ['a changed payload', altered(44, '00'), /bad UDP checksum/],
  ];
  for (const [name, frame, message] of cases) {
    t.throws(() => parseUdpFrame4(frame), { message }, name);
    t.throws(() => parseUdpFrame4(frame), BadInput, name);
  }
  const badHeader = golden.slice();
  badHeader[22] = 1;
  t.throws(() => parseUdpFrame4(badHeader), /bad IPv4 header checksum/);
});

t.test('checksums that need not be right', async (t) => {
  t.same(parseUdpFrame4(altered(40, '0000')), datagram, 'no checksum, RFC 768');
  const partial = ~checksum(pseudoHeader(datagram.source, datagram.destination, 17, 11)) & 0xffff;
  t.same(
    parseUdpFrame4(altered(40, partial.toString(16).padStart(4, '0'))),
    datagram,
    'the pseudo header alone: left to the hardware by a sender on the same machine',
  );
});

t.test('a checksum of zero is sent as ffff', async (t) => {
  const sum = (payload: Uint8Array) => toHex(writeUdpFrame4({ ...datagram, payload }).subarray(40, 42));
  // Two more bytes that bring the one's complement sum to ffff.
  const before = parseInt(sum(Uint8Array.of(0, 0)), 16);
  t.equal(sum(Uint8Array.of(before >> 8, before & 0xff)), 'ffff');
});

t.test('every truncation throws', async (t) => {
  for (let length = 0; length < golden.length; length++) {
    t.throws(() => parseUdpFrame4(golden.subarray(0, length)), `${length} bytes`);
  }
});

t.test('too long for IPv4', async (t) => {
  t.throws(() => writeUdpFrame4({ ...datagram, payload: new Uint8Array(65508) }), BadInput);
  t.equal(parseUdpFrame4(writeUdpFrame4({ ...datagram, payload: new Uint8Array(65507) })).payload.length, 65507);
});

const mac = fc.uint8Array({ minLength: 6, maxLength: 6 }).map((bytes) => macFromBytes(bytes));
const ip = fc.integer({ min: 0, max: 0xffffffff }).map(ip4FromNumber);
const port = fc.integer({ min: 0, max: 0xffff });

t.test('round trip', async () => {
  const datagrams = fc.record({
    sourceMac: mac,
    destinationMac: mac,
    source: ip,
    destination: ip,
    sourcePort: port,
    destinationPort: port,
    payload: fc.uint8Array({ maxLength: 600 }),
  });
  fc.assert(
    fc.property(datagrams, (given) => {
      const parsed = parseUdpFrame4(writeUdpFrame4(given));
      const keys = Object.keys(given) as (keyof UdpFrame4)[];
      return keys.every((key) =>
        key === 'payload' ? toHex(parsed.payload) === toHex(given.payload) : parsed[key] === given[key],
      );
    }),
  );
});

t.test('random changes never do worse than throw the typed errors', async () => {
  const changes = fc.array(fc.tuple(fc.nat(golden.length - 1), fc.integer({ min: 0, max: 255 })), { maxLength: 6 });
  fc.assert(
    fc.property(changes, fc.nat(golden.length), (changes, length) => {
      const frame = golden.slice(0, length);
      for (const [at, value] of changes) if (at < length) frame[at] = value;
      try {
        parseUdpFrame4(frame);
      } catch (error) {
        return error instanceof BadInput || error instanceof ShortInput;
      }
      return true;
    }),
    { numRuns: 2000 },
  );
});
