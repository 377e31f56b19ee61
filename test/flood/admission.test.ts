import t from 'tap';
import { mayBePeer } from '../../src/flood/admission.js';
import { parseIp } from '../../src/net/ip.js';
import { parsePrefix } from '../../src/net/prefix.js';

t.test('clients may not connect, whatever they use (defect 17)', async (t) => {
  const admission = {
    prefixes: ['10.44.0.0/16', '2001:db8:44::/48'].map(parsePrefix),
    interfaces: ['br-client'],
    routers: new Set(['10.44.0.2'].map(parseIp)),
  };
  for (const [address, allowed] of [
    ['10.44.3.7', false],
    ['10.44.0.2', true],
    ['10.99.0.1', true],
    ['2001:db8:44:1::5', false],
    ['2001:db8:45::5', true],
    ['fe80::1%br-client', false],
    ['fe80::1%mesh0', true],
    ['::1', true],
    ['an unknown address', false],
    ['', false],
  ] as const) {
    t.equal(mayBePeer(address, admission), allowed, address);
  }
});
