/** Hosts that no access point tells of, in numbers; and what the kernel forgets of who moves. */
import t from 'tap';
import { Database } from '../src/clients/database.js';
import { parseNodeId } from '../src/clients/node-id.js';
import { meaningOf } from '../src/clients/record.js';
import type { Record } from '../src/clients/record.js';
import { LocalClients } from '../src/local-clients.js';
import type { Mac } from '../src/net/mac.js';
import { MAX_CLIENTS } from '../src/presence/newcomers.js';
import { configOf, TestClock, TestLog } from './support.js';

const self = parseNodeId('0000000000000001');
const macOf = (n: number) => `02:00:00:${[n >> 16, (n >> 8) & 255, n & 255].map((byte) => byte.toString(16).padStart(2, '0')).join(':')}` as Mac;

function setUp(...lines: string[]) {
  const db = new Database(200_000, 16_000_000);
  const clock = new TestClock();
  const log = new TestLog();
  const claims: Record[] = [];
  /** What the kernel was to forget. */
  const forgotten: string[] = [];
  const reporter = { left() {}, authorized() {}, flooded() {}, served() {}, conflict() {} };
  const configWith = (...lines: string[]) => configOf("list interface 'br-lan'", "list prefix '10.44.0.0/16'", "option auth 'none'", ...lines);
  const clients = new LocalClients({
    self,
    config: configWith(...lines),
    db,
    clock,
    log,
    kernel: { purge: (_, network) => forgotten.push(`all on ${network}`), forgetPort: (_, network) => forgotten.push(`port of ${network}`) },
    stations: { disassociate: () => undefined, hasAccessPoint: () => false },
    reporter: () => reporter as never,
    services: () => undefined,
    apply: (record) => {
      if (meaningOf(record.key, record.value).type === 'association') claims.push(record);
      db.apply(record, clock.now(), true);
    },
    updateRoutes: () => undefined,
    isInstalled: () => false,
    rearm: () => undefined,
  });
  clients.start();
  const configure = (...lines: string[]) => clients.configure(configWith(...lines), clock.now());
  return { clients, clock, log, claims, forgotten, configure };
}

t.test('a host that sends from thousands of MACs is so many clients and no more', async (t) => {
  for (const source of ['fdb', 'traffic'] as const) {
    const { clients, clock, log, claims } = setUp(`list presence '${source}'`);
    for (let n = 0; n < 60_000; n++) {
      if (source === 'traffic') clients.sighted(macOf(n), 'br-lan', source, clock.now());
      else clients.event({ kind: 'authorized', mac: macOf(n), network: 'br-lan', via: 'lan1', ssid: '', source }, clock.now());
      if (n % 1000 === 0) clock.advance(1000);
      clients.poll(clock.now());
    }
    t.ok(claims.length < 850, `${source}: ${claims.length} claims in a minute`);
    t.equal(log.lines.filter((line) => line.startsWith('warn ') && line.includes('very many new hosts')).length, 1);
    t.ok(clients.limited > 50_000);
    t.ok(clients.size <= MAX_CLIENTS);
  }
});

t.test('all hosts behind a large switch become clients, those that have to wait too', async (t) => {
  const { clients, clock } = setUp("list presence 'fdb'");
  for (let n = 0; n < MAX_CLIENTS; n++) clients.event({ kind: 'authorized', mac: macOf(n), network: 'br-lan', via: 'lan1', ssid: '', source: 'fdb' }, clock.now());
  t.equal(clients.size, 500);
  for (let i = 0; i < 110; i++) {
    clock.advance(1000);
    clients.poll(clock.now());
  }
  t.equal(clients.size, MAX_CLIENTS);
  t.notOk([...clients.stations()].some(({ source }) => source !== 'fdb'));
});

t.test('on another port of its bridge the kernel forgets the port; on another interface, or gone, all', async (t) => {
  const { clients, clock, forgotten } = setUp("list interface 'br-guest'", "option hold_time '5s'");
  const told = () => forgotten.splice(0);
  const joins = (via: string, network: string) => clients.event({ kind: 'authorized', mac: macOf(1), network, via, ssid: '', source: 'hostapd' }, clock.now());
  joins('wlan0', 'br-lan');
  t.same(told(), []);
  joins('wlan1', 'br-lan');
  t.same(told(), ['port of br-lan']);
  joins('wlan1-1', 'br-guest');
  t.same(told(), ['all on br-lan']);
  for (const via of ['wlan0', 'wlan1', 'wlan1-1']) clients.event({ kind: 'left', mac: macOf(1), via, source: 'hostapd' }, clock.now());
  t.same(told(), [], 'it may be roaming');
  clock.advance(6000);
  clients.poll(clock.now());
  t.same(told(), ['all on br-guest']);
});

t.test('a source that is taken away, and given back: who is there is a client again, though nothing tells of him anew', async (t) => {
  for (const source of ['hostapd', 'fdb'] as const) {
    const { clients, clock, configure } = setUp(`list presence '${source}'`);
    clients.event({ kind: 'authorized', mac: macOf(1), network: 'br-lan', via: 'port', ssid: '', source }, clock.now());
    t.equal(clients.size, 1);
    configure("list presence 'traffic'");
    t.equal(clients.size, 0);
    configure(`list presence '${source}'`);
    t.match(clients.get(macOf(1)), { via: 'port', source });
  }
});
