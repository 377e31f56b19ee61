import t from 'tap';
import { withoutIp6 } from '../../src/config/without-ip6.js';
import { configOf } from '../support.js';

t.test('without IPv6: no prefix, name server or route of it, and no neighbours to look for', async (t) => {
  const options = [
    "list prefix '10.44.0.0/16'",
    "list prefix '2001:db8:44::/48'",
    "list dns '10.44.0.1'",
    "list dns '2001:db8::53'",
    "list route '10.0.0.0/8'",
    "list route '2001:db8:9::/48'",
  ];
  const left = withoutIp6(configOf(...options));
  t.match(left, { prefixes6: [], dns6: [], discovery: false });
  t.strictSame([left.prefix.map(({ key }) => key), left.route.map(({ destination }) => destination.key)], [['10.44.0.0/16'], ['10.0.0.0/8']]);
  t.strictSame(left.dns4, ['10.44.0.1']);
  t.strictSame(withoutIp6(left), left);
});
