import t from 'tap';
import { argumentTypes, decodeAttributes, decodeSignature, encodeSignature, formatSignature } from '../../src/index.js';
import { fromHex, recording, recordings, toHex } from '../recordings.js';

t.test('signatures of the recordings decode and encode back', async t => {
  let count = 0;
  for (const { file, frames } of recordings()) {
    for (const { hex, msg } of frames) {
      if (msg === undefined || !msg.attrs.some(([name]) => name === 'signature')) continue;
      const { signature } = decodeAttributes(fromHex(hex).subarray(12));
      t.equal(toHex(encodeSignature(decodeSignature(signature!))), toHex(signature!), file);
      count++;
    }
  }
  t.ok(count > 100);
});

t.test('ubus -v list prints the same', async t => {
  for (const name of ['list-verbose.cli', 'list-verbose-all.cli']) {
    const { frames, decoded } = recording(name);
    const printed = frames.filter(({ dir, msg }) => dir === 's2c' && msg?.type === 'DATA').map(({ hex }) => {
      const { objpath, objid, signature } = decodeAttributes(fromHex(hex).subarray(12));
      return formatSignature(objpath!, objid!, decodeSignature(signature!));
    });
    t.equal(printed.join(''), decoded.stdout, name);
  }
});

t.test('what is no method is left out', async t => {
  t.same(decodeSignature(fromHex('8500000c0001610000000001' + '82000008000162008200001400016300830000090001780000000000')), [
    { name: 'b', args: [] },
    { name: 'c', args: [] },
  ]);
  t.equal(argumentTypes.bool, argumentTypes.int8);
});
