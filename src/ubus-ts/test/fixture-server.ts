/* The object that most recordings talk to, see fixtures/README.md: its methods and what they reply. */
import { UbusError, decodeFields, double, int16, int32, int64, int8, type ObjectOptions, type PublishedObject, type Request, type Table, type UbusClient } from '../src/index.js';

const letters = 'abcdefghijklmnopqrstuvwxyz';
const digits = '0123456789';

const echo = (_: unknown, { data }: Request) => decodeFields(data);

function repeat(alphabet: string, from: number, size: number): string {
  return Array.from({ length: size }, (_, i) => alphabet[(from + i) % alphabet.length]).join('');
}

/** One field of every type, and their ends. */
const everyType: Table = {
  bool_true: true,
  bool_false: false,
  bool_200: int8(200),
  i16_max: int16(32767),
  i16_min: int16(-32768),
  u16_max: int16(65535),
  i32_max: 2147483647,
  i32_min: -2147483648,
  u32_max: int32(4294967295),
  i64_max: 9223372036854775807n,
  i64_min: -9223372036854775808n,
  u64_max: int64(2n ** 64n - 1n),
  i64_small: int64(7),
  d_pi: 3.14159265358979,
  d_neg: -0.5,
  d_tiny: 1e-9,
  d_huge: double(1e300),
  nothing: null,
  str_empty: '',
  str_utf8: 'Grüß € \u{1f4f6}',
  str_ctrl: 'a"b\\c/d\n\t\r\b\f\u0001\u007f',
  table: { '': 1 },
  table_empty: {},
  array: [int16(1), 'x', { in: true }],
  array_empty: [],
};

/** Waits so many ms. */
export type Sleep = (ms: number) => Promise<void>;

/** Adds the object with all methods, or with the two of `small`. */
export function addFixtureObject(client: UbusClient, path: string, kind: 'all' | 'small', sleep: Sleep, options: ObjectOptions = {}): Promise<PublishedObject> {
  const strict = {
    args: { name: 'string', count: 'int32' },
    handler({ name }: { readonly name?: string }) {
      if (name === undefined) throw new UbusError(2);
      return { hello: name };
    },
  } as const;
  if (kind === 'small') return client.addObject(path, { ping: { handler: () => ({}) }, strict }, options);
  return client.addObject(path, {
    noargs: { handler: () => ({ ok: true }) },
    types: {
      args: {
        a_array: 'array', b_table: 'table', c_string: 'string', d_int64: 'int64', e_int32: 'int32',
        f_int16: 'int16', g_bool: 'bool', h_double: 'double', i_unspec: 'unspec', j_cast64: 'cast_int64',
      },
      handler: echo,
    },
    masked: { args: { c_string: 'string', e_int32: 'int32' }, handler: echo },
    echo: { handler: echo },
    empty: { handler: () => ({}) },
    silent: { handler: () => undefined },
    status: {
      args: { code: 'int32' },
      handler: ({ code = 0 }) => {
        throw new UbusError(code);
      },
    },
    strict,
    defer: {
      args: { ms: 'int32', code: 'int32' },
      async handler({ ms = 0, code = 0 }) {
        await sleep(ms);
        if (code !== 0) throw new UbusError(code);
        return { late: 'but here' };
      },
    },
    never: { handler: () => new Promise<void>(() => {}) },
    big: { args: { size: 'int32', count: 'int32' }, handler: ({ size = 0 }) => ({ size, data: repeat(digits + letters, 0, size) }) },
    multi: {
      args: { size: 'int32', count: 'int32' },
      handler({ size = 0, count = 0 }, request) {
        for (let part = 0; part < count; part++) request.reply({ part, data: repeat(letters, part, size) });
      },
    },
    typed: { handler: () => everyType },
    // Node can neither pass nor take descriptors; these two are there for the signature.
    fd: { handler: () => ({}) },
    takefd: { handler: () => ({ got_fd: false, content: '' }) },
    whoami: { handler: (_, { user, group }) => ({ user, group, object: path }) },
  }, options);
}
