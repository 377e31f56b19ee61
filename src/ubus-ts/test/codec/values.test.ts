import t from 'tap';
import { array, double, encodeFields, fromFields, int16, int32, int64, int8, parseJson, table, toFields, type Value } from '../../src/index.js';
import { toHex } from '../recordings.js';

const first = (value: Value): object | undefined => toFields({ a: value })[0];

t.test('toFields types values as the ubus command types JSON', async t => {
  const cases: [Value, string, unknown][] = [
    [null, 'unspec', null],
    [true, 'int8', 1],
    [false, 'int8', 0],
    [0, 'int32', 0],
    [-0, 'int32', 0],
    [2147483647, 'int32', 2147483647],
    [-2147483648, 'int32', -2147483648],
    [2147483648, 'int64', 2147483648n],
    [-2147483649, 'int64', -2147483649n],
    [Number.MAX_SAFE_INTEGER, 'int64', 9007199254740991n],
    [2 ** 53, 'double', 2 ** 53],
    [1.5, 'double', 1.5],
    [NaN, 'double', NaN],
    [5n, 'int64', 5n],
    ['x', 'string', 'x'],
    ['ab\0cd', 'string', 'ab'],
    [int8(200), 'int8', 200],
    [int16(3), 'int16', 3],
    [int32(4), 'int32', 4],
    [int64(5), 'int64', 5n],
    [double(1), 'double', 1],
    [table([]), 'table', []],
    [array([]), 'array', []],
    [[], 'array', []],
    [{}, 'table', []],
  ];
  for (const [value, type, result] of cases) t.same(first(value), { name: 'a', type, value: result }, `${type} ${String(result)}`);
  t.same(toFields({ a: undefined }), [], 'undefined is left out');
  t.same(first([undefined, 1]), { name: 'a', type: 'array', value: [{ name: '', type: 'unspec', value: null }, { name: '', type: 'int32', value: 1 }] });
});

t.test('toFields agrees with parseJson', async t => {
  const text = '{"a":[true,null,"x",1.5,-1,5000000000,[],{},[[]],{"b":[]}],"c":{"d":{}}}';
  t.equal(toHex(encodeFields(toFields(JSON.parse(text) as object as Record<string, Value>))), toHex(encodeFields(parseJson(text))));
});

t.test('a Map keeps the order of keys, an object may have any prototype-less name', async t => {
  t.same(toFields(new Map([['10', 1], ['2', 2]])).map(field => field.name), ['10', '2']);
  const object = fromFields(parseJson('{"__proto__":1,"constructor":2}'));
  t.same(Object.keys(object), ['__proto__', 'constructor']);
  t.equal(object['__proto__'], 1);
  t.same(toFields(object).map(field => field.name), ['__proto__', 'constructor']);
});

t.test('what has no counterpart is refused', async t => {
  class Thing {}
  for (const value of [() => 1, Symbol('s'), new Date(0), new Thing(), new Uint8Array(1)]) t.throws(() => toFields({ a: value as unknown as Value }), TypeError);
  const circle: Record<string, Value> = {};
  circle['a'] = circle as Value;
  t.throws(() => toFields(circle), RangeError);
});

t.test('fromFields', async t => {
  t.same({ ...fromFields(parseJson('{"a":1,"b":true,"c":null,"d":[1,{"e":2.5}],"f":9007199254740993,"g":5000000000}')) }, {
    a: 1,
    b: true,
    c: null,
    d: [1, Object.assign(Object.create(null) as object, { e: 2.5 })],
    f: 9007199254740993n,
    g: 5000000000,
  });
  const twice = [{ name: 'a', type: 'int32', value: 1 }, { name: 'a', type: 'int32', value: 2 }] as const;
  t.equal(fromFields(twice)['a'], 1, 'the first of two counts');
  t.equal(fromFields([{ name: 's', type: 'string', value: 'ab\0cd' }])['s'], 'ab', 'ends at NUL');
});
