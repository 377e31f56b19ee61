import t from 'tap';
import { presenceOption, presenceSources, sourcesOf } from '../../src/config/presence.js';
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
