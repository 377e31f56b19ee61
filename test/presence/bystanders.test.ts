import t from 'tap';
import { Bystanders } from '../../src/presence/bystanders.js';
import type { Mac } from '../../src/net/mac.js';

const sight = (n: number, network: string, via: string) =>
  ({ mac: `02:00:00:00:00:0${n}` as Mac, network, via, ssid: 'guests', source: 'hostapd' }) as const;

t.test('who is no client is remembered until he leaves, or becomes one', async (t) => {
  const bystanders = new Bystanders();
  for (const n of [1, 2, 3]) bystanders.saw(sight(n, n === 3 ? 'br-lan' : 'br-guest', 'wlan0-1'));
  bystanders.saw(sight(1, 'br-guest', 'wlan0-1'));
  t.equal(bystanders.size, 3, 'told twice is told once');
  bystanders.left(sight(2, 'br-guest', 'wlan1-1'));
  t.equal(bystanders.size, 3, 'on another radio it may well stay');
  bystanders.left(sight(2, 'br-guest', 'wlan0-1'));
  t.same(bystanders.take(({ network }) => network === 'br-guest'), [sight(1, 'br-guest', 'wlan0-1')]);
  t.same(bystanders.take(({ network }) => network === 'br-guest'), [], 'once');
  t.equal(bystanders.size, 1);
});
