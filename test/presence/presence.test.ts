import fc from 'fast-check';
import t from 'tap';
import { Presence } from '../../src/presence/presence.js';
import type { PresenceChange } from '../../src/presence/presence.js';
import { parseMac } from '../../src/net/mac.js';
import type { PresenceSource } from '../../src/presence/source.js';
import { at } from '../support.js';

const mac = parseMac('02:00:00:00:00:0a');
const on = (via: string, network = 'br-client') => ({ mac, network, via, ssid: 'mesh', source: 'hostapd' as const });
const seen = (source: PresenceSource, via = 'br-client', network = 'br-client') => ({ mac, network, via, ssid: '', source });

t.test('a station joins once, and leaves after the time of grace', async (t) => {
  const presence = new Presence(5000);
  t.match(presence.saw(on('wlan0'), at(0)), { kind: 'joined', station: { mac, network: 'br-client' } });
  t.equal(presence.saw(on('wlan0'), at(10)), undefined, 'told twice');
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
  presence.saw(on('wlan0'), at(0));
  presence.left(mac, 'wlan0', at(1000));
  t.match(presence.saw(on('wlan0'), at(1500)), { kind: 'joined', station: { since: 0 } });
  t.same(presence.poll(at(9000)), []);
  t.ok(presence.isAssociated(mac));
});

t.test('a change of band: the old radio may say so late (sroamd defect 38)', async (t) => {
  const presence = new Presence(0);
  presence.saw(on('wlan0'), at(0));
  t.match(presence.saw(on('wlan1'), at(100)), { kind: 'joined' });
  presence.left(mac, 'wlan0', at(200));
  t.same(presence.poll(at(10_000)), []);
  t.equal(presence.get(mac)?.via, 'wlan1');
});

t.test('another client interface of the same router', async (t) => {
  const presence = new Presence(0);
  presence.saw(on('wlan0'), at(0));
  t.match(presence.saw(on('wlan2', 'br-guest'), at(1)), {
    kind: 'moved',
    station: { network: 'br-guest' },
    from: { network: 'br-client' },
  });
});

t.test('a station that another node claimed is not here any more, and does not leave later', async (t) => {
  const presence = new Presence(5000);
  presence.saw(on('wlan0'), at(0));
  presence.left(mac, 'wlan0', at(10));
  t.match(presence.elsewhere(mac), { via: 'wlan0' });
  t.equal(presence.elsewhere(mac), undefined);
  t.same(presence.poll(at(9000)), []);
});

t.test('two sources of one access point: the station leaves when the last has lost it', async (t) => {
  const presence = new Presence(0);
  presence.saw({ ...on('wlan0'), source: 'nl80211', ssid: '' }, at(0));
  t.equal(presence.saw(on('wlan0'), at(1)), undefined, 'told by both');
  t.equal(presence.get(mac)?.ssid, 'mesh');
  presence.left(mac, 'wlan0', at(10), 'hostapd');
  t.ok(presence.isAssociated(mac), 'nl80211 still vouches');
  t.same(presence.poll(at(1000)), []);
  presence.left(mac, 'wlan0', at(2000), 'nl80211');
  t.match(presence.poll(at(2000)), [{ kind: 'left', station: { mac } }]);
});

t.test('a change of band is told with where it was, whatever the sources', async (t) => {
  const presence = new Presence(5000);
  for (const source of ['hostapd', 'nl80211'] as const) presence.saw({ ...on('wlan0'), source }, at(0));
  t.match(presence.saw({ ...on('wlan1'), source: 'nl80211' }, at(5)), {
    kind: 'joined',
    station: { via: 'wlan1', since: 0 },
    from: { via: 'wlan0' },
  });
  t.equal(presence.saw(on('wlan1'), at(6)), undefined);
  t.same(presence.radiosOf(mac), ['wlan0', 'wlan1'], 'the old one has not noticed');
  for (const source of ['hostapd', 'nl80211'] as const) presence.left(mac, 'wlan0', at(7), source);
  t.same(presence.radiosOf(mac), ['wlan1']);
  t.ok(presence.isAssociated(mac));
});

t.test('a wired host: vouched for by the bridge, asked when it is forgotten, kept when it answers', async (t) => {
  const presence = new Presence(3000);
  t.match(presence.saw(seen('fdb', 'eth1'), at(0)), { kind: 'joined', station: { via: 'eth1' } });
  t.same(presence.poll(at(3_600_000)), [], 'no matter how long it says nothing');
  t.match(presence.left(mac, 'eth1', at(10_000), 'fdb'), { kind: 'fading', station: { mac } });
  t.match(presence.poll(at(11_000)), [{ kind: 'fading' }]);
  t.match(presence.poll(at(12_000)), [{ kind: 'fading' }]);
  t.match(presence.saw(seen('fdb', 'eth1'), at(12_500)), { kind: 'joined', station: { since: 0 } });
  t.same(presence.poll(at(60_000)), []);
  presence.left(mac, 'eth1', at(70_000), 'fdb');
  t.match(presence.poll(at(73_000)), [{ kind: 'left' }]);
  t.equal(presence.nextDeadline === undefined || presence.poll(at(99_000)).length === 0, true);
});

t.test('a wired host on another port of the bridge', async (t) => {
  const presence = new Presence(3000);
  presence.saw(seen('fdb', 'eth1'), at(0));
  t.match(presence.saw(seen('fdb', 'eth2'), at(5)), { kind: 'joined', station: { via: 'eth2' }, from: { via: 'eth1' } });
  t.equal(presence.left(mac, 'eth1', at(6), 'fdb'), undefined);
  t.ok(presence.isAssociated(mac));
});

t.test('traffic vouches for a while, and each frame anew', async (t) => {
  const presence = new Presence(2000, 10_000);
  t.match(presence.saw(seen('traffic'), at(0)), { kind: 'joined' });
  for (let now = 0; now <= 40_000; now += 4000) {
    t.equal(presence.saw(seen('traffic'), at(now)), undefined);
    t.same(presence.poll(at(now + 1000)), []);
  }
  t.same(presence.poll(at(49_999)), []);
  t.match(presence.poll(at(50_000)), [{ kind: 'fading' }]);
  t.match(presence.poll(at(51_000)), [{ kind: 'fading' }]);
  t.match(presence.poll(at(52_000)), [{ kind: 'left' }]);
  t.equal(presence.size, 0);
});

t.test('what the bridge knows refines what traffic told, without a word to the rest', async (t) => {
  const presence = new Presence(2000, 10_000);
  presence.saw(seen('traffic'), at(0));
  t.equal(presence.saw(seen('fdb', 'eth1'), at(1)), undefined);
  t.equal(presence.get(mac)?.via, 'eth1');
  t.same(presence.poll(at(60_000)), [], 'the bridge still vouches when traffic no longer does');
  t.ok(presence.isAssociated(mac));
});

t.test('a wired port cannot take an authorised station to another network', async (t) => {
  const presence = new Presence(2000);
  presence.saw(on('wlan0'), at(0));
  t.equal(presence.saw(seen('fdb', 'eth9', 'br-other'), at(1)), undefined);
  t.equal(presence.get(mac)?.network, 'br-client');
  presence.left(mac, 'wlan0', at(2));
  t.match(presence.saw(seen('fdb', 'eth9', 'br-other'), at(3)), { kind: 'moved' }, 'it has left: it may be there');
});

t.test('any order of events: a station is here exactly while something vouches for it, or is held', async () => {
  const vias = ['wlan0', 'wlan1', 'eth1'] as const;
  const sources = ['hostapd', 'nl80211', 'fdb', 'traffic'] as const;
  fc.assert(
    fc.property(
      fc.array(fc.record({ join: fc.boolean(), via: fc.constantFrom(...vias), source: fc.constantFrom(...sources), wait: fc.nat(4000) }), { maxLength: 60 }),
      (events) => {
        const presence = new Presence(1000, 3000);
        let now = 0;
        let here = false;
        const told = (change: PresenceChange | undefined) => {
          if (change?.kind === 'joined') here = true;
          if (change?.kind === 'left') here = false;
        };
        for (const { join, via, source, wait } of events) {
          now += wait;
          presence.poll(at(now)).forEach(told);
          if (join) told(presence.saw({ mac, network: 'br-client', via, ssid: '', source }, at(now)));
          else told(presence.left(mac, via, at(now), source));
          if (here !== (presence.get(mac) !== undefined)) return false;
          if (join && !presence.isAssociated(mac)) return false;
        }
        for (const via of vias) for (const source of sources) told(presence.left(mac, via, at(now), source));
        presence.poll(at(now + 10_000)).forEach(told);
        presence.poll(at(now + 20_000)).forEach(told);
        return !here && presence.size === 0;
      },
    ),
    { numRuns: 300 },
  );
});

t.test('a station that two radios list is here until both have lost it, in whatever order they tell', async (t) => {
  const presence = new Presence(0);
  presence.saw(on('wlan1'), at(0));
  presence.saw(on('wlan0'), at(1));
  t.same(presence.radiosOf(mac), ['wlan1', 'wlan0']);
  t.equal(presence.left(mac, 'wlan0', at(2)), undefined, 'the later one was the stale one');
  t.same(presence.poll(at(100)), []);
  t.match(presence.get(mac), { via: 'wlan1' });
  presence.left(mac, 'wlan1', at(200));
  t.notOk(presence.isAssociated(mac));
  t.match(presence.poll(at(200)), [{ kind: 'left' }]);
});

t.test('and where the other radio is on another client interface, it has moved there', async (t) => {
  const presence = new Presence(0);
  presence.saw(on('wlan2', 'br-guest'), at(0));
  presence.saw(on('wlan0'), at(1));
  t.match(presence.left(mac, 'wlan0', at(2)), { kind: 'moved', station: { network: 'br-guest' }, from: { network: 'br-client' } });
});

t.test('a radio that a station left is not one that has it when it comes back', async (t) => {
  const presence = new Presence(5000);
  presence.saw(on('wlan0'), at(0));
  presence.left(mac, 'wlan0', at(1));
  presence.saw(on('wlan1'), at(2));
  t.same(presence.radiosOf(mac), ['wlan1']);
});
