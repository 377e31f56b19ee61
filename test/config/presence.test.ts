import t from 'tap';
import { isIgnored, presenceOption, presenceSources, sourcesOf } from '../../src/config/presence.js';
import { BadInput } from '../../src/net/bytes.js';

const options = (...texts: string[]) => texts.map((text) => presenceOption.read(text));

t.test('sources of an interface: its own, else those of all, else the access points', async (t) => {
  t.same(presenceSources([], 'br-client'), ['hostapd', 'nl80211']);
  const mixed = options('hostapd', 'fdb@br-lan', 'traffic@br-lan');
  t.same(presenceSources(mixed, 'br-client'), ['hostapd']);
  t.same(presenceSources(mixed, 'br-lan'), ['fdb', 'traffic']);
  t.same(presenceSources(options('fdb@br-lan'), 'br-client'), ['hostapd', 'nl80211']);
  const config = { presence: mixed, interface: ['br-client', 'br-lan'] };
  t.same(sourcesOf({ ...config, ipv6Mode: 'prefix' }), new Set(['hostapd', 'fdb', 'traffic']));
  t.ok(sourcesOf({ ...config, ipv6Mode: 'host' }).has('neighbour'));
});

t.test('what is no source', async (t) => {
  for (const text of ['', 'wifi', 'fdb@', 'fdb@a@b', 'fdb@a/b', '@br-lan']) t.throws(() => presenceOption.read(text), BadInput, text);
});

t.test('Wi-Fi networks that are left alone, everywhere or on one interface', async (t) => {
  const ignored = ['guests', 'staff@br-lan', 'a@b'];
  t.ok(isIgnored(ignored, 'guests', 'br-client'));
  t.ok(isIgnored(ignored, 'staff', 'br-lan'));
  t.notOk(isIgnored(ignored, 'staff', 'br-client'));
  t.ok(isIgnored(ignored, 'a@b', 'br-client'), 'a name may have an @ in it');
  t.notOk(isIgnored(ignored, '', 'br-lan'), 'a wired host');
  t.notOk(isIgnored(ignored, 'mesh', 'br-lan'));
});
