import t from 'tap';
import { chooseStyle, COLOURED, PLAIN } from '../../src/cli/style.js';
import { describeEvent, renderScreen } from '../../src/cli/watch-view.js';

process.env['TZ'] = 'UTC';
const NOW = 1767225600;

const client = (n: number, since: number) => ({
  mac: `02:00:00:00:00:0${n}`,
  hostname: `phone${n}`,
  ssid: 'mesh',
  addresses: [],
  node: '0000000000000001',
  node_name: 'r1',
  here: n === 1,
  since,
  roams: n,
});
const roam = {
  time: NOW - 2,
  type: 'roam',
  data: { ...client(1, NOW - 2), from: '0000000000000002', from_name: 'r2' },
};
const state = {
  clients: [client(2, NOW - 100), client(1, NOW - 2), { ...client(3, 0), node: '', node_name: '' }],
  signals: new Map([['02:00:00:00:00:01', -61]]),
  events: [roam],
};

t.test('the screen: who moved last comes first, and below it what happened', async (t) => {
  t.equal(
    renderScreen(state, NOW, { columns: 90, rows: 24 }, PLAIN),
    `roaming  2026-01-01 00:00:00

MAC                NAME    ROUTER  SIGNAL   SINCE  ROAMS  LAST ROAM
02:00:00:00:00:01  phone1  r1 *    -61 dBm  2 s    1      from r2
02:00:00:00:00:02  phone2  r1      -        100 s  2      -
2 clients

2025-12-31 23:59:58 roam     02:00:00:00:00:01 phone1 r2 -> r1
`,
  );
});

t.test('a small screen holds it all', async (t) => {
  const many = { ...state, clients: Array.from({ length: 9 }, (_, n) => client(n, NOW - n)) };
  const text = renderScreen(many, NOW, { columns: 60, rows: 11 }, PLAIN);
  t.ok(text.split('\n').length <= 11, text);
  t.ok(text.split('\n').every((line) => line.length <= 62), text);
  t.match(text, /^9 clients, 5 not shown$/m);
});

t.test('no daemon, no clients', async (t) => {
  t.match(renderScreen({ ...state, clients: undefined }, NOW, { columns: 80, rows: 24 }, PLAIN), /the daemon does not answer/);
  t.match(renderScreen({ ...state, clients: [] }, NOW, { columns: 80, rows: 24 }, PLAIN), /no clients/);
});

t.test('colours, and who wants none', async (t) => {
  t.equal(chooseStyle(true, {}), COLOURED);
  t.equal(chooseStyle(true, { NO_COLOR: '' }), COLOURED, 'empty counts as not set');
  t.equal(chooseStyle(true, { NO_COLOR: '1' }), PLAIN);
  t.equal(chooseStyle(true, { TERM: 'dumb' }), PLAIN);
  t.equal(chooseStyle(false, {}), PLAIN);
  t.match(renderScreen(state, NOW, { columns: 90, rows: 24 }, COLOURED), /\x1b\[32m02:00:00:00:00:01/, 'who has just come');
});

t.test('a line for each notification', async (t) => {
  const line = (type: string, data: object) => describeEvent({ time: NOW, type, data: data as { [name: string]: unknown } }).slice(20);
  t.equal(line('join', client(1, 0)), 'join     02:00:00:00:00:01 phone1 at r1');
  t.equal(line('leave', { mac: '02:00:00:00:00:01', from: '01', from_name: 'r1' }), 'leave    02:00:00:00:00:01 from r1');
  t.equal(
    line('peer', { remote: '[fd99::2]:4444', node: '02', node_name: 'r2', state: 'down', reason: 'connection closed' }),
    'peer     [fd99::2]:4444 r2 is down: connection closed',
  );
  t.equal(line('peer', { remote: '[fd99::2]:4444', node: '', node_name: '', state: 'up' }), 'peer     [fd99::2]:4444 is up');
  t.equal(
    line('conflict', { kind: 'gateway', mac: '02:00:00:00:00:01', address: '10.44.0.1' }),
    'conflict gateway: 02:00:00:00:00:01 10.44.0.1',
  );
  t.equal(line('new', { a: 1 }), 'new      {"a":1}');
});
