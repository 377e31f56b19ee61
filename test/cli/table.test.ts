import t from 'tap';
import { showClients, showPeers, showStatus } from '../../src/cli/show.js';
import { count, formatAge, formatTable } from '../../src/cli/table.js';

t.test('columns are as wide as what they hold', async (t) => {
  t.equal(formatTable(['A', 'LONG'], [['wide cell', 'x'], ['y', '']]), 'A          LONG\nwide cell  x\ny\n');
});

t.test('words for numbers', async (t) => {
  t.equal(count(1, 'client'), '1 client');
  t.equal(count(0, 'client'), '0 clients');
  t.same([42, 300, 10800, 200000].map(formatAge), ['42 s', '5 min', '3 h', '2 d']);
});

t.test('clients, an address a line, within 80 columns', async (t) => {
  const phone = {
    mac: '02:00:00:00:00:01',
    hostname: 'phone',
    ssid: 'mesh',
    addresses: ['10.44.255.255', '2001:db8:ffff:ffff::/64', '2001:db8:ffff:ffff:ffff:ffff:ffff:ffff'],
    node: '0000000000000001',
    node_name: 'r1',
    here: true,
    since: 1767225600,
    roams: 2,
  };
  const gone = { ...phone, mac: '02:00:00:00:00:02', hostname: '', addresses: [], node: '', node_name: '', here: false };
  const text = showClients({ clients: [phone, gone] });
  t.equal(
    text,
    `MAC                NAME   ROUTER  ADDRESSES
02:00:00:00:00:01  phone  r1 *    10.44.255.255
                                  2001:db8:ffff:ffff::/64
                                  2001:db8:ffff:ffff:ffff:ffff:ffff:ffff
02:00:00:00:00:02  -      -       -
2 clients (* at this router)
`,
  );
  t.ok(text.split('\n').every((line) => line.length <= 80));
  t.equal(showClients({ clients: [] }), 'no clients\n');
});

t.test('peers and status', async (t) => {
  const peer = { remote: '[fd99::2]:4444', node: '0000000000000002', node_name: 'r2', state: 'up', since: 30, rtt: 1.234 };
  t.equal(
    showPeers({ peers: [peer] }),
    'REMOTE          ROUTER  STATE  SINCE  RTT     LAST ERROR\n[fd99::2]:4444  r2      up     30 s   1.2 ms\n',
  );
  t.equal(showPeers({ peers: [] }), 'no peers\n');
  const status = showStatus({
    version: '0.1.0',
    node: '0000000000000001',
    hostname: 'r1',
    uptime: 61,
    clients_here: 1,
    clients: 3,
    nodes: 4,
    peers: 1,
    records: 9,
    routes: { installed: 5, pending: 0 },
    counters: { dhcp4_received: 2 },
  });
  t.match(status, /^router          r1 \(0000000000000001\)$/m);
  t.match(status, /^dhcp4 received  2$/m);
});
