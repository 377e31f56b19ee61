import t from 'tap';
import { crc32 } from '../../src/net/crc32.js';

const bytes = (text: string) => new TextEncoder().encode(text);

t.test('the check value of the CRC catalogue, and going on', async (t) => {
  t.equal(crc32(bytes('123456789')), 0xcbf43926);
  t.equal(crc32(bytes('')), 0);
  t.equal(crc32(bytes('6789'), crc32(bytes('12345'))), 0xcbf43926);
});
