/** Who counts as a client, by the configuration and by how many come. */
import t from 'tap';
import { ClientAdmission } from '../src/client-admission.js';
import type { Mac } from '../src/net/mac.js';
import { BURST } from '../src/presence/newcomers.js';
import type { Sight } from '../src/presence/presence.js';
import { at, configOf, TestLog } from './support.js';

const macOf = (n: number) => `02:00:00:00:${(n >> 8).toString(16).padStart(2, '0')}:${(n & 255).toString(16).padStart(2, '0')}` as Mac;

const sight = (more: Partial<Sight> = {}): Sight => ({ mac: macOf(1), network: 'br-lan', via: 'wlan0', ssid: 'home', source: 'hostapd', ...more });
const wired = (n: number, more: Partial<Sight> = {}): Sight => sight({ mac: macOf(n), via: 'lan1', ssid: '', source: 'fdb', ...more });

const BASE = ["list interface 'br-lan'", "list prefix '10.44.0.0/16'", "option auth 'none'"];

function setUp(...lines: string[]) {
  const known = new Set<Mac>();
  const log = new TestLog();
  const admission = new ClientAdmission({ config: configOf(...BASE, ...lines), log, isKnown: (mac) => known.has(mac), clientsOf: () => 0 });
  const configure = (...other: string[]) => admission.configure(configOf(...BASE, ...other));
  return { admission, known, log, configure };
}

t.test('client interfaces, sources and Wi-Fi networks as they are configured', async (t) => {
  const { admission, configure } = setUp();
  t.ok(admission.isClient(sight()));
  t.notOk(admission.isClient(sight({ network: 'br-guest' })));
  t.notOk(admission.isClient(wired(1)), 'access points count where nothing else is said');
  t.same(['br-lan', 'br-guest'].map((network) => admission.isClientInterface(network)), [true, false]);
  configure("list interface 'br-guest'", "list presence 'fdb@br-lan'", "list ignore_ssid 'cameras@br-guest'");
  t.same([wired(1), sight()].map((one) => admission.isClient(one)), [true, false]);
  const guests = ['cameras', 'guests'].map((ssid) => sight({ network: 'br-guest', ssid }));
  t.same(guests.map((one) => admission.isClient(one)), [false, true]);
});

t.test('whoever was refused is known when another configuration makes a client of him', async (t) => {
  const { admission, configure } = setUp("list presence 'traffic'");
  const [phone, camera, printer] = [sight(), sight({ mac: macOf(2), ssid: 'cameras' }), wired(3)];
  for (const one of [phone, camera, printer, sight({ mac: macOf(4), source: 'neighbour' })]) admission.refused(one);
  configure("list presence 'hostapd'", "list presence 'fdb'", "list presence 'neighbour'", "list ignore_ssid 'cameras'");
  t.same(admission.reconsidered(), [phone, printer], 'but for who tells of himself each time that he speaks');
  t.same(admission.reconsidered(), [], 'once');
  configure("list presence 'hostapd'");
  admission.left(camera);
  t.same(admission.reconsidered(), [], 'he has left meanwhile');
});

t.test('a host on a cable may have to wait; stations, and who was here before, do not', async (t) => {
  const { admission, known, log, configure } = setUp("list presence 'fdb'", "list presence 'hostapd'");
  const admitted = Array.from({ length: BURST + 3 }, (_, n) => admission.admit(wired(n), at(0))).filter(Boolean);
  t.equal(admitted.length, BURST);
  t.equal(admission.limited, 3);
  t.match(log.lines, [/^warn lan1: very many new hosts/]);
  t.ok(admission.admit(sight({ via: 'lan1' }), at(0)));
  known.add(macOf(BURST));
  t.ok(admission.admit(wired(BURST), at(0)));
  admission.left(wired(BURST));
  const due = admission.nextDeadline!;
  t.same([...admission.poll(due)], [wired(BURST + 1)], 'who has left has lost his turn');
  configure();
  t.same([...admission.poll(at(60_000))], [], 'wired hosts do not count any more');
});
