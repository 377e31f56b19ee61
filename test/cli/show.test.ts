import type { Test } from 'tap';
import t from 'tap';
import {
  showClient,
  showClients,
  showHistory,
  showLeases,
  showNodes,
  showPeers,
  showProbe,
  showStatus,
  showTrace,
} from '../../src/cli/show.js';

process.env['TZ'] = 'UTC';
const EPOCH = 1767225600;

const narrow = (t: Test, text: string) => t.ok(text.split('\n').every((line) => line.length <= 80), `\n${text}`);

const phone = {
  mac: '02:00:00:00:00:01',
  hostname: 'phone',
  ssid: 'mesh',
  addresses: ['10.44.255.255', '2001:db8:ffff:ffff::/64', '2001:db8:ffff:ffff:ffff:ffff:ffff:ffff'],
  node: '0000000000000001',
  node_name: 'r1',
  here: true,
  since: EPOCH,
  roams: 2,
};
const roam = {
  time: EPOCH + 1.5,
  mac: phone.mac,
  hostname: 'phone',
  from: '0000000000000002',
  from_name: 'r2',
  to: phone.node,
  to_name: 'r1',
  gap: 1.8,
  steps: { authorized: 0, known: 0.3, routed: 1.8, announced: 1.9 },
};
const lease = { address: '10.44.255.255', family: 4 as const, mac: phone.mac, hostname: 'phone', expires: EPOCH + 3600, remaining: 3500 };

t.test('clients, an address a line', async (t) => {
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
  t.equal(
    showClients({ clients: [phone] }, undefined, true),
    `MAC                NAME   ROUTER  ADDRESSES
02:00:00:00:00:01  phone  r1 *    10.44.255.255
02:00:00:00:00:01  phone  r1 *    2001:db8:ffff:ffff::/64
02:00:00:00:00:01  phone  r1 *    2001:db8:ffff:ffff:ffff:ffff:ffff:ffff
1 client (* at this router)
`,
    'for grep',
  );
  narrow(t, showClients({ clients: [{ ...phone, hostname: 'the-longest-name-that-anyone-has', node_name: 'a-router-of-the-roof' }] }));
  t.equal(showClients({ clients: [] }), 'no clients\n');
});

t.test('one client', async (t) => {
  t.equal(
    showClient({ ...phone, leases: [lease], history: [roam] }, EPOCH + 60),
    `client     02:00:00:00:00:01
name       phone
network    mesh
router     r1, this one
since      2026-01-01 00:00:00, 60 s ago, after 2 roams
addresses  10.44.255.255, leased for 58 min
           2001:db8:ffff:ffff::/64
           2001:db8:ffff:ffff:ffff:ffff:ffff:ffff

TIME                 MAC                GAP     FROM  TO  NAME
2026-01-01 00:00:01  02:00:00:00:00:01  1.8 ms  r2    r1  phone
`,
  );
});

t.test('history, leases, nodes, probe', async (t) => {
  narrow(t, showHistory({ roams: [roam] }));
  const untimed = { ...roam, from_name: '', to_name: '', steps: { known: 0 } as typeof roam.steps };
  narrow(t, showHistory({ roams: [untimed] }));
  const long = showHistory({ roams: [{ ...roam, from_name: 'pool-bar-and-restaurant', to_name: 'sanitary-block-2', hostname: 'DESKTOP-8F3K2LQ' }] });
  narrow(t, long);
  t.match(showHistory({ roams: [{ ...roam, from_name: 'pool-bar-and-restaurant' }] }, 200), / pool-bar-and-restaurant /, 'on a wide terminal all');
  t.match(long, / pool-bar… {2}sanitary… {2}DESKTOP-8…$/m, 'of each as much as of the others');
  t.equal(showHistory({ roams: [] }), 'no roams yet\n');
  t.match(showLeases({ leases: [lease] }), /^10\.44\.255\.255 {2}02:00:00:00:00:01 {2}58 min {2}phone$/m);
  t.equal(showLeases({ leases: [] }), 'no leases\n');
  const node = { node: phone.node, name: 'r1', addresses: ['fd99::1', '10.99.0.1'], port: 4444, clients: 3, self: true, peer: false, adjacencies: [] };
  t.match(showNodes({ nodes: [node] }), /^r1 {4}0000000000000001 {2}3 {8}this {2}fd99::1\n {39}10\.99\.0\.1$/m);
  t.equal(showProbe({ answered: true, address: '10.44.0.9', time: 3.1 }), '10.44.0.9 answered after 3.1 ms\n');
  t.equal(showProbe({ answered: false }), 'no answer\n');
});

t.test('trace', async (t) => {
  const roams = [
    { mac: phone.mac, age: 7000, steps: { station: 0, claimed: 0.3, flooded: 12.345, acknowledged: 1234.567, announced: 1235.1 } },
    { mac: phone.mac, age: 3, steps: { received: 0, acknowledged: 1.82 } },
  ];
  const text = showTrace({ enabled: true, roams });
  narrow(t, text);
  t.match(text, /^02:00:00:00:00:01 +116 min +station +0\.300 +12\.345 +1234\.567 +1235\.100$/m);
  t.match(text, /^02:00:00:00:00:01 +3 s +received +1\.820$/m);
  t.match(showTrace({ enabled: false, roams: [] }), /roaming trace on/);
});

t.test('peers and status', async (t) => {
  const peer = {
    remote: '[fd99::2]:4444',
    direction: 'out',
    state: 'up',
    standby: false,
    unresponsive: false,
    kind: 'roaming',
    node: '0000000000000002',
    node_name: 'r2',
    since: 30,
    rtt: 1.234,
    bytes_in: 1,
    bytes_out: 2,
    records_in: 3,
    records_out: 4,
  };
  t.equal(
    showPeers({ peers: [peer] }),
    'REMOTE          ROUTER  STATE  SINCE  RTT     LAST ERROR\n[fd99::2]:4444  r2      up     30 s   1.2 ms\n',
  );
  const states = [{}, { standby: true }, { standby: true, unresponsive: true }].map((what) => showPeers({ peers: [{ ...peer, ...what }] }));
  t.strictSame(states.map((text) => /r2 +(\w+)/.exec(text)?.[1]), ['up', 'standby', 'unresponsive']);
  narrow(t, showPeers({ peers: [{ ...peer, error: 'the peer has another key, or somebody else answers at that address' }] }));
  t.equal(showPeers({ peers: [] }), 'no peers\n');
  const status = showStatus({
    version: '0.1.0',
    node: '0000000000000001',
    hostname: 'r1',
    time: EPOCH,
    uptime: 61,
    clients_here: 1,
    clients: 3,
    nodes: 4,
    peers: 1,
    records: 9,
    routes: { installed: 5, pending: 0 },
    problems: ['br-client is down'],
    counters: { dhcp4_received: 2 },
  });
  t.match(status, /^router          r1 \(0000000000000001\)$/m);
  t.match(status, /^dhcp4 received  2$/m);
  t.match(status, /^problem: br-client is down$/m);
});
