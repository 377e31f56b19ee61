import t from 'tap';
import { pathFor, stateOf } from '../../src/routes/desired.js';
import { A, client, path, SELF } from './helpers.js';

const ADDRESSES = ['10.44.0.9/32', '2001:db8:0:9::/64', '2001:db8:0:9::1/128', '2001:db8:ff::9/128', 'fe80::9/128'];
const routed = (view: ReturnType<typeof client>) => stateOf(view, SELF).routes.map((r) => [r.destination.address, r.via]);

t.test('here: routes out of the interface, an entry for every single address', async (t) => {
  const view = client(9, SELF, ...ADDRESSES);
  t.strictSame(
    routed(view),
    ['10.44.0.9', '2001:db8:0:9::', '2001:db8:ff::9'].map((address) => [address, { ifindex: 9 }]),
    'no route for an address in the /64, none for a link-local one',
  );
  t.strictSame(
    stateOf(view, SELF).neighbours,
    ['10.44.0.9', '2001:db8:0:9::1', '2001:db8:ff::9', 'fe80::9'].map((address) => ({ ifindex: 9, address, mac: view.mac })),
  );
});

t.test('elsewhere: the same routes, towards the node, and no entries', async (t) => {
  const view = client(9, A, ...ADDRESSES);
  t.strictSame(
    routed(view),
    ['10.44.0.9', '2001:db8:0:9::', '2001:db8:ff::9'].map((address) => [address, { node: A }]),
  );
  t.strictSame(stateOf(view, SELF).neighbours, []);
});

t.test('nowhere, or here on an interface that is not known: nothing', async (t) => {
  t.strictSame(stateOf(client(9, undefined, ...ADDRESSES), SELF), { routes: [], neighbours: [] });
  t.strictSame(stateOf({ ...client(9, SELF, ...ADDRESSES), link: undefined }, SELF), { routes: [], neighbours: [] });
});

t.test('IPv4 may go by an IPv6 next hop, IPv6 not by an IPv4 one', async (t) => {
  const [four, six] = [path(2, '10.0.0.1'), path(3, 'fe80::1')];
  t.equal(pathFor({ 4: four, 6: six }, 4), four);
  t.equal(pathFor({ 4: undefined, 6: six }, 4), six);
  t.equal(pathFor({ 4: four, 6: undefined }, 6), undefined);
  t.equal(pathFor(undefined, 4), undefined);
});
