import t from 'tap';
import { BURST, INTERVAL, MAX_CLIENTS, Newcomers } from '../../src/presence/newcomers.js';
import type { PresenceSource } from '../../src/presence/source.js';
import type { Mac } from '../../src/net/mac.js';
import { at } from '../support.js';

const macOf = (n: number) => `02:00:00:00:${(n >> 8).toString(16).padStart(2, '0')}:${(n & 255).toString(16).padStart(2, '0')}` as Mac;
const host = (n: number, source: PresenceSource = 'fdb', via = 'lan1') => ({ mac: macOf(n), network: 'br-lan', via, ssid: '', source });

function setUp() {
  const clients = new Map<string, number>();
  const said: string[] = [];
  const newcomers = new Newcomers({ clientsOf: (via) => clients.get(via) ?? 0, limited: (via) => said.push(via) });
  const come = (via: string) => void clients.set(via, (clients.get(via) ?? 0) + 1);
  const admit = (sight: ReturnType<typeof host>, now: number) => {
    const may = newcomers.admit(sight, at(now));
    if (may) come(sight.via);
    return may;
  };
  const poll = (now: number) => {
    const came: Mac[] = [];
    for (const { mac, via } of newcomers.poll(at(now))) {
      come(via);
      came.push(mac);
    }
    return came;
  };
  return { newcomers, clients, said, admit, poll };
}

t.test('a switch with 250 clients, when a router starts', async (t) => {
  const { said, newcomers, admit } = setUp();
  for (let n = 0; n < 250; n++) t.ok(admit(host(n), 0));
  t.same([said, newcomers.nextDeadline, newcomers.counters.limited], [[], undefined, 0]);
});

t.test('invented MACs come at a pace, and no more than a port may have; other ports do not suffer', async (t) => {
  const { newcomers, clients, said, admit, poll } = setUp();
  let n = 0;
  for (let now = 0; now < 200_000; now += 100) {
    for (let i = 0; i < 10; i++) admit(host(n++ & 0xffff, 'fdb'), now);
    poll(now);
    if (now === 10_000) t.equal(clients.get('lan1'), BURST + now / INTERVAL);
  }
  t.equal(clients.get('lan1'), MAX_CLIENTS);
  t.same(said, ['lan1'], 'once');
  t.ok(newcomers.counters.limited > 15_000);
  t.ok(admit(host(1, 'fdb', 'lan2'), 200_000));
  clients.set('lan1', MAX_CLIENTS - 1);
  t.equal(poll(201_000).length, 1, 'one has gone');
});

t.test('who waits comes when it is his turn, unless he has gone', async (t) => {
  const { newcomers, admit, poll } = setUp();
  for (let n = 0; n < BURST + 3; n++) admit(host(n), 0);
  t.notOk(admit(host(BURST), 0), 'told again');
  t.equal(newcomers.counters.limited, 3);
  t.equal(newcomers.nextDeadline, INTERVAL);
  newcomers.left(macOf(BURST + 1), 'lan1');
  t.same(poll(INTERVAL - 1), []);
  t.same(poll(INTERVAL), [macOf(BURST)]);
  t.notOk(admit(host(BURST + 9), 2 * INTERVAL), 'others were first');
  t.same(poll(3 * INTERVAL), [macOf(BURST + 2), macOf(BURST + 9)]);
  t.equal(newcomers.nextDeadline, undefined);
});

t.test('who only speaks does not wait: he will speak again; it is said anew once all was quiet', async (t) => {
  const { newcomers, said, admit } = setUp();
  for (let n = 0; n < BURST; n++) admit(host(n, 'traffic', 'br-lan'), 0);
  t.notOk(admit(host(BURST, 'traffic', 'br-lan'), 0));
  t.equal(newcomers.nextDeadline, undefined);
  t.ok(admit(host(BURST, 'traffic', 'br-lan'), INTERVAL));
  t.notOk(admit(host(BURST + 1, 'traffic', 'br-lan'), INTERVAL));
  t.same(said, ['br-lan']);
  const quiet = (BURST + 2) * INTERVAL;
  for (let n = 1000; n <= 1000 + BURST; n++) admit(host(n, 'traffic', 'br-lan'), quiet);
  t.same(said, ['br-lan', 'br-lan']);
});
