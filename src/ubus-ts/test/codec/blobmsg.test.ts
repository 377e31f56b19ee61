import t from 'tap';
import fc from 'fast-check';
import { MalformedError, decodeFields, decodeText, encodeFields, encodeText, formatJson, maxDepth, parseJson, type Field } from '../../src/index.js';
import { blobmsgTables, fieldTree, fromHex, recordedTree, toHex } from '../recordings.js';

const tables = blobmsgTables();
const utf8 = (text: string): string => toHex(encodeText(text));

/** The tables give whole blobs: a length word, then the fields. */
function payload(hex: string): Uint8Array {
  return fromHex(hex).subarray(4);
}

function blob(fields: readonly Field[]): string {
  const body = encodeFields(fields);
  return (body.length + 4).toString(16).padStart(8, '0') + toHex(body);
}

t.test('trees that JSON cannot ask for', async t => {
  for (const { tree, hex, printed, printedIndented } of tables.typed) {
    t.equal(blob(fieldTree(tree)), hex, printed);
    t.same(recordedTree(decodeFields(payload(hex))), tree);
    t.equal(formatJson(payload(hex)), printed);
    t.equal(formatJson(fieldTree(tree), { indent: true }), printedIndented);
  }
});

t.test('JSON to blobmsg and back to text', async t => {
  for (const entry of tables.json) {
    const name = entry.note ?? entry.json ?? '';
    if (entry.accepted) {
      t.equal(blob(fieldTree(entry.tree)), entry.hex, name);
      t.same(recordedTree(decodeFields(payload(entry.hex))), entry.tree, name);
      if (entry.printed !== undefined) {
        t.equal(formatJson(payload(entry.hex)), entry.printed, name);
        t.equal(formatJson(payload(entry.hex), { indent: true }), entry.printedIndented, name);
      }
    }
    if (entry.json === undefined) continue;
    const text = entry.json;
    if (entry.accepted && entry.rfc8259) t.equal(blob(parseJson(text)), entry.hex, name);
    else t.throws(() => parseJson(text), SyntaxError, name);
  }
});

t.test('bytes that are not UTF-8 print as they are', async t => {
  t.equal(utf8(formatJson(fromHex('8300000b00017300fffe0000'))), '7b2273223a22fffe227d');
  t.equal(utf8(formatJson(fromHex('8300000b00016100ffc30000'))), '7b2261223a22ffc3227d');
});

t.test('malformed: printed as libubox prints, refused in strict mode, cut short in walk mode', async t => {
  const accepted = ['double with twelve bytes', 'string that is only a NUL', 'string with NUL inside', 'string with invalid UTF-8', 'unspec with payload', 'padding not zero', 'array with named elements', 'nothing at all'];
  for (const { note, hex, valid, printed } of tables.malformed) {
    const bytes = payload(hex);
    if (note !== 'string with invalid UTF-8') t.equal(formatJson(bytes), printed, note);
    const until = valid.indexOf(false);
    t.equal(decodeFields(bytes, 'walk').length, until < 0 ? valid.length : until, note);
    if (accepted.includes(note)) t.equal(decodeFields(bytes).length, valid.length, note);
    else t.throws(() => decodeFields(bytes), MalformedError, note);
  }
});

t.test('walk mode ends an inner container at its first invalid field and goes on behind it', async t => {
  const inner = '8200001c000174008500000c000161000000000183000008000173008500000c0001620000000002';
  t.same(decodeFields(fromHex(inner), 'walk'), [
    { name: 't', type: 'table', value: [{ name: 'a', type: 'int32', value: 1 }] },
    { name: 'b', type: 'int32', value: 2 },
  ]);
});

t.test('depth is limited both ways', async t => {
  const nest = (depth: number): Field[] => {
    let fields: Field[] = [];
    for (let i = 0; i < depth; i++) fields = [{ name: '', type: 'array', value: fields }];
    return fields;
  };
  const deepest = nest(maxDepth - 1);
  t.same(decodeFields(encodeFields(deepest)), deepest);
  t.throws(() => encodeFields(nest(maxDepth + 1)), RangeError);
  const length = 8 * 60000;
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < length; at += 8) view.setUint32(at, 0x81000000 + length - at);
  t.throws(() => decodeFields(bytes), MalformedError, 'as deep as a message allows');
  t.throws(() => decodeFields(bytes, 'walk'), MalformedError);
  t.throws(() => formatJson(bytes), MalformedError);
});

t.test('numbers that do not fit', async t => {
  const refused: Field[] = [
    { name: '', type: 'int8', value: 256 },
    { name: '', type: 'int8', value: -129 },
    { name: '', type: 'int16', value: 65536 },
    { name: '', type: 'int32', value: 4294967296 },
    { name: '', type: 'int32', value: 1.5 },
    { name: '', type: 'int32', value: NaN },
    { name: '', type: 'int64', value: 2n ** 64n },
    { name: '', type: 'int64', value: -(2n ** 63n) - 1n },
    { name: 'x'.repeat(65536), type: 'unspec', value: null },
  ];
  for (const field of refused) t.throws(() => encodeFields([field]), RangeError, `${field.type} ${field.value}`);
});

t.test('ties print as C rounds them, to even', async t => {
  const print = (value: number): string => formatJson([{ name: '', type: 'double', value }]).slice(1, -1);
  t.equal(print(0.0078125), '0.007812');
  t.equal(print(0.0234375), '0.023438');
  t.equal(print(-0.0078125), '-0.007812');
  t.equal(print(1234567.9921875), '1234567.992188');
  t.equal(print(123456789012345680), '123456789012345680.000000');
});

const text = fc.oneof(fc.string({ unit: 'grapheme' }), fc.uint8Array({ maxLength: 60 }).map(bytes => decodeText(bytes)));
const { fields: anyFields } = fc.letrec<{ fields: Field[]; field: Field }>(tie => ({
  fields: fc.array(tie('field'), { maxLength: 5 }),
  field: fc.oneof(
    { depthSize: 'small', maxDepth: 6 },
    fc.record({ name: text, type: fc.constant('unspec' as const), value: fc.constant(null) }),
    fc.record({ name: text, type: fc.constant('string' as const), value: text }),
    fc.record({ name: text, type: fc.constant('int64' as const), value: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }) }),
    fc.record({ name: text, type: fc.constant('int32' as const), value: fc.integer() }),
    fc.record({ name: text, type: fc.constant('int16' as const), value: fc.integer({ min: -32768, max: 32767 }) }),
    fc.record({ name: text, type: fc.constant('int8' as const), value: fc.integer({ min: 0, max: 255 }) }),
    fc.record({ name: text, type: fc.constant('double' as const), value: fc.double() }),
    fc.record({ name: text, type: fc.constantFrom('array' as const, 'table' as const), value: tie('fields') }),
  ),
}));

t.test('property: decode(encode(fields)) = fields', async t => {
  fc.assert(fc.property(anyFields, fields => {
    const bytes = encodeFields(fields);
    const again = decodeFields(bytes);
    return toHex(encodeFields(again)) === toHex(bytes) && JSON.stringify(recordedTree(again)) === JSON.stringify(recordedTree(fields));
  }), { numRuns: 1000 });
  t.pass();
});

t.test('property: truncated or altered bytes throw MalformedError or decode, walk and format never fail', async t => {
  fc.assert(fc.property(anyFields, fc.nat(), fc.nat(), fc.integer({ min: 0, max: 255 }), (fields, cut, at, byte) => {
    const bytes = encodeFields(fields).slice();
    if (bytes.length > 0) bytes[at % bytes.length] = byte;
    const part = bytes.subarray(0, bytes.length - (cut % (bytes.length + 1)));
    try {
      decodeFields(part);
    } catch (error) {
      if (!(error instanceof MalformedError)) throw error;
    }
    decodeFields(part, 'walk');
    formatJson(part);
  }), { numRuns: 3000 });
  t.pass();
});

t.test('property: arbitrary bytes', async t => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), bytes => {
    try {
      decodeFields(bytes);
    } catch (error) {
      if (!(error instanceof MalformedError)) throw error;
    }
    decodeFields(bytes, 'walk');
    formatJson(bytes, { indent: true });
  }), { numRuns: 3000 });
  t.pass();
});
