import t from 'tap';
import { Presence } from '../../src/presence/presence.js';
import type { Instant } from '../../src/clients/time.js';
import { parseMac } from '../../src/net/mac.js';

const mac = parseMac('02:00:00:00:00:0a');
const at = (ms: number) => ms as Instant;
const on = (via: string, network = 'br-client') => ({ mac, network, via, ssid: 'mesh' });

t.test('a station joins once, and leaves after the time of grace', async (t) => {
  const presence = new Presence(5000);
  t.match(presence.authorized(on('wlan0'), at(0)), { kind: 'joined', station: { mac, network: 'br-client' } });
  t.equal(presence.authorized(on('wlan0'), at(10)), undefined, 'told twice');
  t.ok(presence.isAssociated(mac));
  presence.left(mac, 'wlan0', at(1000));
  presence.left(mac, 'wlan0', at(2000));
  t.notOk(presence.isAssociated(mac));
  t.same(presence.poll(at(5999)), []);
  t.equal(presence.nextDeadline, 6000);
  t.match(presence.poll(at(6000)), [{ kind: 'left', station: { mac } }]);
  t.equal(presence.size, 0);
});

t.test('a station that comes back in time never left, and is told about its gateway again', async (t) => {
  const presence = new Presence(5000);
  presence.authorized(on('wlan0'), at(0));
  presence.left(mac, 'wlan0', at(1000));
  t.match(presence.authorized(on('wlan0'), at(1500)), { kind: 'joined', station: { since: 0 } });
  t.same(presence.poll(at(9000)), []);
  t.ok(presence.isAssociated(mac));
});

t.test('a change of band: the old radio may say so late (sroamd defect 38)', async (t) => {
  const presence = new Presence(0);
  presence.authorized(on('wlan0'), at(0));
  t.match(presence.authorized(on('wlan1'), at(100)), { kind: 'joined' });
  presence.left(mac, 'wlan0', at(200));
  t.same(presence.poll(at(10_000)), []);
  t.equal(presence.get(mac)?.via, 'wlan1');
});

t.test('another client interface of the same router', async (t) => {
  const presence = new Presence(0);
  presence.authorized(on('wlan0'), at(0));
  t.match(presence.authorized(on('wlan2', 'br-guest'), at(1)), {
    kind: 'moved',
    station: { network: 'br-guest' },
    from: { network: 'br-client' },
  });
});

t.test('a station that another node claimed is not here any more, and does not leave later', async (t) => {
  const presence = new Presence(5000);
  presence.authorized(on('wlan0'), at(0));
  presence.left(mac, 'wlan0', at(10));
  t.match(presence.elsewhere(mac), { via: 'wlan0' });
  t.equal(presence.elsewhere(mac), undefined);
  t.same(presence.poll(at(9000)), []);
});
