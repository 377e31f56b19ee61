import { spawnSync } from 'node:child_process';
import t from 'tap';
import type { Readings } from '../../src/cli/metrics.js';
import { formatMetrics } from '../../src/cli/metrics.js';
import type { PeerView } from '../../src/status/peers.js';

const readings: Readings = {
  status: {
    version: '0.1.0',
    node: '0000000000000001',
    hostname: 'r1',
    time: 1767225600,
    uptime: 61,
    clients_here: 1,
    clients: 3,
    nodes: 2,
    peers: 1,
    records: 9,
    routes: { installed: 5, pending: 2 },
    problems: ['br-client is down'],
    counters: { dhcp4_received: 2, roams: 7, neighbours: 3, addresses_set_aside: 1 },
  },
  nodes: [
    { node: '0000000000000001', name: 'r1', addresses: [], port: 4444, clients: 1, self: true, peer: false, adjacencies: [] },
    { node: '0000000000000002', name: 'a "b\\c', addresses: [], port: 4444, clients: 2, self: false, peer: true, adjacencies: [] },
  ],
  peers: [
    {
      remote: '[fd99::2]:4444',
      direction: 'out',
      state: 'up',
      standby: false,
      unresponsive: false,
      kind: 'roaming',
      node: '0000000000000002',
      node_name: 'r2',
      since: 30,
      rtt: 1.5,
      bytes_in: 100,
      bytes_out: 200,
      records_in: 3,
      records_out: 4,
    },
    {
      remote: '10.99.0.3:4444',
      direction: 'out',
      state: 'waiting',
      standby: false,
      unresponsive: false,
      kind: '',
      node: '',
      node_name: '',
      since: 3,
      bytes_in: 0,
      bytes_out: 0,
      records_in: 0,
      records_out: 0,
    },
    // One that was lost and is not given up yet, and the one in its place.
    dialler('closing', 41522),
    dialler('up', 50313),
    { ...dialler('up', 50314), remote: '[fd99::5]:50314', unresponsive: true },
  ],
};

function dialler(state: string, port: number): PeerView {
  const common = { direction: 'in', standby: false, unresponsive: false, kind: 'roaming', node: '0000000000000004', node_name: 'r4', since: 3 } as const;
  return { remote: `[fd99::4]:${port}`, state, ...common, bytes_in: port, bytes_out: 0, records_in: 0, records_out: 0 };
}

t.test('the text format: each name once declared, samples below it', async (t) => {
  const text = formatMetrics(readings);
  t.match(text, '# HELP roaming_peer_rtt_seconds Round-trip time to a peer.\n# TYPE roaming_peer_rtt_seconds gauge\n');
  t.match(text, 'roaming_info{version="0.1.0",node="0000000000000001",hostname="r1"} 1\n');
  t.match(text, 'roaming_clients{node="0000000000000002",node_name="a \\"b\\\\c"} 2\n');
  t.match(text, 'roaming_peer_rtt_seconds{remote="[fd99::2]:4444",node="0000000000000002",node_name="r2"} 0.0015\n');
  t.match(text, 'roaming_peer_up{remote="10.99.0.3:4444",node="",node_name=""} 0\n');
  t.match(text, '# TYPE roaming_roams_total counter\nroaming_roams_total 7\n');
  t.match(text, '# TYPE roaming_neighbours gauge\nroaming_neighbours 3\n');
  t.notMatch(text, 'neighbours_total', 'what can become less is no counter');
  t.match(text, '# TYPE roaming_addresses_set_aside gauge\nroaming_addresses_set_aside 1\n');
  t.notMatch(text, 'addresses_set_aside_total');
  const dialler = '{remote="[fd99::4]",node="0000000000000004",node_name="r4"}';
  t.match(text, `roaming_peer_up${dialler} 1\n`, 'the port from which it dialled this time is no label');
  t.match(text, `roaming_peer_received_bytes${dialler} 50313\n`);
  t.match(text, 'roaming_peer_up{remote="[fd99::5]",node="0000000000000004",node_name="r4"} 0\n', 'it acknowledges nothing');
  const series = text.split('\n').map((line) => line.replace(/ [^ ]+$/, ''));
  t.same(series.filter((one, i) => one.startsWith('roaming') && series.indexOf(one) !== i), [], 'nothing twice');
  const names = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
  t.equal(new Set(names).size, names.length);
  for (const line of text.trimEnd().split('\n')) {
    t.match(line, /^(# (HELP|TYPE) roaming_\w+ .+|roaming_\w+(\{(\w+="(\\.|[^"\\])*",?)+\})? [0-9.e-]+)$/);
  }
});

/** A file for Lua that stands around the collector: ubus and the exporter's `metric`. */
const AROUND = `
local readings = ...
package.loaded.ubus = { connect = function()
  local function call(_, object, method, args)
    local parts = assert(readings[method])
    return parts[args.after] or parts
  end
  return { call = call, close = function() end }
end }
function metric(name, kind, labels, value)
  local function output(labels, value)
    local names, pairs_ = {}, {}
    for key in pairs(labels or {}) do names[#names + 1] = key end
    table.sort(names)
    for i, key in ipairs(names) do pairs_[i] = key .. '=' .. labels[key] end
    print(name .. ' ' .. kind .. ' ' .. table.concat(pairs_, ',') .. ' ' .. string.format('%.4f', value))
  end
  if value ~= nil then output(labels, value) end
  return output
end
dofile('files/usr/lib/lua/prometheus-collectors/roaming.lua').scrape()
`;

function toLua(value: unknown): string {
  if (Array.isArray(value)) return `{${value.map(toLua).join(',')}}`;
  if (typeof value === 'object' && value !== null) {
    return `{${Object.entries(value).map(([name, one]) => `[${JSON.stringify(name)}]=${toLua(one)}`).join(',')}}`;
  }
  return JSON.stringify(value);
}

/** `name kind labels value` of each sample, sorted. */
function normalise(text: string): string[] {
  const kinds = new Map([...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, kind]) => [name, kind]));
  const samples = [...text.matchAll(/^(roaming_\w+)(?:\{(.*)\})? (\S+)$/gm)].map(([, name, labels = '', value]) => {
    const pairs = [...labels.matchAll(/(\w+)="((?:\\.|[^"\\])*)"/g)].map(([, key, text]) => `${key}=${text!.replace(/\\(.)/g, '$1')}`);
    return `${name} ${kinds.get(name!)} ${pairs.sort().join(',')} ${Number(value).toFixed(4)}`;
  });
  return samples.sort();
}

const lua = ['lua5.1', 'lua'].find((program) => spawnSync(program, ['-v']).status === 0);

t.test("the collector for OpenWrt's exporter gives the same", { skip: lua === undefined && 'no lua5.1 here' }, async (t) => {
  const { status, nodes, peers } = readings;
  const parts = { '': { nodes: nodes.slice(0, 1), next: nodes[0]!.node }, [nodes[0]!.node]: { nodes: nodes.slice(1) } };
  const program = `local readings = ${toLua({ status, nodes: parts, peers: { peers } })}\nloadstring(${toLua(AROUND)})(readings)`;
  const { stdout, stderr } = spawnSync(lua!, ['-e', program], { encoding: 'utf8' });
  t.equal(stderr, '');
  t.same(stdout.trim().split('\n').sort(), normalise(formatMetrics(readings)));
});
