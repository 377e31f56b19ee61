import t from 'tap';
import { accessPointsOf } from '../../src/linux/access-points.js';
import type { WirelessInterface } from '../../src/linux/netlink/nl80211.js';
import { parseMac } from '../../src/net/mac.js';

const [A, B] = [parseMac('02:00:00:00:00:01'), parseMac('02:00:00:00:00:02')];
const text = (ssid: string) => new TextEncoder().encode(ssid);
const one = (ifindex: number, name: string, more: Partial<WirelessInterface> = {}): WirelessInterface =>
  ({ ifindex, name, radio: 0, accessPoint: true, vlan: false, mac: A, ...more });

const show = (interfaces: readonly WirelessInterface[]) =>
  [...accessPointsOf(interfaces)].map(([ifindex, point]) => `${ifindex}: ${point.name} ${point.ssid} ${point.interfaces.map(({ name }) => name).join(',')}`).sort();

t.test('the interface of a VLAN belongs to the access point with its MAC on its radio', async (t) => {
  const interfaces = [
    one(9, 'ap0.1', { vlan: true }),
    one(2, 'ap0', { ssid: text('mesh') }),
    one(13, 'ap0.sta3', { vlan: true }),
    one(12, 'ap0_1', { mac: B, ssid: text('guests') }),
    one(14, 'ap0_1.1', { mac: B, vlan: true }),
    one(20, 'ap1', { radio: 1, ssid: text('mesh') }),
    one(21, 'mesh0', { accessPoint: false }),
  ];
  t.same(show(interfaces), [
    '12: ap0_1 guests ap0_1.1,ap0_1',
    '13: ap0 mesh ap0.1,ap0.sta3,ap0',
    '14: ap0_1 guests ap0_1.1,ap0_1',
    '20: ap1 mesh ap1',
    '2: ap0 mesh ap0.1,ap0.sta3,ap0',
    '9: ap0 mesh ap0.1,ap0.sta3,ap0',
  ]);
});

t.test('one whose access point is not known stands for itself', async (t) => {
  t.same(show([one(9, 'ap0.1', { vlan: true }), one(2, 'ap1', { radio: 1 })]), ['2: ap1  ap1', '9: ap0.1  ap0.1']);
  const { mac: _, ...nameless } = one(9, 'ap0.1', { vlan: true });
  t.same(show([nameless]), ['9: ap0.1  ap0.1']);
  t.same(show([]), []);
});
