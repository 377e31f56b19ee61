import t from 'tap';
import fc from 'fast-check';
import { BadInput } from '../../src/net/bytes.js';
import { isGroupMac, isStationMac, macFromBytes, macToBytes, parseMac } from '../../src/net/mac.js';

t.test('reading', async (t) => {
  t.equal(parseMac('02-AB-00-00-00-0f'), '02:ab:00:00:00:0f');
  for (const text of ['', '02:ab:00:00:00', '02:ab:00:00:00:0', '02:ab:00:00:00:0g', '02ab0000000f', '02:ab:00:00:00:0f:00']) {
    t.throws(() => parseMac(text), BadInput, text);
  }
  t.throws(() => macFromBytes(new Uint8Array(5)), BadInput);
});

t.test('text and bytes are the same', async () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 6, maxLength: 6 }), (b) => Buffer.compare(macToBytes(macFromBytes(b)), b) === 0),
  );
});

t.test('whose address', async (t) => {
  t.ok(isGroupMac(parseMac('33:33:00:00:00:01')));
  t.ok(isStationMac(parseMac('02:00:00:00:00:01')));
  t.notOk(isStationMac(parseMac('00:00:00:00:00:00')));
  t.notOk(isStationMac(parseMac('ff:ff:ff:ff:ff:ff')));
});
