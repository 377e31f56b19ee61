import t from 'tap';
import fc from 'fast-check';
import { fromHex, ShortInput, toHex } from '../../src/net/bytes.js';
import { ETHERNET_HEADER_BYTES, EtherType, parseEthernet, writeEthernet } from '../../src/net/ethernet.js';
import { macFromBytes, parseMac } from '../../src/net/mac.js';

const golden = fromHex('ffffffffffff 02005e005301 0806 0001');
const header = {
  destination: parseMac('ff:ff:ff:ff:ff:ff'),
  source: parseMac('02:00:5e:00:53:01'),
  etherType: EtherType.arp,
};

t.test('golden bytes both ways', async (t) => {
  t.equal(toHex(writeEthernet(header, Uint8Array.of(0, 1))), toHex(golden));
  t.same(parseEthernet(golden), { header, payload: Uint8Array.of(0, 1) });
});

t.test('every truncation of the header throws ShortInput', async (t) => {
  for (let length = 0; length < ETHERNET_HEADER_BYTES; length++) {
    t.throws(() => parseEthernet(golden.subarray(0, length)), ShortInput, `${length} bytes`);
  }
  t.equal(parseEthernet(golden.subarray(0, ETHERNET_HEADER_BYTES)).payload.length, 0);
});

t.test('round trip', async () => {
  const mac = fc.uint8Array({ minLength: 6, maxLength: 6 }).map((bytes) => macFromBytes(bytes));
  const headers = fc.record({ destination: mac, source: mac, etherType: fc.integer({ min: 0, max: 0xffff }) });
  fc.assert(
    fc.property(headers, fc.uint8Array(), (header, payload) => {
      const parsed = parseEthernet(writeEthernet(header, payload));
      return (
        parsed.header.destination === header.destination &&
        parsed.header.source === header.source &&
        parsed.header.etherType === header.etherType &&
        toHex(parsed.payload) === toHex(payload)
      );
    }),
  );
});
