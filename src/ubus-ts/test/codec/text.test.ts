import t from 'tap';
import fc from 'fast-check';
import { decodeText, encodeText } from '../../src/index.js';
import { fromHex, toHex } from '../recordings.js';

t.test('bytes that are not UTF-8 become U+DC80 to U+DCFF and go back', async t => {
  const cases: [string, string][] = [
    ['', ''],
    ['61', 'a'],
    ['c3bc', 'ü'],
    ['e282ac', '€'],
    ['f09f93b6', '\u{1f4f6}'],
    ['ff', '\udcff'],
    ['80', '\udc80'],
    ['c3', '\udcc3'],
    ['c0af', '\udcc0\udcaf'],
    ['e08080', '\udce0\udc80\udc80'],
    ['eda080', '\udced\udca0\udc80'],
    ['f4908080', '\udcf4\udc90\udc80\udc80'],
    ['f0808080', '\udcf0\udc80\udc80\udc80'],
    ['61e28262', 'a\udce2\udc82b'],
    ['efbbbf61', '\ufeffa'],
    ['6100ff', 'a\0\udcff'],
  ];
  for (const [hex, text] of cases) {
    t.equal(decodeText(fromHex(hex)), text, hex);
    t.equal(toHex(encodeText(text)), hex, hex);
  }
});

t.test('other lone surrogates are written as U+FFFD', async t => {
  t.equal(toHex(encodeText('a\ud800b')), '61efbfbd62');
  t.equal(toHex(encodeText('\udc00')), 'efbfbd');
  t.equal(toHex(encodeText('\udc7f\udcff')), 'efbfbdff');
});

t.test('property: any bytes survive', async t => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 120 }), bytes => toHex(encodeText(decodeText(bytes))) === toHex(bytes)), { numRuns: 5000 });
  t.pass();
});
