import t from 'tap';
import { Conflicts } from '../../src/presence/conflicts.js';
import { Presence } from '../../src/presence/presence.js';
import { parseNodeId } from '../../src/clients/node-id.js';
import type { NodeId } from '../../src/clients/node-id.js';
import { parseMac } from '../../src/net/mac.js';
import { at } from '../support.js';

const mac = parseMac('02:00:00:00:00:0a');
const [self, other] = [parseNodeId('0000000000000001'), parseNodeId('0000000000000002')];

function setUp() {
  const presence = new Presence(5000);
  const place: { node: NodeId | undefined } = { node: self };
  const done: string[] = [];
  const conflicts = new Conflicts({
    presence,
    self,
    placeOf: () => place.node,
    ask: (_, now) => void done.push(`${now} ask`),
    claim: (_, against, now) => {
      place.node = self;
      done.push(`${now} claim against ${against ?? 'gone'}`);
    },
    yielded: (_, radios, now) => void done.push(`${now} yield ${radios.join(' ')}`),
    flaps: () => void done.push('flaps'),
  });
  const authorized = (via: string, now: number) => presence.saw({ mac, network: 'br-client', via, ssid: '', source: 'hostapd' }, at(now));
  const contradicted = (node: NodeId | undefined, now: number) => {
    place.node = node;
    conflicts.contradicted(mac, node, at(now));
  };
  const pass = (from: number, to: number) => {
    for (let now = from; now <= to; now += 10) conflicts.poll(at(now));
  };
  return { presence, conflicts, done, place, authorized, contradicted, pass };
}

t.test('a roam: the station is asked, does not answer, and is given up', async (t) => {
  const { presence, done, authorized, contradicted, pass } = setUp();
  authorized('wlan0', 0);
  contradicted(other, 100);
  t.same(done, ['100 ask'], 'at once');
  pass(110, 3000);
  t.same(done, ['100 ask', '250 ask', '550 ask', '1150 ask', '1750 yield wlan0']);
  t.equal(presence.get(mac), undefined);
});

t.test('a station in power save that looks at every tenth beacon only answers after a second: it stays', async (t) => {
  const { presence, conflicts, done, authorized, contradicted, pass } = setUp();
  authorized('wlan0', 0);
  contradicted(other, 100);
  pass(110, 1120);
  conflicts.answered(mac, at(1124));
  pass(1130, 4000);
  t.same(done, ['100 ask', '250 ask', '550 ask', `1124 claim against ${other}`]);
  t.ok(presence.isAssociated(mac));
});

t.test('a late claim from elsewhere while the client answers ARP here (sroamd defect 3)', async (t) => {
  const { presence, conflicts, done, authorized, contradicted, pass } = setUp();
  authorized('wlan0', 0);
  contradicted(other, 100);
  conflicts.answered(mac, at(110));
  pass(110, 2000);
  t.same(done, ['100 ask', `110 claim against ${other}`]);
  t.ok(presence.isAssociated(mac));
});

t.test("a foreign gone-record for a client that is here (sroamd defect 4)", async (t) => {
  const { done, authorized, contradicted } = setUp();
  authorized('wlan0', 0);
  contradicted(undefined, 100);
  t.same(done, ['100 claim against gone']);
});

t.test('our own access point says that it left: no question', async (t) => {
  const { presence, conflicts, done, authorized, contradicted } = setUp();
  authorized('wlan0', 0);
  contradicted(other, 100);
  presence.left(mac, 'wlan0', at(120));
  conflicts.left(mac, at(120));
  t.same(done, ['100 ask', '120 yield '], 'while it is asked');
  authorized('wlan0', 1000);
  presence.left(mac, 'wlan0', at(1010));
  contradicted(other, 1020);
  t.same(done.slice(2), ['1020 yield '], 'before the claim');
});

t.test('it left, and another node says that it has gone: it stays held', async (t) => {
  const { presence, done, authorized, contradicted } = setUp();
  authorized('wlan0', 0);
  presence.left(mac, 'wlan0', at(10));
  contradicted(undefined, 20);
  t.same(done, []);
  t.ok(presence.get(mac));
});

t.test('it comes anew while it is asked: the access point has answered', async (t) => {
  const { conflicts, done, authorized, contradicted, pass } = setUp();
  authorized('wlan0', 0);
  contradicted(other, 100);
  conflicts.joined(mac);
  pass(110, 2000);
  t.same(done, ['100 ask']);
});

t.test('claims of one number: the winner asks as well, and does not give up what its access point has', async (t) => {
  const { presence, conflicts, done, authorized, pass } = setUp();
  authorized('wlan0', 0);
  conflicts.rivalled(mac, other, at(50));
  conflicts.rivalled(mac, other, at(60));
  conflicts.answered(mac, at(70));
  t.same(done, ['50 ask', `70 claim against ${other}`]);
  conflicts.rivalled(mac, other, at(100));
  pass(100, 2000);
  t.same(done.slice(2), ['100 ask', '250 ask', '550 ask', '1150 ask']);
  t.ok(presence.get(mac));
});

t.test('two places answer: claims wait ever longer, and the client is asked again before each', async (t) => {
  const { conflicts, done, authorized, contradicted } = setUp();
  authorized('wlan0', 0);
  let now = 0;
  for (; done.filter((line) => line.includes('claim')).length < 5; now += 10) {
    contradicted(other, now);
    conflicts.answered(mac, at(now + 5));
  }
  t.equal(done.at(-2), 'flaps', 'said as it begins');
  const before = done.length;
  contradicted(other, now);
  conflicts.answered(mac, at(now + 5));
  t.equal(done.length, before + 1, 'asked, and not claimed');
  const last = now - 5;
  conflicts.poll(at(last + 900));
  t.equal(done.length, before + 1);
  conflicts.poll(at(last + 1000));
  t.equal(done.at(-1), `${last + 1000} ask`);
  conflicts.answered(mac, at(last + 1010));
  t.equal(done.at(-1), `${last + 1010} claim against ${other}`);
});

t.test('a node with our own id insists: it is denied some times only', async (t) => {
  const { conflicts } = setUp();
  const denied = Array.from({ length: 20 }, (_, i) => conflicts.mayDeny(mac, at(i)));
  t.same(denied.filter(Boolean).length, 5);
});
